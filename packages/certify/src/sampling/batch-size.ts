/**
 * How many images the classifier is given at once: what is fastest here, found by trying. Speed only: no certificate
 * depends on it.
 */
import type { Gpu } from '@turnproof/core';
import { type ImageShape, pixelCount } from '@turnproof/shaders';
import { philox4x32 } from '@turnproof/shaders/oracle';
import type { Classifier } from '../classifier/index.ts';

export interface BatchSizing {
  readonly gpu: Gpu;
  readonly classifier: Classifier;
  readonly shape: ImageShape;
}

/** What the noisy images of one batch may take. */
export const IMAGE_BYTES = 64 * 2 ** 20;

/** Ascending. On the CPU larger batches win nothing; a GPU wants to be kept busy for longer. */
const SIZES = {
  wasm: [32, 64, 128, 256],
  webgpu: [128, 256, 512, 1024],
  software: [32, 64, 128],
} as const;
/** A larger batch must be faster by this share for each image: what is drawn ahead in vain grows with it. */
const WORTHWHILE = 0.05;
/** When one call takes so long (ms), what surrounds a call is nothing beside it, and so is what is left to win. */
const LONG_CALL = 250;

/** Sizes worth trying: those that fit into memory, multiples of a fixed batch; never empty. */
export function batchCandidates({ gpu, classifier, shape }: BatchSizing): number[] {
  const software = classifier.provider === 'webgpu' && gpu.adapter.kind === 'software';
  const most = Math.max(1, Math.floor(IMAGE_BYTES / (4 * pixelCount(shape))));
  const fixed = classifier.fixedBatch ?? 1;
  const sizes = SIZES[software ? 'software' : classifier.provider].map(
    (size) => fixed * Math.max(1, Math.floor(Math.min(size, most) / fixed)),
  );
  return [...new Set(sizes)];
}

/**
 * The fastest of the candidates on noisy images, the smaller one where they are close.
 *
 * @throws TurnproofError what the classifier throws
 */
export async function measureBatch(sizing: BatchSizing): Promise<number> {
  const candidates = batchCandidates(sizing);
  const [smallest = 1] = candidates;
  if (candidates.length === 1) return smallest;
  const trial = sizing.classifier.logitsOnGpu ? trialOnGpu(sizing) : trialOnHost(sizing);
  try {
    let best = { size: smallest, each: Number.POSITIVE_INFINITY };
    for (const size of candidates) {
      // The first call of a size also makes what the runtime keeps for it.
      await trial.call(size);
      const took = Math.min(await timed(trial.call, size), await timed(trial.call, size));
      if (took / size < (1 - WORTHWHILE) * best.each) best = { size, each: took / size };
      if (took > LONG_CALL) break;
    }
    return best.size;
  } finally {
    trial.end();
  }
}

interface Trial {
  readonly call: (size: number) => Promise<unknown>;
  readonly end: () => void;
}

async function timed(call: Trial['call'], size: number): Promise<number> {
  const start = performance.now();
  await call(size);
  return performance.now() - start;
}

/** Images of nothing but uniform noise, eight in turn. */
function noisyImages(count: number, elements: number): Float32Array<ArrayBuffer> {
  const images = new Float32Array(count * elements);
  const different = Array.from({ length: 8 }, (_, i) =>
    Float32Array.from({ length: elements }, (_, k) => philox4x32([i, 0, 0, k], [0, 0])[0] / 2 ** 32),
  );
  for (let i = 0; i < count; i++) images.set(different[i % 8] ?? [], i * elements);
  return images;
}

function trialOnHost(sizing: BatchSizing): Trial {
  const { classifier, shape } = sizing;
  const elements = pixelCount(shape);
  const images = noisyImages(Math.max(...batchCandidates(sizing)), elements);
  return {
    call: (size) => classifier.logits(images.subarray(0, size * elements), size),
    end: () => undefined,
  };
}

function trialOnGpu(sizing: BatchSizing): Trial {
  const { gpu, classifier, shape } = sizing;
  const elements = pixelCount(shape);
  const most = Math.max(...batchCandidates(sizing));
  const images = gpu.upload('f32', noisyImages(most, elements), 'images to time');
  const logits = gpu.array('f32', most * classifier.classes, 'logits to time');
  return {
    call: async (size) => {
      await classifier.logitsOnGpu?.(images.buffer, size, logits.buffer);
      await gpu.device.queue.onSubmittedWorkDone();
    },
    end: () => {
      images.release();
      logits.release();
    },
  };
}
