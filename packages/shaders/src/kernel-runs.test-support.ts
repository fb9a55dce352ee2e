/**
 * One-shot runs of the image kernels on host arrays, for tests.
 */
import type { Gpu } from '@turnproof/core';
import { fillSentinel } from '@turnproof/core/testing';
import {
  fixedMap,
  type ImageShape,
  type Parameter,
  type ParameterBox,
  pixelCount,
  type Transform,
} from './geometry.ts';
import { concatenated } from './kernel-suite.test-support.ts';
import { boxHullKernel, boxItems } from './kernels/box-hull/box-hull.kernel.ts';
import { boxRemainderKernel } from './kernels/box-remainder/box-remainder.kernel.ts';
import { chordErrorKernel, pairItems } from './kernels/chord-error/chord-error.kernel.ts';
import {
  endsOf,
  type IntervalItem,
  intervalErrorKernel,
  intervalItems,
} from './kernels/interval-error/interval-error.kernel.ts';
import {
  type InverseKernel,
  InverseRunner,
  inverseItems,
  inverseKernel,
} from './kernels/inverse/inverse.kernel.ts';
import type { IntervalImage } from './kernels/inverse/inverse.oracle.ts';
import { type PairKernel, PairRunner } from './kernels/pair-kernel.ts';
import { type PixelKernel, PixelRunner } from './kernels/pixel-kernel.ts';
import { pointErrorKernel, pointItems } from './kernels/point-error/point-error.kernel.ts';
import { distanceItems, sliceDistanceKernel } from './kernels/slice-distance/slice-distance.kernel.ts';
import { sliceRemainderKernel } from './kernels/slice-remainder/slice-remainder.kernel.ts';
import { mapItems, warpKernel } from './kernels/warp/warp.kernel.ts';
import { type Tiling, tilingFor, workgroupSide } from './layout.ts';
import type { Preprocess } from './preprocess.ts';

type Floats = Float32Array<ArrayBuffer>;

export async function runPixels(
  gpu: Gpu,
  kernel: PixelKernel,
  shape: ImageShape,
  images: readonly Floats[],
  items: Int32Array<ArrayBuffer>,
  count: number,
  options: { readonly imagesPerItem?: number; readonly constants?: Readonly<Record<string, number>> } = {},
): Promise<Floats> {
  const arrays = {
    images: gpu.upload('f32', concatenated(images), 'images'),
    items: gpu.upload('i32', items, 'items'),
    output: gpu.array('f32', count * (options.imagesPerItem ?? 1) * pixelCount(shape), 'output'),
  };
  fillSentinel(gpu, arrays.output);
  try {
    const runner = await PixelRunner.create(gpu, kernel, shape, options.constants);
    const batch = gpu.batch(kernel.name);
    runner.dispatch(batch, arrays, count);
    const result = batch.read(arrays.output);
    await batch.submit();
    return result.data;
  } finally {
    for (const array of Object.values(arrays)) array.release();
  }
}

export interface Problem {
  readonly transform: Transform;
  readonly shape: ImageShape;
  readonly pre: Preprocess;
  readonly image: Floats;
  readonly pairs: readonly { readonly beta: Parameter; readonly box: ParameterBox }[];
}

async function runPairs(
  gpu: Gpu,
  kernel: PairKernel,
  { shape, pre, image, pairs }: Problem,
  stack: Floats,
  items: Int32Array<ArrayBuffer>,
  fieldBytes: 4 | 8,
  options: { readonly memory?: number | undefined; readonly constants?: Readonly<Record<string, number>> },
): Promise<{ partials: Floats; tiling: Tiling; perItem: number }> {
  const memory = options.memory ?? gpu.device.limits.maxComputeWorkgroupStorageSize;
  // As it runs here; with tiles, as it runs on a GPU.
  const side = options.memory === undefined ? workgroupSide(gpu) : 16;
  const tiling = tilingFor(shape, pre, fieldBytes, memory, side);
  const runner = await PairRunner.create(gpu, kernel, shape, pre, {
    tiling,
    ...(options.constants ? { constants: options.constants } : {}),
  });
  const arrays = {
    images: gpu.upload('f32', image, 'image'),
    warped: gpu.upload('f32', stack, 'second stack'),
    items: gpu.upload('i32', items, 'items'),
    output: gpu.array('f32', pairs.length * runner.partials, 'partial sums'),
  };
  fillSentinel(gpu, arrays.output);
  try {
    const batch = gpu.batch(kernel.name);
    runner.dispatch(batch, arrays, pairs.length);
    const result = batch.read(arrays.output);
    await batch.submit();
    return { partials: result.data, tiling, perItem: runner.partials };
  } finally {
    for (const array of Object.values(arrays)) array.release();
    runner.close();
  }
}

