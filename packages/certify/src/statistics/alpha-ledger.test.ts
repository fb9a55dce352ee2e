import { nextDown, nextUp } from '@turnproof/core';
import { describe, expect, it } from 'vitest';
import { AlphaLedger } from './alpha-ledger.ts';

describe('the alpha ledger', () => {
  it('splits 0.01 into 0.004, 0.005 and 0.001 and scales with the confidence', () => {
    const record = AlphaLedger.forConfidence(0.99).toJSON();
    expect(record).toEqual({
      total: 0.01,
      alphaGamma: 0.004,
      alphaEps: 0.005,
      alphaE: 0.001,
      spent: { alphaGamma: 0, alphaEps: 0, alphaE: 0 },
    });
    const strict = AlphaLedger.forConfidence(0.999);
    expect(strict.total).toBe(0.001);
    expect(strict.granted('alphaGamma')).toBe(0.0004);
    expect(strict.granted('alphaE')).toBeCloseTo(0.0001, 18);
  });

  it('never grants more than the total, for any confidence', () => {
    for (let i = 1; i < 400; i++) {
      const total = i / 401;
      // The constructor compares exact sums and throws if the split overshoots.
      expect(() => AlphaLedger.split(total)).not.toThrow();
      expect(() => AlphaLedger.split(total, { a: 1 / 3, b: 1 / 3, c: 1 / 3 })).not.toThrow();
    }
  });

  it('n equal shares fit for every n, and one more does not', () => {
    for (const count of [1, 3, 7, 49, 200, 1000, 4096]) {
      const ledger = AlphaLedger.forConfidence(0.99);
      const share = ledger.share('alphaEps', count);
      for (let i = 0; i < count; i++) ledger.spend('alphaEps', share);
      expect(() => ledger.spend('alphaEps', share), `${count} shares`).toThrow('only');
      // Rounded down, but by no more than a double's last place.
      expect(share * count).toBeGreaterThan(0.005 * (1 - 1e-15));
    }
  });

  it('shares rounded to nearest would overdraw it', () => {
    const overdrawn = [3, 7, 49, 98, 107, 200, 1000].some((count) => {
      const ledger = AlphaLedger.forConfidence(0.99);
      try {
        for (let i = 0; i < count; i++) ledger.spend('alphaEps', 0.005 / count);
        return false;
      } catch {
        return true;
      }
    });
    expect(overdrawn).toBe(true);
  });

  it('books unequal amounts exactly', () => {
    const ledger = new AlphaLedger(0.5, { tree: 0.5 });
    // 1/4 + 1/8 + ... down to the smallest double leave exactly that smallest one.
    for (let e = -2; e >= -1074; e--) ledger.spend('tree', 2 ** e);
    expect(ledger.remaining('tree')).toBe(2 ** -1074);
    ledger.spend('tree', 2 ** -1074);
    expect(ledger.remaining('tree')).toBe(0);
    expect(() => ledger.spend('tree', 2 ** -1074)).toThrow('only 0 of 0.5 is left');
  });

  it('an overdraft is an internal error that names the account, and books nothing', () => {
    const ledger = AlphaLedger.forConfidence(0.99);
    const before = ledger.remaining('alphaE');
    expect(() => ledger.spend('alphaE', 0.0011)).toThrow(expect.objectContaining({ code: 'internal' }));
    expect(() => ledger.spend('alphaE', 0.0011)).toThrow('alphaE: a test wants 0.0011');
    expect(() => ledger.spend('alphaE', nextUp(0.001))).toThrow('only 0.001');
    expect(ledger.remaining('alphaE')).toBe(before);
    expect(() => ledger.spend('alphaZ', 0.001)).toThrow('there is no alpha called «alphaZ»');
    expect(() => ledger.spend('alphaE', Number.NaN)).toThrow('no error probability');
    expect(() => ledger.spend('alphaE', 0)).toThrow('no error probability');
  });

  it('reads a confidence of up to 15 places as that decimal, and one of more as its double', () => {
    for (const [confidence, alpha] of [
      [0.9, 0.1],
      [0.99, 0.01],
      [0.999999, 1e-6],
      [0.1 + 0.2, 1 - (0.1 + 0.2)],
      [0.999999999999999, 1e-15],
      // Rounded to 15 places these would leave more than they say, or nothing.
      [1 - 2 ** -51, 2 ** -51],
      [1 - 3 * 2 ** -53, 3 * 2 ** -53],
      [1 - 2 ** -53, 2 ** -53],
    ] as const) {
      expect(AlphaLedger.forConfidence(confidence).total, `${confidence}`).toBe(alpha);
    }
  });

  it('records what was spent, rounded up', () => {
    const ledger = AlphaLedger.forConfidence(0.99);
    expect(ledger.spend('alphaGamma', 0.004)).toBe(0.004);
    ledger.spend('alphaE', 0.0005);
    expect(ledger.toJSON().spent).toEqual({ alphaGamma: 0.004, alphaEps: 0, alphaE: 0.0005 });
    expect(JSON.parse(JSON.stringify(ledger))).toEqual(ledger.toJSON());

    // A sum that is no double: a hair more than 1/4, all of it spent.
    const fine = new AlphaLedger(0.5, { tree: 0.5 });
    fine.spend('tree', 0.25);
    fine.spend('tree', 2 ** -80);
    expect(fine.toJSON().spent).toEqual({ tree: nextUp(0.25) });
    expect(fine.remaining('tree')).toBe(nextDown(0.25));
  });

  it('shares that exceed the total are refused, however little', () => {
    expect(() => new AlphaLedger(0.01, { a: 0.005, b: 0.005 })).not.toThrow();
    expect(() => new AlphaLedger(0.01, { a: 0.005, b: 0.005, c: 1e-30 })).toThrow('sum to more than 0.01');
    expect(() => new AlphaLedger(1, { a: 0.5 })).toThrow('the total alpha');
    expect(() => new AlphaLedger(0.1, { a: -0.1 })).toThrow('a must lie in [0, 1)');
    expect(() => new AlphaLedger(0.1, { total: 0.1 })).toThrow('cannot be called «total»');
    expect(() => new AlphaLedger(0.1, { spent: 0.1 })).toThrow('cannot be called «spent»');
    expect(() => new AlphaLedger(0.1, { a: 1 })).toThrow('a must lie in [0, 1)');
    expect(new AlphaLedger(0.1, { a: 0, b: 0.1 }).granted('a')).toBe(0);
    expect(() => AlphaLedger.split(0.1, { a: 0.6, b: 0.6 })).toThrow('sum to 1.2');
    expect(() => AlphaLedger.split(0.1, { a: -1 })).toThrow('the weight of a');
    expect(() => AlphaLedger.forConfidence(1)).toThrow('the confidence');
    expect(() => AlphaLedger.forConfidence(0.99).share('alphaE', 0)).toThrow('whole number of tests');
  });
});
