import jstat from 'jstat';
import { describe, expect, it } from 'vitest';
import { loadGolden, loadSharedVectors, seededUniform } from '../../scripts/statistics-vectors.ts';
import {
  normalCdf,
  normalCdfLower,
  normalCdfUpper,
  normalQuantileLower,
  normalQuantileUpper,
} from './normal.ts';

const golden = loadGolden();
const shared = loadSharedVectors();

describe('the normal distribution', () => {
  it('lies between its lower and upper versions, which lie around the truth (golden vectors)', () => {
    for (const { x, below, above } of golden.normalCdf) {
      expect(normalCdfLower(x), `x ${x}`).toBeLessThanOrEqual(below);
      expect(normalCdfUpper(x), `x ${x}`).toBeGreaterThanOrEqual(above);
      expect(normalCdfUpper(x) - normalCdfLower(x), `x ${x}`).toBeLessThanOrEqual(3e-14 * above);
      expect(Math.abs(normalCdf(x) - below), `x ${x}`).toBeLessThanOrEqual(7.2e-15 * above);
    }
  });

  it('keeps its versions in order everywhere, far tails included', () => {
    const uniform = seededUniform(30);
    const xs = Array.from({ length: 5000 }, () => (2 * uniform() - 1) * 45);
    for (const x of [...xs, 0, 1.25, -1.25, 37.5, -37.5, 40.5, -40.5, 1e9, -1e9, Infinity, -Infinity]) {
      expect(normalCdfLower(x), `x ${x}`).toBeLessThanOrEqual(normalCdf(x));
      expect(normalCdfUpper(x), `x ${x}`).toBeGreaterThanOrEqual(normalCdf(x));
      expect(normalCdfLower(x), `x ${x}`).toBeGreaterThanOrEqual(0);
      expect(normalCdfUpper(x), `x ${x}`).toBeLessThanOrEqual(1);
    }
    expect(normalCdfUpper(-100)).toBeGreaterThan(0);
    expect(normalCdfLower(100)).toBeLessThan(1);
    expect(normalCdf(0)).toBe(0.5);
    expect(Number.isNaN(normalCdf(Number.NaN))).toBe(true);
    expect(Number.isNaN(normalCdfUpper(Number.NaN))).toBe(true);
  });

  it('has no step where the series hands over to the fraction', () => {
    const x = 1.25;
    const before = normalCdf(x - 2 ** -50);
    expect(Math.abs(normalCdf(x) - before)).toBeLessThan(1e-14);
  });
});

describe('normal quantiles', () => {
  it('the lower is never above, the upper never below, each within 2e-14 (golden vectors)', () => {
    for (const { p, below, above } of golden.normalQuantile) {
      const lower = normalQuantileLower(p);
      const upper = normalQuantileUpper(p);
      expect(lower, `p ${p}`).toBeLessThanOrEqual(below);
      expect(upper, `p ${p}`).toBeGreaterThanOrEqual(above);
      expect(below - lower, `p ${p}`).toBeLessThanOrEqual(2e-14 * Math.abs(below));
      expect(upper - above, `p ${p}`).toBeLessThanOrEqual(2e-14 * Math.abs(above));
    }
  });

  it('the unguarded library is above the truth for some golden p', () => {
    const tooHigh = golden.normalQuantile.filter(({ p, above }) => jstat.jStat.normal.inv(p, 0, 1) > above);
    expect(tooHigh.length).toBeGreaterThan(0);
  });

  it('rises with p and mirrors at one half', () => {
    let previous = -Infinity;
    for (let i = 1; i < 4096; i++) {
      const p = i / 4096;
      const lower = normalQuantileLower(p);
      expect(lower, `p ${p}`).toBeGreaterThan(previous);
      // 1 - p is exact here.
      expect(normalQuantileUpper(1 - p), `p ${p}`).toBe(lower === 0 ? 0 : -lower);
      previous = lower;
    }
  });

  it('the ends are infinite, the middle is 0, and what is no probability is refused', () => {
    expect(normalQuantileLower(0)).toBe(-Infinity);
    expect(normalQuantileUpper(1)).toBe(Infinity);
    expect(normalQuantileLower(0.5)).toBe(0);
    expect(normalQuantileUpper(0.5)).toBe(0);
    expect(normalQuantileLower(5e-324)).toBeLessThan(-38);
    expect(() => normalQuantileLower(1.1)).toThrow('p must be a probability from 0 to 1, not 1.1');
    expect(() => normalQuantileUpper(Number.NaN)).toThrow('not NaN');
  });

  it.runIf(shared !== undefined)('reproduces the other libraries to 2e-14', () => {
    for (const { p, z } of shared?.normal_quantile ?? []) {
      expect(Math.abs(normalQuantileLower(p) - z), `p ${p}`).toBeLessThanOrEqual(2e-14 * z);
      expect(Math.abs(normalQuantileUpper(p) - z), `p ${p}`).toBeLessThanOrEqual(2e-14 * z);
    }
  });
});
