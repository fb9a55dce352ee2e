import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type PointRequest, type SampledImage, Sampler } from '../sampling/index.ts';
import { logEvidence, logUpperTail, shareNeededFor } from '../statistics/index.ts';
import { searchCounterexamples } from './counterexample.ts';
import { imageOf } from './simulation.test-support.ts';
import { certifySweep } from './sweep.ts';
import { centerOf } from './sweep-tree.ts';
import {
  RANGE,
  SIGMA,
  type SweepSettingOptions,
  type SweepWorld,
  sweepSetting,
} from './sweep-world.test-support.ts';

const SPEED = 0.1;
/** As steep as a margin can be: h changes its answer exactly at |γ| = edge. */
const cliff = (edge: number): SweepWorld => ({
  speed: SPEED,
  margin: ([gamma = 0]) => Math.min(4, ((edge - Math.abs(gamma)) * SPEED) / SIGMA),
});
/** Class 0 everywhere, by far. */
const SURE: SweepWorld = { speed: SPEED, margin: () => 4 };

const run = (setting: ReturnType<typeof sweepSetting>, index = 0) =>
  certifySweep(setting.context, imageOf(index));

describe('sweep', () => {
  it('certifies the whole range where h is sure, with few samples', async () => {
    const { interval, radius, slices, breaks, spent } = await run(sweepSetting(SURE));
    expect([interval, radius, breaks]).toEqual([{ lower: [-RANGE], upper: [RANGE] }, RANGE, []]);
    expect(slices.every(({ passed }) => passed)).toBe(true);
    expect(spent.samples).toBeLessThan(1000);
  });

  it('ends its interval just before h changes its answer, and says that it does', async () => {
    const world: SweepWorld = {
      speed: SPEED,
      margin: ([gamma = 0]) => Math.min(4, ((gamma < 0 ? gamma + 15 : 7 - gamma) * SPEED) / SIGMA),
    };
    const { interval, radius, breaks } = await run(sweepSetting(world));
    const [low = 0, high = 0] = [interval?.lower[0], interval?.upper[0]];
    expect(low).toBeGreaterThanOrEqual(-15);
    expect(high).toBeLessThanOrEqual(7);
    // It comes near: h's share is close to one half within two degrees of the edge.
    expect(low).toBeLessThan(-13);
    expect(high).toBeGreaterThan(5);
    expect(radius).toBe(Math.floor(high * 1e4) / 1e4);
    expect(breaks.map(({ kind, rival }) => [kind, rival])).toEqual([
      ['wrong', 1],
      ['wrong', 1],
    ]);
    expect(breaks[0]?.gamma[0]).toBeLessThan(-15);
    expect(breaks[1]?.gamma[0]).toBeGreaterThan(7);
  });

  it('asks of each slice what its M and the extra error ask, at the level of its depth', async () => {
    const setting = sweepSetting(cliff(8));
    const extraError = 0.03;
    const context = { ...setting.context, extraError };
    const { slices, extraError: stated } = await certifySweep(context, imageOf(0));
    expect(stated).toBe(extraError);
    expect(new Set(slices.map(({ path }) => path.length)).size).toBeGreaterThan(2);
    for (const { M, E, p0, alpha, k, n, passed } of slices) {
      expect(E).toBeGreaterThanOrEqual(M + extraError);
      expect(E).toBeLessThanOrEqual((M + extraError) * (1 + 2 ** -50));
      expect(p0).toBe(shareNeededFor(E, SIGMA));
      const evidence = n > 0 ? logEvidence(k, n, p0).log : 0;
      if (passed && n < 2000) expect(evidence).toBeGreaterThanOrEqual(-Math.log(0.75 * alpha));
    }
    for (const one of slices) {
      const other = slices.find(({ path }) => path.length === one.path.length + 1);
      if (other) expect(other.alpha).toBe(one.alpha / 2);
    }
  });

  it('says «undecided» where the class is h’s but not by enough', async () => {
    // A share of 0.52 everywhere beyond 5 degrees: no slice of 0.05 degrees can be shown with 2,000 samples.
    const world: SweepWorld = {
      speed: SPEED,
      margin: ([gamma = 0]) => Math.max(0.05, Math.min(4, ((5 - Math.abs(gamma)) * SPEED) / SIGMA)),
    };
    const { interval, breaks } = await run(sweepSetting(world, { maxSamples: 60_000 }));
    expect(interval?.upper[0]).toBeLessThan(5.1);
    expect(breaks.map(({ kind }) => kind)).toEqual(['undecided', 'undecided']);
  });

  it('abstains where another class rules at the image itself, and where none does', async () => {
    const none = sweepSetting({ speed: SPEED, margin: () => 0 });
    const { interval, radius, abstention, slices } = await run(none);
    expect([interval, radius]).toEqual([null, null]);
    expect(abstention).toMatch(/no slice around the image itself passed|needs more than half/);
    expect(slices.every(({ passed }) => !passed)).toBe(true);
  });

  it('says so where what passed is too narrow for a radius of four decimals', async () => {
    const { interval, radius, abstention, slices } = await run(
      sweepSetting(SURE, { floor: 1e-7 }, { range: 9e-5 }),
    );
    expect(slices.every(({ passed }) => passed)).toBe(true);
    expect([interval, radius]).toEqual([null, null]);
    expect(abstention).toContain('reaches less than 0.0001');
  });

  it('stops when its samples are used up, and claims only what passed', async () => {
    const { interval, slices, spent } = await run(sweepSetting(cliff(12), { maxSamples: 200 }));
    const passed = slices.filter((slice) => slice.passed);
    if (interval) {
      const inside = (gamma: number) =>
        passed.some(({ lower, upper }) => (lower[0] ?? 0) <= gamma && gamma <= (upper[0] ?? 0));
      for (let gamma = interval.lower[0] ?? 0; gamma <= (interval.upper[0] ?? 0); gamma += 0.01) {
        expect(inside(gamma)).toBe(true);
      }
    }
    expect(spent.samples).toBeLessThanOrEqual(200);
  });

  it('never takes more samples than it was given, whatever for', async () => {
    const budgets = fc.record({
      maxSamples: fc.integer({ min: 144, max: 6000 }),
      edge: fc.double({ min: 0.1, max: 25, noNaN: true }),
      transform: fc.constantFrom('rotation' as const, 'translation' as const),
      nEps: fc.integer({ min: 24, max: 2000 }),
      seed: fc.nat(),
    });
    let [searched, exhausted] = [0, 0];
    const check = async ({
      maxSamples,
      edge,
      transform,
      nEps,
      seed,
    }: typeof budgets extends fc.Arbitrary<infer T> ? T : never) => {
      const world = {
        speed: SPEED,
        margin: (at: readonly number[]) => cliff(edge).margin([Math.max(...at.map(Math.abs))]),
      };
      const setting = sweepSetting(world, { maxSamples, nEps, seed }, { transform });
      const { spent, slices, choice, breaks } = await run(setting);
      expect(spent.samples).toBeLessThanOrEqual(maxSamples);
      expect(spent.samples).toBeGreaterThanOrEqual(
        choice.samples + slices.reduce((sum, { n }) => sum + n, 0),
      );
      if (breaks.length > 0) searched += 1;
      if (spent.samples > maxSamples - 8) exhausted += 1;
    };
    await fc.assert(fc.asyncProperty(budgets, check), { numRuns: 150 });
    // It is not by taking next to none.
    expect(searched).toBeGreaterThan(10);
    expect(exhausted).toBeGreaterThan(10);
  });

  it('keeps samples for the search at its ends, as long as that is no large part of all', async () => {
    const ends = async (maxSamples: number) => {
      // Never decided beyond 5 degrees: slices take whatever they are given.
      const margin = ([gamma = 0]: readonly number[]) =>
        Math.max(0.05, Math.min(4, (5 - Math.abs(gamma)) * 0.2));
      const { breaks, spent } = await run(sweepSetting({ speed: SPEED, margin }, { maxSamples }));
      expect(spent.samples).toBeLessThanOrEqual(maxSamples);
      return [breaks.length, spent.samples > maxSamples - 1200];
    };
    // Two ends, 1,088 samples each at most.
    expect(await ends(4 * 2176)).toEqual([2, true]);
    expect(await ends(4 * 2176 - 1)).toEqual([0, true]);
  });

  it('looks for a counterexample only where samples are left for all of the search', async () => {
    const { context } = sweepSetting(cliff(9.3));
    const ends = [
      { lower: [9], upper: [9.5] },
      { lower: [-9.5], upper: [-9] },
    ];
    // 9 places of 64 samples each, and 512 that confirm.
    for (const [budget, count] of [
      [-5, 0],
      [1087, 0],
      [1088, 1],
      [2175, 1],
      [2176, 2],
    ] as const) {
      const request = { classIndex: 0, ends, rootWidths: [0.5], budget };
      const { breaks, samples } = await searchCounterexamples(context, imageOf(0), request);
      expect([budget, breaks.length]).toEqual([budget, count]);
      expect(samples).toBeLessThanOrEqual(Math.max(0, budget));
    }
  });

  it('certifies a square of translations, up to where the nearest corner of trouble lies', async () => {
    const speed = 0.4;
    const world: SweepWorld = {
      speed,
      margin: ([x = 0, y = 0]) => Math.min(4, ((1.2 - Math.max(x, -y)) * speed) / SIGMA),
    };
    const options = { transform: 'translation', range: 2 } as const;
    const { interval, radius, breaks } = await run(sweepSetting(world, { floor: 0.02 }, options));
    expect(interval?.upper[0]).toBe(interval?.upper[1]);
    expect(interval?.lower[0]).toBe(-(interval?.upper[0] ?? 0));
    expect(radius).toBeLessThanOrEqual(1.2);
    expect(radius).toBeGreaterThan(0.8);
    expect(breaks[0]?.kind).toBe('wrong');
  });

  it('gives the same bytes whatever the batch', async () => {
    const one = await run(sweepSetting(cliff(9.3)));
    const other = await run(sweepSetting(cliff(9.3), {}, { capacity: 17 }));
    const lasting = ({ slices, interval, breaks, spent }: typeof one) =>
      JSON.stringify([slices, interval, breaks, spent.samples]);
    expect(lasting(other)).toBe(lasting(one));
  });

  it('samples each slice at its own centre with its own noise, apart from the choice', async () => {
    const setting = sweepSetting(cliff(9.3));
    setting.engine.recording = true;
    const { slices } = await run(setting);
    const words = new Map<number, string>();
    for (const { beta, word } of setting.engine.drawn) {
      const at = beta.join();
      expect(words.get(word) ?? at).toBe(at);
      words.set(word, at);
    }
    const centers = slices.map((slice) => centerOf(slice).join());
    // One word for the choice, one for each slice, and those of the search for a counterexample.
    const purposes = new Set([...words.keys()].map((word) => word >>> 24));
    expect(purposes).toEqual(new Set([10, 11, 12, 13]));
    const sampled = [...words].filter(([word]) => word >>> 24 === 11).map(([, at]) => at);
    expect(sampled.sort()).toEqual(centers.sort());
  });

  it('spends no more than alpha', async () => {
    const { ledger } = await run(sweepSetting(cliff(9.3)));
    const { spent, total } = ledger.toJSON();
    expect(spent.alphaSweep).toBeLessThanOrEqual(total);
    expect(spent.alphaSweep).toBeGreaterThan(0);
  });

  it('starts no slice when h’s class has not even half of the samples', async () => {
    const setting = sweepSetting({ speed: SPEED, margin: () => -0.5 });
    // Class 1 rules, and it is class 1 that is certified: which class is right is not sweep's question.
    const { choice, interval } = await run(setting);
    expect(choice.classIndex).toBe(1);
    expect(interval).not.toBeNull();
  });
});

