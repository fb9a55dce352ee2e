import { type Gpu, openDevice } from '@turnproof/core';
import { closeChecked, testAdapters } from '@turnproof/core/testing';
import type { ImageShape, Preprocess } from '@turnproof/shaders';
import { interpolationError, l2Norm, warpPreOracle } from '@turnproof/shaders/oracle';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Pipeline } from '../pipeline.ts';
import { cornersOf, exactGrid, firstBoxes, splitBox } from './grid.ts';
import { type BetaBound, openBounder, quantizationError } from './index.ts';

const shape: ImageShape = { channels: 1, height: 12, width: 15 };
const pre: Preprocess = { vignette: { kind: 'circle', offset: 1 }, blur: { size: 3, sigma: 0.8 } };
const rotation: Pipeline = { transform: 'rotation', range: 25, pre, quantization: 'none' };
const translation: Pipeline = { transform: 'translation', range: 1.5, pre, quantization: 'none' };

function blob(seed: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: 12 * 15 }, (_, k) => {
    const [x, y] = [(k % 15) - 7 - (seed % 3), Math.floor(k / 15) - 5];
    return (
      Math.max(0, Math.min(1, 1.3 - Math.hypot(x, 1.5 * y) / (4 + (seed % 2)))) *
      (k % 4 === seed % 4 ? 0.6 : 1)
    );
  });
}

/** Largest of many sampled errors: a lower bound on the truth, by float64 alone. */
function sampledMaximum(
  pipeline: Pipeline,
  beta: readonly number[],
  image: Float32Array,
  steps: number,
): number {
  let largest = 0;
  const { range, transform } = pipeline;
  const line = Array.from({ length: steps + 1 }, (_, i) => -range + (2 * range * i) / steps);
  const gammas =
    transform === 'rotation'
      ? [...line.map((g) => [g]), beta.map((b) => -b)]
      : line.flatMap((a) => line.map((b) => [a, b]));
  for (const gamma of gammas) {
    if (gamma.some((g) => Math.abs(g) > range)) continue;
    largest = Math.max(largest, interpolationError(transform, beta, gamma, image, shape, pipeline.pre));
  }
  return largest;
}

describe('the first boxes', () => {
  it('cover the range without gaps, cut at 0, at -β and at quarter turns', () => {
    // 90 is none of the even cuts of [-100, 100].
    const boxes = firstBoxes('rotation', 100, [33.3]);
    expect(boxes[0]?.lower).toEqual([-100]);
    expect(boxes.at(-1)?.upper).toEqual([100]);
    boxes.slice(1).forEach((box, i) => {
      expect(box.lower).toEqual(boxes[i]?.upper);
    });
    const cuts = boxes.map(({ lower }) => lower[0]);
    for (const cut of [0, -33.3, -90, 90]) expect(cuts).toContain(cut);
  });
  it('are cut without gaps by a split', () => {
    const parts = splitBox({ lower: [0.1, -1], upper: [0.7, 2] }, 4);
    expect(parts).toHaveLength(4);
    const area = parts.reduce(
      (a, { lower, upper }) =>
        a + (Number(upper[0]) - Number(lower[0])) * (Number(upper[1]) - Number(lower[1])),
      0,
    );
    expect(area).toBeCloseTo(1.8, 12);
    expect(parts.flatMap(cornersOf)).toContainEqual([0.1, -1]);
    expect(parts.flatMap(cornersOf)).toContainEqual([0.7, 2]);
  });
  it('the translation grid has Γ’s edges, whole pixels, and whole pixels less β', () => {
    const axis = new Set(exactGrid(1.5, [0.2, 7.75]).map(([x]) => x));
    expect([...axis].sort((a, b) => Number(a) - Number(b))).toEqual([-1.5, -1.2, -1, -0.2, 0, 0.8, 1, 1.5]);
  });
});

