import { type Gpu, openDevice } from '@turnproof/core';
import { closeChecked, testAdapters } from '@turnproof/core/testing';
import type { ImageShape, Parameter } from '@turnproof/shaders';
import { l2Norm, preOracle, warpOracle } from '@turnproof/shaders/oracle';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Pipeline } from '../pipeline.ts';
import { GpuInverter } from './inverse.ts';

const shape: ImageShape = { channels: 1, height: 16, width: 15 };
const size = 16 * 15;
const pre = { vignette: { kind: 'circle', offset: 1 }, blur: { size: 5, sigma: 1 } } as const;

let state = 7;
const random = () => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
};
/** Strokes and noise: something of every slope. */
const drawn = () =>
  Float32Array.from({ length: size }, (_, k) => {
    const [x, y] = [(k % 15) - 7, Math.floor(k / 15) - 7.5];
    return Math.abs(x - 0.4 * y) < 2 ? 0.6 + 0.4 * random() : Math.hypot(x, y) < 6 ? 0.3 * random() : 0;
  });

const pipelines: readonly Pipeline[] = [
  { transform: 'rotation', range: 10, pre, quantization: 'none' },
  { transform: 'rotation', range: 10, pre, quantization: 'u8' },
  { transform: 'translation', range: 1, pre, quantization: 'none' },
  { transform: 'translation', range: 1, pre, quantization: 'u8' },
];

/** What an attacker hands over. */
function attacked({ transform, quantization }: Pipeline, gamma: Parameter, x: Float32Array) {
  const exact = warpOracle(transform, gamma, x, shape);
  return Float32Array.from(exact, (v) => (quantization === 'u8' ? Math.round(255 * v) / 255 : v));
}

const anyGamma = ({ transform, range }: Pipeline): number[] =>
  (transform === 'rotation' ? [0] : [0, 0]).map(() => range * (2 * random() - 1));

describe.each(await testAdapters())('the inverse on %s', (adapter) => {
  let gpu: Gpu;
  beforeAll(async () => {
    gpu = await openDevice({ adapter });
  });
  afterAll(() => closeChecked(gpu));

  it.each(pipelines)(
    '$transform, $quantization: γ is in a box that is left, and few others are',
    async (pipeline) => {
      const inverter = await GpuInverter.open(gpu, { shape, pipeline, refinements: 10, boxes: 32 });
      const all = pipeline.transform === 'rotation' ? 2 * pipeline.range : (2 * pipeline.range) ** 2;
      let area = 0;
      for (let run = 0; run < 5; run++) {
        const gamma = run === 0 ? anyGamma(pipeline).map(() => pipeline.range) : anyGamma(pipeline);
        const { boxes } = await inverter.narrow(attacked(pipeline, gamma, drawn()));
        const holds = boxes.some(({ lower, upper }) =>
          gamma.every((g, axis) => (lower[axis] ?? 0) <= g && g <= (upper[axis] ?? 0)),
        );
        expect(holds).toBe(true);
        for (const { lower, upper } of boxes) {
          area += lower.reduce((product, a, axis) => product * ((upper[axis] ?? a) - a), 1 / (5 * all));
        }
      }
      expect(area).toBeLessThan(pipeline.transform === 'rotation' ? 0.4 : 0.6);
      inverter.close();
    },
  );

  it.each(pipelines)(
    '$transform, $quantization: bounds hold for the image and the γ that made it',
    async (pipeline) => {
      const { transform } = pipeline;
      const inverter = await GpuInverter.open(gpu, {
        shape,
        pipeline,
        refinements: 10,
        boxes: transform === 'rotation' ? 32 : 8,
      });
      for (let run = 0; run < (transform === 'rotation' ? 3 : 1); run++) {
        const [gamma, x] = [anyGamma(pipeline), drawn()];
        const image = attacked(pipeline, gamma, x);
        const bounder = inverter.over(await inverter.narrow(image));
        const betas = Array.from({ length: transform === 'rotation' ? 12 : 5 }, () =>
          anyGamma({ ...pipeline, range: 2 * pipeline.range }),
        );
        const requests = betas.map((beta) => ({ image: 0, beta }));
        const bounds = await bounder.bound([image], requests, { tolerance: 0.05 });
        betas.forEach((beta, i) => {
          const both = beta.map((b, axis) => b + (gamma[axis] ?? 0));
          const there = warpOracle(transform, beta, image, shape);
          const here = warpOracle(transform, both, x, shape);
          const difference = there.map((value, k) => value - (here[k] ?? Number.NaN));
          expect(l2Norm(preOracle(difference, shape, pre))).toBeLessThanOrEqual(bounds[i]?.bound ?? -1);
        });
        // Against a target: those above it are open, those at most it are held.
        const target = (bounds[0]?.bound ?? 0) * 1.01;
        const tested = await bounder.bound([image], requests, { target });
        tested.forEach(({ bound, exceeds }, i) => {
          expect(exceeds).toBe((bounds[i]?.bound ?? 0) <= target ? false : null);
          if (exceeds === false) expect(bound).toBe(bounds[i]?.bound);
        });
      }
      inverter.close();
    },
  );

  it('rules nothing out for an image of one value, which every angle can give', async () => {
    const pipeline = { transform: 'rotation', range: 10, pre, quantization: 'u8' } as const;
    const inverter = await GpuInverter.open(gpu, { shape, pipeline, refinements: 3, boxes: 64 });
    const { boxes, tried } = await inverter.narrow(new Float32Array(size));
    expect(boxes.length).toBe(80);
    expect(tried).toBe(20 + 40 + 80);
    inverter.close();
  });
});
