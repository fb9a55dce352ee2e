import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { downTo, roundDown, roundUp, upTo } from './rounding.ts';

describe('a rounded number', () => {
  it.each([
    [0.49121, 4, '0.4912', '0.4913'],
    [0.4912, 4, '0.4912', '0.4912'],
    [29.99999, 2, '29.99', '30.00'],
    [0.00004, 4, '0.0000', '0.0001'],
    [-0.00004, 4, '-0.0001', '-0.0000'],
    [12.5, 0, '12', '13'],
    [0, 3, '0.000', '0.000'],
  ])('%d with %d places lies between %s and %s', (x, places, down, up) => {
    expect(downTo(x, places)).toBe(down);
    expect(Number(upTo(x, places))).toBe(Number(up));
  });

  it('is on its safe side, and within one unit of the last place, for every number', () => {
    const numbers = fc.double({ min: -1000, max: 1000, noNaN: true });
    fc.assert(
      fc.property(numbers, fc.integer({ min: 0, max: 12 }), (x, places) => {
        const unit = 10 ** -places;
        const [down, up] = [roundDown(x, places), roundUp(x, places)];
        return down <= x && x <= up && x - down <= unit * 1.0001 && up - x <= unit * 1.0001;
      }),
      { numRuns: 2000 },
    );
  });
});
