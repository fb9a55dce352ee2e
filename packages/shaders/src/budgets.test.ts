/**
 * Inputs built to break a bound whose rounding is dropped or reversed: a checkerboard (slope 1 everywhere) and boxes
 * of no width, where a bound has no slack but its budget. Each budget must hold on them, and must be needed.
 */
import { type Gpu, openDevice } from '@turnproof/core';
import { closeChecked, mutate, testAdapters } from '@turnproof/core/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  chordBudget,
  hullBudget,
  intervalBudget,
  normAtLeast,
  normUp,
  pointBudget,
  samplerBudget,
  warpBudget,
} from './budgets.ts';
import { fixedMap, type ImageShape } from './geometry.ts';
import { type Problem, runIntervalError, runPixels, runPointError } from './kernel-runs.test-support.ts';
import { randomNumbers } from './kernel-suite.test-support.ts';
import { boxHullKernel, boxItems } from './kernels/box-hull/box-hull.kernel.ts';
import { intervalErrorKernel } from './kernels/interval-error/interval-error.kernel.ts';
import { interpolationError } from './kernels/point-error/point-error.oracle.ts';
import { mapItems, warpKernel } from './kernels/warp/warp.kernel.ts';
import { warpOracle } from './kernels/warp/warp.oracle.ts';
import type { Tiling } from './layout.ts';

const shape: ImageShape = { channels: 1, height: 41, width: 40 };
const checkerboard = Float32Array.from({ length: 41 * 40 }, (_, k) => ((k % 40) + Math.floor(k / 40)) % 2);
const angles = Array.from({ length: 12 }, (_, i) => 7.3 + 29.7 * i);
const pre = { vignette: { kind: 'circle', offset: 0 }, blur: { size: 3, sigma: 0.6 } } as const;

const random = randomNumbers(11);
const problem: Problem = {
  transform: 'rotation',
  shape,
  pre,
  image: checkerboard,
  pairs: angles.map((angle) => ({ beta: [angle - 40 * random()], box: { lower: [angle], upper: [angle] } })),
};
const truths = problem.pairs.map(({ beta, box }) =>
  interpolationError('rotation', beta, box.lower, checkerboard, shape, pre),
);

describe.each(await testAdapters())('on %s, on a checkerboard and at boxes of no width', (adapter) => {
  let gpu: Gpu;
  beforeAll(async () => {
    gpu = await openDevice({ adapter });
  });
  afterAll(() => closeChecked(gpu));

  /** Largest distance of a rotated value outside its hull. */
  async function escapeFrom(kernel: typeof boxHullKernel): Promise<number> {
    // Narrow boxes, looked at where they end: a hull moved inward shows there.
    const boxes = angles.map((angle) => ({ image: 0, box: { lower: [angle], upper: [angle + 0.01] } }));
    const items = boxItems(boxes, 'rotation', shape);
    const data = await runPixels(gpu, kernel, shape, [checkerboard], items, boxes.length, {
      imagesPerItem: 2,
    });
    const size = checkerboard.length;
    let worst = Number.NEGATIVE_INFINITY;
    boxes.forEach(({ box }, i) => {
      for (const end of [box.lower, box.upper]) {
        warpOracle('rotation', end, checkerboard, shape).forEach((value, k) => {
          const lower = data[2 * i * size + k] ?? Number.NaN;
          const upper = data[(2 * i + 1) * size + k] ?? Number.NaN;
          worst = Math.max(worst, lower - value, value - upper);
        });
      }
    });
    return worst;
  }

  it('the hull holds within its budget', async () => {
    expect(await escapeFrom(boxHullKernel)).toBeLessThanOrEqual(hullBudget());
  });

  it.each([
    ['dropped', 'let slack = 0;'],
    ['reversed', 'let slack = -(reach + 1);'],
  ])('the hull breaks its budget when the coordinates’ rounding is %s', async (_, replace) => {
    const mutant = mutate(boxHullKernel, { fault: 'rounding', find: 'let slack = reach + 1;', replace });
    expect(await escapeFrom(mutant)).toBeGreaterThan(hullBudget());
  });

  it('rotated values differ from float64 by less than the warp’s budget, and by more than a twentieth of it', async () => {
    const items = mapItems(angles.map((angle) => ({ image: 0, map: fixedMap('rotation', [angle], shape) })));
    const data = await runPixels(gpu, warpKernel, shape, [checkerboard], items, angles.length);
    let worst = 0;
    angles.forEach((angle, i) => {
      warpOracle('rotation', [angle], checkerboard, shape).forEach((value, k) => {
        worst = Math.max(worst, Math.abs(value - (data[i * checkerboard.length + k] ?? Number.NaN)));
      });
    });
    expect(worst).toBeLessThanOrEqual(warpBudget(shape));
    expect(worst).toBeGreaterThan(0.05 * warpBudget(shape));
  });

  it('errors at points are bounded with the budget, and not with its sign reversed', async () => {
    const { partials, tiling, perItem } = await runPointError(gpu, problem);
    const bound = (i: number, budget: number) =>
      normUp(partials, i * perItem, (i + 1) * perItem, tiling, budget);
    const budget = pointBudget(shape, pre);
    expect(truths.every((truth, i) => truth <= bound(i, budget))).toBe(true);
    // Reversed: subtracted, it must break some.
    expect(truths.some((truth, i) => truth > bound(i, -budget))).toBe(true);
  });

  it('the interval bound holds, and not when both its slack and its budget are dropped', async () => {
    const holds = async (kernel: typeof intervalErrorKernel, budget: number) => {
      const { partials, tiling, perItem } = await runIntervalError(gpu, problem, { kernel });
      return truths.map(
        (truth, i) => truth <= normUp(partials, i * perItem, (i + 1) * perItem, tiling, budget),
      );
    };
    const budget = intervalBudget(shape, pre);
    expect(await holds(intervalErrorKernel, budget)).not.toContain(false);
    const dropped = mutate(intervalErrorKernel, {
      fault: 'rounding dropped',
      find: 'let slack = reach + 1;',
      replace: 'let slack = 0;',
    });
    expect(await holds(dropped, -budget)).toContain(false);
  });
});

