import type { Parameter } from '@turnproof/shaders';
import { describe, expect, it } from 'vitest';
import type { Classifier } from '../classifier/index.ts';
import { AUDIT_EVERY, SampleAudit, SampleMismatch } from './audit.ts';
import { Sampler } from './sampler.ts';
import {
  type Answer,
  SimulatedEngine,
  type SimulationOptions,
  shareOf,
  uniformOf,
} from './simulated-engine.test-support.ts';
import type { Purpose } from './streams.ts';

const KEY = [5, 6] as const;
const IMAGE = (index: number) => ({ index, pixels: new Float32Array(0) });
const truth = shareOf(([beta = 0]) => 0.4 + 0.01 * (beta % 30));

/** What a sound classifier answers to the simulated engine's noisy images, which are their own counters. */
function referenceOf(answer: Answer, seen: string[] = []): Classifier {
  return {
    provider: 'wasm',
    classes: 2,
    logits: async (noisy: Float32Array<ArrayBuffer>, batch: number) => {
      expect([noisy.length, batch]).toEqual([4, 1]);
      const [image = 0, word = 0, sample = 0, beta = 0] = new Uint32Array(noisy.buffer);
      seen.push(`${image} ${word} ${sample}`);
      const got = answer([beta], image, word, sample);
      return Float32Array.of(...[0, 1].map((c) => (c === got ? 3 : 1)));
    },
  } as unknown as Classifier;
}

const auditOf = (answer: Answer = truth, seen: string[] = []) => {
  const reference = referenceOf(answer, seen);
  return new SampleAudit({ key: KEY, classifier: reference, reference });
};

function machine(answer: Answer, options: Partial<SimulationOptions> = {}): SimulatedEngine {
  const capacity = options.capacity ?? 64;
  const fill = Math.min(options.fill ?? capacity, capacity);
  return new SimulatedEngine({ answer, ...options, capacity, fill });
}

const betas = (count: number): Parameter[] => Array.from({ length: count }, (_, i) => [i]);
const request = (count: number, samples: number, noise: Purpose = 'noise') =>
  ({ betas: betas(count), noise, sigma: 1, samples }) as const;

describe('the samples that are audited', () => {
  const spotter = () =>
    auditOf().spotter(3, { noise: 'noise', numberOf: (beta) => beta, look: 32, cap: 4000 });

  it.each([1, 30, 700, 2300])(
    'are one in a thousand of β of %i samples, none likelier than another',
    (length) => {
      const { wanted } = spotter();
      const count = Math.ceil(2e6 / length / (length < 30 ? 10 : 1));
      const places = new Array<number>(4).fill(0);
      for (let beta = 0; beta < count; beta++) {
        for (const sample of wanted(beta, 0, length)) {
          const place = Math.floor((4 * sample) / length);
          places[place] = (places[place] ?? 0) + 1;
        }
      }
      const each = (count * length) / AUDIT_EVERY / (length === 1 ? 1 : 4);
      // Five deviations.
      for (const place of length === 1 ? places.slice(0, 1) : places)
        expect(Math.abs(place - each)).toBeLessThan(5 * Math.sqrt(each));
    },
  );

  it('are the same, however a β is cut into segments', () => {
    const { wanted } = spotter();
    const whole = spotter().wanted;
    for (let beta = 0; beta < 100; beta++) {
      const cut: number[] = [];
      for (let first = 0; first < 4000; first += 7)
        cut.push(...wanted(beta, first, Math.min(7, 4000 - first)));
      expect(cut.length).toBe(4);
      expect(cut).toEqual(whole(beta, 0, 4000));
    }
  });

  it('are counted ones, the same whatever batch, lanes and company', async () => {
    const wants: string[][] = [];
    for (const [capacity, lanes, others] of [
      [64, 1, 0],
      [7, 3, 0],
      [200, 2, 3],
    ] as const) {
      const seen: string[] = [];
      const engine = machine(truth, { capacity, lanes, counting: lanes, slots: 20 });
      const audit = auditOf(truth, seen);
      const test = {
        firstBeta: 0,
        classIndex: 0,
        p0: 0.5,
        alpha: 0.01,
        kind: 'sequential',
        nEps: 3000,
      } as const;
      const { samples: _, ...asked } = request(30, 0);
      const [results] = await Promise.all([
        audit.covering(() => new Sampler(engine, audit).testClass(IMAGE(9), { ...asked, ...test })),
        ...Array.from({ length: others }, (_, i) =>
          new Sampler(engine, auditOf()).countClasses(IMAGE(i), request(50, 40)),
        ),
      ]);
      expect(seen.length).toBe(audit.audited);
      expect(seen.length).toBeGreaterThan(8);
      // Not what was drawn beyond a decision.
      for (const name of seen) {
        const [image = -1, word = -1, sample = -1] = name.split(' ').map(Number);
        expect(image).toBe(9);
        expect(sample).toBeLessThan(results[word]?.n ?? 0);
      }
      wants.push(seen.toSorted());
    }
    expect(wants[1]).toEqual(wants[0]);
    expect(wants[2]).toEqual(wants[0]);
  });

  it('are one of each kind of noise at least, however few are drawn', async () => {
    const seen: string[] = [];
    const audit = auditOf(truth, seen);
    const sampler = new Sampler(machine(truth), audit);
    await audit.covering(async () => {
      await sampler.countClasses(IMAGE(1), request(3, 5, 'sweepChoose'));
      await sampler.countClasses(IMAGE(1), request(1, 1, 'noise'));
      await sampler.countClasses(IMAGE(1), request(1, 1, 'noise'));
    });
    expect(seen.map((name) => Number(name.split(' ')[1]) >>> 24).toSorted()).toEqual([0, 10]);
  });

  it('leave the counts alone', async () => {
    const counted = (audit?: SampleAudit) =>
      new Sampler(machine(truth), audit).countClasses(IMAGE(4), request(40, 700));
    const audit = auditOf();
    expect(await audit.covering(() => counted(audit))).toEqual(await counted());
    expect(audit.audited).toBeGreaterThan(10);
  });
});

