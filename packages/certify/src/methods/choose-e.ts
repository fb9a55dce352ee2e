/**
 * Which E to test: small enough that h's radius exceeds it for most β, large enough that the error seldom does. Looks
 * at choosing β only, so the test that follows, on other β, is as honest as if E had been written down beforehand.
 */
import type { PixelNoise } from '../noise.ts';
import {
  addUp,
  clopperPearsonLower,
  fixedThreshold,
  innerThresholds,
  normalQuantileLower,
  shareNeededFor,
  subtractDown,
} from '../statistics/index.ts';
import { rhoUpper } from './claims.ts';
import { classShareModel } from './class-share.ts';

/** The largest candidate is this times the largest bound: the paper's choice. */
const MARGIN = 1.1;
/** Steps from the smallest candidate to the largest: more would only differ in the noise of the guess. */
const STEPS = 32;
/** A predicted radius this far beyond the range is as good as any: a larger E would only cost samples. */
const HEADROOM = 1.25;

export interface ChooseEInput {
  /** Upper bounds of the choosing β's errors. */
  readonly bounds: readonly number[];
  /** How often the class came out of `samples`, at each class-choosing β. */
  readonly successes: readonly number[];
  readonly samples: number;
  readonly extraError: number;
  readonly noise: Pick<PixelNoise, 'sigma' | 'variation'>;
  readonly inner: 'sequential' | 'fixed';
  readonly nEps: number;
  readonly nGamma: number;
  readonly nTestE: number;
  readonly alphaGamma: number;
  /** For each β. */
  readonly alphaInner: number;
  readonly alphaE: number;
  /** Where the radius is cut, in units of sigmaGamma. */
  readonly reach: number;
  /** The radius that is predicted. */
  readonly radiusRule: 'tight' | 'paper';
}

export interface ChosenE {
  readonly E: number;
  /** Share of the choosing β whose bound is at most E. */
  readonly quantile: number;
  readonly largest: number;
}

/**
 * The candidate with the largest predicted radius, from the median of the bounds (below it more than half of the β would
 * exceed E, which leaves none) to 1.1 times the largest; the smallest E among equals, as it needs fewest samples. null
 * when no bound is finite.
 */
export function chooseE(input: ChooseEInput): ChosenE | null {
  const sorted = input.bounds.filter(Number.isFinite).toSorted((a, b) => a - b);
  const largest = sorted.at(-1);
  if (largest === undefined) return null;
  const median = sorted[Math.floor(sorted.length / 2)] ?? largest;
  const shareAbove = classShareModel(input.successes, input.samples);
  let best: ChosenE | undefined;
  let bestScore = Number.NEGATIVE_INFINITY;
  for (let step = 0; step <= STEPS; step++) {
    const E = median + (MARGIN * largest - median) * (step / STEPS);
    const exceeding = input.bounds.filter((bound) => !(bound <= E)).length;
    const score = Math.min(predictedMargin(input, shareAbove, E, exceeding), HEADROOM * input.reach);
    if (score > bestScore + 1e-12) {
      best = { E, quantile: 1 - exceeding / input.bounds.length, largest };
      bestScore = score;
    }
  }
  return best ?? null;
}

/** The radius that E promises in units of sigmaGamma; below 0, how far it is from promising any. */
function predictedMargin(
  input: ChooseEInput,
  shareAbove: (share: number) => number,
  E: number,
  exceeding: number,
): number {
  const { bounds, nGamma, nTestE, alphaGamma, alphaE } = input;
  // A standard deviation more than was seen: the grid may pick an E that these β happen to spare.
  const share = Math.min(1, (exceeding + Math.sqrt(exceeding)) / bounds.length);
  const rho = rhoUpper(nTestE - Math.round(share * nTestE), nTestE, alphaE);
  const p = clopperPearsonLower(
    Math.floor(predictedShare(input, shareAbove, E) * nGamma),
    nGamma,
    alphaGamma,
  );
  const needed = addUp(0.5, rho);
  if (needed >= 1 || p <= needed) return p - needed;
  return input.radiusRule === 'paper'
    ? normalQuantileLower(subtractDown(p, rho))
    : normalQuantileLower(p) - normalQuantileLower(needed);
}

/** The share of β that the inner test would accept, guessed from the class-choosing β. */
function predictedShare(input: ChooseEInput, shareAbove: (share: number) => number, E: number): number {
  const { nEps, alphaInner, inner } = input;
  const p0 = shareNeededFor(addUp(E, input.extraError), input.noise.sigma, input.noise.variation);
  if (p0 >= 1) return 0;
  const test = { p0, alpha: alphaInner };
  const needed =
    inner === 'fixed'
      ? fixedThreshold({ ...test, n: nEps })
      : innerThresholds({ ...test, maxN: nEps }).acceptAt(nEps);
  return needed > nEps ? 0 : shareAbove(needed / nEps);
}
