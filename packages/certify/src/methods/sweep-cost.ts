/**
 * What sweep expects a test to cost, and from that: how many slices to start with, and when halving one is cheaper than
 * asking on. Guesses only: whatever they say, tests are valid and slices cover what they cover. Pure functions, so that
 * equal counts lead to equal decisions everywhere.
 */
import { dimensionsOf, type Transform } from '@turnproof/shaders';
import { normalCdf } from '../statistics/index.ts';
import { alphaOf, MAX_ROOTS } from './sweep-tree.ts';

/** Kullback-Leibler divergence of Bernoulli(p) from Bernoulli(q), in nats. */
function divergence(p: number, q: number): number {
  const term = (a: number, b: number) => (a === 0 ? 0 : a * Math.log(a / b));
  return term(p, q) + term(1 - p, 1 - q);
}

/**
 * Samples after which the sequential test accepts a share p above p0, on average: Wald's n with the mixture's price,
 * ½ ln(n π / 2). Infinity for p <= p0.
 */
export function expectedSamples(p: number, p0: number, alpha: number): number {
  if (!(p > p0)) return Number.POSITIVE_INFINITY;
  const rate = divergence(p, p0);
  let n = -Math.log(alpha) / rate;
  for (let i = 0; i < 3; i++) n = (-Math.log(alpha) + 0.5 * Math.log(1 + (n * Math.PI) / 2)) / rate;
  return n;
}

/** A share on the cautious side of k of n: half a standard deviation below the posterior mean. */
export function cautiousShare(k: number, n: number): number {
  const mean = (k + 1) / (n + 2);
  return mean - 0.5 * Math.sqrt((mean * (1 - mean)) / (n + 3));
}

export interface SweepTerms {
  readonly transform: Transform;
  /** R of Γ. */
  readonly range: number;
  /** As the sampler uses it. */
  readonly sigmaEps: number;
  /** Attack quantisation and the sampler's float32. */
  readonly extraError: number;
  /** Of the certificate. */
  readonly alpha: number;
}

/** A slice is cut into at most 2^this parts at once: further inwards the share may be another. */
const MOST_LEVELS = 5;
/** What one more slice costs beside its samples (its bound), in samples. */
const SLICE_OVERHEAD = 4;
/** M of the first slices that are tried out, in units of sigmaEps: from the least to the most, geometrically. */
const [LEAST_M, MOST_M, STEPS] = [0.02, 2, 48];

/**
 * Roots along each axis with the least expected number of samples, and how many each of them is to take.
 *
 * @param speeds - || d pre(T_γ x) / dγ || along each axis, about: l2 norm per degree or pixel.
 * @param share - What h's class has, about.
 */
export function chooseRoots(
  terms: SweepTerms,
  speeds: readonly number[],
  share: number,
): { readonly roots: readonly number[]; readonly samplesEach: number } {
  const { transform, range, sigmaEps, extraError, alpha } = terms;
  const axes = dimensionsOf(transform);
  let best = { roots: Array.from({ length: axes }, () => 1), samplesEach: Number.POSITIVE_INFINITY };
  let bestCost = Number.POSITIVE_INFINITY;
  for (let step = 0; step <= STEPS; step++) {
    const M = sigmaEps * LEAST_M * (MOST_M / LEAST_M) ** (step / STEPS);
    // Equal shares of M² for each axis.
    const roots = speeds.map((speed) => Math.max(1, Math.ceil((range * speed * Math.sqrt(axes)) / M)));
    const count = roots.reduce((a, b) => a * b, 1);
    if (count > MAX_ROOTS) continue;
    const p0 = normalCdf((1.05 * M + extraError) / sigmaEps);
    const samplesEach = expectedSamples(share, p0, alphaOf(transform, 0, alpha));
    const cost = count * (SLICE_OVERHEAD + samplesEach);
    if (cost < bestCost) {
      best = { roots, samplesEach };
      bestCost = cost;
    }
  }
  return best;
}

/** A share on the hopeful side of k of n: two standard deviations above the posterior mean. */
export function hopefulShare(k: number, n: number): number {
  const mean = (k + 1) / (n + 2);
  return Math.min(1 - 1e-9, mean + 2 * Math.sqrt((mean * (1 - mean)) / (n + 3)));
}

/** A slice's M, how often it may be halved, and the level of a test so many halvings below it. */
export interface SliceOutlook {
  readonly M: number;
  readonly levels: number;
  readonly alphaAt: (level: number) => number;
}

/** Expected samples of one test `level` halvings below a slice; M halves with each halving of every axis. */
function samplesBelow(
  terms: Pick<SweepTerms, 'transform' | 'sigmaEps' | 'extraError'>,
  { M, alphaAt }: SliceOutlook,
  share: number,
  level: number,
): number {
  const axes = dimensionsOf(terms.transform);
  const p0 = normalCdf((M / 2 ** (level / axes) + terms.extraError) / terms.sigmaEps);
  return expectedSamples(share, p0, alphaAt(level));
}

/** Is there a level, the slice's own included, at which a class with this share could pass within `cap` samples? */
export function isWithinReach(
  terms: Pick<SweepTerms, 'transform' | 'sigmaEps' | 'extraError'>,
  outlook: SliceOutlook,
  share: number,
  cap: number,
): boolean {
  return Array.from({ length: outlook.levels + 1 }, (_, level) => level).some(
    (level) => samplesBelow(terms, outlook, share, level) <= cap,
  );
}

/**
 * Levels below a slice at which its descendants have the least expected cost altogether, and that cost: Infinity where
 * no level promises anything (then one level is named).
 */
export function bestSplit(
  terms: Pick<SweepTerms, 'transform' | 'sigmaEps' | 'extraError'>,
  outlook: SliceOutlook,
  share: number,
): { levels: number; cost: number } {
  let best = { levels: 1, cost: Number.POSITIVE_INFINITY };
  for (let level = 1; level <= Math.min(MOST_LEVELS, outlook.levels); level++) {
    const cost = 2 ** level * (SLICE_OVERHEAD + samplesBelow(terms, outlook, share, level));
    if (cost < best.cost) best = { levels: level, cost };
  }
  return best;
}
