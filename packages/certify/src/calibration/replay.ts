/**
 * Are a calibration's figures what drawing them again gives? What `verifyCalibration` cannot see (errors that were never
 * bounded, counts that were made up) shows here, image by image. The judge is the caller's: see `openJudge` of the
 * command line.
 */
import { type ImageShape, wgslSha256 } from '@turnproof/shaders';
import type { Problem } from '../certificate/audit.ts';
import { Comparison, type Differences } from '../certificate/comparison.ts';
import { BOUND_SHARE } from '../certificate/replay-elsewhere.ts';
import type { SampledImage } from '../sampling/index.ts';
import { choosingError, type ErrorJudge, testImage } from './calibrate.ts';
import { mostExceeding } from './claims.ts';
import type { Calibration } from './schema.ts';

/** One of a calibration's images, and what it says of it. */
export type CalibrationImage =
  | { readonly field: string; readonly kind: 'chose'; readonly stated: ChoosingImage }
  | { readonly field: string; readonly kind: 'tested'; readonly stated: TestingImage };

type ChoosingImage = NonNullable<Calibration['choice']>['images'][number];
type TestingImage = Calibration['images'][number];

/** Those that chose E, then those that tested it. */
export function calibrationImages({ choice, images }: Calibration): CalibrationImage[] {
  const choosing = choice?.images ?? [];
  return [
    ...choosing.map((stated, i) => ({ field: `choice.images[${i}]`, kind: 'chose', stated }) as const),
    ...images.map((stated, i) => ({ field: `images[${i}]`, kind: 'tested', stated }) as const),
  ];
}

/** What must be the same before drawing again means anything: image and kernels. */
export function calibrationObstacles(
  { shape, shaders }: Calibration,
  { field, stated }: CalibrationImage,
  here: { readonly image: string; readonly shape: ImageShape },
): Problem[] {
  const words = ({ channels, height, width }: ImageShape) => `${channels} x ${height} x ${width}`;
  const pairs: [string, string, string, string][] = [
    ['shape', words(shape), words(here.shape), 'that of the data given'],
    [`${field}.sha256`, stated.sha256, here.image, 'that of the image given'],
    ['shaders.sha256', shaders.sha256, wgslSha256, 'that of the kernels here'],
  ];
  return pairs.flatMap(([name, there, found, what]) =>
    there === found ? [] : [{ field: name, message: `says ${there}, but ${what} is ${found}` }],
  );
}

export interface CalibrationComparison extends Differences {
  /** Null: made on a machine like this one, so all had to be equal. Else why it was not, as the calibration says. */
  readonly loose: string | null;
}

/** β of an image whose error lies so close to E that it is another's verdict elsewhere. */
const TURNED = 1;

/**
 * Judges an image's β again, from the calibration's own seed and E.
 *
 * @param judge of the calibration's seed, pipeline and kind of errors
 * @param adapterClass of this machine
 */
export async function replayCalibrationImage(
  calibration: Calibration,
  { field, kind, stated }: CalibrationImage,
  image: SampledImage,
  judge: ErrorJudge,
  adapterClass: string,
): Promise<CalibrationComparison> {
  const there = calibration.adapter.adapterClass;
  const loose = there === adapterClass ? null : `adapter class ${there} there, ${adapterClass} here`;
  const comparison = new Comparison({
    skips: () => false,
    allowed: (name, a, b) => {
      if (loose === null) return 0;
      return name.endsWith('.error') ? BOUND_SHARE * Math.max(a, b) : TURNED;
    },
  });
  if (kind === 'chose') comparison.number(`${field}.error`, stated.error, await choosingError(judge, image));
  else {
    const again = await testImage(judge, image, calibration.E, {
      nBetas: calibration.nBetas,
      mostExceeding: mostExceeding(calibration),
    });
    comparison.number(`${field}.tested`, stated.tested, again.tested);
    comparison.number(`${field}.exceeded`, stated.exceeded, again.exceeded);
    if (stated.passed !== again.passed) comparison.count();
  }
  return { loose, ...comparison.result() };
}
