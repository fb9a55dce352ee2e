import { describe, expect, it } from 'vitest';
import type { BetaBound } from '../bounds/index.ts';
import { SimulatedBounder } from '../methods/simulation.test-support.ts';
import { type BetaSource, type Purpose, Streams } from '../sampling/index.ts';
import { type CalibrateOptions, chooseCalibrationE, testCalibrationE } from './calibrate.ts';

const SIGMA = 10;
const streams = new Streams(3n, 'rotation', SIGMA);
const OPTIONS: CalibrateOptions = { nBetas: 700, rhoE: 0.01, alphaInner: 0.01, alpha: 0.05, margin: 1.1 };

async function* imagesOf(indices: readonly number[]) {
  for (const index of indices) yield { index, pixels: Float32Array.of(index) };
}

interface Asked {
  readonly image: number;
  readonly purpose: Purpose;
  readonly count: number;
}

/** The error of a β is |β| / σ, times what the image makes of it. */
function judgeOf(scale: (image: number) => number, change: (bound: BetaBound) => BetaBound = (b) => b) {
  const asked: Asked[] = [];
  let image = 0;
  const bounder = new SimulatedBounder((beta) => scale(image) * (Math.abs(beta[0] ?? 0) / SIGMA));
  const bound = bounder.bound.bind(bounder);
  bounder.bound = async (images, ...rest) => {
    image = images[0]?.[0] ?? 0;
    return (await bound(images, ...rest)).map(change);
  };
  const betas: BetaSource = {
    betas: (index, purpose, count) => {
      asked.push({ image: index, purpose, count });
      return streams.betas(index, purpose, count);
    },
  };
  return { asked, bounder, judge: { errors: 'bounded', bounder, betas } as const };
}

describe('choosing E', () => {
  it('takes one β of each image, and the margin times the largest error', async () => {
    const { judge, asked, bounder } = judgeOf((image) => 1 + image);
    const images = [4, 9, 2];
    const { E, largest, errors } = await chooseCalibrationE(judge, imagesOf(images), {
      margin: 1.1,
      total: 3,
    });
    const expected = images.map((index) => {
      const [beta = []] = streams.betas(index, 'calibrateChoose', 1);
      return { index, error: (1 + index) * (Math.abs(beta[0] ?? 0) / SIGMA) };
    });
    expect(errors).toEqual(expected);
    expect(largest).toBe(Math.max(...expected.map(({ error }) => error)));
    expect(E).toBe(1.1 * largest);
    expect(asked).toEqual(images.map((image) => ({ image, purpose: 'calibrateChoose', count: 1 })));
    expect(bounder.calls.every(({ goal }) => 'tolerance' in goal)).toBe(true);
  });
});

describe('testing E', () => {
  const run = (
    setting: ReturnType<typeof judgeOf>,
    indices: readonly number[],
    E: number,
    options = OPTIONS,
  ) => testCalibrationE(setting.judge, imagesOf(indices), E, { ...options, total: indices.length });

  it('passes the images that E serves and fails the others, each by its own fresh β', async () => {
    const setting = judgeOf((image) => (image < 3 ? 0.5 : 1));
    // |β| / σ exceeds 2 for 4.6 % of β, 4 for 0.006 %: only images below 3 hold it.
    const { images, passed, mostExceeding } = await run(setting, [0, 1, 2, 3, 4], 2);
    expect(mostExceeding).toBe(1);
    expect(images.map((image) => image.passed)).toEqual([true, true, true, false, false]);
    expect(passed).toBe(3);
    expect(setting.asked.map(({ image, purpose }) => [image, purpose])).toEqual(
      [0, 1, 2, 3, 4].map((image) => [image, 'calibrateTest']),
    );
    expect(setting.bounder.calls.every(({ goal }) => 'target' in goal && goal.target === 2)).toBe(true);
    for (const { index, tested, exceeded } of images) {
      const errors = streams
        .betas(index, 'calibrateTest', tested)
        .map((beta) => (index < 3 ? 0.5 : 1) * (Math.abs(beta[0] ?? 0) / SIGMA));
      expect(exceeded).toBe(errors.filter((error) => error > 2).length);
    }
  });

  it('tests all β of an image that passes, and stops early at one that fails', async () => {
    const { images } = await run(
      judgeOf((image) => (image === 0 ? 0.1 : 10)),
      [0, 1],
      2,
    );
    expect(images.map(({ tested }) => tested)).toEqual([700, 500]);
  });

  it.each<[string, (bound: BetaBound) => BetaBound]>([
    ['undecided', (bound) => ({ ...bound, exceeds: null })],
    ['held by its verdict, though not by its bound', (bound) => ({ ...bound, bound: 99, exceeds: false })],
    ['not a number', (bound) => ({ ...bound, bound: Number.NaN, exceeds: false })],
  ])('counts a β as exceeding that is %s', async (_, change) => {
    const { images, qE } = await run(
      judgeOf(() => 0.1, change),
      [0],
      2,
    );
    expect(images[0]).toMatchObject({ tested: 500, exceeded: 500, passed: false });
    expect(qE).toBe(0);
  });

  it('refuses fewer β than can ever show rho_E, before anything is bounded', async () => {
    const setting = judgeOf(() => 0.1);
    await expect(run(setting, [0], 2, { ...OPTIONS, nBetas: 100 })).rejects.toThrow(
      'at least 459 are needed',
    );
    expect(setting.bounder.calls).toEqual([]);
  });
});
