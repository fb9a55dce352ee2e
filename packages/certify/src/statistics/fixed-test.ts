/**
 * The test with a number of samples fixed in advance: is a share above p0? Not for looking more than once: the
 * sequential test is for that.
 */
import { logUpperTail } from './binomial.ts';
import { requireCounts, requireLevel, requireProbability } from './check-arguments.ts';
import { clopperPearsonLower } from './clopper-pearson.ts';

/**
 * The smallest k with `clopperPearsonLower(k, n, alpha) > p0`; n + 1 where no count suffices.
 * Accepting at k or more successes errs with probability at most alpha whenever the share is at most p0.
 */
export function fixedThreshold({ p0, alpha, n }: { p0: number; alpha: number; n: number }): number {
  requireProbability(p0, 'p0');
  requireLevel(alpha, 'alpha');
  requireCounts(0, n);
  const target = Math.log(alpha);
  let low = 0;
  let high = n + 1;
  // The tail at p0 finds the place, the bound itself decides it.
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (logUpperTail(middle, n, p0).log <= target) high = middle;
    else low = middle;
  }
  let k = high;
  while (k > 1 && clopperPearsonLower(k - 1, n, alpha) > p0) k--;
  while (k <= n && clopperPearsonLower(k, n, alpha) <= p0) k++;
  return k;
}

/**
 * The smallest n for which n successes of n put the Clopper-Pearson bound above p0; null where none does
 * (p0 = 1, or more than 2^53 samples). Below it nothing can be certified, whatever the classifier answers.
 */
export function smallestUsefulN({ p0, alpha }: { p0: number; alpha: number }): number | null {
  requireProbability(p0, 'p0');
  requireLevel(alpha, 'alpha');
  if (p0 === 0) return 1;
  const estimate = Math.floor(Math.log(alpha) / Math.log(p0));
  if (!Number.isSafeInteger(estimate * 2)) return null;
  let n = Math.max(1, estimate - 1);
  while (clopperPearsonLower(n, n, alpha) <= p0) n++;
  return n;
}
