/**
 * Two results side by side: what became slower or faster by more than both scatter.
 */
import type { Measurement, Result } from './result.ts';

export type Verdict = 'slower' | 'faster' | 'same' | 'only before' | 'only after';

export interface Difference {
  readonly name: string;
  readonly before: Measurement | null;
  readonly after: Measurement | null;
  /** Time for one unit of work, after / before; null where one is missing. */
  readonly ratio: number | null;
  /** How far from 1 the ratio may be before it counts. */
  readonly margin: number;
  readonly verdict: Verdict;
}

/** What differs though nothing changed: other programs, the processor's clock. */
const NOISE = 0.05;

export function compare(before: Result, after: Result): Difference[] {
  const later = new Map(after.measurements.map((m) => [m.name, m]));
  const rows = before.measurements.map((m) => difference(m, later.get(m.name) ?? null));
  const known = new Set(before.measurements.map(({ name }) => name));
  const added = after.measurements.filter(({ name }) => !known.has(name)).map((m) => difference(null, m));
  return [...rows, ...added];
}

function difference(before: Measurement | null, after: Measurement | null): Difference {
  const name = (before ?? after)?.name ?? '';
  if (!before || !after) {
    return {
      name,
      before,
      after,
      ratio: null,
      margin: NOISE,
      verdict: before ? 'only before' : 'only after',
    };
  }
  const ratio = before.perSecond / after.perSecond;
  const margin = NOISE + clockOf(before).spread + clockOf(after).spread;
  const verdict = ratio > 1 + margin ? 'slower' : ratio < 1 / (1 + margin) ? 'faster' : 'same';
  return { name, before, after, ratio, margin, verdict };
}

/** The times that a measurement is judged by. */
export const clockOf = ({ gpuMs, wallMs }: Measurement): Measurement['wallMs'] => gpuMs ?? wallMs;

/** Why the two may not be comparable at all; empty when nothing speaks against it. */
export function obstacles(before: Result, after: Result): string[] {
  const [a, b] = [before.circumstances, after.circumstances];
  const list: string[] = [];
  if (a.adapter !== b.adapter) list.push(`different adapters: ${a.adapter} and ${b.adapter}`);
  if (a.runtime.split(' ')[0] !== b.runtime.split(' ')[0])
    list.push(`different hosts: ${a.runtime} and ${b.runtime}`);
  if (a.cores !== b.cores) list.push(`different numbers of processors: ${a.cores} and ${b.cores}`);
  for (const key of ['batch', 'betas', 'boxes'] as const) {
    if (before.knobs[key] !== after.knobs[key])
      list.push(`different sizes: ${key} ${before.knobs[key]} and ${after.knobs[key]}`);
  }
  return list;
}
