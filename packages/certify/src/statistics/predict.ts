/**
 * PREDICT of randomized smoothing: the class, or an abstention, from Monte Carlo counts. Not for certifying: the
 * counts that choose a class may not bound it.
 */
import { badInput } from '@turnproof/core';
import { binomialTwoSidedPValue } from './binomial.ts';
import { requireLevel } from './check-arguments.ts';

/** Whether the leading class may be returned, and the evidence for it. */
export interface Prediction {
  readonly decision: 'class' | 'abstain';
  /** Two-sided binomial p-value of the two counts at 1/2, rounded up; 1 where nothing was counted. */
  readonly pValue: number;
}

/**
 * With probability at least 1 - alpha, PREDICT abstains or returns the class that the smoothed classifier gives.
 * Source: Cohen, Rosenfeld, Kolter, «Certified Adversarial Robustness via Randomized Smoothing», ICML 2019,
 * PREDICT and proposition 1.
 *
 * @param topCount samples of the most frequent class
 * @param secondCount samples of the next; at most topCount
 */
export function predictFromCounts(topCount: number, secondCount: number, alpha: number): Prediction {
  requireLevel(alpha, 'alpha');
  if (secondCount > topCount) {
    throw badInput(`the second count (${secondCount}) is above the first (${topCount})`, 'Sort the counts.');
  }
  if (topCount + secondCount === 0) return { decision: 'abstain', pValue: 1 };
  const pValue = binomialTwoSidedPValue(topCount, topCount + secondCount);
  return { decision: pValue <= alpha ? 'class' : 'abstain', pValue };
}

/** PREDICT from the counts of all classes: the class's index, or null for an abstention. */
export function predictClass(counts: ArrayLike<number>, alpha: number): number | null {
  let top = 0;
  let topCount = counts[0] ?? 0;
  let secondCount = 0;
  for (let c = 1; c < counts.length; c++) {
    const count = counts[c] ?? 0;
    if (count > topCount) {
      secondCount = topCount;
      topCount = count;
      top = c;
    } else if (count > secondCount) {
      secondCount = count;
    }
  }
  return predictFromCounts(topCount, secondCount, alpha).decision === 'class' ? top : null;
}
