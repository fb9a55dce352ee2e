/** The self-test of the kernels that give one norm for each pair: the bounds themselves. */
import type { Gpu } from '@turnproof/core';
import {
  boxItems,
  boxWidths,
  chordBudget,
  chordErrorKernel,
  distanceItems,
  endsOf,
  intervalBudget,
  intervalErrorKernel,
  intervalItems,
  normUp,
  type PairKernel,
  PairRunner,
  pairItems,
  pointBudget,
  pointErrorKernel,
  pointItems,
  reachOf,
  sliceDistanceBudget,
  sliceDistanceKernel,
  sliceRemainderBudget,
  sliceRemainderKernel,
} from '@turnproof/shaders';
import {
  chordErrorOracle,
  interpolationError,
  intervalErrorOracle,
  sliceDistance,
  sliceRemainderOracle,
} from '@turnproof/shaders/oracle';
import { hulls, remainders, warpedPairs } from './images.ts';
import { filled, type Measured, PRE, type Scene, SHAPE, SIZE, worstOf } from './scene.ts';

type Image = Float32Array<ArrayBuffer>;

interface Asked {
  readonly kernel: PairKernel;
  /** The second stack of images, where the kernel reads one. */
  readonly stack: Image;
  readonly items: Int32Array<ArrayBuffer>;
  readonly options: { readonly fieldBytes?: 4 | 8; readonly constants?: Readonly<Record<string, number>> };
  /** Of each pair: float32's, the reference's norm, and how far above it the kernel's may be. */
  readonly budgets: readonly number[];
  readonly references: readonly number[];
  readonly slacks: readonly number[];
}

export async function checkPoints(gpu: Gpu, image: Image, scene: Scene): Promise<Measured> {
  const { transform, pairs } = scene;
  const entries = pairs.map(({ beta, box }, slot) => ({ image: 0, slot, beta, gamma: box.lower }));
  const references = pairs.map(({ beta, box }) =>
    interpolationError(transform, beta, box.lower, image, SHAPE, PRE),
  );
  return measure(gpu, image, {
    kernel: pointErrorKernel,
    stack: await warpedPairs(gpu, image, scene),
    items: pointItems(entries, transform, SHAPE),
    options: {},
    ...nearPoints(pointBudget(SHAPE, PRE), references),
  });
}

export async function checkDistances(gpu: Gpu, image: Image, scene: Scene): Promise<Measured> {
  const { transform, pairs } = scene;
  const entries = pairs.map(({ box }) => ({ image: 0, gamma: box.lower, center: box.upper }));
  const references = pairs.map(({ box }) =>
    sliceDistance(transform, box.lower, box.upper, image, SHAPE, PRE),
  );
  return measure(gpu, image, {
    kernel: sliceDistanceKernel,
    stack: image,
    items: distanceItems(entries, transform, SHAPE),
    options: {},
    ...nearPoints(sliceDistanceBudget(SHAPE, PRE), references),
  });
}

export async function checkChords(gpu: Gpu, image: Image, scene: Scene): Promise<Measured> {
  const { transform, pairs, constants } = scene;
  const budgets = widthsOf(scene).map((width) => chordBudget(SHAPE, PRE, transform, width));
  const references = pairs.map(({ beta, box }) => chordErrorOracle(transform, beta, box, image, SHAPE, PRE));
  return measure(gpu, image, {
    kernel: chordErrorKernel,
    stack: await remainders(gpu, image, scene),
    items: pairItems(
      pairs.map(({ beta, box }, slot) => ({ image: 0, slot, beta, box })),
      transform,
      SHAPE,
    ),
    options: { constants },
    ...nearRemainders(scene, budgets, references),
  });
}

export async function checkSliceRemainders(gpu: Gpu, image: Image, scene: Scene): Promise<Measured> {
  const { transform, pairs, constants } = scene;
  const budgets = widthsOf(scene).map((width) => sliceRemainderBudget(SHAPE, PRE, transform, width));
  const references = pairs.map(({ box }) => sliceRemainderOracle(transform, box, image, SHAPE, PRE));
  return measure(gpu, image, {
    kernel: sliceRemainderKernel,
    stack: image,
    items: boxItems(
      pairs.map(({ box }) => ({ image: 0, box })),
      transform,
      SHAPE,
    ),
    options: { constants },
    ...nearRemainders(scene, budgets, references),
  });
}

export async function checkIntervals(gpu: Gpu, image: Image, scene: Scene): Promise<Measured> {
  const { transform, pairs } = scene;
  const budget = intervalBudget(SHAPE, PRE);
  const references = pairs.map(({ beta, box }) =>
    intervalErrorOracle(transform, beta, box, image, SHAPE, PRE),
  );
  // The kernels enclose an arc by its chord and the height of the arc: wider than the references by that much.
  const arcs = widthsOf(scene).map((width) =>
    transform === 'rotation' ? (Math.sqrt(SIZE) * reachOf(SHAPE) * width * width) / 4 : 0,
  );
  return measure(gpu, image, {
    kernel: intervalErrorKernel,
    stack: await hulls(gpu, image, scene),
    items: intervalItems(
      pairs.map(({ beta, box }, slot) => ({ images: [0, 0], moved: endsOf(slot), beta, box })),
      transform,
      SHAPE,
    ),
    options: { fieldBytes: 8 },
    budgets: pairs.map(() => budget),
    references,
    slacks: references.map((norm, i) => 1e-4 * norm + 2 * budget + (arcs[i] ?? 0)),
  });
}

const widthsOf = ({ transform, pairs }: Scene) =>
  pairs.map(({ box }) => boxWidths(transform, box).reduce((a, b) => a + b, 0));

const nearPoints = (budget: number, references: readonly number[]) => ({
  budgets: references.map(() => budget),
  references,
  slacks: references.map((norm) => 1e-5 * norm + 2 * budget),
});

/** Cells that only rounding touches add to a remainder. */
function nearRemainders(scene: Scene, budgets: readonly number[], references: readonly number[]) {
  const widths = widthsOf(scene);
  const slacks = references.map(
    (norm, i) => 0.3 * norm + 2 * (budgets[i] ?? Number.NaN) + 0.3 * (widths[i] ?? Number.NaN),
  );
  return { budgets, references, slacks };
}

/** A bound must lie between its reference and that with some slack; below it nothing is allowed. */
async function measure(gpu: Gpu, image: Image, asked: Asked): Promise<Measured> {
  const bounds = await runPairs(gpu, image, asked);
  return worstOf(
    bounds.map((bound, i) => {
      const above = bound - (asked.references[i] ?? Number.NaN);
      const limit = asked.slacks[i] ?? Number.NaN;
      return above >= 0 ? { difference: above, limit } : { difference: Math.abs(above), limit: 0 };
    }),
  );
}

/** Norms, rounded up by the budget of each. */
async function runPairs(
  gpu: Gpu,
  image: Image,
  { kernel, stack, items: itemData, options, budgets }: Asked,
): Promise<number[]> {
  const runner = await PairRunner.create(gpu, kernel, SHAPE, PRE, options);
  try {
    const images = gpu.upload('f32', image, 'self-test image');
    const warped = gpu.upload('f32', stack, 'self-test second stack');
    const items = gpu.upload('i32', itemData, 'self-test items');
    const { partials, tiling } = runner;
    const sums = await filled(gpu, budgets.length * partials, [images, warped, items], (batch, output) =>
      runner.dispatch(batch, { images, warped, items, output }, budgets.length),
    );
    return budgets.map((budget, i) => normUp(sums, i * partials, (i + 1) * partials, tiling, budget));
  } finally {
    runner.close();
  }
}
