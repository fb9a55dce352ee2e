/**
 * One image's sweep, wave by wave: which slices are tested next, what their tests decide, what follows from that. What
 * it proves and why is sweep.ts's affair.
 */
import type { ParameterBox } from '@turnproof/shaders';
import { SWEEP_LOOK, sweepLimits } from '../plan.ts';
import type { SampledImage, TestedPoint } from '../sampling/index.ts';
import { addUp, innerThresholds, shareNeededFor } from '../statistics/index.ts';
import type { SliceTest, SweepContext, SweepOutcome } from './method.ts';
import type { StageClock } from './stage.ts';
import {
  bestSplit,
  expectedSamples,
  hopefulShare,
  isWithinReach,
  type SliceOutlook,
  type SweepTerms,
} from './sweep-cost.ts';
import {
  alphaOf,
  alphaOfDepth,
  boxOf,
  centerOf,
  descendants,
  distanceFromZero,
  isBeyond,
  MAX_DEPTH,
  nodeNumber,
  obstaclesAt,
  type Reach,
  reachWithout,
  rootCount,
  type SweepGrid,
  type SweepNode,
} from './sweep-tree.ts';

/** Slices tested together, those nearest to 0 first: enough to fill batches, few enough to stop soon after an end. */
const LARGEST_WAVE = 32;
/** Waves that what is left of an image's samples should be enough for, when each slice takes what is expected. */
const WAVES = 8;
/** Slices of a wave once one has failed: an end is near, and what lies beyond it would be tested in vain. */
const CAREFUL_WAVE = 4;
/** Before a slice has so many samples, its share is not worth an opinion about splitting it. */
const LEAST_OPINION = 64;

type Bounded = Omit<SliceTest, 'k' | 'n' | 'passed'>;

export interface SweepMeans {
  readonly classIndex: number;
  /** That a slice takes, about. */
  readonly samplesEach: number;
  /** Samples of all slices together; they never take more. */
  readonly budget: number;
}

/** The state of one image's sweep, wave by wave. */
export class SweepSearch {
  readonly grid: SweepGrid;
  readonly slices: SliceTest[] = [];
  readonly #context: SweepContext;
  readonly #image: SampledImage;
  readonly #terms: SweepTerms;
  readonly #classIndex: number;
  readonly #limits: ReturnType<typeof sweepLimits>;
  #pending: SweepNode[];
  readonly #samplesEach: number;
  readonly #budget: number;
  #largestWave = LARGEST_WAVE;
  /** Slices given up, and centres that no slice could hold. */
  readonly #obstacles: ParameterBox[] = [];

  constructor(
    context: SweepContext,
    image: SampledImage,
    terms: SweepTerms,
    grid: SweepGrid,
    { classIndex, samplesEach, budget }: SweepMeans,
  ) {
    this.#context = context;
    this.#image = image;
    this.#terms = terms;
    this.grid = grid;
    this.#classIndex = classIndex;
    this.#limits = sweepLimits(context.plan, context.pipeline);
    this.#samplesEach = samplesEach;
    this.#budget = budget;
    const nodes = Array.from({ length: rootCount(grid) }, (_, root) => ({ root, path: '' }));
    this.#pending = nodes.sort((a, b) => this.#distance(a) - this.#distance(b) || a.root - b.root);
  }

  /** Of the slices tested so far. */
  get samples(): number {
    return this.slices.reduce((sum, { n }) => sum + n, 0);
  }

