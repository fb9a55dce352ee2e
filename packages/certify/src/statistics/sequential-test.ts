/**
 * A test that may be looked at after every batch: is a share above p0? Not a confidence interval, and not to be
 * mixed with re-running a fixed-size bound as samples come in, which is no test at level alpha at all.
 */
import { badInput, nextDown, TurnproofError } from '@turnproof/core';
import { excessOverMean, logBinomialPmf } from './binomial.ts';
import { requireCounts, requireLevel, requireProbability } from './check-arguments.ts';
import { UNIT_ROUNDOFF } from './directed.ts';
import { fixedThreshold } from './fixed-test.ts';
import { logCentralBinomial } from './stirling.ts';

export interface SequentialOptions {
  /** The share to exceed; on its safe side already (rounded up). */
  readonly p0: number;
  /** Probability of ever accepting while the share is at most p0. */
  readonly alpha: number;
  /**
   * Probability of ever giving up by the mirrored test while the share is at least p0. Costs power, never
   * soundness. Default 0.001.
   */
  readonly beta?: number;
  /** No more than this many samples will be taken. */
  readonly maxN: number;
  /** So many successes among maxN accept as well: a test of its own, whose level is paid for elsewhere. */
  readonly acceptAtEnd?: number;
}

export type Decision = 'accept' | 'give-up' | 'open';

const DEFAULT_BETA = 0.001;

/**
 * ln Q - ln P and a bound on its error, for one sequence with `a` successes among `n`: Q is the mixture of all
 * shares under the Beta(1/2, 1/2) prior, P the share p0.
 *   ln Q = ln B(a + ½, n - a + ½) - ln B(½, ½),  ln P = a ln p0 + (n - a) ln(1 - p0).
 * Formed as ln u(a) + ln u(n - a) - ln P[Bin(n, p0) = a] with u(j) = C(2j, j) / 4^j: the C(n, a) sequences cancel,
 * and with them the large terms.
 */
export function logEvidence(a: number, n: number, p0: number): { log: number; error: number } {
  const pmf = logBinomialPmf(a, n, p0);
  const mixture = logCentralBinomial(a) + logCentralBinomial(n - a);
  return { log: mixture - pmf.log, error: pmf.error + UNIT_ROUNDOFF * (40 + 8 * Math.abs(mixture)) };
}

/**
 * Integer thresholds of the betting test, computed when first asked for and kept.
 *
 * Soundness. At share p0 the ratio Q / P is a non-negative martingale of mean 1, so by Ville's inequality it ever
 * reaches 1 / alpha with probability at most alpha, however often one looks. For n fixed it rises in a while
 * a >= n p0, so «a / n > p0 and Q / P >= 1 / alpha» is «a >= acceptAt(n)»; more successes can only lead into such
 * a region, so a share below p0 enters it no more often than p0 itself.
 * Source: J. Ville, 1939; R. Krichevsky, V. Trofimov, 1981, for the mixture.
 */
export class SequentialThresholds {
  readonly p0: number;
  readonly alpha: number;
  readonly beta: number;
  readonly maxN: number;
  readonly #acceptAtEnd: number;
  readonly #logOneOverAlpha: number;
  readonly #logOneOverBeta: number;
  /** Threshold + 2 at index n, 0 where not computed yet; grown as n is asked for. */
  #accept = new Int32Array(0);
  #giveUp = new Int32Array(0);
  #mostFailures: number | undefined;

  constructor({ p0, alpha, beta = DEFAULT_BETA, maxN, acceptAtEnd }: SequentialOptions) {
    requireProbability(p0, 'p0');
    requireLevel(alpha, 'alpha');
    requireLevel(beta, 'beta');
    if (!Number.isInteger(maxN) || maxN < 1 || maxN > 2 ** 30) {
      throw badInput(`maxN must be a whole number from 1 to ${2 ** 30}, not ${maxN}`);
    }
    this.p0 = p0;
    this.alpha = alpha;
    this.beta = beta;
    this.maxN = maxN;
    this.#acceptAtEnd = acceptAtEnd ?? Number.POSITIVE_INFINITY;
    this.#logOneOverAlpha = -Math.log(alpha);
    this.#logOneOverBeta = -Math.log(beta);
  }

