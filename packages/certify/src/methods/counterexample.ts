/**
 * Why does a certified interval end? Looks for a parameter at which another class is more probable, so that h does not
 * answer the certified one: «not certified» then says whether it is wrong there or only undecided. The rival is named by
 * the search and confirmed by fresh noise. No proof of absence: finding nothing means nothing.
 */
import { dimensionsOf, type Parameter, type ParameterBox, type Transform } from '@turnproof/shaders';
import type { SampledImage } from '../sampling/index.ts';
import { predictFromCounts } from '../statistics/index.ts';
import type { SweepBreak, SweepContext } from './method.ts';

/** Parameters tried along each axis at every end, samples of each, and samples of the confirmation at the worst. */
const TRIED = { rotation: 9, translation: 3 } as const;
const SAMPLES = 64;
const CONFIRMING = 512;
/** How far beyond an end to look, in widths of a root slice: h's answer seldom changes within one. */
const REACH = 6;
/** Of each «wrong»: not part of the certificate's α, because it claims no robustness. */
const COUNTEREXAMPLE_ALPHA = 0.001;

/** Ends that an interval has: two that grow by themselves, or a square as a whole. */
const ENDS = { rotation: 2, translation: 1 } as const;
/** Part of an image's samples that may be kept for the search: where that is too little for it, none are. */
const MOST_KEPT = 0.25;

/** Samples of the search at one end. */
function searching(transform: Transform): number {
  return TRIED[transform] ** dimensionsOf(transform) * SAMPLES;
}

/** Most samples that an end takes. */
function priceOf(transform: Transform): number {
  return searching(transform) + CONFIRMING;
}

/** Samples that slices must leave for the search at all ends, out of those of an image. */
export function keptForSearch(transform: Transform, maxSamples: number): number {
  const all = ENDS[transform] * priceOf(transform);
  return all <= MOST_KEPT * maxSamples ? all : 0;
}

/** Samples that the search at these ends took; null where no search gives such counts. */
export function counterexampleSamples(
  transform: Transform,
  breaks: readonly { readonly n: number }[],
): number | null {
  if (breaks.some(({ n }) => n !== SAMPLES && n !== CONFIRMING)) return null;
  const each = searching(transform);
  return breaks.reduce((sum, { n }) => sum + each + (n === CONFIRMING ? n : 0), 0);
}

export interface EndsOfInterval {
  readonly classIndex: number;
  /** Where the interval ends. */
  readonly ends: readonly ParameterBox[];
  /** Of root slices, along each axis: what «beyond» is measured in. */
  readonly rootWidths: readonly number[];
  /** Samples that the search may take; ends that it has none for are not searched. */
  readonly budget: number;
}

export async function searchCounterexamples(
  { sampler, noise: { sigma }, pipeline: { transform, range } }: SweepContext,
  image: SampledImage,
  { classIndex, ends: all, rootWidths, budget }: EndsOfInterval,
): Promise<{ breaks: SweepBreak[]; samples: number }> {
  const ends = all.slice(0, Math.max(0, Math.floor(budget / priceOf(transform))));
  if (ends.length === 0) return { breaks: [], samples: 0 };
  const places = ends.map((end) => placesAround(end, rootWidths, range, TRIED[transform]));
  const { classes } = sampler;
  const tried = places.flat();
  const counts = await sampler.countClasses(image, {
    betas: tried,
    noise: 'sweepAttack',
    sigma,
    samples: SAMPLES,
  });
  const rowOf = (all: Uint32Array, i: number) => all.subarray(i * classes, (i + 1) * classes);
  let first = 0;
  const found = ends.map(({ lower, upper }, i): SweepBreak => {
    const own = places[i] ?? [];
    const rows = own.map((_, place) => rowOf(counts, first + place));
    first += own.length;
    const margins = rows.map((row) => marginOf(row, classIndex));
    const at = margins.indexOf(Math.min(...margins));
    const row = rows[at] ?? new Uint32Array(classes);
    return {
      lower,
      upper,
      gamma: own[at] ?? [],
      ...countsOf(row, SAMPLES, classIndex, rivalOf(row, classIndex)),
      kind: 'undecided',
    };
  });
  // Only where another class is ahead there is something to confirm, by samples that did not choose the place.
  const ahead = found.filter(({ k, rivalCount }) => rivalCount > k);
  const confirmed =
    ahead.length === 0
      ? new Uint32Array()
      : await sampler.countClasses(image, {
          betas: ahead.map(({ gamma }) => gamma),
          noise: 'sweepConfirm',
          sigma,
          samples: CONFIRMING,
        });
  const breaks = found.map((end): SweepBreak => {
    const i = ahead.indexOf(end);
    if (i < 0) return end;
    const fresh = countsOf(rowOf(confirmed, i), CONFIRMING, classIndex, end.rival);
    return { ...end, ...fresh, kind: isBeaten(fresh.k, fresh.rivalCount) ? 'wrong' : 'undecided' };
  });
  return { breaks, samples: counterexampleSamples(transform, breaks) ?? 0 };
}

function countsOf(row: Uint32Array, n: number, classIndex: number, rival: number | null) {
  return { k: row[classIndex] ?? 0, n, rival, rivalCount: rival === null ? 0 : (row[rival] ?? 0) };
}

/** Do the counts show, at {@link COUNTEREXAMPLE_ALPHA}, that the rival is more probable than the class? */
export function isBeaten(k: number, rivalCount: number): boolean {
  return rivalCount > k && predictFromCounts(rivalCount, k, COUNTEREXAMPLE_ALPHA).decision === 'class';
}

/** Evenly over an end's box and, away from 0, some way beyond it. */
function placesAround(
  { lower, upper }: ParameterBox,
  widths: readonly number[],
  range: number,
  perAxis: number,
): Parameter[] {
  const axes = lower.map((a, axis) => {
    const b = upper[axis] ?? a;
    const width = REACH * (widths[axis] ?? 0);
    const from = Math.max(-range, b <= 0 || a + b < 0 ? a - width : a);
    const to = Math.min(range, a >= 0 || a + b > 0 ? b + width : b);
    return Array.from({ length: perAxis }, (_, i) => from + ((to - from) * i) / (perAxis - 1));
  });
  return axes.reduce<number[][]>(
    (places, values) => places.flatMap((place) => values.map((value) => [...place, value])),
    [[]],
  );
}

/** The strongest class beside the chosen one, or null where none was seen. */
function rivalOf(row: Uint32Array, chosen: number): number | null {
  const best = row.reduce((top, count, c) => (c !== chosen && count > (row[top] ?? 0) ? c : top), -1);
  return best < 0 ? null : best;
}

function marginOf(row: Uint32Array, chosen: number): number {
  const rival = rivalOf(row, chosen);
  return (row[chosen] ?? 0) - (rival === null ? 0 : (row[rival] ?? 0));
}
