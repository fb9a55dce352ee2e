import { describe, expect, it } from 'vitest';
import { rationalUpperTail } from '../../scripts/exact-binomial.ts';
import { clopperPearsonLower } from './clopper-pearson.ts';
import { fixedThreshold, smallestUsefulN } from './fixed-test.ts';

/** Whether accepting at k or more errs with probability at most alpha, in whole numbers. */
function sound(k: number, n: number, p0: number, alpha: number): boolean {
  if (k > n) return true;
  const tail = rationalUpperTail(k, n, p0);
  const level = rationalUpperTail(1, 1, alpha);
  return tail.numerator * level.denominator <= level.numerator * tail.denominator;
}

describe('the fixed test', () => {
  it('its threshold is sound, and one less is not (exact fractions)', () => {
    for (const p0 of [0.5, 0.7, 0.8849303297782919, 0.99]) {
      for (const n of [1, 5, 20, 64, 200, 301]) {
        for (const alpha of [0.05, 0.004, 2.5e-5]) {
          const k = fixedThreshold({ p0, alpha, n });
          const label = `p0 ${p0} n ${n} alpha ${alpha}: ${k}`;
          expect(sound(k, n, p0, alpha), label).toBe(true);
          expect(sound(k - 1, n, p0, alpha), `one below ${label}`).toBe(false);
        }
      }
    }
  });

  it('it is where the Clopper-Pearson bound passes p0', () => {
    for (const [p0, n, alpha] of [
      [0.7, 10_000, 2.5e-5],
      [0.5, 1000, 0.001],
      [0, 100, 0.01],
    ] as const) {
      const k = fixedThreshold({ p0, alpha, n });
      expect(clopperPearsonLower(k, n, alpha)).toBeGreaterThan(p0);
      expect(clopperPearsonLower(k - 1, n, alpha)).toBeLessThanOrEqual(p0);
    }
  });

  it('where nothing suffices it is n + 1', () => {
    expect(fixedThreshold({ p0: 0.999, alpha: 1e-6, n: 100 })).toBe(101);
    expect(fixedThreshold({ p0: 1, alpha: 0.1, n: 10 })).toBe(11);
  });

  it('the smallest useful n is the first with alpha^(1/n) above p0', () => {
    // 2^-16 < 2.5e-5 < 2^-15; 0.7^n < 0.001 from n = 20 on (0.7^19 = 0.00114).
    expect(smallestUsefulN({ p0: 0.5, alpha: 2.5e-5 })).toBe(16);
    expect(smallestUsefulN({ p0: 0.7, alpha: 0.001 })).toBe(20);
    expect(smallestUsefulN({ p0: 0, alpha: 0.001 })).toBe(1);
    expect(smallestUsefulN({ p0: 1, alpha: 0.001 })).toBeNull();
    for (const p0 of [0.1, 0.5171, 0.9, 0.999, 0.999999]) {
      const n = smallestUsefulN({ p0, alpha: 0.004 }) ?? 0;
      expect(fixedThreshold({ p0, alpha: 0.004, n })).toBe(n);
      if (n > 1) expect(fixedThreshold({ p0, alpha: 0.004, n: n - 1 })).toBe(n);
    }
  });

  it('arguments out of range are refused by name', () => {
    expect(() => fixedThreshold({ p0: -0.1, alpha: 0.01, n: 10 })).toThrow('p0 must be a probability');
    expect(() => fixedThreshold({ p0: 0.5, alpha: 0.01, n: 0 })).toThrow('at least 1');
    expect(() => smallestUsefulN({ p0: 0.5, alpha: 0 })).toThrow('alpha must lie');
  });
});
