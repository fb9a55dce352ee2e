/** The calibration beside the certificates of a run of dist-d, against what those say of it. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Calibration, type Certificate, calibrationDifferences } from '@turnproof/certify';
import { TurnproofError } from '@turnproof/core';
import { CALIBRATION, type CalibrationFile, imagesOf, readCalibration } from './calibration-file.ts';

/** Does it take its E from a calibration? */
export function restsOnCalibration(
  certificate: Certificate,
): certificate is Extract<Certificate, { method: 'dist-d' }> {
  return 'bound' in certificate && certificate.bound !== null && 'calibration' in certificate.bound;
}

export class KeptCalibration {
  readonly #folder: string;
  #file: Promise<CalibrationFile | string> | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** null where it is missing, or is none: then nothing that rests on it holds. */
  async read(): Promise<Calibration | null> {
    this.#file ??= read(join(this.#folder, CALIBRATION));
    const file = await this.#file;
    return typeof file === 'string' ? null : file.calibration;
  }

  /** None for other methods. A certificate whose calibration is missing stands on figures that nobody can check. */
  async problemsOf(certificate: Certificate): Promise<string[]> {
    if (!restsOnCalibration(certificate)) return [];
    this.#file ??= read(join(this.#folder, CALIBRATION));
    const file = await this.#file;
    if (typeof file === 'string') return [`bound.calibration: ${file}`];
    const { calibration, summary } = file;
    const problems: string[] = [];
    if (JSON.stringify(summary) !== JSON.stringify(certificate.bound.calibration)) {
      problems.push(`bound.calibration: is not what ${CALIBRATION} of the run says`);
    }
    const { pipeline, image, sigmaGamma } = certificate;
    const { transform, range, vignette, blur, quantization } = pipeline;
    const wanted = { transform, range, pre: { vignette, blur }, quantization };
    const differences = calibrationDifferences(calibration, {
      pipeline: wanted,
      shape: image.shape,
      sigmaGamma,
    });
    for (const difference of differences) problems.push(`bound.calibration: is for another ${difference}`);
    if (imagesOf(calibration).has(image.sha256)) {
      problems.push('image.sha256: is one of the images that made the calibration');
    }
    return problems;
  }
}

async function read(path: string): Promise<CalibrationFile | string> {
  if ((await stat(path).catch(() => null)) === null) return `there is no ${path} to check it by`;
  try {
    return await readCalibration(path);
  } catch (error) {
    if (error instanceof TurnproofError) return error.message;
    throw error;
  }
}
