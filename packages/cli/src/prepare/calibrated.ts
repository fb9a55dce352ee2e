/** Does a calibration fit the run that is to rest on it, and are its images others than those to be certified? */
import { calibrationDifferences, type Pipeline, type Plan } from '@turnproof/certify';
import { badInput } from '@turnproof/core';
import type { Values } from '../options/values.ts';
import { type CalibrationFile, imagesOf, readCalibration } from '../run/calibration-file.ts';
import type { SelectedData } from './inputs.ts';

/** Overlapping images that are named. */
const NAMED = 8;

/** Null for other methods. @throws TurnproofError `bad-input`: none given, none needed, or none at all */
export async function calibrationFor(
  values: Values,
  { method }: Plan,
  { transform }: Pipeline,
): Promise<CalibrationFile | null> {
  const path = values.text('calibration');
  if (method !== 'dist-d') {
    if (path === undefined) return null;
    throw badInput(`--calibration does nothing for ${method}`, 'Add --method dist-d, or leave it out.');
  }
  if (path === undefined) {
    throw badInput(
      '--method dist-d needs --calibration FILE',
      `Make one: turnproof calibrate --transform ${transform} ... --out calibration.json`,
    );
  }
  return readCalibration(path);
}

/** @throws TurnproofError `bad-input` naming what differs, or the images that made the calibration */
export async function checkCalibrated(
  { calibration }: CalibrationFile,
  { sigmaGamma }: Plan,
  pipeline: Pipeline,
  { data, indices }: SelectedData,
): Promise<void> {
  const differences = calibrationDifferences(calibration, { pipeline, shape: data.shape, sigmaGamma });
  if (differences.length > 0) {
    throw badInput(
      `the calibration is for something else: ${differences.join('; ')}`,
      'Certify with what it was made for, or make another one.',
    );
  }
  const known = imagesOf(calibration);
  const both: number[] = [];
  for (const index of indices) if (known.has((await data.read(index)).sha256)) both.push(index);
  if (both.length === 0) return;
  const named = both.slice(0, NAMED).join(', ');
  throw badInput(
    `${both.length} of the selected images made the calibration (${named}${both.length > NAMED ? ', ...' : ''}): q_E says nothing of those`,
    'Certify other images, with --skip or --index, or calibrate on others.',
  );
}
