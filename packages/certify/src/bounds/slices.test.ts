import { type Gpu, openDevice } from '@turnproof/core';
import { cases, closeChecked, testAdapters } from '@turnproof/core/testing';
import type { ImageShape, ParameterBox, Preprocess, Transform } from '@turnproof/shaders';
import { sliceDistance } from '@turnproof/shaders/oracle';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Pipeline } from '../pipeline.ts';
import { GpuSliceBounder, type SliceRequest, wholeGrid } from './slices.ts';

const shape: ImageShape = { channels: 2, height: 9, width: 12 };
const SIZE = 2 * 9 * 12;
const pre: Preprocess = { vignette: { kind: 'circle', offset: 0 }, blur: { size: 3, sigma: 0.7 } };
const pipelineOf = (transform: Transform): Pipeline => ({
  transform,
  range: transform === 'rotation' ? 180 : 4,
  pre,
  quantization: 'none',
});

/** Images that a bound may stumble over: edges, single pixels, checkerboards, any floats. */
const images = fc.oneof(
  fc.array(fc.constantFrom(0, 1), { minLength: SIZE, maxLength: SIZE }),
  fc.nat(SIZE - 1).map((lit) => Array.from({ length: SIZE }, (_, k) => (k === lit ? 1 : 0))),
  fc.integer({ min: 1, max: 3 }).map((p) => Array.from({ length: SIZE }, (_, k) => Math.floor(k / p) % 2)),
  fc.array(fc.float({ min: 0, max: 1, noNaN: true }), { minLength: SIZE, maxLength: SIZE }),
);

/** Slices narrow and wide, around 0 and beside it, with centres anywhere in them. */
const slices = (transform: Transform) => {
  const axes = transform === 'rotation' ? 1 : 2;
  const [far, wide] = transform === 'rotation' ? [170, 40] : [3, 2.5];
  return fc
    .record({
      start: fc.array(
        fc.oneof(fc.double({ min: -far, max: far, noNaN: true }), fc.constantFrom(0, -0.5, 1)),
        {
          minLength: axes,
          maxLength: axes,
        },
      ),
      width: fc.double({ min: 1e-3, max: wide, noNaN: true }),
      place: fc.constantFrom(0, 0.5, 0.5, 0.31, 1),
      inside: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: axes, maxLength: axes }),
    })
    .map(({ start, width, place, inside }) => {
      const box: ParameterBox = { lower: start, upper: start.map((a) => a + width) };
      const at = (t: number) => (a: number, axis: number) => Math.min(a + t * width, box.upper[axis] ?? a);
      return {
        box,
        center: start.map(at(place)),
        gammas: [inside, inside.map((t) => 1 - t), inside.map((t) => t / 3)].map((ts) =>
          start.map((a, axis) => at(ts[axis] ?? 0)(a, axis)),
        ),
      };
    });
};

