/**
 * The inverse on real images: whatever was turned or shifted lies in the intervals of every sub-box that holds the
 * parameter. On the signs, and on MNIST where it is there. (Shapes and mutants: the kernel's own test.)
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { attackHalfStep } from '@turnproof/certify/bounds';
import { type Gpu, openDevice } from '@turnproof/core';
import { closeChecked, testAdapters } from '@turnproof/core/testing';
import { type ParameterBox, pixelCount } from '@turnproof/shaders';
import { warpOracle } from '@turnproof/shaders/oracle';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runInverse } from '../../shaders/src/kernel-runs.test-support.ts';
import { openDataset } from './data/index.ts';

const shared = process.env.TURNPROOF_SHARED ?? fileURLToPath(new URL('../../../../shared', import.meta.url));
const mnist = join(shared, 'data', 'mnist');
const present = existsSync(mnist);
if (!present) console.log(`skipped: real MNIST is not in ${shared}`);

let state = 99;
const random = () => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
};

describe.each(await testAdapters())('the inverse on %s', (adapter) => {
  let gpu: Gpu;
  beforeAll(async () => {
    gpu = await openDevice({ adapter });
  });
  afterAll(() => closeChecked(gpu));

  async function check(spec: string, images: number): Promise<void> {
    const data = await openDataset(spec);
    const { shape } = data;
    const size = pixelCount(shape);
    for (const transform of ['rotation', 'translation'] as const) {
      for (const quantization of ['none', 'u8'] as const) {
        for (let index = 0; index < images; index++) {
          const { pixels: x } = await data.read(index);
          const gamma = (transform === 'rotation' ? [15] : [2, 2]).map((range) => range * (2 * random() - 1));
          const exact = warpOracle(transform, gamma, x, shape);
          const image = Float32Array.from(exact, (v) =>
            quantization === 'u8' ? Math.round(255 * v) / 255 : v,
          );
          const boxes = [0, 0.05, 0.3, 1].map((width): ParameterBox => {
            const lower = gamma.map((g) => g - width * random());
            return { lower, upper: lower.map((a, axis) => Math.max(gamma[axis] ?? 0, a + width)) };
          });
          const cases = boxes.map((box) => ({ image, box }));
          const options = { halfStep: attackHalfStep({ quantization }), steps: 10 };
          const { ends, refuted } = await runInverse(gpu, { transform, shape }, cases, options);
          expect(refuted).toEqual(boxes.map(() => false));
          boxes.forEach((_, i) => {
            const [low, high] = [2 * i, 2 * i + 1].map((end) => ends.subarray(end * size, (end + 1) * size));
            const outside = x.filter((v, k) => !((low?.[k] ?? 2) <= v && v <= (high?.[k] ?? -1)));
            expect(outside.length).toBe(0);
          });
        }
      }
    }
  }

  it('holds turned and shifted signs', () => check('signs', 4));
  it.runIf(present)('holds turned and shifted MNIST digits', () => check(`mnist:${mnist}`, 6));
});
