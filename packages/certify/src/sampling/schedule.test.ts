import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Job, runJob } from './schedule.ts';
import { SimulatedEngine, type SimulationOptions, shareOf } from './simulated-engine.test-support.ts';

const NO_PIXELS = new Float32Array(0);
const WORD = 1000;

/** Ends a β when it has so many answers of class 0. */
const upTo = (successes: number) => (_beta: number, _n: number, counts: Uint32Array, at: number) =>
  (counts[at] ?? 0) >= successes;

function jobOf(betas: number, rest: Partial<Job> = {}): Job {
  return {
    image: 7,
    betas: Array.from({ length: betas }, (_, i) => [i]),
    wordOf: (beta) => WORD + beta,
    sigma: 1,
    cap: 100,
    look: 10,
    decided: upTo(30),
    ...rest,
  };
}

const shares = shareOf(([beta = 0]) => 0.2 + 0.07 * (beta % 11));

const machines = fc.record({
  capacity: fc.integer({ min: 1, max: 70 }),
  slots: fc.integer({ min: 2, max: 40 }),
  lanes: fc.integer({ min: 1, max: 3 }),
  counting: fc.integer({ min: 1, max: 3 }),
  fill: fc.integer({ min: 1, max: 70 }),
});

function simulated(options: Partial<SimulationOptions>) {
  const capacity = options.capacity ?? 64;
  const engine = new SimulatedEngine({
    answer: shares,
    ...options,
    fill: Math.min(options.fill ?? capacity, capacity),
  });
  engine.recording = true;
  return engine;
}

/** What one β's test gives, drawn one sample at a time, looked at every `look` samples. */
function alone(job: Job, beta: number): { successes: number; n: number } {
  const parameter = job.betas[beta] ?? [];
  let successes = 0;
  for (let n = 1; n <= job.cap; n++) {
    if (shares(parameter, job.image, job.wordOf(beta), n - 1) === 0) successes += 1;
    const looked = n % job.look === 0 || n === job.cap;
    const counts = Uint32Array.of(successes, n - successes);
    if ((looked && job.decided(beta, n, counts, 0)) || n === job.cap) return { successes, n };
  }
  return { successes, n: 0 };
}

describe('the stream of batches', () => {
  it('gives each β what it would get alone, whatever batch, slots and lanes', async () => {
    await fc.assert(
      fc.asyncProperty(
        machines,
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 1, max: 90 }),
        fc.integer({ min: 1, max: 40 }),
        async (machine, betas, cap, look) => {
          const job = jobOf(betas, { cap, look, decided: upTo(Math.ceil(cap / 3)) });
          const { counts, trials } = await runJob(simulated(machine), NO_PIXELS, job);
          for (let beta = 0; beta < betas; beta++) {
            const { successes, n } = alone(job, beta);
            expect([trials[beta], counts[2 * beta], counts[2 * beta + 1]]).toEqual([
              n,
              successes,
              n - successes,
            ]);
          }
        },
      ),
      { numRuns: 150, seed: 3 },
    );
  });

  it('numbers the samples of a β 0, 1, 2, ... under its own counter word, each drawn once from its own image', async () => {
    const engine = simulated({ capacity: 23, slots: 5 });
    const { evaluated } = await runJob(engine, NO_PIXELS, jobOf(40));
    expect(engine.drawn.length).toBe(evaluated);
    const next = new Map<number, number>();
    for (const { beta, image, word, sample } of engine.drawn) {
      expect([image, word - WORD]).toEqual([7, beta[0]]);
      expect(sample).toBe(next.get(word) ?? 0);
      next.set(word, sample + 1);
    }
    expect(next.size).toBe(40);
  });

  it('fills every batch while enough β are open', async () => {
    const engine = simulated({ capacity: 64, fill: 64 });
    await runJob(engine, NO_PIXELS, jobOf(100, { cap: 40, decided: () => false }));
    const last = engine.batches.length - 1;
    expect(engine.batches.slice(0, last)).toEqual(new Array(last).fill(64));
  });

  it('gives the place of a decided β to others: little is drawn that is not counted', async () => {
    const engine = simulated({ capacity: 64, fill: 16 });
    const job = jobOf(200, { cap: 2000, look: 16 });
    const { trials, evaluated } = await runJob(engine, NO_PIXELS, job);
    const counted = trials.reduce((sum, n) => sum + n, 0);
    expect(evaluated).toBeGreaterThanOrEqual(counted);
    expect(evaluated - counted).toBeLessThan(0.02 * counted);
  });

  it('draws nothing of a β after its decision was fed back', async () => {
    const engine = simulated({ capacity: 10, lanes: 1, fill: 1 });
    const ends = new Map<number, number>();
    const decided = (beta: number, n: number) => {
      ends.set(WORD + beta, n);
      return true;
    };
    await runJob(engine, NO_PIXELS, jobOf(30, { decided }));
    for (const { word, sample } of engine.drawn) expect(sample).toBeLessThan(ends.get(word) ?? 0);
    expect(new Set(ends.values())).toEqual(new Set([10]));
  });

  it('a sample without a class is counted as a trial of no class', async () => {
    const engine = simulated({ classes: 3, answer: (_beta, _image, _word, sample) => (sample % 2 ? 2 : -1) });
    const { counts, trials } = await runJob(engine, NO_PIXELS, jobOf(2, { decided: () => false }));
    expect([...counts]).toEqual([0, 0, 50, 0, 0, 50]);
    expect([...trials]).toEqual([100, 100]);
  });

  it('ends the run when the classifier fails, and passes the failure on', async () => {
    const engine = simulated({ counting: 2 });
    engine.failAfter = 3;
    await expect(runJob(engine, NO_PIXELS, jobOf(200))).rejects.toThrow('the classifier failed');
    expect([engine.begun, engine.ended]).toEqual([1, 1]);
  });

  it('refuses a job without samples', async () => {
    await expect(runJob(simulated({}), NO_PIXELS, jobOf(1, { cap: 0 }))).rejects.toThrow('a cap of 0');
  });
});