interface PairOptions<K> {
  readonly kernel?: K;
  /** The kernel that makes the second stack. */
  readonly first?: PixelKernel;
  /** Workgroup memory to pretend: small values force tiles. */
  readonly memory?: number;
}

/** point_error at each pair's lower box end. */
export async function runPointError(
  gpu: Gpu,
  problem: Problem,
  options: PairOptions<typeof pointErrorKernel> = {},
) {
  const { transform, shape, image, pairs } = problem;
  const maps = mapItems(pairs.map(({ box }) => ({ image: 0, map: fixedMap(transform, box.lower, shape) })));
  const stack = await runPixels(gpu, options.first ?? warpKernel, shape, [image], maps, pairs.length);
  const entries = pairs.map(({ beta, box }, slot) => ({ image: 0, slot, beta, gamma: box.lower }));
  const items = pointItems(entries, transform, shape);
  return runPairs(gpu, options.kernel ?? pointErrorKernel, problem, stack, items, 4, {
    memory: options.memory,
  });
}

const boxEntries = ({ pairs }: Problem) => pairs.map(({ box }) => ({ image: 0, box }));
const pairEntries = ({ pairs }: Problem) =>
  pairs.map(({ beta, box }, slot) => ({ image: 0, slot, beta, box }));

export async function runChordError(
  gpu: Gpu,
  problem: Problem,
  options: PairOptions<typeof chordErrorKernel> = {},
) {
  const { transform, shape, image, pairs } = problem;
  const constants = { TRANSLATION: transform === 'translation' ? 1 : 0 };
  const boxes = boxItems(boxEntries(problem), transform, shape);
  const first = options.first ?? boxRemainderKernel;
  const stack = await runPixels(gpu, first, shape, [image], boxes, pairs.length, { constants });
  const items = pairItems(pairEntries(problem), transform, shape);
  const kernel = options.kernel ?? chordErrorKernel;
  return runPairs(gpu, kernel, problem, stack, items, 4, { memory: options.memory, constants });
}

export async function runIntervalError(
  gpu: Gpu,
  problem: Problem,
  options: PairOptions<typeof intervalErrorKernel> = {},
) {
  const { transform, shape, image, pairs } = problem;
  const boxes = boxItems(boxEntries(problem), transform, shape);
  const first = options.first ?? boxHullKernel;
  const stack = await runPixels(gpu, first, shape, [image], boxes, pairs.length, {
    imagesPerItem: 2,
  });
  const entries = pairs.map(
    ({ beta, box }, slot): IntervalItem => ({ images: [0, 0], moved: endsOf(slot), beta, box }),
  );
  return runPairs(
    gpu,
    options.kernel ?? intervalErrorKernel,
    problem,
    stack,
    intervalItems(entries, transform, shape),
    8,
    { memory: options.memory },
  );
}

/** interval_error of the image as it is, moved by beta, against an interval image over the moved box: as Indiv needs it. */
export function runIndivError(
  gpu: Gpu,
  problem: Problem,
  { lower, upper }: IntervalImage,
  options: Pick<PairOptions<typeof intervalErrorKernel>, 'kernel' | 'memory'> = {},
) {
  const { transform, shape, image, pairs } = problem;
  const entries = pairs.map(
    ({ beta, box }): IntervalItem => ({ images: endsOf(0), moved: [0, 0], beta, box }),
  );
  const ends = concatenated([Float32Array.from(lower), Float32Array.from(upper)]);
  return runPairs(
    gpu,
    options.kernel ?? intervalErrorKernel,
    { ...problem, image: ends },
    image,
    intervalItems(entries, transform, shape),
    8,
    { memory: options.memory },
  );
}

