import { describe, expect, it } from 'vitest';
import { clopperPearsonLower, logUpperTail, normalCdf } from '../statistics/index.ts';
import { predictDistX } from './predict-dist.ts';
import { imageOf, SIGMA_GAMMA, SIMULATION_PLAN, settingOf, type World } from './simulation.test-support.ts';

/** h answers class 0 almost surely where |β| / σ_γ < top / fall, class 1 elsewhere. */
const worldOf = (share: number): World => ({ slope: 0, top: 500 * halfWidth(share), fall: 500 });

/** z with P(|N| < z) = share, by halving. */
function halfWidth(share: number): number {
  let [low, high] = [0, 10];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (2 * normalCdf(middle) - 1 < share) low = middle;
    else high = middle;
  }
  return low;
}

const PLAN = { ...SIMULATION_PLAN, nGamma: 120, n0: 15 };

async function predictMany(count: number, share: number, inner: 'sequential' | 'fixed') {
  const { context } = settingOf(worldOf(share), { ...PLAN, inner });
  const outcomes = [];
  for (let i = 0; i < count; i++) outcomes.push(await predictDistX(context, imageOf(i)));
  return outcomes;
}

describe('PREDICT for the doubly smoothed classifier', () => {
  it.each(['sequential', 'fixed'] as const)('answers a clear class, %s', async (inner) => {
    const outcomes = await predictMany(20, 0.95, inner);
    expect(outcomes.every(({ predicted }) => predicted === 0)).toBe(true);
    for (const { pValue, ledger } of outcomes) {
      expect(pValue).toBeLessThanOrEqual(ledger.granted('alphaGamma'));
      expect(pValue).toBeGreaterThan(0);
    }
  });

  it('ends a sequential vote when it is clear: a fraction of the β, and no α spent on the others', async () => {
    const fixed = await predictMany(10, 0.95, 'fixed');
    const sequential = await predictMany(10, 0.95, 'sequential');
    expect(fixed.every(({ nGamma }) => nGamma === PLAN.nGamma)).toBe(true);
    for (const { nGamma, ledger } of sequential) {
      expect(nGamma).toBeLessThan(PLAN.nGamma / 2);
      const share = ledger.granted('alphaEps') / PLAN.nGamma;
      expect(ledger.toJSON().spent.alphaEps).toBeCloseTo(nGamma * share, 12);
    }
  });

  it.each(['sequential', 'fixed'] as const)(
    'of 1,000 images whose class 0 has a share just below half, %s answers 0 no oftener than α allows',
    async (inner) => {
      const outcomes = await predictMany(1000, 0.499, inner);
      const [first] = outcomes;
      const alpha = (first?.ledger.granted('alphaGamma') ?? 0) + (first?.ledger.granted('alphaEps') ?? 0);
      const wrong = outcomes.filter(({ predicted }) => predicted === 0).length;
      expect(logUpperTail(wrong, outcomes.length, alpha).log).toBeGreaterThan(Math.log(1e-6));
      // The check can fail: a vote that took the class with more than half of the β would be wrong far oftener.
      const naive = outcomes.filter(
        ({ choice, nGamma, kGamma }) => choice?.classIndex === 0 && 2 * kGamma > nGamma,
      );
      expect(clopperPearsonLower(naive.length, outcomes.length, 1e-6)).toBeGreaterThan(alpha);
    },
  );

  it('abstains where no class has half, and says how the vote stood', async () => {
    const [outcome] = await predictMany(1, 0.5, 'sequential');
    expect(outcome).toMatchObject({ predicted: null });
    expect(outcome?.abstention).toMatch(/^h answers class [01] for \d+ of \d+ β only$/);
    expect(SIGMA_GAMMA).toBe(PLAN.sigmaGamma);
  });
});
