import { nextDown } from '@turnproof/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { baseClaim, distXClaim, fewestSuccesses, isHopeless, rhoUpper, roundRadiusDown } from './claims.ts';

const counts = { kGamma: 200, nGamma: 200, alphaGamma: 0.004, sigmaGamma: 1, range: 100 };

describe('claims', () => {
  it('a radius keeps four decimals and is never above the computed one', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1000, noNaN: true }), (x) => {
        const rounded = roundRadiusDown(x);
        expect(rounded).toBeLessThanOrEqual(x);
        expect(x - rounded).toBeLessThan(1.0000001e-4);
        expect(String(rounded)).toMatch(/^\d+(\.\d{1,4})?$/);
        expect(JSON.parse(JSON.stringify(rounded))).toBeLessThanOrEqual(x);
      }),
      { numRuns: 5000 },
    );
  });

  it('a number of four decimals stays as it is, the one just below it does not', () => {
    for (let units = 1; units < 400_000; units += 37) {
      const x = units / 10_000;
      expect(roundRadiusDown(x)).toBe(x);
      expect(roundRadiusDown(nextDown(x))).toBe((units - 1) / 10_000);
    }
  });

  // Expected values: scipy 1.11, beta.ppf and norm.ppf.
  it('200 of 200 with 400 of 400 errors held give 1.8802 sigma, by the rule of the paper 1.7022', () => {
    const rhoE = rhoUpper(400, 400, 0.001);
    expect(rhoE).toBeCloseTo(0.017121126999967824, 12);
    const tight = distXClaim({ ...counts, rhoE, radiusRule: 'tight' });
    expect(tight.pABar).toBeCloseTo(0.9727702942359642, 12);
    expect(tight.radius).toBe(1.8802);
    expect(tight.cutAtRange).toBe(false);
    expect(distXClaim({ ...counts, rhoE, radiusRule: 'paper' }).radius).toBe(1.7022);
  });

  it('95 of 100 give base 1.1462 sigma at alpha 0.01', () => {
    const claim = baseClaim({ ...counts, kGamma: 95, nGamma: 100, alphaGamma: 0.01 });
    expect([claim.radius, claim.cutAtRange]).toEqual([1.1462, false]);
  });

  it('a radius beyond the range is cut at it', () => {
    const claim = distXClaim({
      ...counts,
      rhoE: 0.0172,
      radiusRule: 'tight',
      sigmaGamma: 30,
      range: 21.43219,
    });
    expect([claim.radius, claim.cutAtRange]).toEqual([21.4321, true]);
    expect(baseClaim({ ...counts, sigmaGamma: 30, range: 30 }).radius).toBe(30);
  });

  it('no radius is left where the share is too small, or rounds to nothing', () => {
    expect(distXClaim({ ...counts, kGamma: 122, rhoE: 0.0172, radiusRule: 'tight' }).radius).toBeNull();
    expect(baseClaim({ ...counts, kGamma: 100 }).radius).toBeNull();
    expect(baseClaim({ ...counts, sigmaGamma: 1e-6 }).radius).toBeNull();
  });

  it('123 of 200 is the least that leaves a radius at rho_E = 0.0171', () => {
    expect(fewestSuccesses(200, 0.004, 0.017121126999967824)).toBe(123);
    expect(
      distXClaim({ ...counts, kGamma: 123, rhoE: 0.017121126999967824, radiusRule: 'tight' }).radius,
    ).not.toBeNull();
    expect(fewestSuccesses(3, 0.004, 0.0171)).toBeNull();
    expect(fewestSuccesses(200, 0.004, 0.5)).toBeNull();
  });

  it('is hopeless below a probability of 1 %: 6 of 20 at 0.61, not 7', () => {
    // P[Bin(20, 0.61) <= 6] = 0.00495, <= 7: 0.0167 (sums of exact terms).
    expect([isHopeless(6, 20, 0.61), isHopeless(7, 20, 0.61)]).toEqual([true, false]);
  });
});
