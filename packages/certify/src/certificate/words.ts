/** What a result claims, in words: made from its fields, so that verification can make them again. */
import { ATTACK_PRECISION } from '../bounds/attack-error.ts';
import type { CalibrationSummary } from '../calibration/schema.ts';
import { roundRadiusDown } from '../methods/claims.ts';
import type { Method } from '../plan.ts';
import { percent } from './percent.ts';

interface Claimed {
  readonly method: Method;
  readonly confidence: number;
  readonly predicted: number | null;
  readonly abstention: string | null;
  /** k: b sees pixels in steps of 2^-k. */
  readonly lattice?: number | null | undefined;
}

export interface ClaimedRadius extends Claimed {
  /** sweep only. */
  readonly interval?: { readonly lower: readonly number[]; readonly upper: readonly number[] } | null;
  readonly radius: number | null;
  /** dist-d: what it rests on. */
  readonly bound?: {
    readonly E: number;
    readonly calibration?: Pick<CalibrationSummary, 'errors' | 'nGammas' | 'qE'>;
  } | null;
  /** indiv only: all of the range is covered. */
  readonly cutAtRange?: boolean;
  readonly pipeline: { readonly transform: string; readonly quantization: string };
}

/** Before everything that rests on errors at some γ. */
export const SAMPLED = 'Sampled, no guarantee on Γ';

/** What sweep speaks of: smoothed over pixel noise, not over transformations. */
const H = 'the noise-smoothed classifier h';
const G = 'the smoothed classifier g';
const HEURISTIC = 'No guarantee (heuristic)';

/** «the smoothed classifier g, which sees pixels in steps of 2^-16,» */
function seeing(subject: string, { lattice }: Pick<Claimed, 'lattice'>): string {
  return typeof lattice === 'number' ? `${subject}, which sees pixels in steps of 2^-${lattice},` : subject;
}

/** A certificate's sentence. */
export function guaranteeOf(claimed: ClaimedRadius): string {
  const { method, confidence, predicted, radius, pipeline, abstention } = claimed;
  const heuristic = method === 'base';
  const calibration = claimed.bound?.calibration;
  const sampled = calibration?.errors === 'sampled' ? `${SAMPLED}. ` : '';
  if (predicted === null || radius === null) {
    return `${heuristic ? `${HEURISTIC}. ` : sampled}Abstained: nothing is claimed about this image (${abstention ?? 'no reason'}).`;
  }
  const moves =
    pipeline.transform === 'rotation'
      ? `every rotation of this image by up to ${radius}°`
      : `every translation of this image by up to ${radius} pixels (length of the shift)`;
  if (heuristic) {
    const kind = pipeline.transform === 'rotation' ? 'rotations' : 'translations';
    return (
      `${HEURISTIC}: if ${kind} composed without interpolation error, then, with confidence ${percent(confidence)}, ` +
      `${G} would answer class ${predicted} for ${moves}.`
    );
  }
  if (method === 'indiv') return indivWords(claimed, predicted, radius);
  const rounding =
    pipeline.quantization === 'u8' ? ', rounded to 8 bits afterwards or not' : ', not rounded afterwards';
  if (method === 'sweep') {
    // Towards 0: words may promise less than the numbers, never more.
    const low = -roundRadiusDown(-(claimed.interval?.lower[0] ?? 0));
    const high = roundRadiusDown(claimed.interval?.upper[0] ?? 0);
    const range =
      pipeline.transform === 'rotation'
        ? `every rotation of this image from ${low}° to ${high}°`
        : `every translation of this image by up to ${high} pixels on each axis`;
    return `With confidence ${percent(confidence)}, ${seeing(H, claimed)} answers class ${predicted} for ${range}${rounding}.`;
  }
  const claim = `With confidence ${percent(confidence)}, ${seeing(G, claimed)} answers class ${predicted} for ${moves}${rounding}`;
  if (!calibration) return `${claim}.`;
  const share = roundRadiusDown(calibration.qE);
  if (sampled !== '') {
    return (
      `${sampled}Were errors as small between the ${calibration.nGammas} γ that were sampled for each β: ${claim}, ` +
      `for a share of at least ${share} of the images of the calibrated distribution.`
    );
  }
  return (
    `${claim}, provided that this image is one of those whose interpolation error the calibration's E covers. ` +
    `Of all images of the calibrated distribution, certified or not, that is a share of at least ${share}.`
  );
}

/** Of the image behind a file, not of the file. */
function indivWords(
  { confidence, cutAtRange, pipeline, lattice }: ClaimedRadius,
  predicted: number,
  radius: number,
): string {
  const attack =
    pipeline.transform === 'rotation'
      ? `rotated by an unknown angle of at most ${radius}°`
      : cutAtRange
        ? `translated by unknown shifts of at most ${radius} pixels on each axis`
        : `translated by an unknown shift of at most ${radius} pixels (length of the shift)`;
  const rounding =
    pipeline.quantization === 'u8'
      ? ', and rounded to 8 bits'
      : `, and not rounded by more than ${ATTACK_PRECISION}`;
  return (
    `With confidence ${percent(confidence)}, whatever image was ${attack}${rounding} to give this file, ` +
    `${seeing(G, { lattice })} answers class ${predicted} for that image as it was.`
  );
}

/** A prediction's sentence: about this image alone. */
export function predictionWords(claimed: Claimed): string {
  const { method, confidence, predicted, abstention } = claimed;
  const none =
    method === 'base'
      ? `${HEURISTIC}. `
      : 'No guarantee for transformed images (a prediction, no certificate). ';
  if (predicted === null) return `${none}Abstained (${abstention ?? 'no reason'}).`;
  const subject = seeing(method === 'sweep' ? H : G, claimed);
  return `${none}With confidence ${percent(confidence)}, ${subject} answers class ${predicted} for this image as it is.`;
}
