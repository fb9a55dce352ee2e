/**
 * The classifier on the GPU: onnxruntime's webgpu provider on the device that everything else uses, buffer in,
 * buffer out. Not trusted by itself: `checkParity` compares it with the wasm provider before anything is certified.
 */
import { TurnproofError } from '@turnproof/core';
import type { InferenceSession } from 'onnxruntime-web';
import { type Chunk, type Classifier, checkImages, chunksOf, imageLength } from './classifier.ts';
import type { ImageShape, InspectedModel, ModelInfo } from './model.ts';
import { createSession, exclusive, loadOrt, type Ort, ortMessage, RUN_OPTIONS } from './ort-runtime.ts';

/** No model's logit: a slot that still holds it after a run was not written. */
const SENTINEL = -12345.678710937;
const BYTES = Float32Array.BYTES_PER_ELEMENT;

export class WebgpuClassifier implements Classifier {
  readonly provider = 'webgpu';
  readonly info: ModelInfo;
  readonly shape: ImageShape;
  readonly classes: number;
  readonly fixedBatch: number | null;
  readonly #ort: Ort;
  readonly #device: GPUDevice;
  readonly #buffers = new Map<string, GPUBuffer>();
  #session: InferenceSession | undefined;
  /** Why no further run is allowed. */
  #end: string | undefined;
  #lost = false;

  private constructor(
    ort: Ort,
    session: InferenceSession,
    device: GPUDevice,
    info: ModelInfo,
    shape: ImageShape,
    classes: number,
  ) {
    this.#ort = ort;
    this.#session = session;
    this.#device = device;
    this.info = info;
    this.shape = shape;
    this.classes = classes;
    this.fixedBatch = info.fixedBatch;
    void device.lost.then(() => {
      this.#lost = true;
    });
  }

  /**
   * Opens a model whose number of classes is known, and makes sure that the runtime works on this very device.
   *
   * @throws TurnproofError `gpu` when it does not
   */
  static async open(
    { bytes, info }: InspectedModel,
    shape: ImageShape,
    classes: number,
    device: GPUDevice,
  ): Promise<WebgpuClassifier> {
    const ort = await loadOrt('webgpu');
    const session = await exclusive(() => createSession(ort, bytes, device)).catch((error: unknown) => {
      if (error instanceof TurnproofError) throw error;
      throw new TurnproofError('gpu', `${info.file}: no webgpu session: ${ortMessage(error)}`, {
        fix: 'take --provider wasm',
        cause: error,
      });
    });
    const classifier = new WebgpuClassifier(ort, session, device, info, shape, classes);
    try {
      await classifier.#probeDevice();
      return classifier;
    } catch (error) {
      await classifier.release();
      throw error;
    }
  }

