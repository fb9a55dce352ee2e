/**
 * What the inner test spends of its level, told by its thresholds: false acceptances stay far below alpha, so their
 * number does not show whether a share of it is spent twice.
 */
import { describe, expect, it } from 'vitest';
import { fixedThreshold } from './fixed-test.ts';
import { innerThresholds, SequentialThresholds } from './sequential-test.ts';

const cases = [
  { p0: 0.5, alpha: 0.05, maxN: 400 },
  { p0: 0.7, alpha: 0.01, maxN: 320 },
  { p0: 0.9332, alpha: 2.5e-5, maxN: 1000 },
  { p0: 0.3, alpha: 1e-3, maxN: 257 },
];

describe('the inner test', () => {
  it.each(cases)('before its end bets three quarters of $alpha (p0 $p0)', ({ p0, alpha, maxN }) => {
    const inner = innerThresholds({ p0, alpha, maxN });
    const betting = new SequentialThresholds({ p0, alpha: 0.75 * alpha, maxN });
    const whole = new SequentialThresholds({ p0, alpha, maxN });
    const bought: number[] = [];
    for (let n = 1; n < maxN; n++) {
      expect(inner.acceptAt(n), `n ${n}`).toBe(betting.acceptAt(n));
      bought.push(inner.acceptAt(n) - whole.acceptAt(n));
    }
    // The check can fail: the whole of alpha would accept earlier at some n.
    expect(Math.max(...bought)).toBeGreaterThan(0);
    expect(Math.min(...bought)).toBe(0);
  });

  it.each(cases)('at its end accepts where that or a fixed test at a quarter does', ({ p0, alpha, maxN }) => {
    const inner = innerThresholds({ p0, alpha, maxN });
    const betting = new SequentialThresholds({ p0, alpha: 0.75 * alpha, maxN }).acceptAt(maxN);
    const fixed = fixedThreshold({ p0, alpha: alpha / 4, n: maxN });
    expect(inner.acceptAt(maxN)).toBe(Math.min(betting, fixed));
    expect(fixed).toBeLessThan(betting);
    expect(fixed).toBeGreaterThan(fixedThreshold({ p0, alpha, n: maxN }));
    expect(inner.acceptAt(maxN - 1)).toBeGreaterThan(fixed);
  });

  it.each(cases)(
    'its two shares are no more than the whole, to the last bit (alpha $alpha)',
    ({ alpha, ...rest }) => {
      for (const level of [alpha, alpha / 3, alpha * 0.7]) {
        const { alpha: betting } = innerThresholds({ ...rest, alpha: level });
        expect(betting).toBeLessThan(0.75 * level);
        expect(betting).toBeGreaterThan(0.75 * level * (1 - 1e-15));
      }
    },
  );
});
