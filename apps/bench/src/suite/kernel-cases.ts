/**
 * Every kernel of packages/shaders on shapes that people certify, with the work of one dispatch declared. Inputs are
 * made up and alike on every machine.
 */
import type { Kernel } from '@turnproof/core';
import {
  argmaxCountKernel,
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
  intervalErrorKernel,
  intervalItems,
  mapItems,
  noiseKernel,
  PairRunner,
  PixelRunner,
  type Preprocess,
  pairItems,
  pixelCount,
  pointErrorKernel,
  pointItems,
  sliceDistanceKernel,
  sliceRemainderKernel,
  uploadNoise,
  WarpPreRunner,
  warpKernel,
  warpPreKernel,
} from '@turnproof/shaders';
import type { KernelCase, Unit } from './case.ts';
import { angle, Held, rotating, WIDTH } from './held.ts';
import { inverseCase } from './inverse-case.ts';
import { type Knobs, nameOf, PRE, picture } from './knobs.ts';
import { imageBytes, operations } from './work.ts';

/** Changes a kernel before it is compiled: to see what a change costs, or that it would be noticed. */
export type Patch = <K extends Kernel>(kernel: K) => K;

function pixelCases(shape: ImageShape, count: number, boxCount: number, patch: Patch): KernelCase[] {
  const size = pixelCount(shape);
  const perPixel = operations(PRE);
  const boxes = Array.from({ length: boxCount }, (_, i) => ({
    image: 0,
    box: { lower: [angle(i, boxCount)], upper: [angle(i, boxCount) + WIDTH] },
  }));
  const maps = Array.from({ length: count }, (_, i) => ({
    image: 0,
    map: fixedMap('rotation', [angle(i, count)], shape),
  }));
  const make = (
    unit: Unit,
    declared: typeof warpKernel,
    work: number,
    items: () => Int32Array<ArrayBuffer>,
    { constants = {}, images = 1 }: { constants?: Record<string, number>; images?: 1 | 2 } = {},
  ): KernelCase => {
    const kernel = patch(declared);
    return {
      kind: 'kernel',
      name: `${kernel.name} ${nameOf(shape)}`,
      kernel,
      unit,
      work,
      bytes: imageBytes(shape, 1 + images * work) + items().byteLength,
      operations: perPixel[declared.name as 'warp' | 'box_hull' | 'box_remainder'] * size * work,
      prepare: async (gpu) => {
        const held = new Held(gpu);
        const runner = await PixelRunner.create(gpu, kernel, shape, constants);
        return rotating(
          held,
          work,
          () => ({
            images: held.f32(picture(shape)),
            items: held.i32(items()),
            output: held.empty(work * images * size),
          }),
          (batch, arrays, n) => runner.dispatch(batch, arrays, n),
        );
      },
    };
  };
  return [
    make('images', warpKernel, count, () => mapItems(maps)),
    make('boxes', boxHullKernel, boxCount, () => boxItems(boxes, 'rotation', shape), { images: 2 }),
    make('boxes', boxRemainderKernel, boxCount, () => boxItems(boxes, 'rotation', shape), {
      constants: { TRANSLATION: 0 },
    }),
  ];
}

function pairCases(shape: ImageShape, pre: Preprocess, knobs: Knobs, patch: Patch): KernelCase[] {
  const slots = knobs.boxes;
  const count = slots * knobs.betas;
  const size = pixelCount(shape);
  const perPixel = operations(pre);
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
    unit: Unit,
    declared: typeof pointErrorKernel,
    items: () => Int32Array<ArrayBuffer>,
    {
      stacks = 0,
      ...options
    }: { stacks?: number; fieldBytes?: 4 | 8; constants?: Record<string, number> } = {},
  ): KernelCase => {
    const kernel = patch(declared);
    const perImage = perPixel[declared.name as 'point_error'];
    return {
      kind: 'kernel',
      name: `${kernel.name} ${nameOf(shape)}`,
      kernel,
      unit,
      work: count,
      bytes: imageBytes(shape, 1 + stacks * slots) + items().byteLength + 4 * count,
      operations: perImage * size * count,
      prepare: async (gpu) => {
        const held = new Held(gpu);
        const runner = await PairRunner.create(gpu, kernel, shape, pre, options);
        const one = picture(shape);
        const stack = new Float32Array(Math.max(1, stacks * slots) * size);
        for (let at = 0; at < stack.length; at += size) stack.set(one, at);
        return rotating(
          held,
          count,
          () => ({
            images: held.f32(one),
            warped: held.f32(stack),
            items: held.i32(items()),
            output: held.empty(count * runner.partials),
          }),
          (batch, arrays, n) => runner.dispatch(batch, arrays, n),
          () => runner.close(),
        );
      },
    };
  };
  const flat = { constants: { TRANSLATION: 0 } };
  return [
    make('points', pointErrorKernel, () => pointItems(pairs, 'rotation', shape), { stacks: 1 }),
    make('pairs', chordErrorKernel, () => pairItems(pairs, 'rotation', shape), { stacks: 1, ...flat }),
    make(
      'pairs',
      intervalErrorKernel,
      () =>
        intervalItems(
          pairs.map(({ slot, beta, box }) => ({ images: [0, 0], moved: endsOf(slot), beta, box })),
          'rotation',
          shape,
        ),
      { stacks: 2, fieldBytes: 8 },
    ),
    make('points', sliceDistanceKernel, () => distanceItems(slices, 'rotation', shape)),
    make('boxes', sliceRemainderKernel, () => boxItems(pairs, 'rotation', shape), flat),
  ];
}

