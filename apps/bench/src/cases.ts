/**
 * What is timed: each kernel on shapes that people certify, with the work of one dispatch declared. Inputs are made
 * up and alike on every machine.
 */
import type { Batch, Gpu, GpuArray } from '@turnproof/core';
import {
  boxHullKernel,
  boxItems,
  boxRemainderKernel,
  chordErrorKernel,
  compileArgmaxCount,
  compileNoise,
  dispatchArgmaxCount,
  dispatchNoise,
  distanceItems,
  endsOf,
  fixedMap,
  type ImageShape,
  InverseRunner,
  intervalErrorKernel,
  intervalItems,
  inverseItems,
  mapItems,
  PairRunner,
  PixelRunner,
  type Preprocess,
  pairItems,
  pixelCount,
  pointErrorKernel,
  pointItems,
  sliceDistanceKernel,
  sliceRemainderKernel,
  WarpPreRunner,
  warpKernel,
} from '@turnproof/shaders';

export interface BenchCase {
  readonly name: string;
  /** What one dispatch works off, in the unit that people count. */
  readonly unit: 'images' | 'pairs' | 'boxes' | 'points' | 'samples' | 'rows';
  readonly work: number;
  /** Makes the inputs; the returned function notes one dispatch. */
  prepare(gpu: Gpu): Promise<{ dispatch: (batch: Batch) => void; release: () => void }>;
}

interface Held {
  f32(data: Float32Array<ArrayBuffer>): GpuArray<'f32'>;
  i32(data: Int32Array<ArrayBuffer>): GpuArray<'i32'>;
  u32(data: Uint32Array<ArrayBuffer>): GpuArray<'u32'>;
  empty(length: number): GpuArray<'f32'>;
  release(): void;
}

function hold(gpu: Gpu): Held {
  const arrays: GpuArray[] = [];
  const keep = <A extends GpuArray>(array: A): A => {
    arrays.push(array);
    return array;
  };
  return {
    f32: (data) => keep(gpu.upload('f32', data, 'bench input')),
    i32: (data) => keep(gpu.upload('i32', data, 'bench items')),
    u32: (data) => keep(gpu.upload('u32', data, 'bench items')),
    empty: (length) => keep(gpu.array('f32', length, 'bench output')),
    release: () => {
      for (const array of arrays) array.release();
    },
  };
}

/** A smooth blob with an edge: neither empty nor noise. */
function picture({ channels, height, width }: ImageShape): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: channels * height * width }, (_, k) => {
    const [x, y] = [(k % width) / width - 0.5, (Math.floor(k / width) % height) / height - 0.5];
    return Math.hypot(x, 1.4 * y) < 0.33 ? 0.5 + 0.5 * Math.sin(9 * x + 5 * y) : 0;
  });
}

const angle = (i: number, n: number) => -30 + (60 * i) / n;
const WIDTH = 60 / 64;
const nameOf = ({ channels, height, width }: ImageShape) => `${width}x${height}x${channels}`;

/** Boxes are shared by eight β each, as in a wave over many β of one image. */
const SHARED = 8;

function pixelCases(shape: ImageShape, count: number): BenchCase[] {
  const size = pixelCount(shape);
  const boxes = Array.from({ length: count }, (_, i) => ({
    image: 0,
    box: { lower: [angle(i, count)], upper: [angle(i, count) + WIDTH] },
  }));
  const maps = Array.from({ length: count }, (_, i) => ({
    image: 0,
    map: fixedMap('rotation', [angle(i, count)], shape),
  }));
  const make = (
    name: string,
    unit: BenchCase['unit'],
    kernel: typeof warpKernel,
    items: () => Int32Array<ArrayBuffer>,
    constants: Record<string, number>,
    perItem: number,
  ): BenchCase => ({
    name: `${name} ${nameOf(shape)}`,
    unit,
    work: count,
    prepare: async (gpu) => {
      const held = hold(gpu);
      const runner = await PixelRunner.create(gpu, kernel, shape, constants);
      const arrays = {
        images: held.f32(picture(shape)),
        items: held.i32(items()),
        output: held.empty(count * perItem * size),
      };
      return {
        dispatch: (batch) => runner.dispatch(batch, arrays, count),
        release: () => held.release(),
      };
    },
  });
  return [
    make('warp', 'images', warpKernel, () => mapItems(maps), {}, 1),
    make('box_hull', 'boxes', boxHullKernel, () => boxItems(boxes, 'rotation', shape), {}, 2),
    make(
      'box_remainder',
      'boxes',
      boxRemainderKernel,
      () => boxItems(boxes, 'rotation', shape),
      { TRANSLATION: 0 },
      1,
    ),
  ];
}