/** Some steps of the inverse of each image for each box: [box, 2, ...shape], and which boxes are refuted. */
export async function runInverse(
  gpu: Gpu,
  { transform, shape }: Pick<Problem, 'transform' | 'shape'>,
  cases: readonly { readonly image: Floats; readonly box: ParameterBox; readonly before?: IntervalImage }[],
  { halfStep, steps, kernel = inverseKernel }: { halfStep: number; steps: number; kernel?: InverseKernel },
): Promise<{ ends: Floats; refuted: boolean[] }> {
  const size = pixelCount(shape);
  const before = cases.map(({ before }) => before);
  const known = before.flatMap((one) =>
    one ? [Float32Array.from(one.lower), Float32Array.from(one.upper)] : [],
  );
  let slots = 0;
  const first = cases.map(({ box }, image) => ({ image, slot: before[image] ? slots++ : null, box }));
  const next = cases.map(({ box }, image) => ({ image, slot: image, box }));
  const stacks = [0, 1].map((i) => gpu.array('f32', 2 * size * cases.length, `intervals ${i}`));
  for (const stack of stacks) fillSentinel(gpu, stack);
  const arrays = {
    images: gpu.upload('f32', concatenated(cases.map(({ image }) => image)), 'x prime'),
    known: gpu.upload('f32', concatenated(known.length > 0 ? known : [new Float32Array(1)]), 'known'),
    first: gpu.upload('i32', inverseItems(first, halfStep, transform, shape), 'items'),
    next: gpu.upload('i32', inverseItems(next, halfStep, transform, shape), 'items'),
    refuted: gpu.upload('u32', new Uint32Array(cases.length), 'refuted'),
  };
  try {
    const runner = await InverseRunner.create(gpu, shape, kernel);
    const batch = gpu.batch('inverse');
    let warped = arrays.known;
    for (let step = 0; step < steps; step++) {
      const output = stacks[step % 2] ?? arrays.known;
      const items = step === 0 ? arrays.first : arrays.next;
      runner.dispatch(
        batch,
        { images: arrays.images, refuted: arrays.refuted, items, warped, output },
        cases.length,
      );
      warped = output;
    }
    const [ends, refuted] = [batch.read(warped), batch.read(arrays.refuted)];
    await batch.submit();
    return { ends: ends.data, refuted: Array.from(refuted.data, (flag) => flag !== 0) };
  } finally {
    for (const array of [...stacks, ...Object.values(arrays)]) array.release();
  }
}

/** slice_distance of each pair's lower box end from its upper one. */
export function runSliceDistance(
  gpu: Gpu,
  problem: Problem,
  options: PairOptions<typeof sliceDistanceKernel> = {},
) {
  const { transform, shape, image, pairs } = problem;
  const entries = pairs.map(({ box }) => ({ image: 0, gamma: box.lower, center: box.upper }));
  const items = distanceItems(entries, transform, shape);
  const kernel = options.kernel ?? sliceDistanceKernel;
  return runPairs(gpu, kernel, problem, image, items, 4, { memory: options.memory });
}

export function runSliceRemainder(
  gpu: Gpu,
  problem: Problem,
  options: PairOptions<typeof sliceRemainderKernel> = {},
) {
  const { transform, shape, image } = problem;
  const constants = { TRANSLATION: transform === 'translation' ? 1 : 0 };
  const items = boxItems(boxEntries(problem), transform, shape);
  const kernel = options.kernel ?? sliceRemainderKernel;
  return runPairs(gpu, kernel, problem, image, items, 4, { memory: options.memory, constants });
}

/** Every corner of a box. */
export function cornersOf({ lower, upper }: ParameterBox): number[][] {
  return lower.reduce<number[][]>(
    (list, a, axis) =>
      list.flatMap((corner) => [
        [...corner, a],
        [...corner, upper[axis] ?? a],
      ]),
    [[]],
  );
}

/** Problems of every kind: shapes, both transformations, narrow and wide boxes, boxes at the awkward places. */
export function testProblems(random: () => number, images: (shape: ImageShape) => Floats[]): Problem[] {
  const pre: Preprocess = { vignette: { kind: 'circle', offset: 1 }, blur: { size: 5, sigma: 1 } };
  const shapes: ImageShape[] = [
    { channels: 1, height: 7, width: 7 },
    { channels: 3, height: 9, width: 12 },
    { channels: 1, height: 20, width: 20 },
  ];
  const problems: Problem[] = [];
  for (const shape of shapes) {
    for (const image of images(shape)) {
      const rotations = [0.05, 0.5, 4, 25].flatMap((width) => {
        const beta = 60 * (random() - 0.5);
        const a = 60 * (random() - 0.5);
        // Beside a random place: around gamma = 0 and gamma = -beta, where all pixels cross cell lines at once.
        return [a, -width / 2, -beta - width / 3].map((start) => ({
          beta: [beta],
          box: { lower: [start], upper: [start + width] },
        }));
      });
      problems.push({ transform: 'rotation', shape, pre, image, pairs: rotations });
      const translations = [0.01, 0.3, 1.7].map((width) => {
        const start = [4 * (random() - 0.5), 4 * (random() - 0.5)];
        const beta = [3 * (random() - 0.5), 3 * (random() - 0.5)];
        return { beta, box: { lower: start, upper: start.map((s) => s + width * (0.5 + random())) } };
      });
      problems.push({
        transform: 'translation',
        shape,
        pre: { ...pre, vignette: { kind: 'rect', offset: 1 } },
        image,
        pairs: translations,
      });
    }
  }
  return problems;
}

/** A random parameter inside a box; now and then one of its corners. */
export function insideBox({ lower, upper }: ParameterBox, random: () => number): number[] {
  return lower.map((a, i) => {
    const b = upper[i] ?? a;
    const t = random();
    return t < 0.1 ? a : t > 0.9 ? b : a + (b - a) * random();
  });
}
