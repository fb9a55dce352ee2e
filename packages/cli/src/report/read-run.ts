/**
 * A run folder, read back for a report. What a killed run leaves is fine; what is damaged is refused, naming the line.
 * Not for trusting it: `turnproof verify` recomputes what can be recomputed.
 */
import { stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import type { Certificate } from '@turnproof/certify';
import { badInput } from '@turnproof/core';
import { z } from 'zod';
import { printable } from '../printable.ts';
import { keptPaths } from '../run/kept-paths.ts';
import { CONFIG } from '../run/run-config.ts';
import { CERTIFICATES, CLASSIFIER, LOG } from '../run/run-lines.ts';
import { readSuspects } from '../run/run-notes.ts';
import { MAX_LINES, readText } from '../text-file.ts';
import { readCertificate } from './certificates.ts';

const config = z.looseObject({
  command: z.string(),
  version: z.string(),
  started: z.string(),
  options: z.record(z.string(), z.union([z.string(), z.boolean(), z.array(z.string())])),
  paths: keptPaths,
  data: z.looseObject({ spec: z.string(), size: z.int().min(0), indices: z.array(z.int().min(0)) }),
  remark: z.string().optional(),
});

export type RunConfig = z.infer<typeof config>;

export interface ReportedImage {
  readonly certificate: Certificate;
  /** Is the base classifier, without any smoothing, right on pre(x)? Null where it is not known. */
  readonly baseCorrect: boolean | null;
  /** The whole image, from log.tsv. */
  readonly seconds: number | null;
}

export interface ReportedRun {
  readonly path: string;
  /** The folder's own name. */
  readonly name: string;
  readonly config: RunConfig | null;
  /** Never empty. */
  readonly images: readonly ReportedImage[];
  /** What a reader has to know about the files. */
  readonly notes: readonly string[];
}

const FIX = 'Name the folder that turnproof certify has written.';

/**
 * @throws TurnproofError `bad-input` for a folder that is not there, holds no certificate, or a damaged line that is
 *   not the last one
 */
export async function readRun(path: string): Promise<ReportedRun> {
  const found = await stat(path).catch(() => null);
  if (found === null) throw badInput(`${path}: no such folder`, FIX);
  if (!found.isDirectory()) throw badInput(`${path}: is not a folder`, FIX);
  const notes: string[] = [];
  const text = await textOf(path, CERTIFICATES);
  if (text === null) throw badInput(`${path}: holds no ${CERTIFICATES}`, FIX);
  const written = readCertificates(join(path, CERTIFICATES), text, notes);
  if (written.length === 0)
    throw badInput(`${path}: no image is certified there yet`, 'Let the run finish one.');
  const certificates = await withoutSuspects(path, written, notes);
  const settings = await readSettings(path, notes);
  if (settings?.remark !== undefined) notes.push(`Classes: ${settings.remark}.`);
  const seconds = await columnOf(path, LOG, 'time', secondsOf, 'the time of whole images', notes);
  const answers = await columnOf(
    path,
    CLASSIFIER,
    'correct',
    rightness,
    'the accuracy of the classifier itself',
    notes,
  );
  const missing = (settings?.data.indices.length ?? certificates.length) - certificates.length;
  if (missing > 0) {
    const all = certificates.length + missing;
    notes.push(`The run is not complete: ${certificates.length} of ${all} images are certified.`);
  }
  return {
    path,
    name: printable(basename(resolve(path))),
    config: settings,
    images: certificates.map((certificate) => ({
      certificate,
      baseCorrect: answers.get(certificate.index) ?? null,
      seconds: seconds.get(certificate.index) ?? null,
    })),
    notes,
  };
}

/** Null: no such file. */
const textOf = (path: string, name: string): Promise<string | null> => readText(join(path, name), MAX_LINES);

function readCertificates(file: string, text: string, notes: string[]): Certificate[] {
  const lines = text.split('\n');
  // A whole line ends with a line end, so what comes after the last one was cut off while it was written.
  const torn = lines.pop() ?? '';
  if (torn !== '') notes.push(`The last line of ${CERTIFICATES} is cut and was left out.`);
  const seen = new Map<number, number>();
  return lines.map((line, i) => {
    const certificate = readCertificate(parsed(line));
    if (typeof certificate === 'string') {
      throw badInput(
        `${file}: line ${i + 1} is no certificate: ${certificate}`,
        'See what turnproof verify says about the run.',
      );
    }
    const before = seen.get(certificate.index);
    if (before !== undefined) {
      throw badInput(
        `${file}: line ${i + 1}: image ${certificate.index} is certified in line ${before} already`,
        'Remove one of the two lines.',
      );
    }
    seen.set(certificate.index, i + 1);
    return certificate;
  });
}

/** Certificates whose classifier was found unsound afterwards are no certificates: a page that counts them would lie. */
async function withoutSuspects(
  path: string,
  written: readonly Certificate[],
  notes: string[],
): Promise<Certificate[]> {
  const suspects = await readSuspects(path);
  if (suspects === null) return [...written];
  const sound = written.filter(({ index }) => !suspects.images.has(index));
  if (sound.length === 0) {
    throw badInput(
      `${path}: all its certificates are suspect: ${suspects.reason}`,
      'Run them again with --provider wasm, or another adapter or driver.',
    );
  }
  const left = written.filter(({ index }) => suspects.images.has(index)).map(({ index }) => index);
  notes.push(`Left out, not to be used: images ${left.join(', ')} (${suspects.reason}).`);
  return sound;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function readSettings(path: string, notes: string[]): Promise<RunConfig | null> {
  const text = await textOf(path, CONFIG);
  if (text === null) {
    notes.push(`${CONFIG} is missing: neither data set nor command line are known.`);
    return null;
  }
  const result = config.safeParse(parsed(text));
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw badInput(
    `${join(path, CONFIG)}: ${issue?.path.join('.') || 'no JSON'}: ${issue?.message ?? ''}`,
    'Remove the file to make a report without it.',
  );
}

/** A column of a .tsv file by image, without the lines that make no sense; a killed run may leave one. */
async function columnOf<T>(
  path: string,
  name: string,
  column: string,
  read: (cell: string) => T | null,
  missing: string,
  notes: string[],
): Promise<Map<number, T>> {
  const values = new Map<number, T>();
  const text = await textOf(path, name);
  if (text === null) {
    notes.push(`${name} is missing: ${missing} is not known.`);
    return values;
  }
  const [header = '', ...rows] = text.split('\n');
  const at = header.split('\t').indexOf(column);
  // What follows the last line end is nothing, or was cut.
  for (const row of rows.slice(0, -1)) {
    const cells = row.split('\t');
    const value = read(cells[at] ?? '');
    if (value !== null) values.set(Number(cells[0]), value);
  }
  return values;
}

function rightness(cell: string): boolean | null {
  return cell === '1' ? true : cell === '0' ? false : null;
}

/** 0:01:02.345678 */
function secondsOf(cell: string): number | null {
  const match = /^(\d+):(\d\d):(\d\d(?:\.\d+)?)$/.exec(cell);
  return match ? 3600 * Number(match[1]) + 60 * Number(match[2]) + Number(match[3]) : null;
}
