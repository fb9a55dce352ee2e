import { type Gpu, openDevice } from '@turnproof/core';
import { cases, closeChecked, testAdapters } from '@turnproof/core/testing';
import type { ImageShape, Transform } from '@turnproof/shaders';
import { interpolationError } from '@turnproof/shaders/oracle';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { cornersOf } from './grid.ts';
import { WaveRunner } from './wave.ts';

const shapes: ImageShape[] = [
  { channels: 1, height: 7, width: 7 },
  { channels: 2, height: 6, width: 9 },
];
const pre = { vignette: { kind: 'circle', offset: 0 }, blur: { size: 3, sigma: 0.7 } } as const;

/** Images that a bound may stumble over: only 0 and 1, single pixels, checkerboards, steps, and any floats. */
const images = (length: number) =>
  fc.oneof(
    fc.array(fc.constantFrom(0, 1), { minLength: length, maxLength: length }),
    fc
      .integer({ min: 0, max: length - 1 })
      .map((lit) => Array.from({ length }, (_, k) => (k === lit ? 1 : 0))),
    fc
      .integer({ min: 1, max: 4 })
      .map((period) => Array.from({ length }, (_, k) => Math.floor(k / period) % 2)),
    fc.integer({ min: 0, max: length }).map((step) => Array.from({ length }, (_, k) => (k < step ? 1 : 0))),
    fc.array(fc.float({ min: 0, max: 1, noNaN: true }), { minLength: length, maxLength: length }),
  );

const near = (scale: number) =>
  fc.oneof(
    fc.double({ min: -scale, max: scale, noNaN: true }),
    fc.constantFrom(0, 1, -1, 0.5, scale, -scale),
  );

describe.each((await testAdapters()).slice(-1))('fuzzed on %s', (adapter) => {
  let gpu: Gpu;
  beforeAll(async () => {
    gpu = await openDevice({ adapter });
  });
  afterAll(() => closeChecked(gpu));

  const all = shapes.flatMap((shape) =>
    (['rotation', 'translation'] as const).flatMap((transform) =>
      (['chord', 'interval'] as const).map((method) => ({ shape, transform, method })),
    ),
  );
  it.each(all)(
    'no error exceeds its box’s bound: $method, $transform, $shape.width x $shape.height',
    async (which) => {
      const { shape, method } = which;
      const transform: Transform = which.transform;
      const wave = await WaveRunner.create(gpu, { transform, shape, pre }, method);
      const scale = transform === 'rotation' ? 90 : 3;
      const axes = transform === 'rotation' ? 1 : 2;
      const parameter = fc.array(near(scale), { minLength: axes, maxLength: axes });
      const length = shape.channels * shape.height * shape.width;
      await fc.assert(
        fc.asyncProperty(
          images(length),
          parameter,
          parameter,
          fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: axes, maxLength: axes }),
          fc.array(
            fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: axes, maxLength: axes }),
            { minLength: 3, maxLength: 3 },
          ),
          async (values, beta, lower, widths, places) => {
            const image = Float32Array.from(values);
            const box = { lower, upper: lower.map((a, i) => a + (scale / 4) * (widths[i] ?? 0) ** 4) };
            const stack = gpu.upload('f32', image, 'image');
            try {
              const corners = cornersOf(box).map((gamma) => ({ image: 0, beta, gamma }));
              const result = await wave.run(stack, method === 'chord' ? corners : [], [
                { image: 0, beta, box },
              ]);
              const norm = result.boxes[0] ?? Number.NaN;
              const bound = method === 'chord' ? Math.max(...result.points) + norm : norm;
              for (const place of [...places, [0, 0], [1, 1]]) {
                const gamma = lower.map((a, i) => a + ((box.upper[i] ?? a) - a) * (place[i] ?? 0));
                const error = interpolationError(transform, beta, gamma, image, shape, pre);
                if (!(error <= bound)) throw new Error(`error ${error} at ${gamma} exceeds ${bound}`);
              }
            } finally {
              stack.release();
            }
          },
        ),
        { numRuns: cases(120) },
      );
      wave.close();
    },
  );
});
