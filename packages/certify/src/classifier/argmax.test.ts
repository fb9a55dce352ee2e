import { describe, expect, it } from 'vitest';
import { argmaxRows } from './argmax.ts';

describe('argmaxRows', () => {
  it('takes the largest logit of each row', () => {
    expect([...argmaxRows(Float32Array.of(1, 2, 0, 5, -1, 4), 3)]).toEqual([1, 0]);
  });
  it('takes the lowest index among equals, zeros of both signs included', () => {
    expect([...argmaxRows(Float32Array.of(2, 7, 7, -0, 0, -1), 3)]).toEqual([1, 0]);
  });
  it('names no class for a row with a NaN, wherever it stands, and leaves other rows alone', () => {
    const { NaN: nan } = Number;
    const rows = [
      [nan, 1, 2],
      [1, nan, 2],
      [1, 2, nan],
      [1, 2, 3],
    ].flat();
    expect([...argmaxRows(Float32Array.from(rows), 3)]).toEqual([-1, -1, -1, 2]);
  });
  it('names no class for a row with an infinity of either sign, as the count kernel does', () => {
    const inf = Number.POSITIVE_INFINITY;
    expect([...argmaxRows(Float32Array.of(1, inf, 0, 2, 3, -inf, 1, 2, 0), 3)]).toEqual([-1, -1, 1]);
  });
  it('refuses logits that are no whole rows', () => {
    expect(() => argmaxRows(new Float32Array(5), 3)).toThrow('5 logits are no rows of 3 classes');
  });
});