describe.each(await testAdapters())('bounds on %s', (adapter) => {
  let gpu: Gpu;
  beforeAll(async () => {
    gpu = await openDevice({ adapter });
  });
  afterAll(() => closeChecked(gpu));

  const betas = [[11.3], [-24], [70], [0.4]];

  it.each(['chord', 'interval'] as const)(
    '%s: witness <= sampled maximum <= bound <= 1.05 witness',
    async (method) => {
      const bounder = await openBounder(gpu, { shape, pipeline: rotation, method });
      const images = [blob(1), blob(2)];
      const requests = images.flatMap((_, image) => betas.map((beta) => ({ image, beta })));
      const answers = await bounder.bound(images, requests, { tolerance: 0.05 });
      bounder.close();
      answers.forEach((answer, i) => {
        const request = requests[i];
        const image = images[request?.image ?? 0] ?? new Float32Array();
        const sampled = sampledMaximum(rotation, answer.beta, image, 400);
        const again = interpolationError('rotation', answer.beta, answer.witness.gamma, image, shape, pre);
        expect(answer.complete).toBe(true);
        expect(answer.witness.error).toBe(again);
        expect(answer.bound).toBeGreaterThanOrEqual(sampled);
        expect(answer.bound).toBeGreaterThanOrEqual(answer.witness.error);
        expect(answer.bound).toBeLessThanOrEqual(1.05 * answer.witness.error);
      });
    },
  );

  it.each([
    ['chord', rotation, [[11.3], [-24], [70]]],
    [
      'exact',
      translation,
      [
        [0.7, -1.2],
        [2.3, 0.45],
        [-0.1, 1],
      ],
    ],
  ] as const)(
    '%s: what is bounded together is bounded as if it were alone',
    async (method, pipeline, each) => {
      const bounder = await openBounder(gpu, { shape, pipeline, method });
      const images = [blob(1), blob(2)];
      const requests = images.flatMap((_, image) => each.map((beta) => ({ image, beta })));
      const goal = { tolerance: 0.05 };
      const lasting = (answers: readonly BetaBound[]) => answers.map(({ ms: _, ...answer }) => answer);
      const together = lasting(await bounder.bound(images, requests, goal));
      const alone: unknown[] = [];
      for (const request of requests) alone.push(...lasting(await bounder.bound(images, [request], goal)));
      bounder.close();
      expect(together).toEqual(alone);
    },
  );

  it('a target below the maximum is exceeded with a witness, one above the bound is not', async () => {
    const bounder = await openBounder(gpu, { shape, pipeline: rotation });
    const image = blob(3);
    for (const beta of betas) {
      const sampled = sampledMaximum(rotation, beta, image, 400);
      const [below] = await bounder.bound([image], [{ image: 0, beta }], { target: 0.98 * sampled });
      expect(below?.exceeds).toBe(true);
      expect(below?.witness.error).toBeGreaterThan(0.98 * sampled);
      const [above] = await bounder.bound([image], [{ image: 0, beta }], { target: 1.1 * sampled });
      expect(above?.exceeds).toBe(false);
      expect(above?.bound).toBeLessThanOrEqual(1.1 * sampled);
      expect(above?.bound).toBeGreaterThanOrEqual(sampled);
    }
    bounder.close();
  });

  it('a box limit and a time limit give larger bounds that say so, still above the maximum', async () => {
    const image = blob(4);
    const sampled = sampledMaximum(rotation, [11.3], image, 400);
    for (const limits of [{ maxBoxes: 40 }, { timeLimitMs: 0 }]) {
      const bounder = await openBounder(gpu, { shape, pipeline: rotation, ...limits });
      const [answer] = await bounder.bound([image], [{ image: 0, beta: [11.3] }], { tolerance: 0.001 });
      bounder.close();
      expect(answer?.complete).toBe(false);
      expect(answer?.bound).toBeGreaterThanOrEqual(sampled);
    }
  });

  it('tells how many boxes are bounded while one β is refined, all of them at the end', async () => {
    const told: number[] = [];
    const bounder = await openBounder(gpu, {
      shape,
      pipeline: rotation,
      onBoxes: (boxes) => told.push(boxes),
    });
    const [answer] = await bounder.bound([blob(4)], [{ image: 0, beta: [11.3] }], { tolerance: 0.02 });
    bounder.close();
    expect(told.length).toBeGreaterThan(2);
    expect(told).toEqual(told.toSorted((a, b) => a - b));
    expect(told.at(-1)).toBe(answer?.boxes);
  });

  it('translation: the exact answer is the sampled maximum or more, and chord and interval agree with it', async () => {
    const image = blob(5);
    for (const beta of [
      [0.7, -1.2],
      [-2.25, 0.1],
    ]) {
      const sampled = sampledMaximum(translation, beta, image, 60);
      const answers = [];
      for (const method of ['exact', 'chord', 'interval'] as const) {
        const bounder = await openBounder(gpu, { shape, pipeline: translation, method, maxBoxes: 4000 });
        answers.push(...(await bounder.bound([image], [{ image: 0, beta }], { tolerance: 0.1 })));
        bounder.close();
      }
      const [exact, chord, interval] = answers.map((a) => a.bound);
      expect(exact).toBeGreaterThanOrEqual(sampled);
      expect(exact).toBeLessThanOrEqual(sampled * 1.05);
      expect(chord).toBeGreaterThanOrEqual(Number(exact) - 1e-9);
      expect(interval).toBeGreaterThanOrEqual(Number(exact) - 1e-9);
    }
  });

  it('a blank image has a bound of float32’s budget only', async () => {
    const bounder = await openBounder(gpu, { shape, pipeline: rotation });
    const [answer] = await bounder.bound([new Float32Array(180)], [{ image: 0, beta: [10] }], {
      tolerance: 0.02,
    });
    bounder.close();
    expect(answer?.witness.error).toBe(0);
    expect(answer?.complete).toBe(true);
    expect(answer?.bound).toBeLessThan(1e-3);
  });
});

describe('the attacker’s rounding', () => {
  it('moves pre(T_beta x) by no more than the quantisation error, for the worst rounding', () => {
    const limit = quantizationError(shape, pre);
    for (const seed of [1, 2, 3]) {
      const image = blob(seed);
      const difference = image.map((v) => v - Math.round(v * 255) / 255);
      expect(l2Norm(warpPreOracle('rotation', [17 * seed], difference, shape, pre))).toBeLessThanOrEqual(
        limit,
      );
    }
    // Every pixel off by half a step in the same direction, not rotated: attained.
    const worst = new Float64Array(180).fill(0.5 / 255);
    const attained = l2Norm(warpPreOracle('rotation', [0], worst, shape, pre));
    expect(attained).toBeLessThanOrEqual(limit);
    expect(attained).toBeGreaterThan(limit * (1 - 1e-9));
  });
});
