import { describe, expect, it } from 'vitest';
import { classShareModel } from './class-share.ts';

const SAMPLES = 128;
const modelOf = (failures: readonly number[]) =>
  classShareModel(
    failures.map((n) => SAMPLES - n),
    SAMPLES,
  );

describe('the guess of how many β have a class share above a number', () => {
  it('takes hardly a failure among twenty β for more than each β shows by itself', () => {
    const shareAbove = modelOf([0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    // Two failures in 2,560 samples: a uniform prior for each β would say 0.53.
    expect(shareAbove(0.994)).toBeGreaterThan(0.95);
    // And does not promise what the samples do not show.
    expect(shareAbove(0.9999)).toBeLessThan(0.5);
  });

  it('keeps to the counts where failures are many and alike', () => {
    const shareAbove = modelOf(new Array<number>(20).fill(18));
    expect(shareAbove(0.8)).toBeGreaterThan(0.97);
    expect(shareAbove(0.9)).toBeLessThan(0.03);
  });

  it('expects other β to be as uneven as those that were seen', () => {
    const shareAbove = modelOf([...new Array<number>(15).fill(0), ...new Array<number>(5).fill(64)]);
    expect(shareAbove(0.97)).toBeGreaterThan(0.65);
    expect(shareAbove(0.97)).toBeLessThan(0.8);
  });

  it('falls as the number grows, from 1 to 0', () => {
    const shareAbove = modelOf([0, 3, 10, 1, 40]);
    const values = [0, 0.3, 0.6, 0.9, 0.99, 1].map(shareAbove);
    expect(values[0]).toBeCloseTo(1, 4);
    expect(values.at(-1)).toBeCloseTo(0, 4);
    expect(values).toEqual(values.toSorted((a, b) => b - a));
  });
});
