import { describe, expect, it } from 'vitest';
import {
  atMost,
  exactLowerTail,
  exactPmf,
  exactUpperTail,
  rationalUpperTail,
} from '../../scripts/exact-binomial.ts';
import { loadGolden, loadSharedVectors, seededUniform } from '../../scripts/statistics-vectors.ts';
import {
  binomialTwoSidedPValue,
  logBinomialPmf,
  logLowerTail,
  logUpperTail,
  regularisedIncompleteBeta,
} from './binomial.ts';
import { logCentralBinomial, logFactorial, stirlingRemainder } from './stirling.ts';

const golden = loadGolden();
const shared = loadSharedVectors();

/** ln of a computed probability against a double-double, without losing digits to the logarithm. */
function logDistance(log: number, exact: { high: number; low: number }): number {
  // ln(high) rounds to |ln| 2^-53; that is well inside the error bounds compared with below.
  return Math.abs(log - (Math.log(exact.high) + exact.low / exact.high));
}

describe('the second opinion that the other tests lean on', () => {
  it('agrees with exact fractions to 25 digits', () => {
    const uniform = seededUniform(1);
    for (let i = 0; i < 60; i++) {
      const n = 1 + Math.floor(uniform() * 40);
      const k = Math.floor(uniform() * (n + 1));
      const p = Math.min(0.999, Math.max(0.001, uniform()));
      const { numerator, denominator } = rationalUpperTail(k, n, p);
      const tail = exactUpperTail(k, n, p);
      // high and low as integers over 2^600, exactly.
      const scaled = (x: number) => BigInt(x * 2 ** 500) << 100n;
      const difference = (scaled(tail.high) + scaled(tail.low)) * denominator - (numerator << 600n);
      const size = difference < 0n ? -difference : difference;
      expect(size * 10n ** 25n < numerator << 600n, `k ${k} n ${n} p ${p}`).toBe(true);
    }
  });
});

