/**
 * Maxima that lie at an end of Γ or where cell lines are crossed. Over smooth images the largest error is found inside
 * Γ, and a bound that forgets one end of a box is forgiven; steps and checkerboards over a short Γ forgive nothing.
 */
import { type Gpu, openDevice } from '@turnproof/core';
import { closeChecked, testAdapters } from '@turnproof/core/testing';
import type { ImageShape, Preprocess } from '@turnproof/shaders';
import { interpolationError } from '@turnproof/shaders/oracle';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Pipeline } from '../pipeline.ts';
import { openBounder } from './index.ts';

const shape: ImageShape = { channels: 1, height: 11, width: 12 };
const { height, width } = shape;
const pre: Preprocess = { vignette: { kind: 'circle', offset: 0 }, blur: null };

const image = (value: (row: number, column: number) => number) =>
  Float32Array.from({ length: height * width }, (_, k) => value(Math.floor(k / width), k % width));
const images = [
  image((row, column) => (row + column) % 2),
  image((_, column) => (column < 6 ? 1 : 0)),
  image((row) => (row < 4 ? 0 : 1)),
  image((row, column) => (row > column ? 0.8 : 0.1)),
];

/** The γ of Γ that are looked at, ends, 0 and -β included. */
function gammasOf({ transform, range }: Pipeline, beta: readonly number[]): number[][] {
  const axis = (b: number) => {
    const steps = transform === 'rotation' ? 120 : 12;
    const line = Array.from({ length: steps + 1 }, (_, i) => -range + (2 * range * i) / steps);
    return [...line, 0, -b].filter((g) => Math.abs(g) <= range);
  };
  return beta.reduce<number[][]>((points, b) => points.flatMap((p) => axis(b).map((g) => [...p, g])), [[]]);
}

const cases = [
  ...[1, 3].flatMap((range) =>
    (['chord', 'interval'] as const).map((method) => ({ transform: 'rotation', range, method }) as const),
  ),
  ...(['chord', 'interval', 'exact'] as const).map(
    (method) => ({ transform: 'translation', range: 0.6, method }) as const,
  ),
];

describe.each((await testAdapters()).slice(-1))('bounds at the ends of Γ on %s', (adapter) => {
  let gpu: Gpu;
  beforeAll(async () => {
    gpu = await openDevice({ adapter });
  });
  afterAll(() => closeChecked(gpu));

  it.each(cases)(
    '$method, $transform by up to $range: no error, and no witness, is above its bound',
    async ({ transform, range, method }) => {
      const pipeline: Pipeline = { transform, range, pre, quantization: 'none' };
      const bounder = await openBounder(gpu, { shape, pipeline, method, maxBoxes: 400 });
      const betas =
        transform === 'rotation'
          ? [[0.3], [-0.8], [2], [-11], [45.5]]
          : [
              [0.3, -0.2],
              [1.1, 0.45],
              [-0.5, 2],
            ];
      const requests = images.flatMap((_, at) => betas.map((beta) => ({ image: at, beta })));
      const answers = await bounder.bound(images, requests, { tolerance: 0.05 });
      bounder.close();
      let atAnEnd = 0;
      requests.forEach(({ image: at, beta }, i) => {
        const pixels = images[at] ?? new Float32Array();
        const { bound = Number.NaN, witness } = answers[i] ?? {};
        const errors = gammasOf(pipeline, beta).map((gamma) => ({
          gamma,
          error: interpolationError(transform, beta, gamma, pixels, shape, pre),
        }));
        const largest = errors.reduce((a, b) => (b.error > a.error ? b : a));
        expect(bound).toBeGreaterThanOrEqual(largest.error);
        expect(bound).toBeGreaterThanOrEqual(witness?.error ?? Number.NaN);
        if (largest.gamma.some((g) => Math.abs(g) === range)) atAnEnd += 1;
      });
      // What this file is about: many of the maxima are at an end.
      expect(atAnEnd).toBeGreaterThan(requests.length / 4);
    },
  );
});