  get #left(): number {
    return this.#budget - this.samples;
  }

  /** Slices of the next wave: enough samples stay for as many waves as were wanted, and each slice has one look. */
  #affordable(): number {
    const expected = Math.max(2, Math.floor(this.#left / WAVES / this.#samplesEach));
    return Math.min(this.#largestWave, expected, Math.floor(this.#left / SWEEP_LOOK));
  }

  /** What is left when obstacles are left out; all of it is covered once there is nothing more to do. */
  get interval(): Reach | null {
    return reachWithout(this.grid, this.#obstacles);
  }

  /** The obstacles that the interval ends at. */
  get ends(): ParameterBox[] {
    return obstaclesAt(this.grid, this.interval, this.#obstacles);
  }

  get rootWidths(): number[] {
    return this.grid.roots.map((n) => (2 * this.grid.range) / n);
  }

  /** Tests the next slices outwards from 0; false when there is nothing left that matters. */
  async step(clock: StageClock, ledger: SweepOutcome['ledger']): Promise<boolean> {
    const { interval } = this;
    if (interval === null) return false;
    const useful = this.#pending.filter((node) => !isBeyond(interval, boxOf(this.grid, node)));
    if (useful.length === 0) return false;
    if (this.#left < SWEEP_LOOK) {
      for (const node of useful) this.#giveUp(node);
      return false;
    }
    const cutUp = useful.filter(({ path }) => path !== '');
    const wave = useful.filter((node) => !this.#waits(node, cutUp)).slice(0, this.#affordable());
    this.#pending = useful.filter((node) => !wave.includes(node));
    const bounded = await clock.bounding(() => this.#bound(wave));
    const tested = await clock.sampling(() => this.#test(bounded, ledger));
    const children = tested.flatMap((slice) => this.#learn(slice));
    this.#largestWave = tested.every(({ passed }) => passed) ? LARGEST_WAVE : CAREFUL_WAVE;
    // Inner ones first: they decide whether outer ones matter.
    this.#pending = [...children, ...this.#pending].sort((a, b) => this.#distance(a) - this.#distance(b));
    return true;
  }

  /** A root waits while a slice nearer to 0 on its side is cut up: that may end the interval before it. */
  #waits(node: SweepNode, cutUp: readonly SweepNode[]): boolean {
    if (node.path !== '') return false;
    const sideOf = (one: SweepNode) =>
      this.grid.transform === 'rotation' ? Math.sign(centerOf(boxOf(this.grid, one))[0] ?? 0) : 1;
    return cutUp.some((one) => this.#distance(one) < this.#distance(node) && sideOf(one) === sideOf(node));
  }

  #distance(node: SweepNode): number {
    return distanceFromZero(boxOf(this.grid, node));
  }

  async #bound(wave: readonly SweepNode[]): Promise<Bounded[]> {
    const { slices, extraError, noise, onProgress } = this.#context;
    onProgress?.({ image: this.#image.index, stage: 'bound-slices', ...this.#place(0, wave.length) });
    const boxes = wave.map((node) => boxOf(this.grid, node));
    const requests = boxes.map((box) => ({ image: 0, box, center: centerOf(box) }));
    const bounds = await slices.bound([this.#image.pixels], requests);
    return wave.map((node, i) => {
      const { box, center } = requests[i] ?? { box: boxOf(this.grid, node), center: [] };
      const M = bounds[i]?.bound ?? Number.POSITIVE_INFINITY;
      const E = addUp(M, extraError);
      // An error without end leaves nothing to test.
      const p0 = Number.isFinite(E) ? shareNeededFor(E, noise.sigma, noise.variation) : 1;
      const alpha = alphaOf(this.grid.transform, node.path.length, this.#terms.alpha);
      return { ...node, ...box, center, M, E, p0, alpha };
    });
  }

  async #test(wave: readonly Bounded[], ledger: SweepOutcome['ledger']): Promise<SliceTest[]> {
    const { sampler, noise, onProgress } = this.#context;
    const testable = wave.filter(({ p0 }) => p0 < 1);
    // What a depth costs is spent with its first slice.
    for (const depth of new Set(testable.map(({ path }) => path.length))) {
      if (this.slices.some(({ path }) => path.length === depth)) continue;
      ledger.spend('alphaSweep', alphaOfDepth(depth, this.#terms.alpha));
    }
    const points = testable.map(
      (node): TestedPoint => ({
        gamma: node.center,
        number: nodeNumber(this.grid, node),
        decide: this.#rule(node),
      }),
    );
    // In whole looks and the same for all: what each takes must not depend on when the others stop.
    const share = Math.floor(this.#left / points.length / SWEEP_LOOK) * SWEEP_LOOK;
    const results =
      points.length === 0
        ? []
        : await sampler.testPoints(this.#image, {
            points,
            noise: 'sweep',
            sigma: noise.sigma,
            classIndex: this.#classIndex,
            cap: Math.min(this.#limits.cap, share),
            look: SWEEP_LOOK,
            onProgress: (done) =>
              onProgress?.({ image: this.#image.index, stage: 'sample', ...this.#place(done, wave.length) }),
          });
    const tested = testable.map((node, i): SliceTest => {
      const { k = 0, n = 0, accepted = false } = results[i] ?? {};
      return { ...node, k, n, passed: accepted };
    });
    this.slices.push(...tested);
    const untested = wave.filter(({ p0 }) => !(p0 < 1));
    return [...tested, ...untested.map((node) => ({ ...node, k: 0, n: 0, passed: false }))];
  }

  /** For progress: slices tested so far, and those that are known to come. */
  #place(done: number, wave: number): { done: number; total: number } {
    return { done: this.slices.length + done, total: this.slices.length + wave + this.#pending.length };
  }

  /** Accepts by the sequential test alone; gives up by it, or when halving looks cheaper than asking on. */
  #rule(node: Bounded): TestedPoint['decide'] {
    const { p0, alpha } = node;
    const thresholds = innerThresholds({ p0, alpha, maxN: this.#limits.cap });
    const outlook = this.#outlook(node);
    return (k: number, n: number) => {
      const decision = thresholds.decide(k, n);
      if (decision !== 'open' || n < LEAST_OPINION) return decision;
      if (this.#isDoomed(outlook, k, n)) return 'give-up';
      const asking = expectedSamples(k / n, p0, alpha) - n;
      return bestSplit(this.#terms, outlook, k / n).cost < asking ? 'give-up' : 'open';
    };
  }

  #outlook(node: SweepNode & { readonly M: number }): SliceOutlook {
    const depth = node.path.length;
    return {
      M: node.M,
      levels: this.#levelsBelow(node),
      alphaAt: (level) => alphaOf(this.grid.transform, depth + level, this.#terms.alpha),
    };
  }

  /** Will neither this slice nor a part of it around the same centre pass, even if the class is luckier than it seems? */
  #isDoomed(outlook: SliceOutlook, k: number, n: number): boolean {
    return !isWithinReach(this.#terms, outlook, hopefulShare(k, n), this.#limits.cap);
  }

  /** How often the slice may be halved before it is narrower than the floor. */
  #levelsBelow(node: SweepNode): number {
    const { floor } = this.#limits;
    let levels = 0;
    for (let path = `${node.path}0`; path.length <= MAX_DEPTH; path += '0') {
      const { lower, upper } = boxOf(this.grid, { root: node.root, path });
      if (Math.max(...lower.map((a, axis) => (upper[axis] ?? a) - a)) < floor) break;
      levels += 1;
    }
    return levels;
  }

  /** What follows from a slice's test: nothing, smaller slices, or an end of the interval. */
  #learn(slice: SliceTest): SweepNode[] {
    if (slice.passed) return [];
    const { root, path, k, n } = slice;
    const node = { root, path };
    if (this.#levelsBelow(node) === 0) {
      this.#giveUp(node);
      return [];
    }
    if (n === 0) return descendants(node, 1);
    const outlook = this.#outlook(slice);
    if (this.#isDoomed(outlook, k, n)) {
      // No slice around this centre will pass: the interval cannot reach beyond it, but may come closer.
      const center = centerOf(boxOf(this.grid, node));
      this.#obstacles.push({ lower: center, upper: center });
      return descendants(node, 1);
    }
    return descendants(node, bestSplit(this.#terms, outlook, k / n).levels);
  }

  #giveUp(node: SweepNode): void {
    this.#obstacles.push(boxOf(this.grid, node));
  }
}
