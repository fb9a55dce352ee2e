/**
 * Statistics of repeated times, and what is doubtful about them.
 */
export interface Summary {
  readonly min: number;
  readonly median: number;
  readonly p95: number;
  /** Distance of the quartiles as a share of the median. */
  readonly spread: number;
}

/** @throws RangeError for an empty list */
export function summaryOf(values: readonly number[]): Summary {
  if (values.length === 0) throw new RangeError('no times to sum up');
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
  const median = at(0.5);
  return { min: at(0), median, p95: at(0.95), spread: (at(0.75) - at(0.25)) / median };
}

/** Standard error of the median as a share of it, from the quartiles (as for a normal law). */
export function medianError({ spread }: Summary, count: number): number {
  return ((1.2533 / 1.349) * spread) / Math.sqrt(count);
}

/** Greatest number of nanoseconds that all of them are whole multiples of; 0 for none. */
export function clockStep(nanoseconds: readonly number[]): number {
  return nanoseconds.reduce((step, value) => gcd(step, Math.round(Math.abs(value))), 0);
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}

/** A step of the clock above this is worth a badge. */
export const COARSE_STEP_NS = 1000;
/** A time of fewer steps than this is read off too coarsely. */
const STEPS = 20;

/** A median less certain than this is worth a word. */
const UNCERTAIN = 0.05;

export function unsettled(summary: Summary, repeats: number): string[] {
  const error = medianError(summary, repeats);
  if (error <= UNCERTAIN) return [];
  return [`not settled after ${repeats} repeats: median ± ${(100 * error).toFixed(0)} %`];
}

export function doubts(facts: {
  readonly summary: Summary;
  readonly repeats: number;
  readonly settled: boolean;
  /** Milliseconds; null: the host's clock. */
  readonly stepMs: number | null;
  /** Time of half the work as a share of the whole; null: not tried. */
  readonly half: number | null;
  readonly dropped: number;
}): string[] {
  const { summary, repeats, settled, stepMs, half, dropped } = facts;
  const list: string[] = [];
  if (stepMs === null) list.push('no GPU clock: wall time, with the way to the GPU and back');
  else if (summary.median < STEPS * stepMs)
    list.push(`coarse clock: the median is ${(summary.median / stepMs).toFixed(0)} of its steps`);
  if (half !== null && half > 0.75)
    list.push(`not saturated: half of the work takes ${Math.round(100 * Math.min(1, half))} % of the time`);
  if (!settled) list.push(...unsettled(summary, repeats));
  if (dropped > 0) list.push(`${dropped} times dropped: the GPU's clock gave none`);
  return list;
}
