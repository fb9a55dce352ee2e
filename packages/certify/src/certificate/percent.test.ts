import { describe, expect, it } from 'vitest';
import { confidenceAt, percent } from './percent.ts';

describe('a share in percent', () => {
  it.each([
    [0.99, '99 %'],
    [0.999, '99.9 %'],
    [1 - 0.99, '1 %'],
    [0.07, '7 %'],
    [0, '0 %'],
    [1, '100 %'],
    [0.9999999999996, '99.99999999996 %'],
    [1 - 1e-14, '99.999999999999 %'],
  ])('is %d as people write it: %s', (share, words) => {
    expect(percent(share)).toBe(words);
  });

  it('is never 100 % below 1, and never more than it is by a digit that people write', () => {
    for (let exponent = 1; exponent <= 53; exponent++) {
      const share = 1 - 2 ** -exponent;
      const words = Number(percent(share).replace(' %', ''));
      expect(words).toBeLessThan(100);
      expect(words).toBeLessThanOrEqual(100 * share + 5e-13);
    }
  });

  it('is a confidence below 100 % whatever the error probability', () => {
    expect(confidenceAt(0.001)).toBe('99.9 %');
    for (const alpha of [1e-12, 4e-13, 1e-16, 1e-300, Number.MIN_VALUE])
      expect(confidenceAt(alpha)).toMatch(/^99\.9/);
  });
});
