/** A calibration's file: read whole and checked before anything rests on it. */
import { createHash } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import {
  CALIBRATION_SCHEMA,
  type Calibration,
  type CalibrationSummary,
  verifyCalibration,
} from '@turnproof/certify';
import { badInput } from '@turnproof/core';
import { parseJson } from '../json.ts';
import { readText } from '../text-file.ts';
import { CERTIFICATES } from './run-lines.ts';

export const CALIBRATION = 'calibration.json';
/** A thousand images take a few hundred kilobytes. */
const MAX_CALIBRATION = 2 ** 26;

export interface CalibrationFile {
  /** As it lies on disk, to be kept beside the certificates. */
  readonly text: string;
  readonly calibration: Calibration;
  readonly summary: CalibrationSummary;
}

/** What is wrong with the text of a calibration; null where it is none at all. */
export function checkCalibration(text: string): ReturnType<typeof verifyCalibration> {
  const { content, fault } = parseJson(text);
  if (fault !== null) return { calibration: null, problems: [{ field: 'calibration', message: fault }] };
  return verifyCalibration(content);
}

/**
 * The calibration that a path means: that of a folder without certificates, or a file that calls itself one.
 *
 * @returns null where it means a run
 */
export async function calibrationAt(path: string): Promise<{ path: string; text: string } | null> {
  const found = statSync(path, { throwIfNoEntry: false });
  const isFolder = found?.isDirectory() ?? false;
  if (isFolder && existsSync(join(path, CERTIFICATES))) return null;
  const file = isFolder ? join(path, CALIBRATION) : path;
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > MAX_CALIBRATION) return null;
  const text = await readText(file, MAX_CALIBRATION);
  if (text === null) return null;
  if (isFolder) return { path: file, text };
  const { content } = parseJson(text);
  const named = typeof content === 'object' && content !== null && 'schema' in content && content.schema;
  return named === CALIBRATION_SCHEMA ? { path: file, text } : null;
}

/** @throws TurnproofError `bad-input` for a file that is no calibration, or whose figures do not follow from its counts */
export async function readCalibration(path: string): Promise<CalibrationFile> {
  const text = await readText(path, MAX_CALIBRATION);
  if (text === null)
    throw badInput(`${path}: no such file`, 'Give a file that turnproof calibrate has written.');
  const { calibration, problems } = checkCalibration(text);
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
