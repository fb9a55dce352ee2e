import { ledgerFor, SWEEP_CHOICE, sweepLimits } from '../plan.ts';
import type { SampledImage } from '../sampling/index.ts';
import { isHopeless, roundRadiusDown } from './claims.ts';
import { keptForSearch, searchCounterexamples } from './counterexample.ts';
import type { ClassChoice, MethodContext, SweepContext, SweepOutcome } from './method.ts';
import { StageClock } from './stage.ts';
import { cautiousShare, chooseRoots, type SweepTerms } from './sweep-cost.ts';
import { SweepSearch } from './sweep-search.ts';
import type { Reach } from './sweep-tree.ts';

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
 *   2. M_k from the slice bounder, grown by the attacker's rounding, the sampler's own float32 and its lattice: E_k.
 *   3. Each slice has a sequential test (Ville) for P(b = c) > Φ(E_k / σ_ε), and what the noise that is drawn may lack
 *      (`PixelNoise.variation`) above it, at its own centre with its own noise. Those
 *      of depth d in the tree have the level α w_d (rotation: half of it), Σ w_d < 1, however many there are.
 *   4. A slice that does not pass is halved (or cut more finely at once, where that looks cheaper) until a slice is
 *      narrower than the floor; then it is given up, and the interval ends before it.
 *
 * Why no level is divided by the number of slices: what may be claimed is nested, an end grows outwards from 0. Take one
 * end, B = {γ on its side: h(T_γ x) ≠ c}, γ* = inf |B|. A slice that meets B is one whose test must not pass. If γ* ∈ B,
 * a false claim holds γ*, so it covers points just before γ* (behind it where γ* = 0), and a passed slice holds these
 * and, being closed, γ*. If not, a false claim reaches beyond γ*, and a passed slice holds points just behind γ*, B among them. Either way it is
 * one of the slices that hold a fixed small neighbourhood on a fixed side of γ*: one of each depth, each other's
 * ancestors. So a false claim has probability at most Σ_d α w_d at a single end; with two ends each gets half. A square
 * of translations grows as a whole, from inf ‖B‖_∞ on, and the same holds with the finest slice that touches B there.
 */
export async function certifySweep(context: SweepContext, image: SampledImage): Promise<SweepOutcome> {
  const { plan, pipeline } = context;
  const ledger = ledgerFor(plan);
  const clock = new StageClock();
  const choice = await clock.sampling(() => chooseAtRest(context, image, 'sweepChoose'));
  let search: SweepSearch | null = null;
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
    sigmaEps: context.noise.sigma,
    extraError: context.extraError,
    alpha: ledger.granted('alphaSweep'),
  };
  const speeds = await clock.bounding(() => measureSpeeds(context, image));
  const { roots, samplesEach } = chooseRoots(terms, speeds, cautiousShare(votes, choice.samples));
  const { maxSamples } = sweepLimits(plan, pipeline);
  const left = maxSamples - choice.samples;
  const budget = left - keptForSearch(pipeline.transform, maxSamples);
  search = new SweepSearch(context, image, terms, { ...terms, roots }, { classIndex, samplesEach, budget });
  while (await search.step(clock, ledger)) {
    // Each step is one wave of slices.
  }
  const { interval, ends, rootWidths } = search;
  const request = { classIndex, ends, rootWidths, budget: left - search.samples };
  const found = await clock.sampling(() => searchCounterexamples(context, image, request));
  extra = found.samples;
  const { breaks } = found;
  const radius = interval === null ? 0 : roundRadiusDown(radiusOf(interval));
  if (interval !== null && radius > 0) return result({ interval, radius, breaks });
  const why =
    interval === null
      ? `no slice around the image itself passed for class ${classIndex}`
      : `what passed for class ${classIndex} reaches less than 0.0001 to one side, and radii have four decimals`;
  return result({ breaks, abstention: why });
}

function radiusOf({ lower, upper }: Reach): number {
  return Math.min(...lower.map((a) => -a), ...upper);
}

/** The class of most samples at the image as it is. */
export async function chooseAtRest(
  { sampler, noise: { sigma }, pipeline, onProgress }: MethodContext,
  image: SampledImage,
  noise: 'sweepChoose' | 'sweepPredictChoose',
): Promise<ClassChoice> {
  onProgress?.({ image: image.index, stage: 'choose-class', done: 0, total: 1 });
  const counts = await sampler.countClasses(image, {
    betas: [pipeline.transform === 'rotation' ? [0] : [0, 0]],
    noise,
    sigma,
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
