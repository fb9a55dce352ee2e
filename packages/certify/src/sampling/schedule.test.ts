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
      { numRuns: 150 },
    );
  });

  it('numbers the samples of a β 0, 1, 2, ... under its own counter word, each drawn once from its own image', async () => {
    const engine = simulated({ capacity: 23, slots: 5 });
    const { evaluated } = await runJob(engine, NO_PIXELS, jobOf(40));
    // Batches that were drawn ahead and turned out not to be needed never reach the classifier.
    expect(engine.drawn.length - evaluated).toBeLessThan(engine.lanes * 23);
    expect(engine.drawn.length).toBeGreaterThanOrEqual(evaluated);
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

  it('is broken off where more answers are counted than samples were drawn', async () => {
    const engine = simulated({ capacity: 32 });
    const { begin } = engine;
    let faulty = false;
    engine.begin = () => {
      const run = begin.call(engine);
      return {
        ...run,
        count: async (lane) => {
          const counted = await run.count(lane);
          if (faulty) counted.counts[1] = (counted.counts[1] ?? 0) + 1;
          return counted;
        },
      };
    };
    await runJob(engine, NO_PIXELS, jobOf(3));
    faulty = true;
    await expect(runJob(engine, NO_PIXELS, jobOf(3))).rejects.toMatchObject({
      code: 'parity',
      message: '11 answers were counted of 10 samples',
    });
  });
});

describe('jobs that run at the same time', () => {
  const pixelsOf = (image: number) => Float32Array.of(image);
  const jobs = fc.array(
    fc.record({
      betas: fc.integer({ min: 1, max: 30 }),
      cap: fc.integer({ min: 1, max: 60 }),
      look: fc.integer({ min: 1, max: 40 }),
      sigma: fc.constantFrom(0, 0.5),
      /** Turns of the event loop before it is handed over. */
      delay: fc.integer({ min: 0, max: 12 }),
    }),
    { minLength: 2, maxLength: 6 },
  );

  it('each get what they would get alone, whoever else runs, from their own image', async () => {
    await fc.assert(
      fc.asyncProperty(machines, jobs, async (machine, specs) => {
        const engine = simulated(machine);
        const run = async ({ betas, delay, ...rest }: (typeof specs)[number], image: number) => {
          for (let i = 0; i < delay; i++) await Promise.resolve();
          const job = jobOf(betas, { ...rest, image, decided: upTo(Math.ceil(rest.cap / 3)) });
          return { job, tally: await runJob(engine, pixelsOf(image), job) };
        };
        const results = await Promise.all(specs.map(run));
        for (const { job, tally } of results) {
          job.betas.forEach((_, beta) => {
            const { successes, n } = alone(job, beta);
            expect([tally.trials[beta], tally.counts[2 * beta]]).toEqual([n, successes]);
          });
        }
        for (const { pixels, image } of engine.drawn) expect(pixels[0]).toBe(image);
        expect(engine.ended).toBe(engine.begun);
      }),
      { numRuns: 150 },
    );
  });

  it('fill the batches that one of them leaves half empty', async () => {
    const few = (image: number) => jobOf(3, { image, cap: 400, look: 10, decided: () => false });
    const shareFilled = async (images: number) => {
      const engine = simulated({ capacity: 64, fill: 64, counting: 2 });
      // Nothing is drawn ahead of a look: what is not filled by others stays empty.
      Object.defineProperty(engine, 'fill', { value: 1 });
      await Promise.all(
        Array.from({ length: images }, (_, image) => runJob(engine, pixelsOf(image), few(image))),
      );
      return engine.batches.reduce((sum, n) => sum + n, 0) / (64 * engine.batches.length);
    };
    expect(await shareFilled(1)).toBeLessThan(0.5);
    expect(await shareFilled(12)).toBeGreaterThan(0.9);
  });

  it('never share a batch where their noise differs', async () => {
    const engine = simulated({ capacity: 64 });
    const job = (image: number, sigma: number) => jobOf(5, { image, sigma, decided: () => false });
    await Promise.all([0, 1, 2].map((image) => runJob(engine, pixelsOf(image), job(image, image / 2))));
    expect(engine.sigmas.length).toBe(engine.batches.length);
    let at = 0;
    engine.batches.forEach((samples, batch) => {
      const images = new Set(engine.drawn.slice(at, at + samples).map(({ image }) => image / 2));
      expect([...images]).toEqual([engine.sigmas[batch]]);
      at += samples;
    });
  });

  it('all fail with the classifier, give everything back, and leave the engine usable', async () => {
    const engine = simulated({ counting: 2 });
    engine.failAfter = 3;
    const settled = await Promise.allSettled(
      [0, 1, 2].map((image) => runJob(engine, pixelsOf(image), jobOf(200, { image }))),
    );
    expect(settled.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect([engine.begun, engine.ended]).toEqual([1, 1]);
    engine.failAfter = Number.POSITIVE_INFINITY;
    const { trials } = await runJob(engine, pixelsOf(0), jobOf(4));
    expect(trials.every((n) => n > 0)).toBe(true);
    expect([engine.begun, engine.ended]).toEqual([2, 2]);
  });

  it('end as soon as they are done, the oldest first', async () => {
    const engine = simulated({ capacity: 16 });
    const ended: number[] = [];
    const run = (image: number) =>
      runJob(engine, pixelsOf(image), jobOf(40, { image, cap: 50 })).then(() => ended.push(image));
    await Promise.all([4, 3, 2, 1].map(run));
    expect(ended).toEqual([4, 3, 2, 1]);
  });
});
