/// <reference path="./jstat.d.ts" />
/**
 * One-sided Clopper-Pearson bounds (C. Clopper, E. Pearson, 1934) that err on the safe side only: jstat guesses,
 * Newton's method refines on our own tail, and the answer leaves only after that tail, its error bound included,
 * is at most alpha at it. Not for two-sided intervals: take each side at alpha / 2.
 */
import { nextDown, nextUp } from '@turnproof/core';
import jstat from 'jstat';
import { type LogTail, logLowerTail, logUpperTail } from './binomial.ts';
import { requireCounts, requireLevel } from './check-arguments.ts';
import { UNIT_ROUNDOFF } from './directed.ts';

/** By how far, in logarithms, the tail's worst case lies above alpha: at most 0 is what we promise. */
function overshoot(tail: LogTail, alpha: number): number {
  const target = Math.log(alpha);
  return tail.log + tail.error - target + 2 * UNIT_ROUNDOFF * (Math.abs(target) + 1);
}

/** A guess as it is if it can be one, else the fallback: jstat gives NaN or nonsense in some corners. */
function usableGuess(guess: number, fallback: number): number {
  return guess > 0 && guess < 1 ? guess : fallback;
}

/** Newton steps before we take what we have: the safe side is reached by stepping, so this bounds time only. */
const MAX_NEWTON = 100;
/** Relative size of a step that no longer matters. */
const SETTLED = 2 ** -52;
/** Below this the error-free products underflow; bounds smaller than it (about 1e-289) are moved to 0. */
const SMALLEST = 2 ** -960;

/**
 * The largest p (nearly) with P[Bin(n, p) >= successes] <= alpha.
 *
 * With probability at least 1 - alpha over successes ~ Bin(trials, p), the value returned is at most p.
 * Never above the exact bound; below it by at most 1e-12 relative for trials <= 10^6 and alpha >= 1e-100
 * (measured: 1e-13 for alpha >= 1e-12). Throws bad-input on counts or levels that are none.
 */
export function clopperPearsonLower(successes: number, trials: number, alpha: number): number {
  requireCounts(successes, trials);
  requireLevel(alpha, 'alpha');
  if (successes === 0) return 0;
  const excess = (p: number) => overshoot(logUpperTail(successes, trials, p), alpha);
  if (excess(SMALLEST) > 0) return 0;
  let p = lowerGuess(successes, trials, alpha);
  // ln tail is concave in ln p, so from the first step on Newton comes from below and cannot run away.
  for (let i = 0; i < MAX_NEWTON; i++) {
    const tail = logUpperTail(successes, trials, p);
    const change = Math.expm1(-overshoot(tail, alpha) / tail.elasticity);
    p = Math.min(Math.max(p + p * change, SMALLEST), nextDown(1));
    if (Math.abs(change) <= SETTLED) break;
  }
  for (let step = 2 ** -52; excess(p) > 0; step *= 2) p = Math.min(p * (1 - step), nextDown(p));
  return p;
}

function lowerGuess(successes: number, trials: number, alpha: number): number {
  if (successes === trials) return usableGuess(Math.exp(Math.log(alpha) / trials), SMALLEST);
  const fallback = successes / (trials + 1);
  return usableGuess(jstat.jStat.beta.inv(alpha, successes, trials - successes + 1), fallback);
}

/**
 * The least p (nearly) with P[Bin(n, p) <= successes] <= alpha.
 *
 * With probability at least 1 - alpha over successes ~ Bin(trials, p), the value returned is at least p.
 * Never below the exact bound; above it by at most 1e-12 relative on the same terms as the lower bound.
 */
export function clopperPearsonUpper(successes: number, trials: number, alpha: number): number {
  requireCounts(successes, trials);
  requireLevel(alpha, 'alpha');
  if (successes === trials) return 1;
  const excess = (p: number) => overshoot(logLowerTail(successes, trials, p), alpha);
  if (excess(nextDown(1)) > 0) return 1;
  let p = upperGuess(successes, trials, alpha);
  for (let i = 0; i < MAX_NEWTON; i++) {
    const tail = logLowerTail(successes, trials, p);
    // Newton in ln(1 - p), written as a change of p so that a small p keeps its digits.
    const change = -(1 - p) * Math.expm1(-overshoot(tail, alpha) / tail.elasticity);
    const previous = p;
    p = Math.min(Math.max(p + change, SMALLEST), nextDown(1));
    if (Math.abs(p - previous) <= SETTLED * p) break;
  }
  for (let step = 2 ** -52; excess(p) > 0 && p < 1; step *= 2)
    p = Math.min(1, Math.max(p * (1 + step), nextUp(p)));
  return p;
}

function upperGuess(successes: number, trials: number, alpha: number): number {
  if (successes === 0) return usableGuess(-Math.expm1(Math.log(alpha) / trials), nextDown(1));
  const fallback = (successes + 1) / (trials + 1);
  // The (1 - alpha) quantile, asked for from the other end so that a small alpha keeps its digits.
  return usableGuess(1 - jstat.jStat.beta.inv(alpha, trials - successes, successes + 1), fallback);
}
