/**
 * Which E to test: small enough that h's radius exceeds it for most β, large enough that the error seldom does. Looks
 * at choosing β only, so the test that follows, on other β, is as honest as if E had been written down beforehand.
 */
import {
  addUp,
  clopperPearsonLower,
  fixedThreshold,
  logLowerTail,
  normalQuantileLower,
  SequentialThresholds,
  shareNeededFor,
} from '../statistics/index.ts';
import { rhoUpper } from './claims.ts';

/** What a candidate is above the quantile that it comes from. The paper's choice is this times the largest. */
const MARGIN = 1.1;
/** Candidates besides the largest: more would only differ in the noise of the guess. */
const CANDIDATES = 24;

export interface ChooseEInput {
  /** Upper bounds of the choosing β's errors. */
  readonly bounds: readonly number[];
  /** How often the class came out of `samples`, at each class-choosing β. */
  readonly successes: readonly number[];
  readonly samples: number;
  readonly extraError: number;
  /** As the sampler uses it. */
  readonly sigmaEps: number;
  readonly inner: 'sequential' | 'fixed';
  readonly nEps: number;
  readonly nGamma: number;
  readonly nTestE: number;
  readonly alphaGamma: number;
  /** For each β. */
  readonly alphaInner: number;
  readonly alphaE: number;
}

export interface ChosenE {
  readonly E: number;
  /** Share of the choosing β whose bound is at most E / 1.1; 1: the largest. */
  readonly quantile: number;
  readonly largest: number;
}

/**
 * The candidate 1.1 · (a quantile of the bounds) with the largest predicted radius; the smallest E among equals, as it
 * needs fewest samples. null when no bound is finite.
 */
export function chooseE(input: ChooseEInput): ChosenE | null {
  const sorted = input.bounds.filter(Number.isFinite).toSorted((a, b) => a - b);
  const largest = sorted.at(-1);
  if (largest === undefined) return null;
  const total = input.bounds.length;
  const ranks = new Set([sorted.length]);
  for (let i = 1; i < CANDIDATES; i++) ranks.add(Math.max(1, Math.ceil((i / CANDIDATES) * sorted.length)));
  let best: ChosenE | undefined;
  let bestScore = Number.NEGATIVE_INFINITY;
  for (const rank of [...ranks].sort((a, b) => a - b)) {
    const E = MARGIN * (sorted[rank - 1] ?? Number.NaN);
    const score = predictedMargin(input, E);
    if (score > bestScore + 1e-12) {
      best = { E, quantile: rank / total, largest };
      bestScore = score;
    }
  }
  return best ?? null;
}

/** The radius that E promises in units of sigmaGamma; below 0, how far it is from promising any. */
function predictedMargin(input: ChooseEInput, E: number): number {
  const { bounds, nGamma, nTestE, alphaGamma, alphaE } = input;
  const exceeding = bounds.filter((bound) => !(bound <= E)).length / bounds.length;
  const rho = rhoUpper(nTestE - Math.round(exceeding * nTestE), nTestE, alphaE);
  const p = clopperPearsonLower(Math.floor(predictedShare(input, E) * nGamma), nGamma, alphaGamma);
  const needed = addUp(0.5, rho);
  if (needed >= 1 || p <= needed) return p - needed;
  return normalQuantileLower(p) - normalQuantileLower(needed);
}

/** The share of β that the inner test would accept, guessed from the class-choosing β with a uniform prior. */
function predictedShare(input: ChooseEInput, E: number): number {
  const { successes, samples, nEps, alphaInner, inner } = input;
  const p0 = shareNeededFor(addUp(E, input.extraError), input.sigmaEps);
  if (p0 >= 1) return 0;
  const test = { p0, alpha: alphaInner };
  const needed =
    inner === 'fixed'
      ? fixedThreshold({ ...test, n: nEps })
      : new SequentialThresholds({ ...test, maxN: nEps }).acceptAt(nEps);
  if (needed > nEps) return 0;
  const share = needed / nEps;
  // P[p > share] under Beta(k + 1, n - k + 1) is P[Bin(n + 1, share) <= k].
  const chances = successes.map((k) => Math.exp(logLowerTail(k, samples + 1, share).log));
  return chances.reduce((sum, chance) => sum + chance, 0) / Math.max(1, chances.length);
}
