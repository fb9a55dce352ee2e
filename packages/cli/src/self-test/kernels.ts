/**
 * The kernels on one adapter against their float64 references, quickly: is this driver right? Not the kernels' own tests,
 * which look at many shapes and reject mutants.
 */
import { type Gpu, TurnproofError } from '@turnproof/core';
import {
  argmaxCountKernel,
  compileArgmaxCount,
  compileNoise,
  dispatchArgmaxCount,
  dispatchNoise,
  noiseKernel,
  noiseLawOf,
  uploadNoise,
} from '@turnproof/shaders';
import { argmaxCountOracle, noisyOracle } from '@turnproof/shaders/oracle';
import { checkHull, checkRemainder, checkWarp, checkWarpPre } from './images.ts';
import { checkInverse } from './inverse.ts';
import { checkChords, checkDistances, checkIntervals, checkPoints, checkSliceRemainders } from './norms.ts';
import { farthest, filled, type Measured, SCENES, type Scene, sceneImage, worstOf } from './scene.ts';

export interface KernelCheck {
  readonly name: string;
  /** Largest distance from the reference, or null where the kernel did not run. */
  readonly difference: number | null;
  /** What it may be. */
  readonly limit: number;
  readonly passed: boolean;
  /** Why the kernel did not run. */
  readonly failure: string | null;
}

type SceneCheck = (gpu: Gpu, image: Float32Array<ArrayBuffer>, scene: Scene) => Promise<Measured>;

/** Those that are asked about either transformation. A kernel stands before those that are given what it made. */
const OF_SCENES: Readonly<Record<string, SceneCheck>> = {
  warp: checkWarp,
  warp_pre: checkWarpPre,
  box_hull: checkHull,
  box_remainder: checkRemainder,
  point_error: checkPoints,
  chord_error: checkChords,
  interval_error: checkIntervals,
  inverse: checkInverse,
  slice_distance: checkDistances,
  slice_remainder: checkSliceRemainders,
};

/**
 * Every kernel that a certificate rests on. Never throws for a kernel that fails: that is what is asked.
 *
 * @param only - These alone; all of them by default.
 */
export function checkKernels(gpu: Gpu, only?: readonly string[]): Promise<KernelCheck[]> {
  const image = sceneImage();
  const checks: [string, () => Promise<Measured>][] = [
    ...Object.entries(OF_SCENES).map(([name, check]): [string, () => Promise<Measured>] => [
      name,
      async () => worstOf(await Promise.all(SCENES.map((scene) => check(gpu, image, scene)))),
    ]),
    ['noise', () => checkNoise(gpu)],
    ['argmax_count', () => checkArgmax(gpu)],
  ];
  // All at once: most of the time goes into the driver's compiler, which has threads of its own.
  const asked = checks.filter(([name]) => only === undefined || only.includes(name));
  return Promise.all(asked.map(([name, check]) => verdictOf(name, check)));
}

async function verdictOf(name: string, check: () => Promise<Measured>): Promise<KernelCheck> {
  try {
    const { difference, limit } = await check();
    return { name, difference, limit, passed: difference <= limit, failure: null };
  } catch (error) {
    if (error instanceof TurnproofError && error.code === 'device-lost') throw error;
    const [failure = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
    return { name, difference: null, limit: 0, passed: false, failure };
  }
}

async function checkNoise(gpu: Gpu): Promise<Measured> {
  const [elements, samples, sigma, key] = [101, 64, 0.5, [0x243f6a88, 0x85a308d3]] as const;
  const counters = Array.from({ length: samples }, (_, i) => [i % 5, 7 * i, 1_000_003 * i] as const);
  const image = sceneImage().subarray(0, elements);
  const noise = uploadNoise(gpu, sigma);
  const base = gpu.upload('f32', image, 'self-test base');
  const items = gpu.upload(
    'u32',
    Uint32Array.from(counters.flatMap((counter) => [0, ...counter])),
    'self-test items',
  );
  const compiled = await compileNoise(gpu, noiseKernel);
  const got = await filled(gpu, samples * elements, [base, items], (batch, output) =>
    dispatchNoise(batch, compiled, { base, items, output }, { elements, samples, key, noise }),
  );
  noise.release();
  const want = counters.flatMap((counter) => Array.from(noisyOracle(image, counter, key, noiseLawOf(sigma))));
  // Whole numbers: the same bit for bit.
  return { difference: farthest(got, want), limit: 0 };
}

async function checkArgmax(gpu: Gpu): Promise<Measured> {
  const [rows, classes, slotCount] = [300, 10, 7];
  const numbers = sceneImage();
  // Eighths make ties common; now and then a row has a NaN.
  const logits = Float32Array.from({ length: rows * classes }, (_, i) =>
    i % 97 === 0 ? Number.NaN : Math.floor(8 * (numbers[i % numbers.length] ?? 0)) / 8,
  );
  const slots = Uint32Array.from({ length: rows }, (_, row) => row % slotCount);
  const arrays = {
    logits: gpu.upload('f32', logits, 'self-test logits'),
    slots: gpu.upload('u32', slots, 'self-test slots'),
    counts: gpu.upload('u32', new Uint32Array(slotCount * classes), 'self-test counts'),
  };
  try {
    const batch = gpu.batch('self-test');
    dispatchArgmaxCount(batch, await compileArgmaxCount(gpu, argmaxCountKernel), arrays, rows, classes);
    const result = batch.read(arrays.counts);
    await batch.submit();
    return {
      difference: farthest(result.data, argmaxCountOracle(logits, slots, classes, slotCount)),
      limit: 0,
    };
  } finally {
    for (const array of Object.values(arrays)) array.release();
  }
}
