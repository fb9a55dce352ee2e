/** A calibration's file: read whole and checked before anything rests on it. */
import { createHash } from 'node:crypto';
import { type Calibration, type CalibrationSummary, verifyCalibration } from '@turnproof/certify';
import { badInput } from '@turnproof/core';
import { readText } from '../text-file.ts';

export const CALIBRATION = 'calibration.json';
/** A thousand images take a few hundred kilobytes. */
const MAX_CALIBRATION = 2 ** 26;

export interface CalibrationFile {
  /** As it lies on disk, to be kept beside the certificates. */
  readonly text: string;
  readonly calibration: Calibration;
  readonly summary: CalibrationSummary;
}

/** @throws TurnproofError `bad-input` for a file that is no calibration, or whose figures do not follow from its counts */
export async function readCalibration(path: string): Promise<CalibrationFile> {
  const text = await readText(path, MAX_CALIBRATION);
  if (text === null)
    throw badInput(`${path}: no such file`, 'Give a file that turnproof calibrate has written.');
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    throw badInput(`${path}: is no JSON`, 'Give a file that turnproof calibrate has written.');
  }
  const { calibration, problems } = verifyCalibration(content);
  const [problem] = problems;
  if (problem || !calibration) {
    throw badInput(
      `${path}: ${problem?.field}: ${problem?.message}`,
      'Make it again with turnproof calibrate: nothing may rest on it.',
    );
  }
  const { errors, nGammas, E, rhoE, qE, alpha, alphaInner, nBetas, mostExceeding, nImages, passed } =
    calibration;
  const figures = { errors, nGammas, E, rhoE, qE, alpha, alphaInner, nBetas, mostExceeding, nImages, passed };
  const sha256 = createHash('sha256').update(text).digest('hex');
  return { text, calibration, summary: { sha256, ...figures } };
}

/** Hashes of all its images: those must not be certified with it. */
export function imagesOf({ images, choice }: Calibration): ReadonlySet<string> {
  return new Set([...images, ...(choice?.images ?? [])].map(({ sha256 }) => sha256));
}
