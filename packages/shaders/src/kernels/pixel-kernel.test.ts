import { type Gpu, openDevice } from '@turnproof/core';
import { closeChecked, testAdapters } from '@turnproof/core/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fixedMap, pixelCount } from '../geometry.ts';
import { boxHullKernel, boxItems } from './box-hull/box-hull.kernel.ts';
import { boxRemainderKernel } from './box-remainder/box-remainder.kernel.ts';
import { PixelRunner } from './pixel-kernel.ts';
import { mapItems, warpKernel } from './warp/warp.kernel.ts';

const shape = { channels: 3, height: 19, width: 17 };
const size = pixelCount(shape);
const image = Float32Array.from({ length: size }, (_, k) => (k * 7919) % 101).map((v) => v / 101);
const boxes = [
  { image: 0, box: { lower: [3], upper: [9] } },
  { image: 0, box: { lower: [-50], upper: [-47] } },
];
const CASES = [
  [
    warpKernel,
    1,
    mapItems([3, -47].map((angle) => ({ image: 0, map: fixedMap('rotation', [angle], shape) }))),
  ],
  [boxHullKernel, 2, boxItems(boxes, 'rotation', shape)],
  [boxRemainderKernel, 1, boxItems(boxes, 'rotation', shape)],
] as const;

const SENTINEL = -1e30;

describe.each(await testAdapters())('rows on %s', (adapter) => {
  let gpu: Gpu;
  beforeAll(async () => {
    gpu = await openDevice({ adapter });
  });
  afterAll(() => closeChecked(gpu));

  it.each(CASES)(
    'are made once each, to the same bits, however they are shared out: %o',
    async (kernel, images, items) => {
      const constants = kernel === boxRemainderKernel ? { TRANSLATION: 0 } : {};
      const length = 2 * images * size;
      const run = async (rows: number, groups: number) => {
        const runner = await PixelRunner.create(gpu, kernel, shape, constants, { rows, groups });
        const arrays = {
          images: gpu.upload('f32', image, 'image'),
          items: gpu.upload('i32', items, 'items'),
          output: gpu.upload('f32', new Float32Array(length).fill(SENTINEL), 'output'),
        };
        const batch = gpu.batch('rows');
        runner.dispatch(batch, arrays, 2);
        const read = batch.read(arrays.output);
        await batch.submit();
        for (const array of Object.values(arrays)) array.release();
        return read.data;
      };
      // As on a GPU: a thread for each pixel.
      const whole = await run(16, Math.ceil((3 * 19) / 16));
      expect(whole.includes(SENTINEL)).toBe(false);
      for (const [rows, groups] of [
        [1, 1],
        [16, 1],
        [3, 2],
        [1, 57],
        [5, 40],
      ] as const) {
        expect(await run(rows, groups), `${rows} rows of threads, ${groups} groups`).toEqual(whole);
      }
    },
  );
});
