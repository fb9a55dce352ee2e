/**
 * The folder of a run: config.json, certificates.jsonl, log.tsv, classifier.tsv. A line is on disk before the next image is begun;
 * whatever ends the process, no line is cut. Not for reading one back: that is read-run.ts.
 */
import {
  accessSync,
  appendFileSync,
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { badInput, TurnproofError } from '@turnproof/core';
import { CLASSIFIER_HEADER, type ClassifierRow, formatClassifierRow } from './classifier-tsv.ts';
import { formatLogRow, LOG_HEADER, type LogRow } from './log-tsv.ts';

export const CONFIG = 'config.json';
export const CERTIFICATES = 'certificates.jsonl';
export const LOG = 'log.tsv';
export const CLASSIFIER = 'classifier.tsv';
/** There only where certificates of the run are not to be used. */
export const SUSPECT = 'suspect.json';
const RUN_FILES = [CONFIG, CERTIFICATES, LOG, CLASSIFIER, SUSPECT];

/** runs/2025-01-31T12-00-00-dist-x: sorts by time, and no colon, which some systems refuse. */
export function defaultRunFolder(method: string, now: Date): string {
  return join('runs', `${now.toISOString().slice(0, 19).replaceAll(':', '-')}-${method}`);
}

/**
 * Could a run be written there? Touches nothing.
 *
 * @throws TurnproofError `bad-input` where the folder holds another run or anything else, is a file, or cannot be made
 */
export function checkRunFolder(folder: string): void {
  const stats = statSync(folder, { throwIfNoEntry: false });
  if (stats === undefined) {
    checkParent(folder);
    return;
  }
  if (!stats.isDirectory())
    throw badInput(`--out ${folder}: is not a folder`, 'Give a folder that is not there yet.');
  const names = readdirSync(folder);
  const fix = 'Give another folder, or move this one away: nothing is overwritten.';
  if (RUN_FILES.some((name) => names.includes(name)))
    throw badInput(`--out ${folder}: holds another run`, fix);
  if (names.length > 0) throw badInput(`--out ${folder}: is not empty`, fix);
  requireWritable(folder, folder);
}

function checkParent(folder: string): void {
  let parent = dirname(resolve(folder));
  let stats = statSync(parent, { throwIfNoEntry: false });
  while (stats === undefined && parent !== dirname(parent)) {
    parent = dirname(parent);
    stats = statSync(parent, { throwIfNoEntry: false });
  }
  if (!stats?.isDirectory())
    throw badInput(`--out ${folder}: ${parent} is not a folder`, 'Give another folder.');
  requireWritable(folder, parent);
}

function requireWritable(folder: string, existing: string): void {
  try {
    accessSync(existing, constants.W_OK | constants.X_OK);
  } catch {
    throw badInput(`--out ${folder}: no permission to write in ${existing}`, 'Give another folder.');
  }
}

export class RunFolder {
  readonly path: string;
  readonly #certificates: number;
  readonly #log: number;
  readonly #classifier: number;
  #lines = 0;

  /** Makes the folder and writes what is known at the start; leaves nothing where that fails. */
  constructor(path: string, config: unknown) {
    checkRunFolder(path);
    const made = mkdirSync(path, { recursive: true });
    this.path = path;
    try {
      // wx: two processes that were given one folder do not mix.
      writeFileSync(join(path, CONFIG), `${JSON.stringify(config, null, 2)}\n`, { flag: 'wx', flush: true });
      this.#certificates = openSync(join(path, CERTIFICATES), 'ax');
      this.#log = openSync(join(path, LOG), 'ax');
      this.#classifier = openSync(join(path, CLASSIFIER), 'ax');
      appendWhole([
        [this.#log, LOG_HEADER],
        [this.#classifier, CLASSIFIER_HEADER],
      ]);
    } catch (error) {
      for (const name of RUN_FILES) rmSync(join(path, name), { force: true });
      if (made !== undefined) rmSync(made, { recursive: true });
      throw unwritable(path, error);
    }
  }

  /** Certificates written. */
  get lines(): number {
    return this.#lines;
  }

  /** Synchronous on purpose: a signal is heard only when all lines are on disk. */
  add(certificate: string, row: LogRow & ClassifierRow): void {
    try {
      appendWhole([
        [this.#certificates, certificate],
        [this.#log, formatLogRow(row)],
        [this.#classifier, formatClassifierRow(row)],
      ]);
    } catch (error) {
      throw unwritable(this.path, error);
    }
    this.#lines += 1;
  }

  /** Writes down that the certificates of these images are not to be used: `verify` refuses them. */
  markSuspect(images: readonly number[], reason: string): void {
    const content = `${JSON.stringify({ schema: 'turnproof/suspect/1', reason, images }, null, 2)}\n`;
    writeFileSync(join(this.path, SUSPECT), content, { flag: 'wx', flush: true });
  }

  close(): void {
    closeSync(this.#certificates);
    closeSync(this.#log);
    closeSync(this.#classifier);
  }
}

/** Appends a line to each file and waits for the disk; where one fails (a full disk), all are as they were before. */
function appendWhole(lines: readonly (readonly [file: number, line: string])[]): void {
  const before = lines.map(([file]) => fstatSync(file).size);
  try {
    for (const [file, line] of lines) {
      appendFileSync(file, `${line}\n`);
      fsyncSync(file);
    }
  } catch (error) {
    for (const [i, [file]] of lines.entries()) ftruncateSync(file, before[i]);
    throw error;
  }
}

function unwritable(path: string, error: unknown): TurnproofError {
  const words = error instanceof Error ? error.message : String(error);
  return new TurnproofError('internal', `${path}: cannot be written: ${words}`, {
    fix: 'make room or give another --out; lines that are there are whole',
    cause: error,
  });
}
