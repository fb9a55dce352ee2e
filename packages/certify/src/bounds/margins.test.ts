/**
 * What a bound makes of the sums that a kernel gives: budgets are added to each of them, and NaN is no bound. The
 * kernels' rounding is far smaller than its budget, so no image shows whether a budget is there; known sums do.
 */
import { type Gpu, openDevice } from '@turnproof/core';
import { closeChecked, testAdapters } from '@turnproof/core/testing';
import {
  chordBudget,
  type ImageShape,
  intervalBudget,
  type Preprocess,
  pointBudget,
  sliceDistanceBudget,
  sliceRemainderBudget,
  type Transform,
} from '@turnproof/shaders';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Pipeline } from '../pipeline.ts';
import { GpuInverter } from './inverse.ts';
import { withReadbacks } from './readbacks.test-support.ts';
import { SliceWave } from './slice-wave.ts';
import { GpuSliceBounder } from './slices.ts';
import { WaveRunner } from './wave.ts';

const shape: ImageShape = { channels: 2, height: 9, width: 12 };
const pre: Preprocess = { vignette: { kind: 'circle', offset: 0 }, blur: { size: 3, sigma: 0.7 } };
const image = Float32Array.from({ length: 2 * 9 * 12 }, (_, k) => ((k * 7919) % 101) / 100);
/** Norms that the planted sums say: 0, and one that is no power of two. */
const NORMS = [0, 0.75];

/** All of an item's sums are 0 but its first. */
const planted = (norm: number, partials: number) => (data: Float32Array) => {
  data.forEach((_, i) => {
    data[i] = i % partials === 0 ? norm * norm : 0;
  });
};

/** The norm and all of its budget, and hardly more: what is left is the sum's own rounding, and a width's. */
function expectMargin(bound: number | undefined, norm: number, budget: number) {
  expect(budget).toBeGreaterThan(0);
  expect(bound).toBeGreaterThan(norm + budget);
  expect(bound).toBeLessThan((norm + budget) * (1 + 1e-5));
}

const cases = (['rotation', 'translation'] as const).flatMap((transform) =>
  [0.01, 3].map((width) => {
    const lower = transform === 'rotation' ? [4] : [0.5, -1];
    const radians = transform === 'rotation' ? (width * Math.PI) / 180 : 2 * width;
    return { transform, width, box: { lower, upper: lower.map((a) => a + width) }, radians };
  }),
);
const pipelineOf = (transform: Transform): Pipeline => ({ transform, range: 5, pre, quantization: 'u8' });

describe.each((await testAdapters()).slice(-1))('margins on %s', (adapter) => {
  let gpu: Gpu;
  beforeAll(async () => {
    gpu = await openDevice({ adapter });
  });
  afterAll(() => closeChecked(gpu));

  it.each(cases)(
    'errors at points and over boxes get their budgets: $transform, $width wide',
    async ({ transform, box, radians }) => {
      const beta = transform === 'rotation' ? [7] : [0.2, 1.1];
      for (const method of ['chord', 'interval'] as const) {
        const wave = await WaveRunner.create(gpu, { transform, shape, pre }, method);
        const stack = gpu.upload('f32', image, 'image');
        const run = (label: string, norm: number) =>
          withReadbacks(gpu, label, planted(norm, shape.channels), () =>
            wave.run(stack, [{ image: 0, beta, gamma: box.lower }], [{ image: 0, beta, box }]),
          );
        for (const norm of NORMS) {
          const points = await run('point sums', norm);
          expectMargin(points.result.points[0], norm, pointBudget(shape, pre));
          const boxes = await run('pair sums', norm);
          const budget =
            method === 'interval' ? intervalBudget(shape, pre) : chordBudget(shape, pre, transform, radians);
          expectMargin(boxes.result.boxes[0], norm, budget);
          expect([points.changed, boxes.changed]).toEqual([1, 1]);
        }
        stack.release();
        wave.close();
      }
    },
  );

  it.each(cases)(
    'distances and remainders of slices get theirs: $transform, $width wide',
    async ({ transform, box, radians }) => {
      const wave = await SliceWave.create(gpu, { transform, shape, pre });
      const stack = gpu.upload('f32', image, 'image');
      for (const norm of NORMS) {
        const { result, changed } = await withReadbacks(
          gpu,
          'slice sums',
          planted(norm, shape.channels),
          () => wave.run(stack, [{ image: 0, gamma: box.upper, center: box.lower }], [{ image: 0, box }]),
        );
        expectMargin(result.distances[0], norm, sliceDistanceBudget(shape, pre));
        expectMargin(result.remainders[0], norm, sliceRemainderBudget(shape, pre, transform, radians));
        expect(changed).toBe(2);
      }
      stack.release();
      wave.close();
    },
  );

  it.each(['rotation', 'translation'] as const)(
    'Indiv’s errors get that of an interval bound: %s',
    async (transform) => {
      const pipeline = pipelineOf(transform);
      const inverter = await GpuInverter.open(gpu, { shape, pipeline, refinements: 2, boxes: 4 });
      const preimages = await inverter.narrow(new Float32Array(image.length));
      const beta = transform === 'rotation' ? [3] : [1, 0.5];
      for (const norm of NORMS) {
        const { result, changed } = await withReadbacks(
          gpu,
          'indiv sums',
          planted(norm, shape.channels),
          () =>
            inverter
              .over(preimages)
              .bound([new Float32Array(image.length)], [{ image: 0, beta }], { tolerance: 0.1 }),
        );
        expectMargin(result[0]?.bound, norm, intervalBudget(shape, pre));
        expect(changed).toBe(1);
      }
      inverter.close();
    },
  );

  it.each(['rotation', 'translation'] as const)(
    'a sum that is no number leaves a slice without a bound: %s',
    async (transform) => {
      const bounder = await GpuSliceBounder.open(gpu, { shape, pipeline: pipelineOf(transform) });
      const lower = transform === 'rotation' ? [1] : [0.25, -0.5];
      const box = { lower, upper: lower.map((a) => a + 1) };
      const center = lower.map((a) => a + 0.5);
      // The last sum of all: of the last box or grid point, so that the others' numbers could hide it.
      const spoil = (data: Float32Array) => {
        data[data.length - 1] = Number.NaN;
      };
      const { result } = await withReadbacks(gpu, 'slice sums', spoil, () =>
        bounder.bound([image], [{ image: 0, box, center }]),
      );
      expect(result[0]?.bound).toBe(Number.POSITIVE_INFINITY);
      bounder.close();
    },
  );
});
