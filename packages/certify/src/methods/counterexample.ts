/**
 * Why does a certified interval end? Looks for a parameter at which h answers another class: «not certified» then says
 * whether it is wrong there or only undecided. A search, no proof of absence: finding nothing means nothing.
 */
import { dimensionsOf, type Parameter, type ParameterBox, type Transform } from '@turnproof/shaders';
import type { SampledImage } from '../sampling/index.ts';
import { predictClass } from '../statistics/index.ts';
import type { SweepBreak, SweepContext } from './method.ts';
import { noiseOf } from './stage.ts';

/** Parameters tried along each axis at every end, samples of each, and samples of the confirmation at the worst. */
const TRIED = { rotation: 17, translation: 5 } as const;
const SAMPLES = 64;
const CONFIRMING = 512;
/** Of each «wrong»: not part of the certificate's α, because it claims no robustness. */
export const COUNTEREXAMPLE_ALPHA = 0.001;

/** Samples that a search at so many ends takes. */
export function counterexampleSamples(transform: Transform, ends: number): number {
  return ends * (TRIED[transform] ** dimensionsOf(transform) * SAMPLES + CONFIRMING);
}

export interface EndsOfInterval {
  readonly classIndex: number;
  /** Where the interval ends. */
  readonly ends: readonly ParameterBox[];
  /** How far beyond an end to look, along each axis. */
  readonly rootWidths: readonly number[];
}

export async function searchCounterexamples(
  { sampler, plan, pipeline: { transform, range } }: SweepContext,
  image: SampledImage,
  { classIndex, ends, rootWidths }: EndsOfInterval,
): Promise<{ breaks: SweepBreak[]; samples: number }> {
  if (ends.length === 0) return { breaks: [], samples: 0 };
  const places = ends.map((end) => placesAround(end, rootWidths, range, TRIED[transform]));
  const sigma = noiseOf(plan);
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
  const worst = places.map((own) => {
    const margins = own.map((_, i) => marginOf(rowOf(counts, first + i), classIndex));
    const at = margins.indexOf(Math.min(...margins));
    first += own.length;
    return own[at] ?? [];
  });
  const confirming = { betas: worst, noise: 'sweepConfirm', sigma, samples: CONFIRMING } as const;
  const confirmed = await sampler.countClasses(image, confirming);
  const breaks = ends.map(({ lower, upper }, i): SweepBreak => {
    const row = rowOf(confirmed, i);
    const answer = predictClass(row, COUNTEREXAMPLE_ALPHA);
    const rival = rivalOf(row, classIndex);
    return {
      lower,
      upper,
      gamma: worst[i] ?? [],
      k: row[classIndex] ?? 0,
      n: CONFIRMING,
      rival,
      rivalCount: rival === null ? 0 : (row[rival] ?? 0),
      kind: answer !== null && answer !== classIndex ? 'wrong' : 'undecided',
    };
  });
  return { breaks, samples: counterexampleSamples(transform, ends.length) };
}

/** Evenly over an end's box and, away from 0, a root's width beyond it. */
function placesAround(
  { lower, upper }: ParameterBox,
  widths: readonly number[],
  range: number,
  perAxis: number,
): Parameter[] {
  const axes = lower.map((a, axis) => {
    const b = upper[axis] ?? a;
    const width = widths[axis] ?? 0;
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
