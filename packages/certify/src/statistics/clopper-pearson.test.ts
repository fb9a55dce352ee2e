import jstat from 'jstat';
import { describe, expect, it } from 'vitest';
import { atMost, exactLowerTail, exactUpperTail, rationalUpperTail } from '../../scripts/exact-binomial.ts';
import { loadGolden, loadSharedVectors, seededUniform } from '../../scripts/statistics-vectors.ts';
import { clopperPearsonLower, clopperPearsonUpper } from './clopper-pearson.ts';

const golden = loadGolden();
const shared = loadSharedVectors();

/** Counts of every kind: small and large n, k anywhere, close to the ends, and levels down to 1e-12. */
function* randomCases(seed: number, howMany: number, largestN: number) {
  const uniform = seededUniform(seed);
  for (let i = 0; i < howMany; i++) {
    const n = Math.max(1, Math.round(Math.exp(uniform() * Math.log(largestN))));
    const near = Math.min(n, Math.floor(-4 * Math.log(1 - uniform())));
    const k = [Math.floor(uniform() * (n + 1)), n - near, near][i % 3] ?? 0;
    const alpha = 10 ** (-12 * uniform()) * 0.4;
    yield { k, n, alpha };
  }
}

describe('Clopper-Pearson bounds', () => {
  it('the lower bound is never above the exact one, nor 1e-12 below it (golden vectors)', () => {
    for (const { k, n, alpha, lower } of golden.clopperPearson) {
      const bound = clopperPearsonLower(k, n, alpha);
      const label = `k ${k} n ${n} alpha ${alpha}`;
      if (lower === undefined) {
        expect(bound, label).toBe(0);
        continue;
      }
      expect(bound, label).toBeLessThanOrEqual(lower.below);
      expect(bound, label).toBeGreaterThanOrEqual(lower.below * (1 - 1e-12));
    }
  });

  it('the upper bound is never below the exact one, nor 1e-12 above it (golden vectors)', () => {
    for (const { k, n, alpha, upper } of golden.clopperPearson) {
      const bound = clopperPearsonUpper(k, n, alpha);
      const label = `k ${k} n ${n} alpha ${alpha}`;
      if (upper === undefined) {
        expect(bound, label).toBe(1);
        continue;
      }
      expect(bound, label).toBeGreaterThanOrEqual(upper.above);
      expect(bound, label).toBeLessThanOrEqual(upper.above * (1 + 1e-12));
    }
  });

  it('the tail at the bound is at most alpha in exact fractions', () => {
    for (const { k, n, alpha } of randomCases(10, 300, 120)) {
      const bound = clopperPearsonLower(k, n, alpha);
      if (bound < 1e-60) continue;
      const tail = rationalUpperTail(k, n, bound);
      const level = rationalUpperTail(1, 1, alpha);
      const holds = tail.numerator * level.denominator <= level.numerator * tail.denominator;
      expect(holds, `k ${k} n ${n} alpha ${alpha}`).toBe(true);
    }
  });

  it('100,000 random lower and upper bounds obey the tail inequality, by another evaluator', () => {
    let index = 0;
    const faults: string[] = [];
    for (const { k, n, alpha } of randomCases(11, 100_000, 4000)) {
      index++;
      if (index % 2 === 0) {
        const bound = clopperPearsonLower(k, n, alpha);
        const safe = k === 0 ? bound === 0 : atMost(exactUpperTail(k, n, bound), alpha);
        if (!safe) faults.push(`lower too high: k ${k} n ${n} alpha ${alpha}`);
        // Every so often: a little higher would have been too high.
        const far = index % 16 === 0 && k > 0 && atMost(exactUpperTail(k, n, bound * (1 + 1e-12)), alpha);
        if (far) faults.push(`lower too low: k ${k} n ${n} alpha ${alpha}`);
      } else {
        const bound = clopperPearsonUpper(k, n, alpha);
        const safe = k === n ? bound === 1 : bound === 1 || atMost(exactLowerTail(k, n, bound), alpha);
        if (!safe) faults.push(`upper too low: k ${k} n ${n} alpha ${alpha}`);
        const inward = bound * (1 - 1e-12);
        const far = index % 16 === 1 && k < n && atMost(exactLowerTail(k, n, inward), alpha);
        if (far) faults.push(`upper too high: k ${k} n ${n} alpha ${alpha}`);
      }
    }
    expect(faults).toEqual([]);
  });

  it('the unguarded library would fail the same inequality', () => {
    let faults = 0;
    for (const { k, n, alpha } of randomCases(12, 3000, 4000)) {
      if (k === 0) continue;
      const bound = jstat.jStat.beta.inv(alpha, k, n - k + 1);
      if (!(bound > 0 && bound < 1 && atMost(exactUpperTail(k, n, bound), alpha))) faults++;
    }
    expect(faults).toBeGreaterThan(100);
  });

  it('a bound one part in 10^12 too high is caught by the second opinion', () => {
    const bound = clopperPearsonLower(950, 1000, 0.001) * (1 + 1e-12);
    expect(atMost(exactUpperTail(950, 1000, bound), 0.001)).toBe(false);
  });

  it('large counts obey the inequality as well', () => {
    for (const [k, n, alpha] of [
      [500_000, 1_000_000, 1e-12],
      [999_999, 1_000_000, 1e-5],
      [700_001, 1_000_000, 0.004],
      [3, 1_000_000, 0.01],
    ] as const) {
      expect(atMost(exactUpperTail(k, n, clopperPearsonLower(k, n, alpha)), alpha), `k ${k}`).toBe(true);
      expect(atMost(exactLowerTail(k, n, clopperPearsonUpper(k, n, alpha)), alpha), `k ${k}`).toBe(true);
    }
  });

  it('rises with the successes and with alpha, falls with the trials', () => {
    for (const n of [1, 7, 100, 1000]) {
      for (let k = 1; k <= n; k += Math.ceil(n / 50)) {
        const bound = clopperPearsonLower(k, n, 0.01);
        expect(bound).toBeGreaterThan(clopperPearsonLower(k - 1, n, 0.01));
        expect(bound).toBeGreaterThan(clopperPearsonLower(k, n + 1, 0.01));
        expect(bound).toBeGreaterThan(clopperPearsonLower(k, n, 0.009));
        expect(clopperPearsonUpper(k, n, 0.01)).toBeGreaterThan(bound);
      }
    }
  });

  it('extreme levels give bounds, not NaN', () => {
    // k = 1: the bound is 1 - (1 - alpha)^(1/n), so alpha / n for tiny alpha.
    expect(clopperPearsonLower(1, 10, 1e-250)).toBeCloseTo(1e-251, 262);
    expect(Math.abs(clopperPearsonLower(1, 10, 1e-250) / 1e-251 - 1)).toBeLessThan(1e-11);
    expect(clopperPearsonLower(1, 10, 1e-300)).toBe(0);
    expect(Math.abs(clopperPearsonLower(10, 10, 1e-300) / 1e-30 - 1)).toBeLessThan(1e-12);
    expect(clopperPearsonUpper(9, 10, 1e-30)).toBeLessThanOrEqual(1);
    expect(clopperPearsonLower(3, 5, 1 - 2 ** -53)).toBeLessThan(1);
    expect(clopperPearsonUpper(0, 1_000_000, 0.01)).toBeCloseTo(-Math.log(0.01) / 1e6, 10);
  });

  it('counts and levels that are none are refused by name', () => {
    expect(() => clopperPearsonLower(11, 10, 0.01)).toThrow('from 0 to 10, not 11');
    expect(() => clopperPearsonLower(0.5, 10, 0.01)).toThrow('whole number');
    expect(() => clopperPearsonUpper(0, 0, 0.01)).toThrow('at least 1, not 0');
    expect(() => clopperPearsonLower(1, 10, 0)).toThrow('alpha must lie strictly between 0 and 1');
    expect(() => clopperPearsonUpper(1, 10, Number.NaN)).toThrow('alpha must lie strictly');
  });

  it.runIf(shared !== undefined)('reproduces the other libraries to 1e-12, and is never above them', () => {
    for (const { k, n, alpha, lower } of shared?.clopper_pearson_lower ?? []) {
      const bound = clopperPearsonLower(k, n, alpha);
      const label = `k ${k} n ${n} alpha ${alpha}`;
      expect(Math.abs(bound - lower), label).toBeLessThanOrEqual(1e-12 * lower);
      expect(bound, label).toBeLessThanOrEqual(lower * (1 + 1e-15));
    }
  });
});
