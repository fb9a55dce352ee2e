/**
 * The lines of a run folder, brought to agree: what a process that was killed at any moment has left, without what it
 * had not finished. Not for reports, which read a folder as it is: report/read-run.ts.
 */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, truncateSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type Asked, type Certificate, contradictions } from '@turnproof/certify';
import { badInput } from '@turnproof/core';
import { parseJson } from '../json.ts';
import { readCertificate } from '../report/certificates.ts';
import { askedOf } from './asked-of-run.ts';
import { CLASSIFIER_HEADER } from './classifier-tsv.ts';
import { LOG_HEADER } from './log-tsv.ts';
import type { RunConfig } from './run-config.ts';

export const CERTIFICATES = 'certificates.jsonl';
export const LOG = 'log.tsv';
export const CLASSIFIER = 'classifier.tsv';

/** What a run has for one image, each as it stands in its file, without the line end. */
export interface ImageLines {
  readonly certificate: Certificate;
  readonly line: string;
  readonly log: string;
  readonly classifier: string;
}

export interface RunLines {
  /** In the order of certificates.jsonl, each image once. */
  readonly images: readonly ImageLines[];
  /** What is in the files beside that, in words; none where all agree as they are. */
  readonly unfinished: readonly string[];
}

/** Images that may miss their other lines: the one that was being written. */
const AT_ONCE = 1;

/**
 * @param config which images there may be, and what their certificates must say
 * @param suspects images whose lines do not count
 * @throws TurnproofError `bad-input` naming file and line where a whole line is damaged, doubled or another run's, and
 *   where more is missing than a killed process leaves
 */
export function readRunLines(folder: string, config: RunConfig, suspects: ReadonlySet<unknown>): RunLines {
  const unfinished: string[] = [];
  const expected = new Set(config.data.indices);
  const file = (name: string) => join(folder, name);
  const certificates = wholeLines(file(CERTIFICATES), unfinished);
  const asked = askedOf(folder, config);
  const parsed = certificates.map((line, i) =>
    certificateOf(line, `${file(CERTIFICATES)}: line ${i + 1}`, asked),
  );
  refuseOthers(
    file(CERTIFICATES),
    parsed.map(({ index }) => index),
    expected,
    1,
  );
  const log = rowsOf(file(LOG), LOG_HEADER, expected, unfinished);
  const classifier = rowsOf(file(CLASSIFIER), CLASSIFIER_HEADER, expected, unfinished);
  const images: ImageLines[] = [];
  const lacking: number[] = [];
  let dropped = 0;
  for (const [i, certificate] of parsed.entries()) {
    const { index } = certificate;
    const [logRow, classifierRow] = [log.get(index), classifier.get(index)];
    if (suspects.has(index)) dropped += 1;
    else if (logRow === undefined || classifierRow === undefined) lacking.push(index);
    else images.push({ certificate, line: certificates[i] ?? '', log: logRow, classifier: classifierRow });
  }
  if (lacking.length > AT_ONCE || (lacking.length > 0 && lacking[0] !== parsed.at(-1)?.index)) {
    throw badInput(
      `${folder}: ${lacking.length} certificates have no line in ${LOG} or ${CLASSIFIER}, from image ${lacking[0]} on`,
      'That is more than an interruption leaves: restore these files, or begin a new run.',
    );
  }
  if (lacking.length > 0) unfinished.push(`image ${lacking[0]} lacks a line in ${LOG} or ${CLASSIFIER}`);
  const more = Math.max(log.size, classifier.size) - images.length - lacking.length - dropped;
  if (more > 0) unfinished.push(`${more} lines of ${LOG} or ${CLASSIFIER} have no certificate`);
  if (dropped > 0) unfinished.push(`${dropped} certificates are suspect`);
  return { images, unfinished };
}

/** Makes the three files hold these images and nothing else; leaves a file alone that does already. */
export function writeRunLines(folder: string, images: readonly ImageLines[]): void {
  const text = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join('');
  const targets = [
    [CERTIFICATES, text(images.map(({ line }) => line))],
    [LOG, text([LOG_HEADER, ...images.map(({ log }) => log)])],
    [CLASSIFIER, text([CLASSIFIER_HEADER, ...images.map(({ classifier }) => classifier)])],
  ] as const;
  for (const [name, target] of targets) settle(join(folder, name), Buffer.from(target));
}

/** Cut where that does; else replaced as a whole. */
function settle(path: string, target: Buffer): void {
  const current = bytesOf(path);
  if (current?.equals(target)) return;
  if (current?.subarray(0, target.length).equals(target)) {
    truncateSync(path, target.length);
    synced(path, 'r+', () => undefined);
    return;
  }
  synced(`${path}.new`, 'w', (file) => writeSync(file, target));
  renameSync(`${path}.new`, path);
}

function synced(path: string, flags: string, work: (file: number) => void): void {
  const file = openSync(path, flags);
  try {
    work(file);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function bytesOf(path: string): Buffer | null {
  try {
    return readFileSync(path);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    if (code === 'ENOENT') return null;
    throw badInput(`${path}: cannot be read (${code})`, 'Check its permissions.');
  }
}

/** A line is whole when its end is there; what comes after the last one was cut while it was written. */
function wholeLines(path: string, unfinished: string[]): string[] {
  const bytes = bytesOf(path);
  if (bytes === null) {
    unfinished.push(`${path} is missing`);
    return [];
  }
  const end = bytes.lastIndexOf(0x0a) + 1;
  if (end < bytes.length) unfinished.push(`the last line of ${path} is cut`);
  return end === 0 ? [] : bytes.toString('utf8', 0, end - 1).split('\n');
}

function rowsOf(
  path: string,
  header: string,
  expected: ReadonlySet<number>,
  unfinished: string[],
): Map<number, string> {
  const [first, ...rows] = wholeLines(path, unfinished);
  if (first === undefined) return new Map();
  if (first !== header) throw badInput(`${path}: line 1 is not «${header.replaceAll('\t', ' ')}»`, DAMAGED);
  const columns = header.split('\t').length;
  const indices = rows.map((row, i) => {
    const cells = row.split('\t');
    if (cells.length !== columns || !/^\d+$/.test(cells[0] ?? ''))
      throw badInput(`${path}: line ${i + 2} is damaged`, DAMAGED);
    return Number(cells[0]);
  });
  refuseOthers(path, indices, expected, 2);
  return new Map(indices.map((index, i) => [index, rows[i] ?? '']));
}

const DAMAGED = 'A process that is killed leaves no such line: restore the file, or begin a new run.';

function certificateOf(line: string, place: string, asked: Asked): Certificate {
  const { content, fault } = parseJson(line);
  if (fault !== null) throw badInput(`${place} ${fault}`, DAMAGED);
  const certificate = readCertificate(content);
  if (typeof certificate === 'string') throw badInput(`${place} is no certificate: ${certificate}`, DAMAGED);
  const [other] = contradictions(certificate, asked);
  if (other) throw badInput(`${place} is none of this run: ${other.field}: ${other.message}`, DAMAGED);
  return certificate;
}

function refuseOthers(
  path: string,
  indices: readonly number[],
  expected: ReadonlySet<number>,
  firstLine: number,
): void {
  const seen = new Map<number, number>();
  for (const [i, index] of indices.entries()) {
    const line = i + firstLine;
    const before = seen.get(index);
    if (before !== undefined)
      throw badInput(`${path}: line ${line}: image ${index} is in line ${before} already`, DAMAGED);
    if (!expected.has(index))
      throw badInput(`${path}: line ${line}: image ${index} is none of this run`, DAMAGED);
    seen.set(index, line);
  }
}
