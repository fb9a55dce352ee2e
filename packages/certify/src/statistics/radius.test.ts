import { describe, expect, it } from 'vitest';
import { loadGolden, seededUniform } from '../../scripts/statistics-vectors.ts';
import { clopperPearsonLower } from './clopper-pearson.ts';
import { normalCdf } from './normal.ts';
import { l2Radius, paperRadius, shareNeededFor, tightRadius } from './radius.ts';

const golden = loadGolden();

describe('radii', () => {
  it('200 of 200 with rhoE = 0.0171 give 1.88 and, by the paper, 1.70 sigmaGamma', () => {
    const p = clopperPearsonLower(200, 200, 0.004);
    expect(tightRadius(1, p, 0.0171)).toBeCloseTo(1.88, 2);
    expect(paperRadius(1, p, 0.0171)).toBeCloseTo(1.7, 2);
  });

  it('the l2 radius is never above sigmaEps times the true quantile (golden vectors)', () => {
    for (const { p, below } of golden.normalQuantile) {
      const radius = l2Radius(0.5, p);
      if (p > 0.5) {
        expect(radius, `p ${p}`).toBeLessThanOrEqual(0.5 * below);
        expect(radius, `p ${p}`).toBeGreaterThan(0.5 * below * (1 - 3e-14));
      } else {
        expect(radius, `p ${p}`).toBeNull();
      }
    }
  });

  it('without interpolation error both are the l2 radius', () => {
    for (const p of [0.500001, 0.6, 0.9, 0.999]) {
      expect(paperRadius(3, p, 0)).toBe(l2Radius(3, p));
      expect(tightRadius(3, p, 0)).toBe(l2Radius(3, p));
    }
  });

  it('the tight radius is not smaller than the paper’s, and the theorem’s inequality holds at it', () => {
    const uniform = seededUniform(40);
    for (let i = 0; i < 3000; i++) {
      const p = 0.5 + 0.4999 * uniform();
      const rhoE = uniform() * (p - 0.5) * 0.999;
      const tight = tightRadius(2, p, rhoE) ?? 0;
      const paper = paperRadius(2, p, rhoE) ?? 0;
      expect(tight, `p ${p} rhoE ${rhoE}`).toBeGreaterThanOrEqual(paper * (1 - 1e-13));
      // P(F(β + γ) = 1) - rhoE at ||γ|| = r, up to the accuracy of this check.
      const inverse = (l2Radius(1, p) ?? 0) - tight / 2;
      expect(normalCdf(inverse) - rhoE, `p ${p} rhoE ${rhoE}`).toBeGreaterThanOrEqual(0.5 - 1e-15);
    }
  });

  it('what is not positive is null', () => {
    expect(paperRadius(1, 0.6, 0.1)).toBeNull();
    expect(paperRadius(1, 0.55, 0.1)).toBeNull();
    expect(tightRadius(1, 0.6, 0.1)).toBeNull();
    expect(tightRadius(1, 0.5, 0)).toBeNull();
    expect(tightRadius(1, 0.99, 0.5)).toBeNull();
    expect(tightRadius(1, 1, 0.7)).toBeNull();
    expect(l2Radius(1, 0.5)).toBeNull();
    expect(l2Radius(1, 0)).toBeNull();
  });

  it('arguments out of range are refused by name', () => {
    expect(() => paperRadius(0, 0.9, 0.1)).toThrow('sigmaGamma must be a positive number');
    expect(() => tightRadius(1, 1.2, 0.1)).toThrow('p must be a probability');
    expect(() => paperRadius(1, 0.9, -0.1)).toThrow('rhoE must be a probability');
    expect(() => l2Radius(Number.NaN, 0.9)).toThrow('sigmaEps must be a positive number');
  });
});

describe('the share that inner noise has to show', () => {
  it('is one half at E = 0 and rounded up elsewhere (golden vectors)', () => {
    expect(shareNeededFor(0, 0.25)).toBe(0.5);
    for (const { x, above } of golden.normalCdf) {
      if (x <= 0) continue;
      expect(shareNeededFor(x, 1), `x ${x}`).toBeGreaterThanOrEqual(above);
      expect(shareNeededFor(x, 1), `x ${x}`).toBeLessThanOrEqual(above * (1 + 2e-14));
    }
    expect(() => shareNeededFor(-1, 0.25)).toThrow('E must be a number of at least 0');
  });
});