describe.each((await testAdapters()).slice(-1))('slices on %s', (adapter) => {
  let gpu: Gpu;
  beforeAll(async () => {
    gpu = await openDevice({ adapter });
  });
  afterAll(() => closeChecked(gpu));

  it.each(['rotation', 'translation'] as const)(
    'no transform of a slice lies farther from its centre than M: %s',
    async (transform) => {
      const bounder = await GpuSliceBounder.open(gpu, { shape, pipeline: pipelineOf(transform) });
      await fc.assert(
        fc.asyncProperty(
          fc.array(images, { minLength: 1, maxLength: 2 }),
          fc.array(slices(transform), { minLength: 1, maxLength: 5 }),
          async (pixels, list) => {
            const stack = pixels.map((values) => Float32Array.from(values));
            const requests = list.map(
              ({ box, center }, i): SliceRequest => ({ image: i % stack.length, box, center }),
            );
            const bounds = await bounder.bound(stack, requests);
            list.forEach(({ center, gammas }, i) => {
              const image = stack[i % stack.length] ?? new Float32Array();
              for (const gamma of gammas) {
                const distance = sliceDistance(transform, gamma, center, image, shape, pre);
                expect(distance).toBeLessThanOrEqual(bounds[i]?.bound ?? Number.NaN);
              }
            });
          },
        ),
        { numRuns: cases(60) },
      );
      bounder.close();
    },
  );

  const scene = Float32Array.from({ length: SIZE }, (_, k) => (Math.sin(k * 1.7) + 1) / 2);

  it('M is near the largest of many sampled distances, and shrinks with the slice', async () => {
    for (const transform of ['rotation', 'translation'] as const) {
      const bounder = await GpuSliceBounder.open(gpu, { shape, pipeline: pipelineOf(transform) });
      const axes = transform === 'rotation' ? 1 : 2;
      const boxes = [4, 1, 0.25].map((width) => ({
        lower: Array.from({ length: axes }, () => 0.3),
        upper: Array.from({ length: axes }, () => 0.3 + width),
      }));
      const requests = boxes.map((box) => ({
        image: 0,
        box,
        center: box.lower.map((a, axis) => (a + (box.upper[axis] ?? a)) / 2),
      }));
      const bounds = await bounder.bound([scene], requests);
      requests.forEach(({ box, center }, i) => {
        let largest = 0;
        for (let s = 0; s <= 40; s++) {
          for (let t = 0; t <= (axes === 1 ? 0 : 40); t++) {
            const gamma = box.lower.map(
              (a, axis) => a + ((box.upper[axis] ?? a) - a) * ((axis === 0 ? s : t) / 40),
            );
            largest = Math.max(largest, sliceDistance(transform, gamma, center, scene, shape, pre));
          }
        }
        const { bound = Number.NaN } = bounds[i] ?? {};
        expect(bound).toBeGreaterThanOrEqual(largest);
        expect(bound).toBeLessThanOrEqual(1.08 * largest);
        if (i > 0) expect(bound).toBeLessThan(bounds[i - 1]?.bound ?? 0);
      });
      bounder.close();
    }
  });

  it('serves calls made at the same time in one wave, with the results of calls one by one', async () => {
    const bounder = await GpuSliceBounder.open(gpu, { shape, pipeline: pipelineOf('rotation') });
    const other = scene.map((value) => 1 - value);
    const slice = (a: number) => ({ image: 0, box: { lower: [a], upper: [a + 2] }, center: [a + 1] });
    const calls = [
      [[scene], [slice(0), slice(10)]],
      [[other], [slice(0)]],
      [[scene], []],
    ] as const;
    const batch = gpu.batch.bind(gpu);
    let waves = 0;
    gpu.batch = (label) => {
      waves += 1;
      return batch(label);
    };
    const alone = [];
    const wavesAlone: number[] = [];
    for (const [images, requests] of calls) {
      waves = 0;
      alone.push(await bounder.bound(images, requests));
      wavesAlone.push(waves);
    }
    waves = 0;
    const together = await Promise.all(calls.map(([images, requests]) => bounder.bound(images, requests)));
    gpu.batch = batch;
    expect(together).toEqual(alone);
    expect(waves).toBe(Math.max(...wavesAlone));
    bounder.close();
  });

  it('of a blank image is nothing but float32’s budget', async () => {
    const bounder = await GpuSliceBounder.open(gpu, { shape, pipeline: pipelineOf('rotation') });
    const [{ bound = Number.NaN } = {}] = await bounder.bound(
      [new Float32Array(SIZE)],
      [{ image: 0, box: { lower: [-20], upper: [20] }, center: [0] }],
    );
    expect(bound).toBeLessThan(1e-3);
    bounder.close();
  });
});

describe('the grid of a translation slice', () => {
  it('holds its corners and the whole numbers inside, and nothing else', () => {
    expect(wholeGrid({ lower: [-0.5, 2], upper: [1, 2.25] })).toEqual(
      [-0.5, 1, 0].flatMap((x) => [2, 2.25].map((y) => [x, y])),
    );
  });

  it('is needed whole: without the lines between, a distance exceeds what its corners say', () => {
    // One lit pixel, half a pixel to either side of a cell line: at the line it stands alone.
    const image = Float32Array.from({ length: SIZE }, (_, k) => (k === 4 * 12 + 6 ? 1 : 0));
    const plain: Preprocess = { vignette: { kind: 'none' }, blur: null };
    const distance = (gamma: readonly number[]) =>
      sliceDistance('translation', gamma, [0.5, 0], image, shape, plain);
    const corners = [-0.4, 0.5].map((x) => distance([x, 0]));
    expect(distance([0, 0])).toBeGreaterThan(Math.max(...corners));
  });
});
