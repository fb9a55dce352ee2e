import { describe, expect, it } from 'vitest';
import type { Plan } from '../plan.ts';
import type { BetaSource, Purpose } from '../sampling/index.ts';
import { counterWord } from '../sampling/index.ts';
import { shareNeededFor } from '../statistics/index.ts';
import { certifyDistX } from './dist-x.ts';
import type { Progress } from './method.ts';
import { imageOf, SIGMA_EPS, SIMULATION_PLAN, settingOf, type World } from './simulation.test-support.ts';

const SURE: World = { slope: 0.05, top: 4, fall: 0.5 };
const IMAGE = imageOf(11);

/** Notes what was asked for. */
function recorder(asked: Purpose[]): (real: BetaSource) => BetaSource {
  return (real) => ({
    betas: (image, purpose, count) => {
      asked.push(purpose);
      return real.betas(image, purpose, count);
    },
  });
}

async function certify(
  world: World,
  plan: Partial<Plan> = {},
  options: Parameters<typeof settingOf>[2] = {},
) {
  const setting = settingOf(world, { ...SIMULATION_PLAN, ...plan }, options);
  setting.engine.recording = true;
  const outcome = await certifyDistX(setting.context, IMAGE);
  return { ...setting, outcome };
}

describe('dist-x', () => {
  it('certifies an image that it is sure of', async () => {
    const { outcome } = await certify(SURE);
    expect(outcome.choice.classIndex).toBe(0);
    expect(outcome.radius).toBeGreaterThan(5);
    expect(outcome.abstention).toBeNull();
    expect(outcome.inner.length).toBe(40);
    expect(outcome.kGamma).toBe(outcome.inner.filter(({ accepted }) => accepted).length);
  });

  it('never uses a β or a noise sample for two purposes', async () => {
    const asked: Purpose[] = [];
    const { bounder, engine } = await certify(SURE, { nGamma: 120 }, { betas: recorder(asked) });
    expect(asked).toEqual(['chooseClass', 'chooseE', 'testE', 'certify']);
    const [choosing = [], testing = []] = bounder.calls.map(({ betas }) => betas);
    expect([choosing.length, testing.length]).toEqual([30, 60]);
    const sampled = new Map<number, Set<number>>();
    for (const { beta, word } of engine.drawn)
      sampled.set(word, (sampled.get(word) ?? new Set()).add(beta[0] ?? 0));
    // One β to a counter word; words of two purposes, nothing in common between their β nor with the bounds'.
    expect([...sampled.values()].every((betas) => betas.size === 1)).toBe(true);
    const words = [...sampled.keys()].sort((a, b) => a - b);
    expect(words).toEqual([
      ...Array.from({ length: 120 }, (_, i) => counterWord('noise', i)),
      ...Array.from({ length: 10 }, (_, i) => counterWord('chooseClassNoise', i)),
    ]);
    const all = [...choosing, ...testing, ...[...sampled.values()].flatMap((betas) => [...betas])];
    expect(new Set(all).size).toBe(30 + 60 + 120 + 10);
  });

  it('tests the E that it chose on the choosing β, and asks h for more by the extra error', async () => {
    const { bounder, outcome } = await certify(SURE);
    const { bound, test } = outcome;
    expect(bounder.calls[0]?.goal).toEqual({ tolerance: 0.05 });
    expect(bounder.calls[1]?.goal).toEqual({ target: bound?.tested });
    expect(bound?.E).toBeGreaterThanOrEqual((bound?.tested ?? 0) + 0.01);
    expect(bound?.E).toBeLessThan((bound?.tested ?? 0) + 0.01 + 1e-15);
    expect(test?.p0).toBe(shareNeededFor(bound?.E ?? 0, SIGMA_EPS));
    expect(test?.alpha).toBeLessThanOrEqual(0.025 / 40);
  });

  it('asks for the share that the noise of float32 needs, not the noise as written', async () => {
    const { outcome } = await certify(SURE, { sigmaEps: 0.7 });
    const { bound, test } = outcome;
    // The float32 nearest to 0.7 is 0.699999988: less noise, so a larger share is needed for the same radius.
    const written = shareNeededFor(bound?.E ?? 0, 0.7);
    expect(test?.p0).toBe(shareNeededFor(bound?.E ?? 0, 0.699999988079071));
    expect(test?.p0).toBeGreaterThan(written);
  });

  it('spends each share of alpha where it is used, and no more', async () => {
    const { outcome } = await certify(SURE);
    const { spent, total } = outcome.ledger.toJSON();
    expect(total).toBe(0.05);
    expect(spent.alphaE).toBe(0.005);
    expect(spent.alphaGamma).toBe(0.02);
    expect(spent.alphaEps).toBeLessThanOrEqual(0.025);
    expect(spent.alphaEps).toBeGreaterThan(0.0249999);
  });

  it.each([1, 17, 64, 500])('gives the same answer with batches of %d', async (capacity) => {
    const want = await certify(SURE, {}, { engine: { capacity: 128 } });
    const got = await certify(SURE, {}, { engine: { capacity, fill: capacity, slots: 7, counting: 2 } });
    const { spent: _, ...rest } = got.outcome;
    const { spent: __, ...expected } = want.outcome;
    expect(JSON.stringify(rest)).toBe(JSON.stringify(expected));
    expect(got.outcome.spent.samples).toBe(want.outcome.spent.samples);
  });

  it('counts samples of the vote and of every inner test', async () => {
    const { outcome, engine } = await certify(SURE);
    const inner = outcome.inner.reduce((sum, { n }) => sum + n, 0);
    expect(outcome.spent.samples).toBe(10 * 128 + inner);
    expect(engine.drawn.length).toBeGreaterThanOrEqual(outcome.spent.samples);
  });

  it('with fixed inner tests takes n_eps samples of each β', async () => {
    const { outcome } = await certify(SURE, { inner: 'fixed', nEps: 300 });
    expect(outcome.inner.every(({ n }) => n === 300)).toBe(true);
    expect(outcome.test?.look).toBe(300);
    expect(outcome.radius).not.toBeNull();
  });

  it('counts an undecided β and a bound above E as exceeding', async () => {
    const clean = settingOf(SURE);
    const real = clean.bounder.bound.bind(clean.bounder);
    clean.bounder.bound = async (images, requests, goal) => {
      const bounds = await real(images, requests, goal);
      if (!('target' in goal)) return bounds;
      return bounds.map((bound, i) => {
        if (i === 0) return { ...bound, exceeds: null };
        return i === 1
          ? { ...bound, bound: goal.target * 1.01, exceeds: false }
          : { ...bound, bound: 0, exceeds: false };
      });
    };
    const { bound } = await certifyDistX(clean.context, IMAGE);
    expect([bound?.kHeld, bound?.nBetas]).toEqual([58, 60]);
  });

  it('refuses a bounder that answers for other β than it was asked about', async () => {
    const { bounder, context } = settingOf(SURE);
    bounder.bound = async () => [];
    await expect(certifyDistX(context, IMAGE)).rejects.toThrow('30 β were to be bounded, 0 came back');
  });

  it('cuts the radius at the range', async () => {
    const { outcome } = await certify(SURE, { seed: 3 }, { range: 2.5 });
    expect([outcome.radius, outcome.cutAtRange]).toEqual([2.5, true]);
  });

  it('tells where it is, stage by stage', async () => {
    const seen: Progress[] = [];
    const { context } = settingOf(SURE);
    await certifyDistX({ ...context, onProgress: (progress) => seen.push(progress) }, IMAGE);
    expect([...new Set(seen.map(({ stage }) => stage))]).toEqual([
      'choose-class',
      'choose-E',
      'test-E',
      'sample',
    ]);
    expect(seen.at(-1)).toEqual({ image: 11, stage: 'sample', done: 40, total: 40 });
    const done = seen.filter(({ stage }) => stage === 'sample').map((progress) => progress.done);
    expect(done).toEqual(done.toSorted((a, b) => a - b));
  });
});