  /** Did a run write our own output buffer? On another device it fails validation, or writes somewhere else. */
  async #probeDevice(): Promise<void> {
    const batch = this.info.fixedBatch ?? 1;
    const black = new Float32Array(batch * imageLength(this.shape));
    const logits = await this.logits(black, batch).catch((error: unknown) => {
      throw this.#explain('the runtime cannot use the shared GPU device', error);
    });
    if (logits.includes(Math.fround(SENTINEL))) {
      throw new TurnproofError(
        'gpu',
        `${this.info.file}: onnxruntime left the output buffer untouched; it seems to work on another GPU device`,
        { fix: 'take --provider wasm, and check that onnxruntime-web is 1.30.0' },
      );
    }
  }

  async logits(images: Float32Array, batch: number): Promise<Float32Array<ArrayBuffer>> {
    checkImages(images, batch, this.shape);
    if (batch === 0) return new Float32Array(0);
    return exclusive(async () => {
      const device = this.#device;
      const bytes = batch * this.classes * BYTES;
      const input = this.#buffer('host input', images.byteLength);
      const out = this.#buffer('host output', bytes);
      device.queue.writeBuffer(input, 0, images.buffer, images.byteOffset, images.byteLength);
      device.queue.writeBuffer(out, 0, new Float32Array(batch * this.classes).fill(SENTINEL));
      await this.#runAll(input, batch, out);
      return this.#read(out, bytes);
    });
  }

  async logitsOnGpu(images: GPUBuffer, batch: number, out: GPUBuffer): Promise<void> {
    const needed = batch * imageLength(this.shape) * BYTES;
    if (images.size < needed || out.size < batch * this.classes * BYTES) {
      throw new TurnproofError(
        'internal',
        `buffers of ${images.size} and ${out.size} bytes are too small for ${batch} images and their logits`,
      );
    }
    await exclusive(() => this.#runAll(images, batch, out));
  }

  /** Inside the turn: every chunk of the batch, straight from and to the buffers where one run does. */
  async #runAll(images: GPUBuffer, batch: number, out: GPUBuffer): Promise<void> {
    for (const chunk of chunksOf(this.info, this.shape, batch)) {
      if (chunk.size === batch) await this.#run(chunk, images, out);
      else await this.#runPart(chunk, images, out);
    }
  }

  /** A chunk of a fixed-batch model: copied into buffers of that size on the GPU, and its logits copied back. */
  async #runPart(chunk: Chunk, images: GPUBuffer, out: GPUBuffer): Promise<void> {
    const image = imageLength(this.shape) * BYTES;
    const row = this.classes * BYTES;
    const partIn = this.#buffer('part input', chunk.size * image);
    const partOut = this.#buffer('part output', chunk.size * row);
    const before = this.#device.createCommandEncoder({ label: 'classifier part in' });
    before.clearBuffer(partIn);
    before.copyBufferToBuffer(images, chunk.start * image, partIn, 0, chunk.count * image);
    this.#device.queue.submit([before.finish()]);
    await this.#run(chunk, partIn, partOut);
    const after = this.#device.createCommandEncoder({ label: 'classifier part out' });
    after.copyBufferToBuffer(partOut, 0, out, chunk.start * row, chunk.count * row);
    this.#device.queue.submit([after.finish()]);
  }

  async #run({ size, dims }: Chunk, images: GPUBuffer, out: GPUBuffer): Promise<void> {
    const session = this.#session;
    if (!session || this.#end !== undefined) {
      throw new TurnproofError('internal', `${this.info.file}: ${this.#end ?? 'the classifier is released'}`);
    }
    const tensor = (buffer: GPUBuffer, shape: readonly number[]) =>
      this.#ort.Tensor.fromGpuBuffer(buffer, { dataType: 'float32', dims: shape });
    try {
      await session.run(
        { [this.info.inputName]: tensor(images, dims) },
        { [this.info.outputName]: tensor(out, [size, this.classes]) },
        RUN_OPTIONS,
      );
    } catch (error) {
      // After a failed run the session keeps the buffers of that run bound and would silently use them again.
      this.#end = 'the classifier is finished since a run of it failed';
      throw this.#explain('the model does not run on the GPU', error);
    }
  }

  #explain(what: string, error: unknown): TurnproofError {
    if (error instanceof TurnproofError) return error;
    const words = `${this.info.file}: ${what}: ${ortMessage(error)}`;
    if (this.#lost) {
      return new TurnproofError('device-lost', words, {
        fix: 'run the command again; finished work is kept',
      });
    }
    if (/out of memory|out-of-memory|failed to allocate|bad_alloc/i.test(words)) {
      return new TurnproofError('out-of-memory', words, { fix: 'use a smaller --batch' });
    }
    return new TurnproofError('gpu', words, { fix: 'take --provider wasm', cause: error });
  }

  /** A buffer of our own, kept between calls and grown when it must. */
  #buffer(label: string, size: number): GPUBuffer {
    const kept = this.#buffers.get(label);
    if (kept && kept.size >= size) return kept;
    const { maxBufferSize, maxStorageBufferBindingSize } = this.#device.limits;
    const limit = Math.min(maxBufferSize, maxStorageBufferBindingSize);
    if (size > limit) {
      throw new TurnproofError(
        'out-of-memory',
        `the classifier's ${label} needs ${size} bytes, the adapter allows ${limit}`,
        { fix: 'use a smaller --batch' },
      );
    }
    kept?.destroy();
    const { STORAGE, COPY_SRC, COPY_DST } = GPUBufferUsage;
    const buffer = this.#device.createBuffer({
      label: `classifier ${label}`,
      size,
      usage: STORAGE | COPY_SRC | COPY_DST,
    });
    this.#buffers.set(label, buffer);
    return buffer;
  }

  async #read(source: GPUBuffer, bytes: number): Promise<Float32Array<ArrayBuffer>> {
    const staging = this.#device.createBuffer({
      label: 'classifier readback',
      size: bytes,
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
    });
    try {
      const encoder = this.#device.createCommandEncoder({ label: 'classifier readback' });
      encoder.copyBufferToBuffer(source, 0, staging, 0, bytes);
      this.#device.queue.submit([encoder.finish()]);
      await staging.mapAsync(GPUMapMode.READ).catch((error: unknown) => {
        throw this.#explain('the logits cannot be read back', error);
      });
      return new Float32Array(staging.getMappedRange().slice(0));
    } finally {
      staging.destroy();
    }
  }

  release(): Promise<void> {
    return exclusive(async () => {
      const session = this.#session;
      this.#session = undefined;
      for (const buffer of this.#buffers.values()) buffer.destroy();
      this.#buffers.clear();
      try {
        await session?.release();
      } catch (error) {
        // Of a device that is gone there is nothing left to free.
        if (!this.#lost) throw this.#explain('its session cannot be released', error);
      }
    });
  }
}