/** Is this many wrong ones too many to be chance at this level? */
const isTooMany = (wrong: number, count: number, alpha: number) =>
  logUpperTail(wrong, count, alpha).log < Math.log(1e-6);

/** Wrong: the interval goes beyond the edge. */
async function countWrong(runs: number, options: SweepSettingOptions = {}) {
  let wrong = 0;
  let certified = 0;
  for (let index = 0; index < runs; index++) {
    // The edge lies anywhere inside a slice: the golden ratio scatters it evenly.
    const edge = 4 + 10 * ((index * 0.6180339887498949) % 1);
    const { interval } = await run(
      sweepSetting(cliff(edge), { seed: index, nEps: 512, floor: 0.5 }, options),
      index,
    );
    if (!interval) continue;
    certified += 1;
    if ((interval.upper[0] ?? 0) > edge || -(interval.lower[0] ?? 0) > edge) wrong += 1;
  }
  return { wrong, certified };
}

/** Tests whether the class has most samples, and forgets how far the slice reaches. */
class ForgetfulSampler extends Sampler {
  override testPoints(image: SampledImage, request: PointRequest) {
    const points = request.points.map((point) => ({
      ...point,
      decide: (k: number, n: number) =>
        n < 64 ? ('open' as const) : k > 0.5 * n ? ('accept' as const) : ('give-up' as const),
    }));
    return super.testPoints(image, { ...request, points });
  }
}

