import { describe, expect, it } from 'vitest';
import { nextDown, nextDownF32, nextUp, nextUpF32, roundDownF32, roundUpF32 } from './numeric.ts';

describe('steps between neighbours', () => {
  it('nextUp of 1 is 1 + 2^-52, nextDown of 1 is 1 - 2^-53', () => {
    expect(nextUp(1)).toBe(1 + 2 ** -52);
    expect(nextDown(1)).toBe(1 - 2 ** -53);
  });
  it('the neighbours of 0 are the smallest subnormals', () => {
    expect(nextUp(0)).toBe(Number.MIN_VALUE);
    expect(nextDown(0)).toBe(-Number.MIN_VALUE);
    expect(nextUpF32(0)).toBe(2 ** -149);
    expect(nextDownF32(0)).toBe(-(2 ** -149));
  });
  it('infinities and NaN stay', () => {
    expect(nextUp(Number.POSITIVE_INFINITY)).toBe(Number.POSITIVE_INFINITY);
    expect(nextUp(Number.NaN)).toBeNaN();
    expect(nextUp(Number.MAX_VALUE)).toBe(Number.POSITIVE_INFINITY);
  });
  it('casts to float32 never move inward, and move by less than one step', () => {
    let state = 12345;
    for (let i = 0; i < 10_000; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      const x = (state / 2 ** 32 - 0.5) * 2 ** ((state % 60) - 30);
      const [down, up] = [roundDownF32(x), roundUpF32(x)];
      expect(down <= x && x <= up).toBe(true);
      expect(Math.fround(down)).toBe(down);
      expect(nextUpF32(down) >= x && nextDownF32(up) <= x).toBe(true);
    }
  });
});
