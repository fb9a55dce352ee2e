/**
 * What the methods and the sampler see of a base classifier: images in, logits out. No runtime shows through.
 */
import { TurnproofError } from '@turnproof/core';
import type { ImageShape, ModelInfo } from './model.ts';
import type { Provider } from './ort-runtime.ts';

export interface Classifier {
  readonly info: ModelInfo;
  readonly provider: Provider;
  /** Shape of one image, as the data has it. */
  readonly shape: ImageShape;
  readonly classes: number;
  /**
   * The only batch size that the model takes, or null. Both methods take any batch all the same: they cut it, pad
   * the rest and drop the padding's logits; a multiple of this size wastes nothing.
   */
  readonly fixedBatch: number | null;
  /**
   * Logits `[batch, classes]` of images `[batch, channels, height, width]`, both on the host. A NaN comes through as
   * it is: `argmaxRows` counts such a row for no class.
   *
   * @throws TurnproofError `gpu`, `device-lost`, `out-of-memory`: the run failed, and this classifier is finished.
   */
  logits(images: Float32Array, batch: number): Promise<Float32Array<ArrayBuffer>>;
  /**
   * webgpu only: the same on buffers of the shared device, nothing of it through the host. The buffers (usage
   * STORAGE | COPY_SRC | COPY_DST) may be larger than needed; only the first batch * classes floats of `out` are
   * written. The work is queued when the promise resolves, so later submissions see the logits.
   */
  logitsOnGpu?(images: GPUBuffer, batch: number, out: GPUBuffer): Promise<void>;
  /** Frees session and buffers. A second call does nothing; any other use afterwards is refused. */
  release(): Promise<void>;
}

/** Floats of one image. */
export function imageLength({ channels, height, width }: ImageShape): number {
  return channels * height * width;
}

/** One call of the model: `count` images of the batch from `start` on, run at size `size` (larger: padding). */
export interface Chunk {
  readonly start: number;
  readonly count: number;
  readonly size: number;
  readonly dims: readonly number[];
}

/** How a batch is cut for the model. */
export function chunksOf(info: ModelInfo, shape: ImageShape, batch: number): Chunk[] {
  if (!Number.isInteger(batch) || batch < 0)
    throw new TurnproofError('internal', `a batch of ${batch} images`);
  const size = info.fixedBatch ?? batch;
  const chunks: Chunk[] = [];
  for (let start = 0; start < batch; start += size) {
    chunks.push({
      start,
      count: Math.min(size, batch - start),
      size,
      dims: [size, shape.channels, shape.height, shape.width],
    });
  }
  return chunks;
}

/** Refuses images that are not exactly `batch` of them. */
export function checkImages(images: Float32Array, batch: number, shape: ImageShape): void {
  if (images.length !== batch * imageLength(shape)) {
    throw new TurnproofError(
      'internal',
      `${images.length} floats are not ${batch} images of ${imageLength(shape)} floats`,
    );
  }
}
