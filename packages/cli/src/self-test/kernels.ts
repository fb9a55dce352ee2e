/**
 * The kernels on one adapter against their float64 twins, quickly: is this driver right? Not the kernels' own tests,
 * which look at many shapes and reject mutants.
 */
import { type Gpu, TurnproofError } from '@turnproof/core';
import {
  argmaxCountKernel,
  boxHullKernel,
  boxItems,
  boxRemainderKernel,
  boxWidths,
  chordBudget,
  chordErrorKernel,
  compileArgmaxCount,
  compileNoise,
  dispatchArgmaxCount,
  dispatchNoise,
  distanceItems,
  endsOf,
  fixedMap,
  InverseRunner,
  intervalBudget,
  intervalErrorKernel,
  intervalItems,
  inverseItems,
  mapItems,
  noiseKernel,
  noiseLawOf,
  normUp,
  type PairKernel,
  PairRunner,
  type PixelKernel,
  PixelRunner,
  pairItems,
  pixelCount,
  pointBudget,
  pointErrorKernel,
  pointItems,
  reachOf,
  samplerBudget,
  sliceDistanceBudget,
  sliceDistanceKernel,
  sliceRemainderBudget,
  sliceRemainderKernel,
  uploadNoise,
  WarpPreRunner,
  warpBudget,
  warpKernel,
} from '@turnproof/shaders';
import {
  anyImage,
  argmaxCountOracle,
  chordErrorOracle,
  interpolationError,
  intervalErrorOracle,
  inverseOracle,
  noisyOracle,
  sliceDistance,
  sliceRemainderOracle,
  warpOracle,
  warpPreOracle,
} from '@turnproof/shaders/oracle';
import { ANGLES, filled, PAIRS, PRE, SHAPE, sceneImage } from './scene.ts';

export interface KernelCheck {
  readonly name: string;
  /** Largest distance from the twin, or null where the kernel did not run. */
  readonly difference: number | null;
  /** What it may be. */
  readonly limit: number;
  readonly passed: boolean;
  /** Why the kernel did not run. */
  readonly failure: string | null;
}

interface Measured {
  readonly difference: number;
  readonly limit: number;
}

const SIZE = pixelCount(SHAPE);

