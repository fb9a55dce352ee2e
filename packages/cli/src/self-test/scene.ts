/** What the self-test computes on: one small colour image, transformations that meet many cells, and short runs. */
import type { Batch, Gpu, GpuArray } from '@turnproof/core';
import {
  type ImageShape,
  type Parameter,
  type ParameterBox,
  type Preprocess,
  pixelCount,
} from '@turnproof/shaders';

export const SHAPE: ImageShape = { channels: 3, height: 17, width: 14 };
export const PRE: Preprocess = { vignette: { kind: 'circle', offset: 1 }, blur: { size: 5, sigma: 1 } };
export const ANGLES: readonly Parameter[] = [[0], [12.5], [-77.7], [181.3]];
export const PAIRS: readonly { readonly beta: Parameter; readonly box: ParameterBox }[] = [
  { beta: [12], box: { lower: [-3], upper: [1] } },
  { beta: [-29.36], box: { lower: [29.2], upper: [29.5] } },
  { beta: [41.7], box: { lower: [10], upper: [18] } },
];

/** Pixels in [0, 1] without any order: integers of a linear congruence. */
export function sceneImage(): Float32Array<ArrayBuffer> {
  let state = 12345;
  return Float32Array.from({ length: pixelCount(SHAPE) }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) / 2 ** 24;
  });
}

/** No kernel's answer: a place that is left out shows. */
const SENTINEL = -12345;

/**
 * Notes what `work` dispatches into a pre-filled output of `length` floats, and reads that back.
 *
 * @param inputs uploaded by the caller, released here
 */
export async function filled(
  gpu: Gpu,
  length: number,
  inputs: readonly GpuArray[],
  work: (batch: Batch, output: GpuArray<'f32'>) => void,
): Promise<Float32Array<ArrayBuffer>> {
  const output = gpu.upload('f32', new Float32Array(length).fill(SENTINEL), 'self-test output');
  try {
    const batch = gpu.batch('self-test');
    work(batch, output);
    const result = batch.read(output);
    await batch.submit();
    return result.data;
  } finally {
    for (const array of [...inputs, output]) array.release();
  }
}
