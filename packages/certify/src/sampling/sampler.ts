/**
 * What a method asks about h, and the answers, in counts: which class does h give at each T_β x, and is its radius
 * above E? Not for choosing β or spending confidence: methods do that.
 */
import { badInput } from '@turnproof/core';
import type { Parameter } from '@turnproof/shaders';
import { fixedThreshold, innerThresholds } from '../statistics/index.ts';
import type { SampleAudit } from './audit.ts';
import type { Engine } from './engine.ts';
import { type Job, runJob, type Tally } from './schedule.ts';
import { counterWord, type Purpose } from './streams.ts';

/**
 * Samples of a β between two looks of the sequential test. Few enough that an easy β is not oversampled, enough that
 * a batch is not chopped into crumbs. Certificates depend on it, so they name it.
 */
export const LOOK = 32;

export interface SampledImage {
  /** Its number in the data set: the first word of its counters. */
  readonly index: number;
  /** [channels, height, width] in [0, 1]. */
  readonly pixels: Float32Array<ArrayBuffer>;
}

export interface CountRequest {
  readonly betas: readonly Parameter[];
  /** Purpose of the noise. */
  readonly noise: Purpose;
  readonly sigma: number;
  /** Samples of each β. */
  readonly samples: number;
}

export interface TestRequest {
  readonly betas: readonly Parameter[];
  /** Number of the first of them: the noise of β number i is that of counter i, however β are grouped. */
  readonly firstBeta: number;
  readonly noise: Purpose;
  readonly sigma: number;
  /** Is the share of this class ... */
  readonly classIndex: number;
  /** ... above this, which is on its safe side (rounded up) ... */
  readonly p0: number;
  /** ... with at most this probability of a wrong yes, for each β? */
  readonly alpha: number;
  readonly kind: 'sequential' | 'fixed';
  /** Most samples of each β (sequential), or their number (fixed). */
  readonly nEps: number;
  readonly onProgress?: (done: number) => void;
}

/** One point of parameter space with a test of its own. */
export interface TestedPoint {
  /** Degrees, or [dx, dy] in pixels. */
  readonly gamma: Parameter;
  /** Its number among the purpose's counters. */
  readonly number: number;
  /** Asked at each look with k successes of n. */
  readonly decide: (k: number, n: number) => 'accept' | 'give-up' | 'open';
}

export interface PointRequest {
  readonly points: readonly TestedPoint[];
  readonly noise: Purpose;
  readonly sigma: number;
  readonly classIndex: number;
  /** Most samples of a point. */
  readonly cap: number;
  /** Samples between two looks. */
  readonly look: number;
  readonly onProgress?: (done: number) => void;
}

/** k of n samples had the class, and what that decided. */
export interface InnerResult {
  readonly k: number;
  readonly n: number;
  readonly accepted: boolean;
}

export type NumberedJob = Omit<Job, 'image' | 'wordOf' | 'spotter'> & {
  /** Purpose of the noise. */
  readonly noise: Purpose;
  /** Number of β number i among the purpose's counters. */
  readonly numberOf: (beta: number) => number;
};

export class Sampler {
  readonly classes: number;
  /** Samples that the classifier gets at once. */
  readonly batch: number;
  readonly #engine: Engine;
  readonly #audit: SampleAudit | undefined;
  #evaluated = 0;

  /** @param audit of the one image that is asked about */
  constructor(engine: Engine, audit?: SampleAudit) {
    this.#engine = engine;
    this.#audit = audit;
    this.classes = engine.classes;
    this.batch = engine.capacity;
  }

  /** Images that the classifier has seen so far, those drawn beyond a decision included. */
  get evaluated(): number {
    return this.#evaluated;
  }

  /** Class counts `[betas, classes]` of a fixed number of samples of each β. */
  async countClasses(image: SampledImage, request: CountRequest): Promise<Uint32Array<ArrayBuffer>> {
    const { betas, noise, sigma, samples } = request;
    const { counts } = await this.#run(image, {
      ...{ betas, noise, sigma },
      numberOf: (beta) => beta,
      cap: samples,
      look: samples,
      decided: () => true,
    });
    return counts;
  }

  /**
   * For each β: does h answer the class with a radius above E, where p0 = Φ(E / σ_ε)?
   *
   * For each β whose class share is at most p0, «accepted» has probability at most alpha; so with probability at
   * least 1 - alpha · (number of β) every accepted one is right (union bound).
   */
  testClass(image: SampledImage, request: TestRequest): Promise<InnerResult[]> {
    const { betas, firstBeta, noise, sigma, classIndex, nEps, onProgress } = request;
    const decide = decisionRule(request);
    return this.testPoints(image, {
      points: betas.map((gamma, i) => ({ gamma, number: firstBeta + i, decide })),
      noise,
      sigma,
      classIndex,
      cap: nEps,
      look: request.kind === 'fixed' ? nEps : LOOK,
      ...(onProgress ? { onProgress } : {}),
    });
  }

  /** For each point: its own test of the class's share, as far as its decisions go. */
  async testPoints(image: SampledImage, request: PointRequest): Promise<InnerResult[]> {
    const { points, noise, sigma, classIndex, cap, look, onProgress } = request;
    if (!(Number.isInteger(classIndex) && classIndex >= 0 && classIndex < this.classes)) {
      throw badInput(`class ${classIndex} is none of the model's ${this.classes}`);
    }
    const accepted = new Uint8Array(points.length);
    const { classes } = this;
    const { counts, trials } = await this.#run(image, {
      betas: points.map(({ gamma }) => gamma),
      numberOf: (i) => points[i]?.number ?? Number.NaN,
      ...{ noise, sigma, cap, look },
      decided: (i, n, counted, at) => {
        const decision = points[i]?.decide(counted[at + classIndex] ?? 0, n);
        if (decision === 'accept') accepted[i] = 1;
        return decision !== 'open';
      },
      ...(onProgress ? { onProgress } : {}),
    });
    return points.map((_, i) => ({
      k: counts[i * classes + classIndex] ?? 0,
      n: trials[i] ?? 0,
      accepted: accepted[i] === 1,
    }));
  }

  /** One job on the engine, some of its samples audited. */
  async #run({ index, pixels }: SampledImage, numbered: NumberedJob): Promise<Tally> {
    const { noise, numberOf, ...job } = numbered;
    const spotter = this.#audit?.spotter(index, numbered);
    const tally = await runJob(this.#engine, pixels, {
      ...job,
      image: index,
      wordOf: (beta) => counterWord(noise, numberOf(beta)),
      ...(spotter ? { spotter } : {}),
    });
    this.#evaluated += tally.evaluated;
    return tally;
  }
}

/** What k successes of n decide, for either kind of inner test. Verification asks the same. */
export function decisionRule({
  kind,
  p0,
  alpha,
  nEps,
}: Pick<TestRequest, 'kind' | 'p0' | 'alpha' | 'nEps'>): (
  k: number,
  n: number,
) => 'accept' | 'give-up' | 'open' {
  if (kind === 'sequential') {
    const thresholds = innerThresholds({ p0, alpha, maxN: nEps });
    return (k, n) => thresholds.decide(k, n);
  }
  const threshold = fixedThreshold({ p0, alpha, n: nEps });
  return (k, n) => {
    if (n < nEps) return 'open';
    return k >= threshold ? 'accept' : 'give-up';
  };
}
