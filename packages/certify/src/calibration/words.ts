/** What a calibration says, in words, and by what it differs from what it is to be used for. */
import type { ImageShape } from '@turnproof/shaders';
import { pipelineForJson } from '../certificate/build.ts';
import { confidenceAt, percent } from '../certificate/percent.ts';
import { SAMPLED } from '../certificate/words.ts';
import { roundRadiusDown } from '../methods/claims.ts';
import type { Pipeline } from '../pipeline.ts';
import type { Calibration, CalibrationSummary } from './schema.ts';

export function calibrationWords(
  calibration: Omit<CalibrationSummary, 'sha256'> & Pick<Calibration, 'sigmaGamma'>,
): string {
  const { E, rhoE, qE, alpha, errors, nGammas, sigmaGamma } = calibration;
  const share = roundRadiusDown(qE);
  const of =
    `With confidence ${confidenceAt(alpha)}, for a share of at least ${share} of the images of the ` +
    `distribution that the calibration's images were drawn from, the interpolation error`;
  if (errors === 'sampled') {
    return `${SAMPLED}. ${of} at ${nGammas} random γ exceeds ${E} for at most ${percent(rhoE)} of β ~ N(0, ${sigmaGamma}²).`;
  }
  return `${of} exceeds ${E} somewhere in Γ for at most ${percent(rhoE)} of β ~ N(0, ${sigmaGamma}²).`;
}

/** What a calibration was made for and is now not used for, in words; empty: it fits. */
export function calibrationDifferences(
  calibration: Pick<Calibration, 'pipeline' | 'shape' | 'sigmaGamma'>,
  wanted: { readonly pipeline: Pipeline; readonly shape: ImageShape; readonly sigmaGamma: number },
): string[] {
  const { transform, range, vignette, blur, quantization } = pipelineForJson(wanted.pipeline);
  const { channels, height, width } = wanted.shape;
  const pairs: [string, unknown, unknown][] = [
    ['transform', calibration.pipeline.transform, transform],
    ['range', calibration.pipeline.range, range],
    ['vignette', calibration.pipeline.vignette, vignette],
    ['blur', calibration.pipeline.blur, blur],
    ['attack quantization', calibration.pipeline.quantization, quantization],
    ['image shape', calibration.shape, { channels, height, width }],
    ['sigma_gamma', calibration.sigmaGamma, wanted.sigmaGamma],
  ];
  return pairs.flatMap(([name, there, here]) =>
    JSON.stringify(there) === JSON.stringify(here)
      ? []
      : [`${name} (calibrated: ${textOf(there)}, here: ${textOf(here)})`],
  );
}

function textOf(value: unknown): string {
  if (value === null) return 'none';
  if (typeof value !== 'object') return String(value);
  return Object.values(value).join(':');
}