/** Every kernel that a certificate rests on. Never throws for a kernel that fails: that is what is asked. */
export async function checkKernels(gpu: Gpu): Promise<KernelCheck[]> {
  const image = sceneImage();
  const checks: [string, () => Promise<Measured>][] = [
    ['warp', () => checkWarp(gpu, image)],
    ['warp_pre', () => checkWarpPre(gpu, image)],
    ['point_error', () => checkPoints(gpu, image)],
    ['chord_error', () => checkBoxes(gpu, image, 'chord')],
    ['interval_error', () => checkBoxes(gpu, image, 'interval')],
    ['inverse', () => checkInverse(gpu, image)],
    ['slice_distance', () => checkDistances(gpu, image)],
    ['slice_remainder', () => checkRemainders(gpu, image)],
    ['noise', () => checkNoise(gpu)],
    ['argmax_count', () => checkArgmax(gpu)],
  ];
  const results: KernelCheck[] = [];
  for (const [name, check] of checks) {
    try {
      const { difference, limit } = await check();
      results.push({ name, difference, limit, passed: difference <= limit, failure: null });
    } catch (error) {
      if (error instanceof TurnproofError && error.code === 'device-lost') throw error;
      const [failure = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
      results.push({ name, difference: null, limit: 0, passed: false, failure });
    }
  }
  return results;
}

/** Largest absolute difference; NaN where any is. */
function farthest(got: ArrayLike<number>, want: ArrayLike<number>): number {
  let worst = 0;
  for (let i = 0; i < want.length; i++) {
    const difference = Math.abs((got[i] ?? Number.NaN) - (want[i] ?? Number.NaN));
    worst = Number.isNaN(difference) ? Number.NaN : Math.max(worst, difference);
    if (Number.isNaN(worst)) return worst;
  }
  return worst;
}

const angleItems = () =>
  mapItems(ANGLES.map((angle) => ({ image: 0, map: fixedMap('rotation', angle, SHAPE) })));

async function checkWarp(gpu: Gpu, image: Float32Array<ArrayBuffer>): Promise<Measured> {
  const got = await runPixels(gpu, warpKernel, image, angleItems(), ANGLES.length);
  const want = ANGLES.flatMap((angle) => [...warpOracle('rotation', angle, image, SHAPE)]);
  return { difference: farthest(got, want), limit: warpBudget(SHAPE) };
}

async function checkWarpPre(gpu: Gpu, image: Float32Array<ArrayBuffer>): Promise<Measured> {
  const runner = await WarpPreRunner.create(gpu, SHAPE, PRE);
  try {
    const images = gpu.upload('f32', image, 'self-test image');
    const items = gpu.upload('i32', angleItems(), 'self-test items');
    const got = await filled(gpu, ANGLES.length * SIZE, [images, items], (batch, output) =>
      runner.dispatch(batch, { images, items, output }, ANGLES.length),
    );
    const distances = ANGLES.map((angle, i) => {
      const want = warpPreOracle('rotation', angle, image, SHAPE, PRE);
      return Math.hypot(...want.map((value, k) => value - (got[i * SIZE + k] ?? Number.NaN)));
    });
    return { difference: Math.max(...distances), limit: samplerBudget(SHAPE, PRE) };
  } finally {
    runner.close();
  }
}

async function runPixels(
  gpu: Gpu,
  kernel: PixelKernel,
  image: Float32Array<ArrayBuffer>,
  itemData: Int32Array<ArrayBuffer>,
  count: number,
  options: { readonly perItem?: number; readonly constants?: Readonly<Record<string, number>> } = {},
): Promise<Float32Array<ArrayBuffer>> {
  const runner = await PixelRunner.create(gpu, kernel, SHAPE, options.constants);
  const images = gpu.upload('f32', image, 'self-test image');
  const items = gpu.upload('i32', itemData, 'self-test items');
  return filled(gpu, count * (options.perItem ?? 1) * SIZE, [images, items], (batch, output) =>
    runner.dispatch(batch, { images, items, output }, count),
  );
}

/** Norms of PAIRS, rounded up by the budget of each. */
async function runPairs(
  gpu: Gpu,
  kernel: PairKernel,
  image: Float32Array<ArrayBuffer>,
  stack: Float32Array<ArrayBuffer>,
  itemData: Int32Array<ArrayBuffer>,
  options: { readonly fieldBytes: 4 | 8; readonly constants?: Readonly<Record<string, number>> },
  budgets: readonly number[],
): Promise<number[]> {
  const runner = await PairRunner.create(gpu, kernel, SHAPE, PRE, options);
  try {
    const images = gpu.upload('f32', image, 'self-test image');
    const warped = gpu.upload('f32', stack, 'self-test second stack');
    const items = gpu.upload('i32', itemData, 'self-test items');
    const { partials, tiling } = runner;
    const sums = await filled(gpu, PAIRS.length * partials, [images, warped, items], (batch, output) =>
      runner.dispatch(batch, { images, warped, items, output }, PAIRS.length),
    );
    return budgets.map((budget, i) => normUp(sums, i * partials, (i + 1) * partials, tiling, budget));
  } finally {
    runner.close();
  }
}

/** A bound must lie between its twin and the twin with some slack; below it nothing is allowed. */
function between(bounds: readonly number[], twins: readonly number[], slacks: readonly number[]): Measured {
  let worst: Measured = { difference: 0, limit: 0 };
  for (const [i, bound] of bounds.entries()) {
    const above = bound - (twins[i] ?? Number.NaN);
    if (!(above >= 0)) return { difference: Math.abs(above), limit: 0 };
    const limit = slacks[i] ?? Number.NaN;
    if (!(above * worst.limit <= worst.difference * limit) || worst.limit === 0)
      worst = { difference: above, limit };
  }
  return worst;
}

async function checkPoints(gpu: Gpu, image: Float32Array<ArrayBuffer>): Promise<Measured> {
  const maps = PAIRS.map(({ box }) => ({ image: 0, map: fixedMap('rotation', box.lower, SHAPE) }));
  const stack = await runPixels(gpu, warpKernel, image, mapItems(maps), PAIRS.length);
  const entries = PAIRS.map(({ beta, box }, slot) => ({ image: 0, slot, beta, gamma: box.lower }));
  const budget = pointBudget(SHAPE, PRE);
  const budgets = PAIRS.map(() => budget);
  const items = pointItems(entries, 'rotation', SHAPE);
  const bounds = await runPairs(gpu, pointErrorKernel, image, stack, items, { fieldBytes: 4 }, budgets);
  const twins = PAIRS.map(({ beta, box }) =>
    interpolationError('rotation', beta, box.lower, image, SHAPE, PRE),
  );
  return between(
    bounds,
    twins,
    twins.map((twin) => 1e-5 * twin + 2 * budget),
  );
}

async function checkBoxes(
  gpu: Gpu,
  image: Float32Array<ArrayBuffer>,
  method: 'chord' | 'interval',
): Promise<Measured> {
  const chord = method === 'chord';
  const boxes = boxItems(
    PAIRS.map(({ box }) => ({ image: 0, box })),
    'rotation',
    SHAPE,
  );
  const stack = chord
    ? await runPixels(gpu, boxRemainderKernel, image, boxes, PAIRS.length, { constants: { TRANSLATION: 0 } })
    : await runPixels(gpu, boxHullKernel, image, boxes, PAIRS.length, { perItem: 2 });
  const items = chord
    ? pairItems(
        PAIRS.map(({ beta, box }, slot) => ({ image: 0, slot, beta, box })),
        'rotation',
        SHAPE,
      )
    : intervalItems(
        PAIRS.map(({ beta, box }, slot) => ({ images: [0, 0], moved: endsOf(slot), beta, box })),
        'rotation',
        SHAPE,
      );
  const widths = PAIRS.map(({ box }) => boxWidths('rotation', box)[0] ?? Number.NaN);
  const budgets = widths.map((width) =>
    chord ? chordBudget(SHAPE, PRE, 'rotation', width) : intervalBudget(SHAPE, PRE),
  );
  const kernel = chord ? chordErrorKernel : intervalErrorKernel;
  const options = chord
    ? ({ fieldBytes: 4, constants: { TRANSLATION: 0 } } as const)
    : ({ fieldBytes: 8 } as const);
  const bounds = await runPairs(gpu, kernel, image, stack, items, options, budgets);
  const oracle = chord ? chordErrorOracle : intervalErrorOracle;
  const twins = PAIRS.map(({ beta, box }) => oracle('rotation', beta, box, image, SHAPE, PRE));
  // The kernels enclose an arc by its chord and the height of the arc: wider than the twins by that much.
  const slacks = twins.map((twin, i) => {
    const [width = 0, budget = 0] = [widths[i], budgets[i]];
    const arcs = (Math.sqrt(SIZE) * reachOf(SHAPE) * width * width) / 4;
    return chord ? 0.3 * twin + 2 * budget + 0.3 * width : 1e-4 * twin + 2 * budget + arcs;
  });
  return between(bounds, twins, slacks);
}

/**
 * Two steps of the inverse of turned images, for boxes of an eighth of a degree that hold the angle: the image itself must be
 * inside (else the difference is infinite), and the ends not far from the twin's.
 */
async function checkInverse(gpu: Gpu, scene: Float32Array<ArrayBuffer>): Promise<Measured> {
  // Much black: what an inverse needs to see anything.
  const image = scene.map((value) => Math.max(0, 1.6 * value - 0.6));
  const angles = [-3, 7.5];
  const files = angles.map((angle) => Float32Array.from(warpOracle('rotation', [angle], image, SHAPE)));
  const halfStep = 1e-5;
  const entries = angles.map((angle, i) => ({
    image: i,
    box: { lower: [angle - 0.05], upper: [angle + 0.075] },
  }));
  const items = (known: boolean) =>
    gpu.upload(
      'i32',
      inverseItems(
        entries.map((entry, i) => ({ ...entry, slot: known ? i : null })),
        halfStep,
        'rotation',
        SHAPE,
      ),
      'self-test items',
    );
  const stack = new Float32Array(2 * SIZE);
  files.forEach((file, i) => {
    stack.set(file, i * SIZE);
  });
  const images = gpu.upload('f32', stack, 'self-test files');
  const [first, second] = [items(false), items(true)];
  const warped = gpu.array('f32', 4 * SIZE, 'self-test intervals');
  const refuted = gpu.upload('u32', new Uint32Array(2), 'self-test refutations');
  const runner = await InverseRunner.create(gpu, SHAPE);
  const inputs = [images, first, second, warped, refuted];
  const got = await filled(gpu, 4 * SIZE, inputs, (batch, output) => {
    runner.dispatch(batch, { images, items: first, output: warped, warped: output, refuted }, 2);
    runner.dispatch(batch, { images, items: second, output, warped, refuted }, 2);
  });
  let difference = 0;
  entries.forEach(({ box }, i) => {
    const [lower, upper] = [2 * i, 2 * i + 1].map((end) => got.subarray(end * SIZE, (end + 1) * SIZE));
    let twin = anyImage(SHAPE);
    for (let step = 0; step < 2; step++)
      twin = inverseOracle('rotation', box, files[i] ?? [], halfStep, twin, SHAPE);
    if (!lower || !upper) return;
    const holds = image.every((value, k) => (lower[k] ?? 2) <= value && value <= (upper[k] ?? -1));
    const ends = Math.max(farthest(lower, twin.lower), farthest(upper, twin.upper));
    difference = holds ? Math.max(difference, ends) : Number.POSITIVE_INFINITY;
  });
  return { difference, limit: 1e-3 };
}

async function checkDistances(gpu: Gpu, image: Float32Array<ArrayBuffer>): Promise<Measured> {
  const entries = PAIRS.map(({ box }) => ({ image: 0, gamma: box.lower, center: box.upper }));
  const budget = sliceDistanceBudget(SHAPE, PRE);
  const items = distanceItems(entries, 'rotation', SHAPE);
  const budgets = PAIRS.map(() => budget);
  // One stack only: the second is not read.
  const bounds = await runPairs(gpu, sliceDistanceKernel, image, image, items, { fieldBytes: 4 }, budgets);
  const twins = PAIRS.map(({ box }) => sliceDistance('rotation', box.lower, box.upper, image, SHAPE, PRE));
  return between(
    bounds,
    twins,
    twins.map((twin) => 1e-5 * twin + 2 * budget),
  );
}

async function checkRemainders(gpu: Gpu, image: Float32Array<ArrayBuffer>): Promise<Measured> {
  const boxes = PAIRS.map(({ box }) => ({ image: 0, box }));
  const items = boxItems(boxes, 'rotation', SHAPE);
  const widths = PAIRS.map(({ box }) => boxWidths('rotation', box)[0] ?? Number.NaN);
  const budgets = widths.map((width) => sliceRemainderBudget(SHAPE, PRE, 'rotation', width));
  const options = { fieldBytes: 4, constants: { TRANSLATION: 0 } } as const;
  const bounds = await runPairs(gpu, sliceRemainderKernel, image, image, items, options, budgets);
  const twins = PAIRS.map(({ box }) => sliceRemainderOracle('rotation', box, image, SHAPE, PRE));
  return between(
    bounds,
    twins,
    twins.map((twin, i) => 0.3 * twin + 2 * (budgets[i] ?? 0) + 0.3 * (widths[i] ?? 0)),
  );
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
