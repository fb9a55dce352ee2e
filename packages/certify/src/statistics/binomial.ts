/**
 * Binomial probabilities and tails with a stated error: the independent judge that every Clopper-Pearson bound
 * and every test threshold is held against. It shares no code and no method with the library that supplies first
 * guesses. Not for sampling.
 *
 * Results are logarithms, so nothing underflows, and each comes with a bound on its own absolute error (that is,
 * the relative error of the probability). The bounds count roundings, u = 2^-53 each, and assume that the
 * engine's Math.log, log1p, exp and expm1 are within one unit in the last place (fdlibm's promise, which V8,
 * SpiderMonkey and JavaScriptCore inherit).
 */
import { requireCounts, requireProbability } from './check-arguments.ts';
import { exactProduct, UNIT_ROUNDOFF } from './directed.ts';
import { stirlingRemainder } from './stirling.ts';

/** A logarithm and a bound on its absolute error. */
export interface BoundedLog {
  readonly log: number;
  readonly error: number;
}

/** A log tail, and d log(tail) / d log(probability of what is counted): its elasticity. */
export interface LogTail extends BoundedLog {
  readonly elasticity: number;
}

/** k - n p, to two roundings relative to itself: p is taken as the exact double that it is. */
export function excessOverMean(k: number, n: number, p: number): number {
  const { high, low } = exactProduct(n, p);
  return k - high - low;
}

/**
 * x ln(x / mean) + mean - x for x > 0, given difference = x - mean without cancellation. Relative error below 24u:
 * near the mean from the all but same-signed series in v = (x - mean) / (x + mean), |v| <= 1/3, elsewhere
 * directly, where the terms cancel to no less than a seventh.
 */
function deviance(x: number, mean: number, difference: number): number {
  const v = difference / (x + mean);
  if (Math.abs(v) > 1 / 3) return x * Math.log(x / mean) - difference;
  const square = v * v;
  let power = 2 * x * v * square;
  let sum = v * difference;
  for (let odd = 3; odd < 60; odd += 2) {
    const next = sum + power / odd;
    if (next === sum) break;
    sum = next;
    power *= square;
  }
  return sum;
}

/**
 * ln P[Bin(n, p) = k] for whole 0 <= k <= n and 0 <= p <= 1; -Infinity (error 0) where impossible.
 * Error: (64 + 32 |log|) u; at k = 0 and k = n (2 + 4 |log|) u.
 */
export function logBinomialPmf(k: number, n: number, p: number): BoundedLog {
  if (p === 0) return { log: k === 0 ? 0 : -Infinity, error: 0 };
  if (p === 1) return { log: k === n ? 0 : -Infinity, error: 0 };
  if (k === 0 || k === n) {
    const log = k === 0 ? n * Math.log1p(-p) : n * Math.log(p);
    return { log, error: UNIT_ROUNDOFF * (2 + 4 * Math.abs(log)) };
  }
  const excess = excessOverMean(k, n, p);
  const deviances = deviance(k, n * p, excess) + deviance(n - k, n * (1 - p), -excess);
  const remainders = stirlingRemainder(n) - stirlingRemainder(k) - stirlingRemainder(n - k);
  const log = remainders - deviances + 0.5 * Math.log(n / (2 * Math.PI * k) / (n - k));
  return { log, error: UNIT_ROUNDOFF * (64 + 32 * Math.abs(log)) };
}

/**
 * 1 + m/(k+1) odds + m(m-1)/((k+1)(k+2)) odds² + ...: a tail divided by its largest term, for whole k, m >= 0.
 * All terms are positive and their ratios decrease, so the mean index of a term is at most (sum - 1): with five
 * roundings a step and compensated addition the relative error is below (5 (sum - 1) + 6) u, truncation included.
 */
