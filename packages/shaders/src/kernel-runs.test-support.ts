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
import { intervalErrorKernel } from './kernels/interval-error/interval-error.kernel.ts';
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
  const items = pairItems(pairEntries(problem), transform, shape);
  return runPairs(gpu, options.kernel ?? intervalErrorKernel, problem, stack, items, 8, {
    memory: options.memory,
  });
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
