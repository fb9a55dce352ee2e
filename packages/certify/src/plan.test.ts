import { TurnproofError } from '@turnproof/core';
import { describe, expect, it } from 'vitest';
import {
  checkPlan,
  fewestInnerSamples,
  innerCanAccept,
  ledgerFor,
  type Plan,
  seedOf,
  sweepLimits,
} from './plan.ts';

const PLAN: Plan = {
  method: 'dist-x',
  sigmaGamma: 30,
  sigmaEps: 0.3,
  confidence: 0.99,
  nGamma: 200,
  n0: 20,
  nEps: 10_000,
  inner: 'sequential',
  nChooseE: 100,
  nTestE: 400,
  radiusRule: 'tight',
  seed: 1,
  batch: 'auto',
};
const ROTATION = { transform: 'rotation', range: 30 } as const;

function refusal(change: Partial<Plan>, range = 30): string {
  try {
    checkPlan({ ...PLAN, ...change }, { ...ROTATION, range });
  } catch (error) {
    if (error instanceof TurnproofError && error.code === 'bad-input')
      return `${error.message}. ${error.fix ?? ''}`;
    throw error;
  }
  return 'accepted';
}

describe('a plan', () => {
  it('of the default sizes is accepted', () => {
    expect(refusal({})).toBe('accepted');
    expect(refusal({ method: 'base' })).toBe('accepted');
    expect(refusal({ method: 'sweep', sigmaGamma: Number.NaN })).toBe('accepted');
  });

  it('of a sweep has a floor that follows a narrow range', () => {
    const plan = { ...PLAN, method: 'sweep' } as const;
    const floorOf = (range: number, floor?: number) =>
      sweepLimits({ ...plan, ...(floor === undefined ? {} : { floor }) }, { transform: 'rotation', range })
        .floor;
    expect([floorOf(30), floorOf(1), floorOf(0.5), floorOf(0.5, 0.4)]).toEqual([0.1, 0.1, 0.05, 0.4]);
    expect(() => checkPlan(plan, { transform: 'rotation', range: 1e-9 })).not.toThrow();
    const wide = { ...plan, floor: 1 };
    expect(() => checkPlan(wide, { transform: 'rotation', range: 1e-9 })).toThrow(
      expect.objectContaining({ fix: 'give --floor 1e-11, for instance' }),
    );
  });

  it('splits alpha 0.01 into 0.004, 0.005 and 0.001, or gives base all of it', () => {
    const ledger = ledgerFor(PLAN);
    expect(['alphaGamma', 'alphaEps', 'alphaE'].map((name) => ledger.granted(name))).toEqual([
      0.004, 0.005, 0.001,
    ]);
    expect(ledgerFor({ ...PLAN, method: 'base' }).granted('alphaGamma')).toBe(0.01);
  });

  it.each([
    [{ floor: 31 }, 'floor 31 degrees: the narrowest slice must be above 0 and no wider than the range, 30'],
    [{ floor: 0 }, 'floor 0 degrees'],
    [{ maxSamples: 0 }, 'max_samples = 0'],
    // 128 choose the class; 0.5^9 = 0.00195 <= 0.01 / 4, and looks are at 8, 16, ...
    [{ maxSamples: 143 }, 'max_samples = 143 can never certify'],
    [{ maxSamples: 143 }, 'give --max-samples 144 or more'],
    [{ sigmaEps: 0 }, 'sigma_eps = 0'],
    // ln(2 / 0.01) = 5.3 nats of evidence and the mixture's price need 10 successes in a row; looks are at 16.
    [{ nEps: 3, confidence: 1 - 1e-9 }, 'give --n-eps 40 or more'],
  ] as const)('for a sweep of %o is refused', (change, words) => {
    expect(refusal({ method: 'sweep', ...change })).toContain(words);
  });

  it('for a sweep of a tiny range has a floor to match; one beyond it is refused with one that can be read', () => {
    expect(refusal({ method: 'sweep' }, 1e-9)).toBe('accepted');
    // In float64, 1e-9 / 100 is 1.0000000000000001e-11.
    expect(refusal({ method: 'sweep', floor: 0.1 }, 1e-9)).toMatch(/give --floor 1e-11, for instance$/);
    expect(refusal({ method: 'sweep', floor: 1e-11 }, 1e-9)).toBe('accepted');
  });

  // 0.5^7 = 0.0078 > 0.01 / 2 ... : base needs p^n <= alpha at p = 1/2.
  it.each([
    [
      { method: 'base', nGamma: 6 },
      'n_gamma = 6 can never certify: with alpha_gamma = 0.01 at least 7 are needed. give --n-gamma 7 or more',
    ],
    // (1/2 + 0.0171)^8 = 0.0051 > 0.004 >= 0.0026 = (1/2 + 0.0171)^9.
    [
      { nGamma: 3 },
      'n_gamma = 3 can never certify: with alpha_gamma = 0.004 and rho_E >= 0.0171 (n_test_e = 400) at least 9 are needed. give --n-gamma 9 or more',
    ],
    // 1 - 0.001^(1/9) = 0.536; 1 - 0.001^(1/10) = 0.499.
    [
      { nTestE: 9 },
      'n_test_e = 9 can never certify: with alpha_e = 0.001 at least 10 are needed. give --n-test-e 10 or more',
    ],
    // 0.5^15 = 3.1e-5 > 2.5e-5 >= 1.5e-5 = 0.5^16.
    [
      { inner: 'fixed', nEps: 15 },
      'n_eps = 15 can never certify: with alpha_eps / n_gamma = 0.0000250, even for E = 0, at least 16 are needed. give --n-eps 16 or more',
    ],
  ] as const)('that can never certify is refused with the number that would do: %o', (change, message) => {
    expect(refusal(change)).toBe(message);
  });

  it.each([
    { method: 'base', nGamma: 7 },
    { nGamma: 9 },
    { nTestE: 10, nGamma: 5000 },
    { inner: 'fixed', nEps: 16 },
  ] as const)('with just that number is accepted: %o', (change) => {
    expect(refusal(change)).toBe('accepted');
  });

  it('with too few samples for a sequential test is refused, one with the number it names is not', () => {
    const message = refusal({ nEps: 10 });
    const needed = Number(/at least (\d+) are needed/.exec(message)?.[1]);
    // n of n successes at the last look: 2^-n <= alpha / 4 with alpha = 2.5e-5.
    expect(2 ** -needed).toBeLessThanOrEqual(2.5e-5 / 4);
    expect(2 ** -(needed - 1)).toBeGreaterThan(2.5e-5 / 4);
    expect(refusal({ nEps: needed })).toBe('accepted');
    expect(refusal({ nEps: needed - 1 })).toContain(`at least ${needed} are needed`);
  });

  it.each([
    [{ sigmaGamma: 0 }, 'sigma_gamma = 0 degrees: a standard deviation must be above 0'],
    [{ sigmaEps: -0.3 }, 'sigma_eps = -0.3 pixel values: a standard deviation must be above 0'],
    [{ sigmaEps: 1e-60 }, 'sigma_eps = 1e-60 pixel values'],
    [{ sigmaGamma: Number.NaN }, 'sigma_gamma = NaN'],
    [{ confidence: 1 }, 'confidence 1: it must lie strictly between 0 and 1'],
    [{ n0: 0 }, 'n0 = 0: it must be a whole number from 1 to 16777216'],
    [{ nGamma: 2.5 }, 'n_gamma = 2.5: it must be a whole number'],
    [{ nChooseE: 2 ** 25 }, 'n_choose_e = 33554432: it must be a whole number'],
    [{ batch: 0 }, 'batch = 0: it must be a whole number from 1 to 65535'],
    [{ seed: -1 }, 'seed -1 is no whole number of 64 bits'],
    [{ seed: 2 ** 60 }, 'is no whole number of 64 bits'],
    [{ seed: 1n << 64n }, 'is no whole number of 64 bits'],
  ] as const)('with %o is refused', (change, message) => {
    expect(refusal(change)).toContain(message);
  });

  it('that did not go through a type check is refused in words, too', () => {
    const change = (fields: object): Partial<Plan> => ({ ...fields });
    expect(refusal(change({ method: 'constructor' }))).toContain('method «constructor» is not known');
    expect(refusal(change({ inner: 'both' }))).toContain('inner test «both» is not known');
    expect(refusal(change({ radiusRule: 'loose' }))).toContain('radius rule «loose» is not known');
  });

  it('takes seeds of all 64 bits', () => {
    expect(seedOf({ seed: (1n << 64n) - 1n })).toBe((1n << 64n) - 1n);
    expect(seedOf({ seed: 42 })).toBe(42n);
  });
});

describe('the fewest inner samples', () => {
  it.each([0.5, 0.8, 0.97, 0.9999])('are the first number with which all successes accept p0 = %d', (p0) => {
    const test = { p0, alpha: 2.5e-5 };
    const needed = fewestInnerSamples('sequential', test) ?? 0;
    const accepts = (n: number) => p0 ** n <= test.alpha / 4;
    expect([accepts(needed), accepts(needed - 1)]).toEqual([true, false]);
    expect(innerCanAccept({ inner: 'sequential', nEps: needed }, test)).toBe(true);
    expect(innerCanAccept({ inner: 'sequential', nEps: needed - 1 }, test)).toBe(false);
  });

  it('do not exist for p0 = 1', () => {
    expect(innerCanAccept({ inner: 'fixed', nEps: 10_000 }, { p0: 1, alpha: 0.01 })).toBe(false);
    expect(fewestInnerSamples('fixed', { p0: 1, alpha: 0.01 })).toBeNull();
  });
});