/** One step of refinement, from intervals that are narrow already: what an image costs is some steps for each box. */
function inverseCase(shape: ImageShape, count: number): BenchCase {
  const size = pixelCount(shape);
  return {
    name: `inverse ${nameOf(shape)}`,
    unit: 'boxes',
    work: count,
    prepare: async (gpu) => {
      const held = hold(gpu);
      const runner = await InverseRunner.create(gpu, shape);
      const one = picture(shape);
      const known = new Float32Array(count * 2 * size);
      for (let i = 0; i < count; i++) {
        known.set(
          one.map((value) => 0.9 * value),
          2 * i * size,
        );
        known.set(
          one.map((value) => 0.9 * value + 0.1),
          (2 * i + 1) * size,
        );
      }
      const entries = Array.from({ length: count }, (_, slot) => ({
        image: 0,
        slot,
        // Around 0, where the picture gives itself: a box that is refuted would cost nothing any more.
        box: { lower: [-0.1 - (0.1 * slot) / count], upper: [0.1] },
      }));
      const arrays = {
        images: held.f32(one),
        warped: held.f32(known),
        items: held.i32(inverseItems(entries, 0.5 / 255, 'rotation', shape)),
        output: held.empty(count * 2 * size),
        refuted: held.u32(new Uint32Array(count)),
      };
      return {
        dispatch: (batch) => runner.dispatch(batch, arrays, count),
        release: () => held.release(),
      };
    },
  };
}

function pairCases(shape: ImageShape, pre: Preprocess, count: number): BenchCase[] {
  const slots = Math.ceil(count / SHARED);
  const size = pixelCount(shape);
  const pairs = Array.from({ length: count }, (_, i) => {
    const slot = i % slots;
    return {
      image: 0,
      slot,
      beta: [3.3 + 5.1 * Math.floor(i / slots)],
      gamma: [angle(slot, slots)],
      box: { lower: [angle(slot, slots)], upper: [angle(slot, slots) + WIDTH] },
    };
  });
  const slices = pairs.map(({ box }) => ({ image: 0, gamma: box.lower, center: box.upper }));
  const make = (
    name: string,
    unit: BenchCase['unit'],
    kernel: typeof pointErrorKernel,
    items: () => Int32Array<ArrayBuffer>,
    options: { fieldBytes?: 4 | 8; constants?: Record<string, number> },
  ): BenchCase => ({
    name: `${name} ${nameOf(shape)}`,
    unit,
    work: count,
    prepare: async (gpu) => {
      const held = hold(gpu);
      const runner = await PairRunner.create(gpu, kernel, shape, pre, options);
      const stack = new Float32Array(slots * 2 * size);
      const one = picture(shape);
      for (let i = 0; i < 2 * slots; i++) stack.set(one, i * size);
      const arrays = {
        images: held.f32(one),
        warped: held.f32(stack),
        items: held.i32(items()),
        output: held.empty(count * runner.partials),
      };
      return {
        dispatch: (batch) => runner.dispatch(batch, arrays, count),
        release: () => {
          held.release();
          runner.close();
        },
      };
    },
  });
  return [
    make('point_error', 'points', pointErrorKernel, () => pointItems(pairs, 'rotation', shape), {}),
    make('chord_error', 'pairs', chordErrorKernel, () => pairItems(pairs, 'rotation', shape), {
      constants: { TRANSLATION: 0 },
    }),
    make(
      'interval_error',
      'pairs',
      intervalErrorKernel,
      () =>
        intervalItems(
          pairs.map(({ slot, beta, box }) => ({ images: [0, 0], moved: endsOf(slot), beta, box })),
          'rotation',
          shape,
        ),
      { fieldBytes: 8 },
    ),
    inverseCase(shape, count),
    make('slice_distance', 'points', sliceDistanceKernel, () => distanceItems(slices, 'rotation', shape), {}),
    make('slice_remainder', 'boxes', sliceRemainderKernel, () => boxItems(pairs, 'rotation', shape), {
      constants: { TRANSLATION: 0 },
    }),
  ];
}

