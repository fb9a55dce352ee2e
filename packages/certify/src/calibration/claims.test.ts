import { describe, expect, it } from 'vitest';
import { uniformOf } from '../sampling/simulated-engine.test-support.ts';
import { clopperPearsonLower, clopperPearsonUpper } from '../statistics/index.ts';
import { mostExceeding, qLower } from './claims.ts';

/** P(Bin(n, p) <= k), term by term. */
function lowerTail(k: number, n: number, p: number): number {
  let term = (1 - p) ** n;
  let sum = term;
  for (let i = 1; i <= k; i++) {
    term *= ((n - i + 1) / i) * (p / (1 - p));
    sum += term;
  }
  return sum;
}

describe('how many β may exceed E', () => {
  it.each([
    [8000, 0.001, 0.001],
    [8000, 0.001, 0.01],
    [8000, 0.001, 0.05],
    [1000, 0.01, 0.001],
    [700, 0.05, 0.001],
  ])(
    'of %i for rho_E = %f: an image with that share passes with probability at most %f, and no stricter',
    (nBetas, rhoE, alphaInner) => {
      const most = mostExceeding({ nBetas, rhoE, alphaInner });
      expect(lowerTail(most, nBetas, rhoE)).toBeLessThanOrEqual(alphaInner);
      expect(lowerTail(most + 1, nBetas, rhoE)).toBeGreaterThan(alphaInner);
    },
  );

  it('counts a share whose upper bound is rho_E itself, and none that is a hair above', () => {
    const rhoE = clopperPearsonUpper(3, 1000, 0.001);
    const level = { nBetas: 1000, alphaInner: 0.001 };
    expect(mostExceeding({ ...level, rhoE })).toBe(3);
    expect(mostExceeding({ ...level, rhoE: rhoE * (1 - 2 ** -52) })).toBe(2);
  });

  it('is refused where not even none would do, with the number that would', () => {
    const level = { rhoE: 0.001, alphaInner: 0.001 };
    expect(() => mostExceeding({ nBetas: 6904, ...level })).toThrow('at least 6905 are needed');
    expect(mostExceeding({ nBetas: 6905, ...level })).toBe(0);
  });
});

describe('q_E', () => {
  it('is the bound of the share that passes, less what may have passed wrongly', () => {
    // All of n passed: L = alpha^(1/n).
    const exact = (0.001 ** (1 / 200) - 0.001) / 0.999;
    expect(qLower(200, 200, 0.001, 0.001)).toBeLessThanOrEqual(exact);
    expect(qLower(200, 200, 0.001, 0.001)).toBeGreaterThan(exact - 1e-12);
    expect(qLower(0, 200, 0.001, 0.001)).toBe(0);
    // As many passes as wrong ones alone would give say nothing of good images.
    expect(qLower(20, 200, 0.001, 0.2)).toBe(0);
  });

  it('is rounded down, to the last bit: q (1 - alpha_inner) is at most L - alpha_inner in whole numbers', () => {
    const whole = (x: number) => BigInt(x * 2 ** 200);
    for (let passed = 20; passed <= 97; passed++) {
      for (const alphaInner of [0.001, 0.0123, 0.1]) {
        const q = qLower(passed, 97, 0.001, alphaInner);
        const room = (whole(clopperPearsonLower(passed, 97, 0.001)) - whole(alphaInner)) << 200n;
        const rest = (1n << 200n) - whole(alphaInner);
        expect(q === 0 || whole(q) * rest <= room, `${passed} passed, ${alphaInner}`).toBe(true);
        expect(whole(q * (1 + 2 ** -50)) * rest > room || room <= 0n).toBe(true);
      }
    }
  });

  /** So many calibrations of n images: the share whose q_E, by this formula, is above the true q. */
  function overstated(formula: typeof qLower, runs = 4000): number {
    const [n, q, alphaInner, alpha] = [60, 0.7, 0.2, 0.05];
    let wrong = 0;
    for (let run = 0; run < runs; run++) {
      let passed = 0;
      for (let image = 0; image < n; image++) {
        const good = uniformOf(run, image, 0) < q;
        // The worst that a bad image may do; good ones always pass.
        if (good || uniformOf(run, image, 1) < alphaInner) passed += 1;
      }
      if (formula(passed, n, alpha, alphaInner) > q) wrong += 1;
    }
    return wrong / runs;
  }

  it('is above the truth in no more than alpha of the calibrations, also when bad images pass as often as they may', () => {
    // Four standard deviations above 0.05.
    expect(overstated(qLower)).toBeLessThan(0.05 + 4 * Math.sqrt((0.05 * 0.95) / 4000));
  });

  it('would be too high if wrong passes were not taken off', () => {
    expect(overstated((passed, n, alpha) => qLower(passed, n, alpha, 1e-12))).toBeGreaterThan(0.1);
  });
});
