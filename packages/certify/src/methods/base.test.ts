import { describe, expect, it } from 'vitest';
import type { Plan } from '../plan.ts';
import { uniformOf } from '../sampling/simulated-engine.test-support.ts';
import { certifyBase, predictBase } from './base.ts';
import { predictDistX } from './predict-dist.ts';
import { imageOf, SIMULATION_PLAN, settingOf, type World } from './simulation.test-support.ts';

const SURE: World = { slope: 0.05, top: 4, fall: 0.5 };
const PLAN: Plan = { ...SIMULATION_PLAN, method: 'base', confidence: 0.99, nGamma: 100, n0: 20 };

function setting(plan: Plan, answer?: (beta: readonly number[]) => number) {
  return settingOf(SURE, plan, answer ? { engine: { answer, classes: 3 } } : {});
}

describe('base certifies', () => {
  it('100 of 100 at sigma Φ⁻¹(0.01^(1/100)), one sample of each β and no noise', async () => {
    const { context, engine } = setting(PLAN, () => 2);
    engine.recording = true;
    const outcome = await certifyBase(context, imageOf(3));
    expect([outcome.choice.classIndex, outcome.kGamma]).toEqual([2, 100]);
    expect(outcome.pABar).toBeCloseTo(0.01 ** 0.01, 12);
    // Φ⁻¹(0.954992586) = 1.695322 (scipy norm.ppf), times σ_γ = 10.
    expect(outcome.radius).toBe(16.9531);
    expect(engine.drawn.length).toBe(120);
    expect(engine.drawn.every(({ sample }) => sample === 0)).toBe(true);
    expect(new Set(engine.drawn.map(({ beta }) => beta[0])).size).toBe(120);
  });

  it('nothing when the class has no majority', async () => {
    const { context } = setting(PLAN, ([beta = 0]) => (beta > 0 ? 0 : 1));
    const outcome = await certifyBase(context, imageOf(3));
    expect([outcome.radius, outcome.pABar === null]).toEqual([null, false]);
    expect(outcome.abstention).toMatch(/^class [01] for \d+ of 100 β only$/);
  });

  it('nothing when the choosing β agree on nothing, and stops there', async () => {
    const { context, engine } = settingOf(SURE, PLAN, {
      engine: {
        classes: 50,
        answer: (_beta, image, word, sample) => Math.floor(50 * uniformOf(image, word, sample)),
      },
    });
    const outcome = await certifyBase(context, imageOf(3));
    expect(outcome.abstention).toMatch(/won only \d of 20 choosing β$/);
    expect(engine.batches.reduce((a, b) => a + b, 0)).toBe(20);
  });

  it('nothing when the classifier answers nothing', async () => {
    const { context } = setting(PLAN, () => -1);
    expect((await certifyBase(context, imageOf(3))).abstention).toBe('no choosing β had a class');
  });
});

describe('base predicts', () => {
  it('the class of a clear majority, with its p-value', async () => {
    const { context } = setting({ ...PLAN, nGamma: 20 }, () => 1);
    const outcome = await predictBase(context, imageOf(3));
    expect(outcome.predicted).toBe(1);
    expect(outcome.pValue).toBeCloseTo(2 * 0.5 ** 20, 18);
  });

  it('nothing when two classes share the β, or when half of the β have no class', async () => {
    const half = setting(PLAN, ([beta = 0]) => (beta > 0 ? 0 : 1));
    expect((await predictBase(half.context, imageOf(3))).predicted).toBeNull();
    const missing = setting(PLAN, ([beta = 0]) => (beta > 0 ? 0 : -1));
    const outcome = await predictBase(missing.context, imageOf(3));
    expect(outcome.predicted).toBeNull();
    expect(outcome.abstention).toMatch(/^the top two classes had/);
  });
});

describe('dist predicts', () => {
  const plan = { ...PLAN, method: 'dist-x', n0: 10 } as const;

  it("h's class at most β, from streams that certifying does not use", async () => {
    const { context, engine } = setting(plan, () => 1);
    engine.recording = true;
    const outcome = await predictDistX(context, imageOf(3));
    // The sequential vote is clear after its first 16 β.
    expect([outcome.predicted, outcome.kGamma, outcome.nGamma]).toEqual([1, 16, 16]);
    const purposes = new Set(engine.drawn.map(({ word }) => Math.floor(word / 2 ** 24)));
    expect(purposes).toEqual(new Set([7, 9]));
  });

  it('nothing when h answers a class for only half of the β', async () => {
    const { context } = setting(plan, ([beta = 0]) => (beta > 0 ? 0 : 1));
    const outcome = await predictDistX(context, imageOf(3));
    expect(outcome.predicted).toBeNull();
    expect(outcome.abstention).toMatch(/^h answers class [01] for \d+ of \d+ β only$/);
  });

  it('nothing when no sample has a class', async () => {
    const { context } = setting(plan, () => -1);
    const outcome = await predictDistX(context, imageOf(3));
    expect([outcome.predicted, outcome.kGamma, outcome.pValue]).toEqual([null, 0, 1]);
  });
});