function samplingCases(shape: ImageShape, pre: Preprocess, count: number): BenchCase[] {
  const size = pixelCount(shape);
  const classes = 10;
  return [
    {
      name: `warp_pre ${nameOf(shape)}`,
      unit: 'images',
      work: count,
      prepare: async (gpu) => {
        const held = hold(gpu);
        const runner = await WarpPreRunner.create(gpu, shape, pre);
        const maps = Array.from({ length: count }, (_, i) => ({
          image: 0,
          map: fixedMap('rotation', [angle(i, count)], shape),
        }));
        const arrays = {
          images: held.f32(picture(shape)),
          items: held.i32(mapItems(maps)),
          output: held.empty(count * size),
        };
        return {
          dispatch: (batch) => runner.dispatch(batch, arrays, count),
          release: () => {
            held.release();
            runner.close();
          },
        };
      },
    },
    {
      name: `noise ${nameOf(shape)}`,
      unit: 'samples',
      work: count,
      prepare: async (gpu) => {
        const held = hold(gpu);
        const compiled = await compileNoise(gpu);
        const items = Uint32Array.from({ length: 4 * count }, (_, k) => (k % 4 === 3 ? k : 0));
        const arrays = {
          base: held.f32(picture(shape)),
          items: held.u32(items),
          output: held.empty(count * size),
        };
        const options = { elements: size, samples: count, key: [1, 2], sigma: 0.3 } as const;
        return {
          dispatch: (batch) => dispatchNoise(batch, compiled, arrays, options),
          release: () => held.release(),
        };
      },
    },
    {
      name: `argmax_count x${classes}`,
      unit: 'rows',
      work: 64 * count,
      prepare: async (gpu) => {
        const held = hold(gpu);
        const compiled = await compileArgmaxCount(gpu);
        const rows = 64 * count;
        const arrays = {
          logits: held.f32(Float32Array.from({ length: rows * classes }, (_, k) => Math.sin(k))),
          slots: held.u32(Uint32Array.from({ length: rows }, (_, k) => k % count)),
          counts: held.u32(new Uint32Array(count * classes)),
        };
        return {
          dispatch: (batch) => dispatchArgmaxCount(batch, compiled, arrays, rows, classes),
          release: () => held.release(),
        };
      },
    },
  ];
}

const MNIST: ImageShape = { channels: 1, height: 28, width: 28 };
const CIFAR: ImageShape = { channels: 3, height: 32, width: 32 };
const PRE: Preprocess = { vignette: { kind: 'circle', offset: 2 }, blur: { size: 5, sigma: 1 } };

/** All cases; `scale` multiplies the work of each dispatch. */
export function allCases(scale: number): BenchCase[] {
  return [MNIST, CIFAR].flatMap((shape) => [
    ...pixelCases(shape, 512 * scale),
    ...pairCases(shape, PRE, 1024 * scale),
    ...samplingCases(shape, PRE, 512 * scale),
  ]);
}