describe('in a world whose truth is known, the edge inside a slice', () => {
  it('sweep is wrong no more often than its confidence allows, 5,000 times at 0.95', async () => {
    const { wrong, certified } = await countWrong(5000);
    expect(certified).toBeGreaterThan(4900);
    expect(isTooMany(wrong, 5000, 0.05)).toBe(false);
  });

  it('nor where the edge is the very end of a slice, at a confidence of 0.2; and there it does happen', async () => {
    // So wide that h is sure at the image itself: the roots then follow from the plan alone.
    const [plan, options] = [{ nEps: 512, floor: 0.5, confidence: 0.2 }, { range: 40 }];
    const { roots } = await run(sweepSetting(SURE, plan, options));
    const edge = 40 - (2 * 80) / (roots?.[0] ?? 1);
    let wrong = 0;
    for (let seed = 0; seed < 1500; seed++) {
      const { interval, roots: same } = await run(
        sweepSetting(cliff(edge), { ...plan, seed }, options),
        seed,
      );
      expect(same).toEqual(roots);
      if ((interval?.upper[0] ?? 0) > edge || -(interval?.lower[0] ?? 0) > edge) wrong += 1;
    }
    expect(isTooMany(wrong, 1500, 0.8)).toBe(false);
    expect(wrong).toBeGreaterThan(15);
  });

  it.each<[string, SweepSettingOptions]>([
    ['bounds that are far too small', { honesty: 0.2 }],
    ['tests that forget M', { sampler: (engine) => new ForgetfulSampler(engine) }],
  ])('the same check notices %s', async (_, options) => {
    const { wrong } = await countWrong(300, options);
    expect(isTooMany(wrong, 300, 0.05)).toBe(true);
  });
});
