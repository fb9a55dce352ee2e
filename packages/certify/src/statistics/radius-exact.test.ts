/**
 * Radii and shares against whole numbers: each step of the formula, made with fractions that lose nothing, says on
 * which side the answer has to be. A rounding that is forgotten, or goes the other way, shows in the last bit.
 */
import { nextDown, nextUp } from '@turnproof/core';
import { describe, expect, it } from 'vitest';
import { seededUniform } from '../../scripts/statistics-vectors.ts';
import { normalCdfUpper, normalQuantileLower, normalQuantileUpper } from './normal.ts';
import { l2Radius, paperRadius, shareNeededFor, tightRadius } from './radius.ts';

/** A double of at least 2^-300 as a whole number of 2^-400. */
function whole(x: number): bigint {
  const scaled = x * 2 ** 400;
  if (!Number.isInteger(scaled)) throw new Error(`${x} is too fine for this test`);
  return BigInt(scaled);
}
const ONE = 1n << 400n;

/** The largest double whose whole number is at most the given one; `guess` is near it. */
function doubleBelow(exact: bigint, guess: number): number {
  let x = guess;
  while (whole(x) > exact) x = nextDown(x);
  while (whole(nextUp(x)) <= exact) x = nextUp(x);
  return x;
}
function doubleAbove(exact: bigint, guess: number): number {
  const below = doubleBelow(exact, guess);
  return whole(below) === exact ? below : nextUp(below);
}
const productBelow = (a: number, b: number) => doubleBelow((whole(a) * whole(b)) / ONE, a * b);

const uniform = seededUniform(77);
const cases = Array.from({ length: 400 }, () => {
  const p = 0.55 + 0.4499 * uniform();
  return { p, rhoE: (p - 0.53) * uniform(), sigma: 0.1 + 40 * uniform() };
});

describe('to the last bit', () => {
  it('the l2 radius is the product of sigma and the quantile, rounded down', () => {
    for (const { p, sigma } of cases) {
      expect(l2Radius(sigma, p)).toBe(productBelow(sigma, normalQuantileLower(p)));
    }
  });

  it('the paper’s radius takes the share p - rhoE rounded down', () => {
    for (const { p, rhoE, sigma } of cases) {
      const share = doubleBelow(whole(p) - whole(rhoE), p - rhoE);
      expect(paperRadius(sigma, p, rhoE)).toBe(productBelow(sigma, normalQuantileLower(share)));
    }
  });

  it('the tight radius takes 1/2 + rhoE and its quantile rounded up, and the difference rounded down', () => {
    for (const { p, rhoE, sigma } of cases) {
      const needed = doubleAbove(ONE / 2n + whole(rhoE), 0.5 + rhoE);
      const [high, low] = [normalQuantileLower(p), normalQuantileUpper(needed)];
      const margin = doubleBelow(whole(high) - whole(low), high - low);
      expect(tightRadius(sigma, p, rhoE)).toBe(productBelow(sigma, margin));
    }
  });

  it('the share needed for E takes E / sigma rounded up', () => {
    for (const { rhoE: E, sigma } of cases) {
      const quotient = (whole(E) * ONE + whole(sigma) - 1n) / whole(sigma);
      const least = normalCdfUpper(doubleAbove(quotient, E / sigma));
      expect(shareNeededFor(E, sigma)).toBeGreaterThanOrEqual(least);
      expect(shareNeededFor(E, sigma)).toBeLessThanOrEqual(normalCdfUpper(nextUp(nextUp(E / sigma))));
    }
  });

  it('whole numbers are no exception: Φ(E / sigma) at E = 1', () => {
    // Φ(1) and Φ(2), scipy 1.11, to 1e-15.
    expect(shareNeededFor(1, 1)).toBeCloseTo(0.8413447460685429, 14);
    expect(shareNeededFor(1, 0.5)).toBeCloseTo(0.9772498680518208, 14);
    expect(shareNeededFor(1, 1)).toBeGreaterThan(shareNeededFor(nextDown(1), 1) - 1e-16);
  });

  it('a bound that is no probability is refused, not taken for a better one', () => {
    expect(() => tightRadius(1, 0.9, -0.1)).toThrow('rhoE must be a probability');
    expect(() => tightRadius(-1, 0.9, 0.1)).toThrow('sigmaGamma must be a positive number');
    expect(() => paperRadius(1, 1.1, 0.1)).toThrow('p must be a probability');
    expect(() => l2Radius(1, 1.1)).toThrow('pA must be a probability');
    expect(() => shareNeededFor(0.1, -1)).toThrow('sigmaEps must be a positive number');
  });
});