describe('the budgets', () => {
  it('are small beside the errors that they guard: below 1e-3 for MNIST and CIFAR sizes', () => {
    const blur = { vignette: { kind: 'circle', offset: 2 }, blur: { size: 5, sigma: 1 } } as const;
    for (const s of [
      { channels: 1, height: 28, width: 28 },
      { channels: 3, height: 32, width: 32 },
    ]) {
      expect(samplerBudget(s, blur)).toBeLessThan(1e-3);
      expect(pointBudget(s, blur)).toBeLessThan(1e-3);
      expect(chordBudget(s, blur, 'rotation', Math.PI / 180)).toBeLessThan(1e-3);
    }
  });
  it('grow with the image, the blur and the box', () => {
    const at = (side: number, size: number) =>
      pointBudget(
        { channels: 1, height: side, width: side },
        { vignette: { kind: 'none' }, blur: { size, sigma: 1 } },
      );
    expect(at(64, 5)).toBeGreaterThan(at(32, 5));
    expect(at(32, 9)).toBeGreaterThan(at(32, 5));
    expect(chordBudget(shape, pre, 'rotation', 0.2)).toBeGreaterThan(
      chordBudget(shape, pre, 'rotation', 0.1),
    );
  });
  it.each([4, 16])('a norm is rounded up, by no more than the stated share, %i threads on a side', (side) => {
    const { normal, wide } = tilings(side);
    for (const sum of [0, 1e-30, 0.3, 2, 12345.678]) {
      const up = normUp([sum], 0, 1, normal, 0);
      expect(up).toBeGreaterThan(Math.sqrt(sum));
      expect(up).toBeLessThan(Math.sqrt(sum) * (1 + 1e-5) + 1e-16);
      // More pixels for each thread are more roundings.
      if (sum > 0.1) expect(normUp([sum], 0, 1, wide, 0)).toBeGreaterThan(up);
    }
  });

  it.each([4, 16])('a norm is at least what is left without all margins, %i threads on a side', (side) => {
    const { normal } = tilings(side);
    const perThread = Math.ceil(28 / side) ** 2;
    // Every addition and square on the same side of the truth: the largest sum that float32 may make of it.
    const worst = (1 + 2 ** -23) ** (perThread + 2 * side + 1);
    const budget = 1e-5;
    for (const truth of [0.001, 0.3, 2, 100]) {
      // The field was off by its whole budget as well.
      const seen = (truth + budget) ** 2;
      for (const sum of [seen * worst, (truth - budget) ** 2 / worst]) {
        const up = normUp([sum], 0, 1, normal, budget);
        expect(up).toBeGreaterThanOrEqual(truth);
        expect(normAtLeast(up, normal, budget)).toBeLessThanOrEqual(truth);
      }
    }
    // Not so little that nothing could be told from it.
    const up = normUp([4], 0, 1, normal, budget);
    expect(normAtLeast(up, normal, budget)).toBeGreaterThan(2 - 5e-5);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -1e-30])(
    'nothing is known of a norm of which one sum is %f',
    (nonsense) => {
      const { normal } = tilings(16);
      for (const sums of [[nonsense, 4], [4, nonsense], [4]]) {
        const up = normUp(sums, 0, 2, normal, 0.1);
        expect(up).toBe(Number.POSITIVE_INFINITY);
        expect(normAtLeast(up, normal, 0.1)).toBe(0);
      }
      expect(normUp([4], 0, 1, normal, Number.NaN)).toBe(Number.POSITIVE_INFINITY);
    },
  );
});

/** One tile of 28 x 28 pixels and one of 64 x 64. */
function tilings(side: number) {
  const of = (size: number): Tiling => ({
    tileWidth: size,
    tileHeight: size,
    tilesX: 1,
    tiles: 1,
    side,
    overrides: { TILE_WIDTH: size, TILE_HEIGHT: size, REGION_SIZE: 1, ROWS_SIZE: 1, SIDE: side },
  });
  return { normal: of(28), wide: of(64) };
}