describe('an audit', () => {
  /** Every so manieth sample is counted for the other class. */
  const faulty =
    (one: number): Answer =>
    (beta, image, word, sample) => {
      const answer = truth(beta, image, word, sample);
      return uniformOf(image + 7777, word, sample) < 1 / one ? 1 - answer : answer;
    };

  it('ends the image in which it finds a sample of the wrong class', async () => {
    const audit = auditOf();
    const work = () => new Sampler(machine(faulty(1)), audit).countClasses(IMAGE(12), request(1, 1));
    await expect(audit.covering(work)).rejects.toBeInstanceOf(SampleMismatch);
    await expect(audit.covering(work)).rejects.toMatchObject({
      code: 'parity',
      image: 12,
      message: expect.stringMatching(
        /image 12 was counted for class [01] .* gives the logits [13]\.000, [13]\.000; image 12 is not/,
      ),
    });
  });

  it('is heard of, though the work fails as well', async () => {
    const audit = auditOf();
    const work = async () => {
      await new Sampler(machine(faulty(1)), audit).countClasses(IMAGE(12), request(1, 1));
      throw new Error('the device is lost');
    };
    await expect(audit.covering(work)).rejects.toBeInstanceOf(SampleMismatch);
    const sound = auditOf();
    const failing = sound.covering(async () => {
      throw new Error('the device is lost');
    });
    await expect(failing).rejects.toThrow('the device is lost');
  });

  it('finds a fault of 1 in m samples in 1 - (1 - 1/m)^a of the images, a of their samples being audited', async () => {
    for (const m of [4, 20, 60]) {
      const engine = machine(faulty(m), { capacity: 512 });
      let [caught, expected, variance] = [0, 0, 0];
      for (let image = 0; image < 250; image++) {
        const audit = auditOf();
        const work = () => new Sampler(engine, audit).countClasses(IMAGE(image), request(20, 200));
        await audit.covering(work).catch((error: unknown) => {
          expect(error).toBeInstanceOf(SampleMismatch);
          caught += 1;
        });
        const sound = auditOf();
        await sound.covering(() =>
          new Sampler(machine(truth, { capacity: 512 }), sound).countClasses(IMAGE(image), request(20, 200)),
        );
        const p = 1 - (1 - 1 / m) ** sound.audited;
        expected += p;
        variance += p * (1 - p);
      }
      expect(Math.abs(caught - expected)).toBeLessThan(4 * Math.sqrt(variance));
    }
  });
});