  /** The smallest number of successes among n that accepts; n + 1 where none does. */
  acceptAt(n: number): number {
    this.#require(n);
    this.#accept = grown(this.#accept, n, this.maxN);
    const known = this.#accept[n] ?? 0;
    if (known !== 0) return known - 2;
    const before = n > 1 ? (this.#accept[n - 1] ?? 0) : 0;
    const first = Math.max(0, Math.floor(this.p0 * n) - 1);
    const hint = before === 0 ? undefined : before - 2;
    const betting = firstTrue(first, n + 1, hint, (a) => this.#accepts(a, n));
    const threshold = n === this.maxN ? Math.min(betting, this.#acceptAtEnd) : betting;
    this.#accept[n] = threshold + 2;
    return threshold;
  }

  /**
   * The largest number of successes among n at which to give up; -1 where none is. Either the mirrored test finds
   * the share below p0, or so many failures are in that maxN samples could not accept any more.
   */
  giveUpAt(n: number): number {
    this.#require(n);
    this.#giveUp = grown(this.#giveUp, n, this.maxN);
    const known = this.#giveUp[n] ?? 0;
    if (known !== 0) return known - 2;
    const before = n > 1 ? (this.#giveUp[n - 1] ?? 0) : 0;
    const last = Math.min(n + 1, Math.ceil(this.p0 * n) + 1);
    const hint = before === 0 ? undefined : before - 1;
    const mirrored = firstTrue(0, last, hint, (a) => !this.#refutes(a, n)) - 1;
    const threshold = Math.max(mirrored, n - this.mostFailures - 1);
    this.#giveUp[n] = threshold + 2;
    return threshold;
  }

  /** What `a` successes among `n` decide. Accepting goes first. */
  decide(a: number, n: number): Decision {
    requireCounts(a, n);
    if (a >= this.acceptAt(n)) return 'accept';
    return a <= this.giveUpAt(n) ? 'give-up' : 'open';
  }

  /** How many failures maxN samples may hold and still accept; -1 where even none is too many. */
  get mostFailures(): number {
    this.#mostFailures ??= this.maxN - this.acceptAt(this.maxN);
    return this.#mostFailures;
  }

  /** Whether maxN samples can accept at all. */
  get canAccept(): boolean {
    return this.mostFailures >= 0;
  }

  /** Both thresholds for n = 0..upTo (index 0: 1 and -1, nothing is decided without samples). */
  tables(upTo: number = this.maxN): { accept: Int32Array; giveUp: Int32Array } {
    const accept = new Int32Array(upTo + 1);
    const giveUp = new Int32Array(upTo + 1);
    accept[0] = 1;
    giveUp[0] = -1;
    for (let n = 1; n <= upTo; n++) {
      accept[n] = this.acceptAt(n);
      giveUp[n] = this.giveUpAt(n);
    }
    return { accept, giveUp };
  }

  #accepts(a: number, n: number): boolean {
    if (!(excessOverMean(a, n, this.p0) > 0)) return false;
    const { log, error } = logEvidence(a, n, this.p0);
    // The last term covers the rounding of ln(1/alpha) and of this comparison.
    return log - error >= this.#logOneOverAlpha + 4 * UNIT_ROUNDOFF * (1 + this.#logOneOverAlpha);
  }

  #refutes(a: number, n: number): boolean {
    if (!(excessOverMean(a, n, this.p0) < 0)) return false;
    return logEvidence(a, n, this.p0).log >= this.#logOneOverBeta;
  }

  #require(n: number): void {
    if (Number.isInteger(n) && n >= 1 && n <= this.maxN) return;
    throw new TurnproofError('internal', `a test of at most ${this.maxN} samples was asked about ${n}`);
  }
}

/** Of a test's level: what the betting test gets; the rest is for the last look. */
const BETTING_SHARE = 0.75;

/**
 * The inner test of every method: the betting test at every look, at 3/4 of alpha, and at maxN samples the fixed test
 * at 1/4 of it. Betting stops early where the share is clear; what is left at the end is decided almost as the fixed
 * test of the whole alpha would.
 *
 * Soundness: accepting wrongly is accepting wrongly by one of the two (union bound), whatever they have in common.
 */
export function innerThresholds({
  p0,
  alpha,
  maxN,
}: Omit<SequentialOptions, 'acceptAtEnd'>): SequentialThresholds {
  const last = alpha * (1 - BETTING_SHARE);
  return new SequentialThresholds({
    p0,
    alpha: nextDown(alpha - last),
    maxN,
    acceptAtEnd: fixedThreshold({ p0, alpha: last, n: maxN }),
  });
}

/** The least x in [low, high] with holds(x), high itself taken to hold; holds must be monotone. */
function firstTrue(
  low: number,
  high: number,
  hint: number | undefined,
  holds: (x: number) => boolean,
): number {
  let no = low - 1;
  let yes = high;
  if (hint !== undefined) {
    // From one n to the next a threshold moves by at most one or two: walk from the last one.
    let x = Math.min(Math.max(hint, low), high);
    while (x < high && !holds(x)) x++;
    while (x > low && holds(x - 1)) x--;
    return x;
  }
  while (yes - no > 1) {
    const middle = Math.floor((no + yes) / 2);
    if (holds(middle)) yes = middle;
    else no = middle;
  }
  return yes;
}

function grown(table: Int32Array<ArrayBuffer>, n: number, maxN: number): Int32Array<ArrayBuffer> {
  if (n < table.length) return table;
  const larger = new Int32Array(Math.min(maxN, Math.max(2 * n, 255)) + 1);
  larger.set(table);
  return larger;
}

/** One running test: counts in, a decision out, frozen once it is made. Many may share one set of thresholds. */
export class SequentialTest {
  readonly thresholds: SequentialThresholds;
  #successes = 0;
  #trials = 0;
  #decision: Decision = 'open';

  constructor(thresholds: SequentialThresholds) {
    this.thresholds = thresholds;
  }

  /** Successes counted until the decision. */
  get successes(): number {
    return this.#successes;
  }

  /** Samples counted until the decision. */
  get trials(): number {
    return this.#trials;
  }

  get decision(): Decision {
    return this.#decision;
  }

  /**
   * Counts one more batch and looks. After a decision batches are ignored, so samples that were under way do no
   * harm. Throws `internal` when the batch goes beyond maxN.
   */
  add(successes: number, trials: number): Decision {
    if (this.#decision !== 'open' || trials === 0) return this.#decision;
    requireCounts(successes, trials);
    const total = this.#trials + trials;
    if (total > this.thresholds.maxN) {
      const message = `a batch of ${trials} brings a test of at most ${this.thresholds.maxN} samples to ${total}`;
      throw new TurnproofError('internal', message);
    }
    this.#trials = total;
    this.#successes += successes;
    this.#decision = this.thresholds.decide(this.#successes, total);
    return this.#decision;
  }
}