function tailOverFirstTerm(k: number, m: number, odds: number): number {
  let term = 1;
  let sum = 1;
  let carry = 0;
  for (let i = 1; i <= m; i++) {
    const ratio = ((m - i + 1) / (k + i)) * odds;
    term *= ratio;
    const addend = term - carry;
    const next = sum + addend;
    carry = next - sum - addend;
    sum = next;
    // All further ratios are smaller: what is left out is below term · ratio / (1 - ratio).
    if (ratio < 1 && term * ratio <= (1 - ratio) * sum * UNIT_ROUNDOFF) break;
  }
  return sum;
}

/** ln P[Bin(n, p) >= k], with elasticity in p. */
export function logUpperTail(k: number, n: number, p: number): LogTail {
  if (k <= 0) return { log: 0, error: 0, elasticity: 0 };
  if (p === 0) return { log: -Infinity, error: 0, elasticity: k };
  if (p === 1) return { log: 0, error: 0, elasticity: 0 };
  if (excessOverMean(k, n, p) >= 0) return directTail(logBinomialPmf(k, n, p), k, n - k, p / (1 - p));
  const below = directTail(logBinomialPmf(k - 1, n, p), n - k + 1, k - 1, (1 - p) / p);
  return complementTail(below, logBinomialPmf(k, n, p), k);
}

/** ln P[Bin(n, p) <= k], with elasticity in 1 - p. */
export function logLowerTail(k: number, n: number, p: number): LogTail {
  if (k >= n) return { log: 0, error: 0, elasticity: 0 };
  if (p === 1) return { log: -Infinity, error: 0, elasticity: n - k };
  if (p === 0) return { log: 0, error: 0, elasticity: 0 };
  if (excessOverMean(k, n, p) <= 0) return directTail(logBinomialPmf(k, n, p), n - k, k, (1 - p) / p);
  const above = directTail(logBinomialPmf(k + 1, n, p), k + 1, n - k - 1, p / (1 - p));
  return complementTail(above, logBinomialPmf(k, n, p), n - k);
}

/** The tail from its largest term outward; `counted` of the wanted outcome, `others` left to turn into it. */
function directTail(first: BoundedLog, counted: number, others: number, odds: number): LogTail {
  const factor = tailOverFirstTerm(counted, others, odds);
  const log = first.log + Math.log(factor);
  const error = first.error + UNIT_ROUNDOFF * (5 * (factor - 1) + 8 + 2 * Math.abs(first.log));
  return { log, error, elasticity: counted / factor };
}

/** 1 - other tail, used where the wanted tail is the larger part. */
function complementTail(other: LogTail, first: BoundedLog, counted: number): LogTail {
  const rest = Math.exp(other.log);
  const log = Math.log1p(-rest);
  const error = ((rest * (other.error + 2 * UNIT_ROUNDOFF)) / (1 - rest)) * 1.01 + 4 * UNIT_ROUNDOFF;
  return { log, error, elasticity: counted * Math.exp(first.log - log) };
}

/**
 * The regularised incomplete beta function I_x(a, b) for whole a, b >= 1, as P[Bin(a + b - 1, x) >= a].
 * Relative error below 2e-12 for a + b <= 10^6 and results above 1e-100.
 */
export function regularisedIncompleteBeta(x: number, a: number, b: number): number {
  requireProbability(x, 'x');
  requireCounts(a, a + b - 1);
  return Math.exp(logUpperTail(a, a + b - 1, x).log);
}

/**
 * Two-sided p-value of k successes in n trials against p = 1/2 (the distribution is symmetric, so it is twice
 * the smaller tail, at most 1). Never below the true value; above it by at most 4e-12 relative for n <= 10^6 and
 * values down to 1e-100.
 */
export function binomialTwoSidedPValue(k: number, n: number): number {
  requireCounts(k, n);
  const more = Math.max(k, n - k);
  if (2 * more === n) return 1;
  const tail = logUpperTail(more, n, 0.5);
  // 4u: the exponential and the product. The least positive double: the exponential may underflow.
  const value = 2 * Math.exp(tail.log + tail.error) * (1 + 4 * UNIT_ROUNDOFF);
  return Math.min(1, Math.max(value, Number.MIN_VALUE));
}
