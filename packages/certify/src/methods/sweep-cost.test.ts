import { describe, expect, it } from 'vitest';
import { SequentialThresholds } from '../statistics/index.ts';
import {
  bestSplit,
  chooseRoots,
  expectedSamples,
  hopefulShare,
  isWithinReach,
  type SweepTerms,
} from './sweep-cost.ts';
import { MAX_ROOTS } from './sweep-tree.ts';

const TERMS: SweepTerms = {
  transform: 'rotation',
  range: 30,
  sigmaEps: 0.3,
  extraError: 1e-4,
  alpha: 1e-3,
};
const product = (roots: readonly number[]) => roots.reduce((a, b) => a * b, 1);

describe('the expected samples', () => {
  it.each([
    [0.99, 0.75, 1e-5],
    [0.9, 0.7, 1e-4],
    [0.7, 0.6, 1e-5],
  ])('of share %d above %d are where the mean count meets the threshold, within a fifth', (p, p0, alpha) => {
    const thresholds = new SequentialThresholds({ p0, alpha, maxN: 20_000 });
    let n = 1;
    while (p * n < thresholds.acceptAt(n)) n += 1;
    expect(Math.abs(expectedSamples(p, p0, alpha) / n - 1)).toBeLessThan(0.2);
  });

  it('have no end where the share is not above p0', () => {
    expect(expectedSamples(0.6, 0.6, 0.01)).toBe(Number.POSITIVE_INFINITY);
    expect(expectedSamples(0.5, 0.6, 0.01)).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('the roots', () => {
  it('are more where the image moves faster or the share is smaller, one where nothing moves, never too many', () => {
    const count = (speed: number, share: number) => product(chooseRoots(TERMS, [speed], share).roots);
    expect(count(0.2, 0.99)).toBeGreaterThan(count(0.1, 0.99));
    expect(count(0.2, 0.8)).toBeGreaterThan(count(0.2, 0.99));
    expect(count(0, 0.99)).toBe(1);
    for (const share of [0.5, 0.501, 0.6, 1]) expect(count(50, share)).toBeLessThanOrEqual(MAX_ROOTS);
  });

  it('cost hardly more than the best of all even grids', () => {
    const [speed, share] = [0.25, 0.985];
    const cost = (n: number) => {
      // Half a slice is as far as its ends lie from its centre.
      const z = (1.05 * speed * TERMS.range) / n / TERMS.sigmaEps;
      const p0 = 0.5 * (1 + erf(z / Math.SQRT2));
      return n * (4 + expectedSamples(share, p0, TERMS.alpha / 4));
    };
    const best = Math.min(...Array.from({ length: 200 }, (_, i) => cost(i + 2)));
    expect(cost(product(chooseRoots(TERMS, [speed], share).roots))).toBeLessThan(1.05 * best);
  });

  it('of a square go with each axis’s own speed', () => {
    const { roots } = chooseRoots({ ...TERMS, transform: 'translation', range: 2 }, [1, 3], 0.99);
    const [x = 0, y = 0] = roots;
    expect(y / x).toBeGreaterThan(2);
  });
});

describe('a slice', () => {
  const outlook = { M: 0.3, levels: 6, alphaAt: (level: number) => 1e-3 / 2 ** (level + 2) };

  it('is cut more finely, the smaller the share is', () => {
    const levels = [0.97, 0.8, 0.65].map((share) => bestSplit(TERMS, outlook, share).levels);
    expect(levels).toEqual(levels.toSorted((a, b) => a - b));
    expect(levels[2]).toBeGreaterThan(levels[0] ?? 9);
  });

  it('is out of reach where no level could pass within the cap, and within it where the smallest could', () => {
    expect(isWithinReach(TERMS, outlook, 0.45, 10_000)).toBe(false);
    expect(isWithinReach(TERMS, outlook, 0.99, 200)).toBe(true);
    expect(isWithinReach(TERMS, outlook, 0.56, 1000)).toBe(false);
    expect(isWithinReach(TERMS, { ...outlook, levels: 0 }, 0.8, 10_000)).toBe(false);
  });

  it('is judged by a share that few samples leave open', () => {
    expect(hopefulShare(4, 8)).toBeGreaterThan(0.75);
    expect(hopefulShare(500, 1000)).toBeLessThan(0.54);
    expect(hopefulShare(10, 10)).toBeLessThan(1);
  });
});

/** Abramowitz and Stegun 7.1.26: enough to compare costs. */
function erf(x: number): number {
  const t = 1 / (1 + 0.3275911 * x);
  const sum =
    t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return 1 - sum * Math.exp(-x * x);
}
