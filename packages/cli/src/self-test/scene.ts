/** What the self-test computes on: one small colour image, transformations that meet many cells, and short runs. */
import type { Batch, Gpu, GpuArray } from '@turnproof/core';
import {
  type ImageShape,
  type Parameter,
  type ParameterBox,
  type Preprocess,
  pixelCount,
  type Transform,
} from '@turnproof/shaders';

export const SHAPE: ImageShape = { channels: 3, height: 17, width: 14 };
export const PRE: Preprocess = { vignette: { kind: 'circle', offset: 1 }, blur: { size: 5, sigma: 1 } };
export const SIZE = pixelCount(SHAPE);

/** What the kernels are asked about, of either transformation. */
export interface Scene {
  readonly transform: Transform;
  /** Override constants of the kernels that tell the two apart. */
  readonly constants: Readonly<Record<'TRANSLATION', number>>;
  readonly places: readonly Parameter[];
  readonly pairs: readonly { readonly beta: Parameter; readonly box: ParameterBox }[];
  /** Attacks to be undone, and how far around each its box reaches. */
  readonly attacks: readonly Parameter[];
  readonly nearAttack: readonly [below: number, above: number];
}

export const SCENES: readonly Scene[] = [
  {
    transform: 'rotation',
    constants: { TRANSLATION: 0 },
    places: [[0], [12.5], [-77.7], [181.3]],
    pairs: [
      { beta: [12], box: { lower: [-3], upper: [1] } },
      { beta: [-29.36], box: { lower: [29.2], upper: [29.5] } },
      { beta: [41.7], box: { lower: [10], upper: [18] } },
    ],
    attacks: [[-3], [7.5]],
    nearAttack: [0.05, 0.075],
  },
  {
    transform: 'translation',
    // No end on a whole number, moved or not: there a kernel also takes the cell beyond.
    constants: { TRANSLATION: 1 },
    places: [
      [0, 0],
      [1.25, -0.4],
      [-3.7, 2],
    ],
    pairs: [
      { beta: [0.7, -1.2], box: { lower: [-0.25, 0.1], upper: [0.25, 0.4] } },
      { beta: [2.3, 0.45], box: { lower: [0.9, -1.5], upper: [0.97, -1.47] } },
      { beta: [-1.6, 3.4], box: { lower: [-0.3, -0.3], upper: [0.3, 0.7] } },
    ],
    attacks: [
      [0.4, -0.3],
      [-1.2, 0.6],
    ],
    nearAttack: [0.005, 0.0075],
  },
];

/** Pixels in [0, 1] without any order: integers of a linear congruence. */
export function sceneImage(): Float32Array<ArrayBuffer> {
  let state = 12345;
  return Float32Array.from({ length: SIZE }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) / 2 ** 24;
  });
}

/** How far a kernel is from its reference. */
export interface Measured {
  readonly difference: number;
  /** What it may be. */
  readonly limit: number;
}

/** The one of several that comes nearest to its limit, or farthest beyond it. */
export function worstOf(all: readonly Measured[]): Measured {
  return all.reduce((worst, one) => (shareOf(one) > shareOf(worst) ? one : worst), {
    difference: 0,
    limit: 0,
  });
}

const shareOf = ({ difference, limit }: Measured): number => {
  if (difference === 0) return limit > 0 ? 0 : -1;
  return Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference / limit;
};

/** Largest absolute difference; NaN where any is. */
export function farthest(got: ArrayLike<number>, want: ArrayLike<number>): number {
  let worst = 0;
  for (let i = 0; i < want.length; i++) {
    const difference = Math.abs((got[i] ?? Number.NaN) - (want[i] ?? Number.NaN));
    if (Number.isNaN(difference)) return Number.NaN;
    worst = Math.max(worst, difference);
  }
  return worst;
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
