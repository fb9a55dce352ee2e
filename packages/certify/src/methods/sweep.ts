/**
 * Sweep: the l2-smoothed classifier h itself, certified over the whole range slice by slice. Not g: nothing is averaged
 * over random transformations here, so no error of composing two of them comes in.
 */
import type { ParameterBox } from '@turnproof/shaders';
import { ledgerFor, SWEEP_LOOK, sweepLimits } from '../plan.ts';
import type { SampledImage, TestedPoint } from '../sampling/index.ts';
import { addUp, innerThresholds, shareNeededFor } from '../statistics/index.ts';
import { isHopeless, roundRadiusDown } from './claims.ts';
import { searchCounterexamples } from './counterexample.ts';
import type { ClassChoice, MethodContext, SliceTest, SweepContext, SweepOutcome } from './method.ts';
import { noiseOf, StageClock } from './stage.ts';
import {
  bestSplit,
  cautiousShare,
  chooseRoots,
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

/** Samples at the image as it is that choose the class, and tell how much noise it bears. */
export const SWEEP_CHOICE = 128;
/** Slices tested together, those nearest to 0 first: enough to fill batches, few enough to stop soon after an end. */
const LARGEST_WAVE = 32;
/** Waves that an image's samples should be enough for, when each slice takes what is expected. */
const WAVES = 8;
/** Slices of a wave once one has failed: an end is near, and what lies beyond it would be tested in vain. */
const CAREFUL_WAVE = 4;
/** Before a slice has so many samples, its share is not worth an opinion about splitting it. */
const LEAST_OPINION = 64;

/**
 * b: base classifier, pre: preprocessing, h(z) = argmax_c P(b(pre(z) + n) = c), n ~ N(0, σ_ε² I).
 *
 * **Theorem.** Let Γ's slices S_k with centres γ_k cover an interval (two axes: a square) around 0, and let
 * M_k >= max over γ in S_k of || pre(T_γ x) - pre(T_γk x) ||₂. If P(b(pre(T_γk x) + n) = c) > Φ(M_k / σ_ε) for each of
 * them, then h(T_γ x) = c for all γ in the interval: h's l2 radius at T_γk x exceeds M_k (Cohen, Rosenfeld, Kolter,
 * ICML 2019, theorem 1), and pre(T_γ x) lies within M_k of pre(T_γk x).
 *
 * With probability at least 1 - α, if this returns an interval, the claim holds:
 *   1. Samples at x choose the class c, and with the image's own speeds the number of slices. What they choose may be
 *      bad, never wrong: no later test uses them.
 *   2. M_k from the slice bounder, grown by the attacker's rounding and the sampler's own float32: E_k.
 *   3. Each slice has a sequential test (Ville) for P(b = c) > Φ(E_k / σ_ε) at its own centre with its own noise. Those
 *      of depth d in the tree have the level α w_d (rotation: half of it), Σ w_d < 1, however many there are.
 *   4. A slice that does not pass is halved (or cut more finely at once, where that looks cheaper) until a slice is
 *      narrower than the floor; then it is given up, and the interval ends before it.
 *
 * Why no level is divided by the number of slices: what may be claimed is nested, an end grows outwards from 0. Take one
 * end, B = {γ on its side: h(T_γ x) ≠ c}, γ* = inf |B|. A slice that meets B is one whose test must not pass. If γ* ∈ B,
 * a false claim holds γ*, so it covers points just before γ*, and a passed slice holds these and, being closed, γ*. If
 * not, a false claim reaches beyond γ*, and a passed slice holds points just behind γ*, B among them. Either way it is
 * one of the slices that hold a fixed small neighbourhood on a fixed side of γ*: one of each depth, each other's
 * ancestors. So a false claim has probability at most Σ_d α w_d at a single end; with two ends each gets half. A square
 * of translations grows as a whole, from inf ‖B‖_∞ on, and the same holds with the finest slice that touches B there.
 */
export async function certifySweep(context: SweepContext, image: SampledImage): Promise<SweepOutcome> {
  const { plan, pipeline } = context;
  const ledger = ledgerFor(plan);
  const clock = new StageClock();
  const choice = await clock.sampling(() => chooseAtRest(context, image, 'sweepChoose'));
  let search: Search | null = null;
  let extra = 0;
  const result = (rest: Partial<SweepOutcome>): SweepOutcome => ({
    method: 'sweep',
    ledger,
    choice,
    extraError: context.extraError,
    roots: search?.grid.roots ?? null,
    slices: search?.slices ?? [],
    interval: null,
    breaks: [],
    radius: null,
    abstention: null,
    ...rest,
    spent: clock.spent(choice.samples + (search?.samples ?? 0) + extra),
  });
  const { classIndex, votes } = choice;
  if (classIndex === null) return result({ abstention: 'no sample of the image had a class' });
  if (isHopeless(votes, choice.samples, 0.5)) {
    const words = `class ${classIndex}, the most frequent, came out of ${votes} of ${choice.samples} samples`;
    return result({ abstention: `${words} at the image itself; h needs more than half` });
  }
  const terms: SweepTerms = {
    transform: pipeline.transform,
    range: pipeline.range,
    sigmaEps: noiseOf(plan),
    extraError: context.extraError,
    alpha: ledger.granted('alphaSweep'),
  };
  const speeds = await clock.bounding(() => measureSpeeds(context, image));
  const { roots, samplesEach } = chooseRoots(terms, speeds, cautiousShare(votes, choice.samples));
  search = new Search(context, image, terms, { ...terms, roots }, classIndex, samplesEach);
  while (await search.step(clock, ledger)) {
    // Each step is one wave of slices.
  }
  const { interval, ends, rootWidths } = search;
  const found = await clock.sampling(() =>
    searchCounterexamples(context, image, { classIndex, ends, rootWidths }),
  );
  extra = found.samples;
  const { breaks } = found;
  const radius = interval === null ? 0 : roundRadiusDown(radiusOf(interval));
  if (interval !== null && radius > 0) return result({ interval, radius, breaks });
  return result({ breaks, abstention: `no slice around the image itself passed for class ${classIndex}` });
}

function radiusOf({ lower, upper }: Reach): number {
  return Math.min(...lower.map((a) => -a), ...upper);
}

/** The class of most samples at the image as it is. */
export async function chooseAtRest(
  { sampler, plan, pipeline, onProgress }: MethodContext,
  image: SampledImage,
  noise: 'sweepChoose' | 'sweepPredictChoose',
): Promise<ClassChoice> {
  onProgress?.({ image: image.index, stage: 'choose-class', done: 0, total: 1 });
  const counts = await sampler.countClasses(image, {
    betas: [pipeline.transform === 'rotation' ? [0] : [0, 0]],
    noise,
    sigma: noiseOf(plan),
    samples: SWEEP_CHOICE,
  });
  onProgress?.({ image: image.index, stage: 'choose-class', done: 1, total: 1 });
  const top = counts.reduce((best, count, c) => (count > (counts[best] ?? 0) ? c : best), 0);
  const votes = counts[top] ?? 0;
  return { n0: SWEEP_CHOICE, samples: SWEEP_CHOICE, classIndex: votes > 0 ? top : null, votes };
}

/** Places along the range, and the step at each of them in degrees or pixels, for {@link measureSpeeds}. */
const PLACES = 12;
const STEP = { rotation: 0.5, translation: 0.1 } as const;

/** How fast pre(T_γ x) moves along each axis, about: mean l2 norm per degree or pixel. */
async function measureSpeeds(
  { slices, pipeline: { transform, range } }: SweepContext,
  { pixels }: SampledImage,
): Promise<number[]> {
  const axes = transform === 'rotation' ? 1 : 2;
  const step = Math.min(range / 8, STEP[transform]);
  const at = (axis: number, value: number) =>
    Array.from({ length: axes }, (_, i) => (i === axis ? value : 0));
  const points = Array.from({ length: axes * PLACES }, (_, i) => {
    const [axis, place] = [Math.floor(i / PLACES), (i % PLACES) + 0.5];
    const value = range * ((2 * place) / PLACES - 1);
    return { image: 0, center: at(axis, value), gamma: at(axis, value + step) };
  });
  const distances = await slices.distances([pixels], points);
  return Array.from({ length: axes }, (_, axis) => {
    const own = distances.subarray(axis * PLACES, (axis + 1) * PLACES);
    return own.reduce((sum, d) => sum + d, 0) / PLACES / step;
  });
}

type Bounded = Omit<SliceTest, 'k' | 'n' | 'passed'>;

/** The state of one image's sweep, wave by wave. */
class Search {
  readonly grid: SweepGrid;
  readonly slices: SliceTest[] = [];
  samples = 0;
  readonly #context: SweepContext;
  readonly #image: SampledImage;
  readonly #terms: SweepTerms;
  readonly #classIndex: number;
  readonly #limits: ReturnType<typeof sweepLimits>;
  /** Depths whose share of α is spent. */
  readonly #booked = new Set<number>();
  #pending: SweepNode[];
  readonly #largestWave: number;
  #wave: number;
  /** Slices given up, and centres that no slice could hold. */
  readonly #obstacles: ParameterBox[] = [];

  constructor(
    context: SweepContext,
    image: SampledImage,
    terms: SweepTerms,
    grid: SweepGrid,
    classIndex: number,
    samplesEach: number,
  ) {
    this.#context = context;
    this.#image = image;
    this.#terms = terms;
    this.grid = grid;
    this.#classIndex = classIndex;
    this.#limits = sweepLimits(context.plan, grid.transform);
    const affordable = Math.floor(this.#limits.maxSamples / WAVES / samplesEach);
    this.#largestWave = Math.max(2, Math.min(LARGEST_WAVE, affordable));
    this.#wave = this.#largestWave;
    const nodes = Array.from({ length: rootCount(grid) }, (_, root) => ({ root, path: '' }));
    this.#pending = nodes.sort((a, b) => this.#distance(a) - this.#distance(b) || a.root - b.root);
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
    if (this.samples >= this.#limits.maxSamples) {
      for (const node of useful) this.#giveUp(node);
      return false;
    }
    const wave = useful.filter((node) => !this.#waits(node, useful)).slice(0, this.#wave);
    this.#pending = useful.filter((node) => !wave.includes(node));
    const bounded = await clock.bounding(() => this.#bound(wave));
    const tested = await clock.sampling(() => this.#test(bounded, ledger));
    const children = tested.flatMap((slice) => this.#learn(slice));
    this.#wave = tested.every(({ passed }) => passed)
      ? this.#largestWave
      : Math.min(this.#largestWave, CAREFUL_WAVE);
    // Inner ones first: they decide whether outer ones matter.
    this.#pending = [...children, ...this.#pending].sort((a, b) => this.#distance(a) - this.#distance(b));
    return true;
  }

  /** A root waits while a slice nearer to 0 on its side is cut up: that may end the interval before it. */
  #waits(node: SweepNode, pending: readonly SweepNode[]): boolean {
    if (node.path !== '') return false;
    const sideOf = (one: SweepNode) =>
      this.grid.transform === 'rotation' ? Math.sign(centerOf(boxOf(this.grid, one))[0] ?? 0) : 1;
    return pending.some(
      (one) => one.path !== '' && this.#distance(one) < this.#distance(node) && sideOf(one) === sideOf(node),
    );
  }

  #distance(node: SweepNode): number {
    return distanceFromZero(boxOf(this.grid, node));
  }

  async #bound(wave: readonly SweepNode[]): Promise<Bounded[]> {
    const { slices, extraError, plan, onProgress } = this.#context;
    onProgress?.({ image: this.#image.index, stage: 'bound-slices', ...this.#place(0, wave.length) });
    const boxes = wave.map((node) => boxOf(this.grid, node));
    const requests = boxes.map((box) => ({ image: 0, box, center: centerOf(box) }));
    const bounds = await slices.bound([this.#image.pixels], requests);
    return wave.map((node, i) => {
      const { box, center } = requests[i] ?? { box: boxOf(this.grid, node), center: [] };
      const M = bounds[i]?.bound ?? Number.POSITIVE_INFINITY;
      const E = addUp(M, extraError);
      // An error without end leaves nothing to test.
      const p0 = Number.isFinite(E) ? shareNeededFor(E, noiseOf(plan)) : 1;
      const alpha = alphaOf(this.grid.transform, node.path.length, this.#terms.alpha);
      return { ...node, ...box, center, M, E, p0, alpha };
    });
  }

  async #test(wave: readonly Bounded[], ledger: SweepOutcome['ledger']): Promise<SliceTest[]> {
    const { sampler, plan, onProgress } = this.#context;
    const testable = wave.filter(({ p0 }) => p0 < 1);
    for (const { path } of testable) {
      if (this.#booked.has(path.length)) continue;
      this.#booked.add(path.length);
      ledger.spend('alphaSweep', alphaOfDepth(path.length, this.#terms.alpha));
    }
    const points = testable.map(
      (node): TestedPoint => ({
        gamma: node.center,
        number: nodeNumber(this.grid, node),
        decide: this.#rule(node),
      }),
    );
    const results =
      points.length === 0
        ? []
        : await sampler.testPoints(this.#image, {
            points,
            noise: 'sweep',
            sigma: noiseOf(plan),
            classIndex: this.#classIndex,
            cap: this.#limits.cap,
            look: SWEEP_LOOK,
            onProgress: (done) =>
              onProgress?.({ image: this.#image.index, stage: 'sample', ...this.#place(done, wave.length) }),
          });
    const tested = testable.map((node, i): SliceTest => {
      const { k = 0, n = 0, accepted = false } = results[i] ?? {};
      return { ...node, k, n, passed: accepted };
    });
    this.samples += tested.reduce((sum, { n }) => sum + n, 0);
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