describe('dist-x abstains, and says why,', () => {
  it('where no class has a lead, before any bound is computed', async () => {
    const { outcome, bounder } = await certify(
      SURE,
      { n0: 40 },
      { engine: { classes: 40, answer: ([beta = 0]) => Math.abs(Math.round(7 * beta)) % 40 } },
    );
    expect(outcome.radius).toBeNull();
    expect(outcome.abstention).toMatch(/^class \d+ won only \d+ of 40 choosing β; \d+ of 40 are needed$/);
    expect(bounder.calls.length).toBe(0);
  });

  it('where the classifier answers nothing', async () => {
    const { outcome } = await certify(SURE, {}, { engine: { answer: () => -1 } });
    expect([outcome.radius, outcome.choice.classIndex]).toEqual([null, null]);
    expect(outcome.abstention).toBe('no sample of any choosing β had a class');
  });

  it('where n_eps samples can never show a radius above E, naming how many could, before E is tested', async () => {
    const { outcome, bounder } = await certify({ ...SURE, slope: 5 }, { nEps: 100 });
    expect(outcome.abstention).toMatch(
      /^n_eps = 100 can never show a radius above E = [\d.]+: (at least \d+ are|no number)/,
    );
    expect([outcome.radius, outcome.inner.length]).toEqual([null, 0]);
    expect(outcome.bound).toMatchObject({ nBetas: 0, kHeld: 0, rhoE: 1 });
    expect(bounder.calls.length).toBe(1);
    expect(outcome.ledger.toJSON().spent.alphaE).toBe(0);
  });

  it('where too few β pass, without testing the rest', async () => {
    // h answers class 0 with a share of 0.69; E = 0.34 needs 0.75.
    const setting = settingOf({ slope: 0, top: 0.5, fall: 0 }, { ...SIMULATION_PLAN, nGamma: 200 });
    const real = setting.bounder.bound.bind(setting.bounder);
    setting.bounder.bound = async (...asked) => (await real(...asked)).map((b) => ({ ...b, bound: 0.3 }));
    const outcome = await certifyDistX(setting.context, IMAGE);
    expect(outcome.radius).toBeNull();
    expect(outcome.inner.length).toBe(50);
    expect(outcome.abstention).toMatch(
      /^h answers class 0 with radius above E for \d+ of 50 β; \d+ of 200 are needed$/,
    );
    expect(outcome.ledger.toJSON().spent.alphaGamma).toBe(0);
  });

  it('where the error exceeds every E too often to leave a radius', async () => {
    const { context, bounder } = settingOf(SURE);
    const real = bounder.bound.bind(bounder);
    bounder.bound = async (images, requests, goal) =>
      (await real(images, requests, goal)).map((b) => ('target' in goal ? { ...b, exceeds: true } : b));
    const outcome = await certifyDistX(context, IMAGE);
    expect(outcome.abstention).toBe('the error exceeds E for too many β: rho_E = 1.00 leaves no radius');
    expect(outcome.bound?.kHeld).toBe(0);
  });
});
