/// <reference path="../statistics/jstat.d.ts" />
/**
 * How many β will have a class share above what E asks for, guessed from a few samples at a few β. For planning only:
 * nothing that is claimed rests on it.
 */
import jstat from 'jstat';

const { jStat } = jstat;

/** Geometric steps of the two numbers that are unknown: the mean share of failures, and how alike the β are. */
const MEANS = 12;
const ALIKE = [3, 10, 30, 100, 300, 1000, 3000, 10_000];

/** A law of the failures' share, Beta(a, b), and how likely it is. */
interface Law {
  readonly a: number;
  readonly b: number;
  readonly weight: number;
}

/**
 * The expected share of β whose class share exceeds a number, given the successes of `samples` at each of some β.
 *
 * A uniform prior for each β by itself would not do: after 128 of 128 it still takes a share of 0.993 for a toss-up,
 * while twenty β with hardly a failure among them make it very likely. So the β share a Beta law with unknown mean
 * (from half a failure in all samples to one in two, even in its logarithm) and spread; the answer is averaged over
 * both, weighted by how well they explain the counts.
 */
export function classShareModel(successes: readonly number[], samples: number): (share: number) => number {
  const byFailures = new Map<number, number>();
  for (const k of successes) byFailures.set(samples - k, (byFailures.get(samples - k) ?? 0) + 1);
  const laws = lawsOf(byFailures, samples, successes.length);
  return (share) => {
    let expected = 0;
    for (const [failures, betas] of byFailures) {
      for (const { a, b, weight } of laws) {
        expected += betas * weight * Number(jStat.ibeta(1 - share, failures + a, samples - failures + b));
      }
    }
    return Math.min(1, expected / Math.max(1, successes.length));
  };
}

function lawsOf(byFailures: ReadonlyMap<number, number>, samples: number, betas: number): Law[] {
  const least = 0.5 / Math.max(1, samples * betas);
  const laws = Array.from({ length: MEANS }, (_, i) => least * (0.5 / least) ** (i / (MEANS - 1))).flatMap(
    (mean) => ALIKE.map((alike) => ({ a: mean * alike, b: (1 - mean) * alike })),
  );
  // The beta-binomial likelihood, without the factors that all laws share.
  const logs = laws.map(({ a, b }) => {
    let log = 0;
    for (const [failures, count] of byFailures) {
      log += count * (jStat.betaln(failures + a, samples - failures + b) - jStat.betaln(a, b));
    }
    return log;
  });
  const largest = Math.max(...logs);
  const weights = logs.map((log) => Math.exp(log - largest));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return laws
    .map((law, i) => ({ ...law, weight: (weights[i] ?? 0) / sum }))
    .filter(({ weight }) => weight > 1e-6);
}
