/** Claims where a comparison or a rounding decides: at the number itself and at its neighbours. */
import { nextDown, nextUp } from '@turnproof/core';
import { describe, expect, it } from 'vitest';
import {
  clopperPearsonLower,
  clopperPearsonUpper,
  normalQuantileLower,
  paperRadius,
  tightRadius,
} from '../statistics/index.ts';
import {
  baseClaim,
  distXClaim,
  farthestOf,
  fewestSuccesses,
  indivClaim,
  rhoUpper,
  roundRadiusDown,
} from './claims.ts';

const counts = { kGamma: 196, nGamma: 200, alphaGamma: 0.004, rhoE: 0.0172, sigmaGamma: 7.3 };
const pABar = clopperPearsonLower(counts.kGamma, counts.nGamma, counts.alphaGamma);
const paper = paperRadius(counts.sigmaGamma, pABar, counts.rhoE) ?? Number.NaN;
const tight = tightRadius(counts.sigmaGamma, pABar, counts.rhoE) ?? Number.NaN;
const base = counts.sigmaGamma * normalQuantileLower(pABar);
const whole = (x: number) => BigInt(x * 2 ** 200);

describe('a radius at the range', () => {
  it.each([
    ['tight', tight],
    ['paper', paper],
  ] as const)('is cut only where it is beyond: %s', (radiusRule, radius) => {
    const at = (range: number) => distXClaim({ ...counts, radiusRule, range });
    expect(at(radius)).toEqual({ pABar, radius: roundRadiusDown(radius), cutAtRange: false });
    expect(at(nextDown(radius)).cutAtRange).toBe(true);
    expect(at(nextUp(radius)).cutAtRange).toBe(false);
    expect(at(1.23456)).toEqual({ pABar, radius: 1.2345, cutAtRange: true });
    expect(at(0.00004)).toEqual({ pABar, radius: null, cutAtRange: true });
  });

  it('of base is sigma times the quantile, where the share is above one half', () => {
    const { radius, cutAtRange } = baseClaim({ ...counts, range: 100 });
    expect([radius, cutAtRange]).toEqual([roundRadiusDown(base), false]);
    expect(baseClaim({ ...counts, range: 1 })).toEqual({ pABar, radius: 1, cutAtRange: true });
    expect(baseClaim({ ...counts, kGamma: 100, range: 1 })).toMatchObject({
      radius: null,
      cutAtRange: false,
    });
  });
});

describe('a radius a hair below a number of four decimals', () => {
  const { kGamma, nGamma, alphaGamma, rhoE } = counts;
  const quantile = normalQuantileLower(pABar);
  it.each([
    ['base', (sigmaGamma: number) => baseClaim({ ...counts, sigmaGamma, range: 100 }), quantile],
    [
      'tight',
      (sigmaGamma: number) => distXClaim({ ...counts, sigmaGamma, radiusRule: 'tight', range: 100 }),
      tightRadius(1, pABar, rhoE) ?? Number.NaN,
    ],
    [
      'paper',
      (sigmaGamma: number) => distXClaim({ ...counts, sigmaGamma, radiusRule: 'paper', range: 100 }),
      paperRadius(1, pABar, rhoE) ?? Number.NaN,
    ],
  ] as const)('is rounded down to the one before: %s', (_, claimOf, unit) => {
    for (const units of [12_345, 20_001, 77_777]) {
      const goal = units / 10_000;
      let sigma = goal / unit;
      // The largest sigma whose product, in whole numbers, is below the goal.
      while (whole(sigma) * whole(unit) >= whole(goal) << 200n) sigma = nextDown(sigma);
      expect(claimOf(sigma).radius).toBe((units - 1) / 10_000);
      expect(claimOf(sigma * (1 + 1e-13)).radius).toBe(goal);
    }
  });

  it('takes the bounds of the shares as they are', () => {
    expect(rhoUpper(nGamma - 4, nGamma, alphaGamma)).toBe(clopperPearsonUpper(4, nGamma, alphaGamma));
    expect(pABar).toBe(clopperPearsonLower(kGamma, nGamma, alphaGamma));
  });
});

