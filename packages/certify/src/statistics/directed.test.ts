import { describe, expect, it } from 'vitest';
import { seededUniform } from '../../scripts/statistics-vectors.ts';
import { addUp, divideUp, exactProduct, exactSum, multiplyDown, subtractDown } from './directed.ts';

/** A double as a whole number of 2^-1074: comparisons of sums and products become exact. */
function units(x: number): bigint {
  const [mantissa = 0, exponent = 0] = x === 0 ? [0, 0] : split(x);
  return BigInt(mantissa) << BigInt(exponent + 1074);
}

function split(x: number): [number, number] {
  let exponent = 0;
  let whole = x;
  while (!Number.isInteger(whole)) {
    whole *= 2;
    exponent--;
  }
  return [whole, exponent];
}

const uniform = seededUniform(20);
const pairs = Array.from({ length: 2000 }, () => {
  const a = uniform() * 2 ** Math.floor(uniform() * 40 - 20);
  const b = uniform() * 2 ** Math.floor(uniform() * 40 - 20);
  return [a, b] as const;
});

describe('directed arithmetic', () => {
  it('sums and products lose nothing between their two parts', () => {
    for (const [a, b] of pairs) {
      const sum = exactSum(a, -b);
      expect(units(sum.high) + units(sum.low)).toBe(units(a) - units(b));
      const product = exactProduct(a, b);
      expect((units(product.high) + units(product.low)) << 1074n).toBe(units(a) * units(b));
    }
  });

  it('results rounded to one side lie on that side, within one step', () => {
    for (const [a, b] of pairs) {
      const up = addUp(a, b);
      expect(units(up) >= units(a) + units(b) && up <= (a + b) * (1 + 2 ** -52)).toBe(true);
      const down = subtractDown(a, b);
      expect(units(down) <= units(a) - units(b)).toBe(true);
      expect(Math.abs(down - (a - b))).toBeLessThanOrEqual(Math.abs(a - b) * 2 ** -52);
      const product = multiplyDown(a, b);
      expect(units(product) << 1074n <= units(a) * units(b) && product >= a * b * (1 - 2 ** -52)).toBe(true);
      const quotient = divideUp(a, b);
      expect(units(quotient) * units(b) >= units(a) << 1074n).toBe(true);
    }
  });

  it('rounding to nearest alone would lie on the wrong side somewhere', () => {
    expect(pairs.some(([a, b]) => units(a + b) < units(a) + units(b))).toBe(true);
    expect(pairs.some(([a, b]) => units(a * b) << 1074n > units(a) * units(b))).toBe(true);
  });

  it('exact results are left as they are', () => {
    expect(addUp(0.5, 0.25)).toBe(0.75);
    expect(subtractDown(0.75, 0.25)).toBe(0.5);
    expect(multiplyDown(1.5, 2)).toBe(3);
    expect(divideUp(0, 2)).toBe(0);
    expect(multiplyDown(Infinity, 2)).toBe(Infinity);
    expect(multiplyDown(2 ** -1000, 2 ** -74)).toBeLessThanOrEqual(2 ** -1074);
  });
});
