import { describe, expect, it } from 'vitest';
import { chooseE } from './choose-e.ts';

const input = {
  bounds: Array.from({ length: 100 }, (_, i) => 0.2 + 0.004 * i),
  successes: new Array<number>(20).fill(128),
  samples: 128,
  extraError: 0.001,
  noise: { sigma: 0.5, variation: 0 },
  inner: 'sequential',
  nEps: 10_000,
  nGamma: 200,
  nTestE: 400,
  alphaGamma: 0.004,
  alphaInner: 0.005 / 200,
  alphaE: 0.001,
  reach: 10,
  radiusRule: 'tight',
} as const;

describe('choosing E', () => {
  it('takes an E that few errors exceed where the classifier is sure', () => {
    const chosen = chooseE(input);
    expect(chosen?.E).toBeGreaterThan(0.57);
    expect(chosen?.E).toBeLessThanOrEqual(1.1 * 0.596);
    expect(chosen?.largest).toBeCloseTo(0.596, 12);
  });

  it('takes a smaller E where the classifier would not reach a larger one', () => {
    // 110 of 128 is a share of 0.86, a radius of 1.08 sigma = 0.54; five bounds in a hundred lie beyond it.
    const bounds = Array.from({ length: 100 }, (_, i) => (i % 20 === 7 ? 0.9 : 0.3 + 1e-4 * i));
    const successes = new Array<number>(20).fill(110);
    const chosen = chooseE({ ...input, bounds, successes });
    expect(chosen?.E).toBeGreaterThan(0.3);
    expect(chosen?.E).toBeLessThan(0.35);
    expect(chosen?.quantile).toBeLessThanOrEqual(0.95);
    expect(chosen?.largest).toBe(0.9);
  });

  it('takes the smallest of equally good ones, since it needs fewest samples', () => {
    // From the second candidate on, none is exceeded, and none is a close call.
    const bounds = Array.from({ length: 100 }, (_, i) => 0.1 + 1e-6 * i);
    expect(chooseE({ ...input, bounds })?.E).toBeLessThan(0.1005);
  });

  it('takes a smaller E where the range cuts the radius anyway', () => {
    const free = chooseE(input)?.E ?? 0;
    const cut = chooseE({ ...input, reach: 0.5 })?.E ?? 0;
    expect(cut).toBeLessThan(0.9 * free);
    // 1.25 · 0.5 sigma must still be in sight: Φ⁻¹(0.9728) - Φ⁻¹(1/2 + rho) = 0.625 leaves a rho of 0.4.
    const exceeding = input.bounds.filter((bound) => bound > cut).length;
    expect(exceeding).toBeGreaterThan(5);
    expect(exceeding).toBeLessThan(40);
  });

  it('does not shy away from a share of 0.99 that 128 samples of one β alone cannot show', () => {
    // The largest bounds are 0.7 = 2.33 sigma: h must answer with a share above 0.99 for them.
    const bounds = Array.from({ length: 100 }, (_, i) => 0.3 + 0.004 * i);
    const chosen = chooseE({ ...input, bounds, noise: { sigma: 0.3, variation: 0 } });
    expect(chosen?.quantile).toBeGreaterThan(0.85);
    expect(chosen?.E).toBeLessThanOrEqual(0.7);
  });

  it('still names a candidate where none promises a radius', () => {
    const chosen = chooseE({ ...input, successes: new Array<number>(20).fill(60) });
    expect(chosen?.E).toBeGreaterThan(0.39);
    expect(chosen?.E).toBeLessThanOrEqual(1.1 * 0.597);
  });

  it('counts infinite bounds as exceeding, and finds no E where all are', () => {
    const infinite = new Array<number>(100).fill(Number.POSITIVE_INFINITY);
    expect(chooseE({ ...input, bounds: infinite })).toBeNull();
    const some = [...input.bounds.slice(0, 50), ...infinite.slice(0, 50)];
    expect(chooseE({ ...input, bounds: some })?.quantile).toBeLessThanOrEqual(0.5);
  });
});