describe('what is left of Γ', () => {
  it('is farthest at its farther end, exactly on one axis', () => {
    expect(farthestOf({ lower: [-3.1], upper: [2] })).toBe(3.1);
    expect(farthestOf({ lower: [-0.1], upper: [2.7] })).toBe(2.7);
    expect(farthestOf({ lower: [1], upper: [2] })).toBe(2);
    expect(farthestOf({ lower: [-9], upper: [-4] })).toBe(9);
  });

  it('is farthest at a corner on two, never below the root, and hardly above it', () => {
    for (let i = 1; i < 200; i++) {
      const [x, y] = [((i * 37) % 101) / 7 + 0.1, ((i * 53) % 97) / 11 + 0.1];
      const box = { lower: [-x, -y / 3], upper: [x / 2, y] };
      const far = farthestOf(box);
      expect(whole(far) ** 2n).toBeGreaterThanOrEqual(whole(x) ** 2n + whole(y) ** 2n);
      expect(far).toBeLessThan(Math.hypot(x, y) * (1 + 1e-13));
    }
  });

  it('is covered by a radius beyond it alone, not by one that is equal', () => {
    const range = 50;
    const at = (far: number) => indivClaim({ ...counts, range, left: { lower: [-0.5], upper: [far] } });
    expect(at(paper)).toEqual({ pABar, radius: roundRadiusDown(paper), cutAtRange: false });
    expect(at(nextDown(paper))).toEqual({ pABar, radius: range, cutAtRange: true });
    expect(at(range)).toEqual({ pABar, radius: roundRadiusDown(paper), cutAtRange: false });
    // Beyond the range nothing is claimed, covered or not.
    const near = indivClaim({ ...counts, range: 2, left: { lower: [-2], upper: [2] } });
    expect(near).toEqual({ pABar, radius: 2, cutAtRange: true });
    expect(indivClaim({ ...counts, range: 1e-5, left: { lower: [-1e-5], upper: [1e-5] } })).toEqual({
      pABar,
      radius: null,
      cutAtRange: false,
    });
    const none = indivClaim({ ...counts, kGamma: 100, range, left: { lower: [0], upper: [0] } });
    expect(none).toMatchObject({ radius: null, cutAtRange: false });
    // Small ones, of translations for instance, count as well.
    const small = { ...counts, sigmaGamma: 0.2, range: 0.5 };
    expect(indivClaim({ ...small, left: { lower: [-0.1], upper: [0.1] } })).toMatchObject({
      radius: 0.5,
      cutAtRange: true,
    });
    const part = indivClaim({ ...small, left: { lower: [-0.5], upper: [0.5] } });
    expect(part.radius).toBe(roundRadiusDown(paperRadius(0.2, pABar, counts.rhoE) ?? Number.NaN));
    expect([part.cutAtRange, Number(part.radius) > 0.2]).toEqual([false, true]);
    // Not covered, and larger than the range: as far as the range.
    const far = indivClaim({ ...counts, range: 3, left: { lower: [-99], upper: [99] } });
    expect(far).toEqual({ pABar, radius: 3, cutAtRange: false });
  });
});

describe('the fewest successes', () => {
  it('leave a positive radius, and one fewer does not', () => {
    for (const rhoE of [0, 0.0172, 0.2, 0.45]) {
      const k = fewestSuccesses(200, 0.004, rhoE) ?? Number.NaN;
      const margin = (kGamma: number) => tightRadius(1, clopperPearsonLower(kGamma, 200, 0.004), rhoE);
      expect(margin(k)).not.toBeNull();
      expect(margin(k - 1)).toBeNull();
    }
    expect(fewestSuccesses(200, 0.004, 0.5)).toBeNull();
    expect(fewestSuccesses(200, 0.004, 1)).toBeNull();
    // All 200 of 200 are just enough for one share, and not for a hair more.
    const most = clopperPearsonLower(200, 200, 0.004) - 0.5;
    expect(fewestSuccesses(200, 0.004, most * (1 - 1e-9))).toBe(200);
    expect(fewestSuccesses(200, 0.004, most * (1 + 1e-9))).toBeNull();
  });
});