function samplingCases(shape: ImageShape, pre: Preprocess, count: number, patch: Patch): KernelCase[] {
  const size = pixelCount(shape);
  const perPixel = operations(pre);
  const maps = Array.from({ length: count }, (_, i) => ({
    image: 0,
    map: fixedMap('rotation', [angle(i, count)], shape),
  }));
  const warpPre = patch(warpPreKernel);
  const noise = patch(noiseKernel);
  return [
    {
      kind: 'kernel',
      name: `warp_pre ${nameOf(shape)}`,
      kernel: warpPre,
      unit: 'images',
      work: count,
      bytes: imageBytes(shape, 1 + count) + mapItems(maps).byteLength,
      operations: perPixel.warp_pre * size * count,
      prepare: async (gpu) => {
        const held = new Held(gpu);
        const runner = await WarpPreRunner.create(gpu, shape, pre, { kernel: warpPre });
        return rotating(
          held,
          count,
          () => ({
            images: held.f32(picture(shape)),
            items: held.i32(mapItems(maps)),
            output: held.empty(count * size),
          }),
          (batch, arrays, n) => runner.dispatch(batch, arrays, n),
          () => runner.close(),
        );
      },
    },
    {
      kind: 'kernel',
      name: `noise ${nameOf(shape)}`,
      kernel: noise,
      unit: 'samples',
      work: count,
      bytes: imageBytes(shape, 1 + count) + 16 * count,
      operations: perPixel.noise * size * count,
      prepare: async (gpu) => {
        const held = new Held(gpu);
        const compiled = await compileNoise(gpu, noise);
        const table = uploadNoise(gpu, 0.3);
        const items = Uint32Array.from({ length: 4 * count }, (_, k) => (k % 4 === 3 ? k : 0));
        return rotating(
          held,
          count,
          () => ({
            base: held.f32(picture(shape)),
            items: held.u32(items),
            output: held.empty(count * size),
          }),
          (batch, arrays, samples) =>
            dispatchNoise(batch, compiled, arrays, { elements: size, samples, key: [1, 2], noise: table }),
          () => table.release(),
        );
      },
    },
  ];
}

const CLASSES = 10;

function countCase(count: number, patch: Patch): KernelCase {
  const kernel = patch(argmaxCountKernel);
  const rows = 64 * count;
  return {
    kind: 'kernel',
    name: `argmax_count x${CLASSES}`,
    kernel,
    unit: 'rows',
    work: rows,
    bytes: 4 * (rows * CLASSES + rows + count * CLASSES),
    operations: operations(PRE).argmax_count * rows * CLASSES,
    prepare: async (gpu) => {
      const held = new Held(gpu);
      const compiled = await compileArgmaxCount(gpu, kernel);
      return rotating(
        held,
        rows,
        () => ({
          logits: held.f32(Float32Array.from({ length: rows * CLASSES }, (_, k) => Math.sin(k))),
          slots: held.u32(Uint32Array.from({ length: rows }, (_, k) => k % count)),
          counts: held.u32(new Uint32Array(count * CLASSES)),
        }),
        (batch, arrays, n) => dispatchArgmaxCount(batch, compiled, arrays, n, CLASSES),
      );
    },
  };
}

export function kernelCases(knobs: Knobs, patch: Patch = (kernel) => kernel): KernelCase[] {
  const { batch, boxes } = knobs;
  return [
    ...knobs.shapes.flatMap((shape) => [
      ...pixelCases(shape, batch, boxes, patch),
      ...pairCases(shape, PRE, knobs, patch),
      inverseCase(shape, boxes, patch),
      ...samplingCases(shape, PRE, batch, patch),
    ]),
    countCase(batch, patch),
  ];
}
