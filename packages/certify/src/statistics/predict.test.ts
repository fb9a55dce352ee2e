import { describe, expect, it } from 'vitest';
import { predictClass, predictFromCounts } from './predict.ts';

describe('PREDICT', () => {
  it('returns the class once the two-sided p-value is at most alpha', () => {
    // 2 · P[Bin(10, 1/2) >= 9] = 22/1024, and >= 10: 2/1024.
    expect(predictFromCounts(9, 1, 0.022).decision).toBe('class');
    expect(predictFromCounts(9, 1, 0.021).decision).toBe('abstain');
    expect(predictFromCounts(9, 1, 0.01).pValue).toBeCloseTo(22 / 1024, 14);
    expect(predictFromCounts(10, 0, 0.002).decision).toBe('class');
    expect(predictFromCounts(10, 0, 0.0019).decision).toBe('abstain');
  });

  it('a p-value equal to alpha but for rounding abstains', () => {
    expect(predictFromCounts(10, 0, 2 / 1024).decision).toBe('abstain');
  });

  it('abstains on ties and without samples', () => {
    expect(predictFromCounts(50, 50, 0.5).decision).toBe('abstain');
    expect(predictFromCounts(0, 0, 0.5)).toEqual({ decision: 'abstain', pValue: 1 });
    expect(predictClass([], 0.1)).toBeNull();
  });

  it('finds the two leading classes wherever they stand', () => {
    expect(predictClass([1, 0, 99, 0], 0.001)).toBe(2);
    expect(predictClass([99, 0, 1], 0.001)).toBe(0);
    expect(predictClass([40, 60, 50], 0.001)).toBeNull();
    expect(predictClass([50, 60], 0.001)).toBeNull();
    expect(predictClass([60, 50, 40], 0.2)).toBeNull();
    expect(predictClass(new Uint32Array([30, 300, 3]), 1e-9)).toBe(1);
  });

  it('counts in the wrong order and levels out of range are refused', () => {
    expect(() => predictFromCounts(1, 2, 0.01)).toThrow('second count (2) is above the first (1)');
    expect(() => predictFromCounts(2, 1, 1)).toThrow('alpha must lie strictly between 0 and 1');
    expect(() => predictFromCounts(2.5, 1, 0.1)).toThrow('whole number');
  });
});