describe('binomial probabilities', () => {
  it('Stirling remainders equal the golden ones to 2e-17', () => {
    for (const { n, value } of golden.stirlingRemainder) {
      expect(Math.abs(stirlingRemainder(n) - value), `n ${n}`).toBeLessThanOrEqual(2e-17);
    }
  });

  it('ln n! and ln C(2j, j)/4^j agree with whole-number arithmetic', () => {
    let factorial = 1n;
    for (let n = 1; n <= 150; n++) {
      factorial *= BigInt(n);
      const log = Math.log(Number(factorial));
      expect(Math.abs(logFactorial(n) - log), `n ${n}`).toBeLessThanOrEqual(1e-14 * Math.max(log, 1));
    }
    let central = 1;
    for (let j = 0; j <= 300; j++) {
      expect(Math.abs(logCentralBinomial(j) - Math.log(central)), `j ${j}`).toBeLessThan(1e-13);
      central *= (2 * j + 1) / (2 * j + 2);
    }
  });

  it('probabilities and tails stay within their stated error of the second opinion', () => {
    const uniform = seededUniform(2);
    let compared = 0;
    for (let i = 0; i < 20_000; i++) {
      const n = Math.ceil(Math.exp(uniform() * Math.log(5000)));
      const p =
        i % 3 === 0 ? uniform() : i % 3 === 1 ? Math.exp(-12 * uniform()) : 1 - Math.exp(-12 * uniform());
      if (!(p > 0 && p < 1)) continue;
      const wide = 12 * Math.sqrt(n * p * (1 - p)) + 3;
      const k = Math.min(n, Math.max(0, Math.round(n * p + (2 * uniform() - 1) * wide)));
      const label = `k ${k} n ${n} p ${p}`;
      const pmf = exactPmf(k, n, p);
      if (pmf.high < 1e-250) continue;
      compared++;
      const own = logBinomialPmf(k, n, p);
      expect(logDistance(own.log, pmf), label).toBeLessThanOrEqual(own.error);
      const upper = logUpperTail(k, n, p);
      expect(logDistance(upper.log, exactUpperTail(k, n, p)), label).toBeLessThanOrEqual(upper.error + 1e-27);
      const lower = logLowerTail(k, n, p);
      expect(logDistance(lower.log, exactLowerTail(k, n, p)), label).toBeLessThanOrEqual(lower.error + 1e-27);
    }
    expect(compared).toBeGreaterThan(15_000);
  });

  it('the stated error stays below 2e-12 at a million trials', () => {
    for (const [k, p] of [
      [500_000, 0.4965],
      [999_000, 0.9989],
      [1000, 0.0009],
      [300_000, 0.2999],
    ] as const) {
      const own = logUpperTail(k, 1_000_000, p);
      expect(own.error).toBeLessThan(2e-12);
      expect(logDistance(own.log, exactUpperTail(k, 1_000_000, p))).toBeLessThanOrEqual(own.error);
    }
  });

  it('the regularised incomplete beta function equals its closed forms', () => {
    expect(regularisedIncompleteBeta(0.3, 1, 1)).toBeCloseTo(0.3, 15);
    expect(regularisedIncompleteBeta(0.25, 3, 1)).toBeCloseTo(0.25 ** 3, 15);
    expect(regularisedIncompleteBeta(0.25, 1, 3)).toBeCloseTo(1 - 0.75 ** 3, 15);
    expect(regularisedIncompleteBeta(0, 2, 3)).toBe(0);
    expect(regularisedIncompleteBeta(1, 2, 3)).toBe(1);
  });

  it('impossible and certain outcomes are exact', () => {
    expect(logBinomialPmf(0, 5, 0)).toEqual({ log: 0, error: 0 });
    expect(logBinomialPmf(1, 5, 0).log).toBe(-Infinity);
    expect(logBinomialPmf(5, 5, 1).log).toBe(0);
    expect(logUpperTail(0, 5, 0.3).log).toBe(0);
    expect(logUpperTail(1, 5, 0).log).toBe(-Infinity);
    expect(logLowerTail(4, 5, 1).log).toBe(-Infinity);
    expect(logLowerTail(5, 5, 0.3).log).toBe(0);
  });
});

describe('the two-sided p-value at one half', () => {
  it('is never below the true value and at most 4e-12 above it (golden vectors)', () => {
    for (const { k, n, below, above } of golden.binomialTwoSided) {
      const value = binomialTwoSidedPValue(k, n);
      expect(value, `k ${k} n ${n}`).toBeGreaterThanOrEqual(below === above ? above : Math.min(above, 1));
      expect(value, `k ${k} n ${n}`).toBeLessThanOrEqual(above * (1 + 4e-12));
    }
  });

  it('is 1 at an even split and does not vanish where it underflows', () => {
    expect(binomialTwoSidedPValue(5, 10)).toBe(1);
    expect(binomialTwoSidedPValue(0, 5000)).toBeGreaterThan(0);
  });

  it('is not above the level where the exact tail is (random counts)', () => {
    const uniform = seededUniform(3);
    for (let i = 0; i < 2000; i++) {
      const n = 1 + Math.floor(uniform() * 900);
      const k = Math.floor(uniform() * (n + 1));
      const exact = exactUpperTail(Math.max(k, n - k), n, 0.5);
      const half = binomialTwoSidedPValue(k, n) / 2;
      expect(half === 0.5 || atMost(exact, half), `k ${k} n ${n}`).toBe(true);
    }
  });

  it.runIf(shared !== undefined)('reproduces the other libraries to 1e-12', () => {
    for (const { k, n, p } of shared?.binomial_two_sided ?? []) {
      expect(Math.abs(binomialTwoSidedPValue(k, n) / p - 1), `k ${k} n ${n}`).toBeLessThan(1e-12);
    }
  });
});
