/**
 * The folder of a run: config.json, certificates.jsonl, log.tsv, classifier.tsv. A line is on disk before the next image is begun;
 * whatever ends the process, no line is cut but the one that was being written. Not for reading one back: that is
 * read-run.ts.
 */
import {
  appendFileSync,
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { badInput, TurnproofError } from '@turnproof/core';
import { removeEmpty } from '@turnproof/core/folders';
import { CLASSIFIER_HEADER, type ClassifierRow, formatClassifierRow } from './classifier-tsv.ts';
import { formatLogRow, LOG_HEADER, type LogRow } from './log-tsv.ts';
import { lookAt, makeFolders, namesIn, requireWritable } from './place-to-write.ts';
import { CONFIG } from './run-config.ts';
import { CERTIFICATES, CLASSIFIER, type ImageLines, LOG, writeRunLines } from './run-lines.ts';
import { LOCK, type RunLock } from './run-lock.ts';
import { STATE } from './run-state.ts';

/** There only where certificates of the run are not to be used. */
export const SUSPECT = 'suspect.json';
const RUN_FILES = [CONFIG, CERTIFICATES, LOG, CLASSIFIER, SUSPECT];
/** What a process may leave that was killed before its run had begun. */
const BEGINNING = [LOCK, STATE, `${CONFIG}.new`, CERTIFICATES, LOG, CLASSIFIER];

/** runs/2025-01-31T12-00-00-dist-x: sorts by time, and no colon, which some systems refuse. */
export function defaultRunFolder(method: string, now: Date): string {
  return join('runs', `${now.toISOString().slice(0, 19).replaceAll(':', '-')}-${method}`);
}

/**
 * Could a run be written there? Leaves nothing behind.
 *
 * @throws TurnproofError `bad-input` where the folder holds another run or anything else, is a file, or cannot be made
 */
export function checkRunFolder(folder: string): void {
  requireEmpty(folder);
  requireWritable(folder, `--out ${folder}`);
}

function requireEmpty(folder: string): void {
  const what = `--out ${folder}`;
  if (!lookAt(folder, what)?.isDirectory()) return;
  const names = namesIn(folder);
  const fix = 'Give another folder, or move this one away: nothing is overwritten.';
  if (RUN_FILES.some((name) => names.includes(name)))
    throw badInput(`${what}: holds another run`, `${fix} To go on with it add --resume.`);
  if (names.length > 0) throw badInput(`${what}: is not empty`, fix);
}

/** Was a run begun in this folder, and killed before anything of it could be used? */
export function isStillborn(folder: string): boolean {
  if (!lookAt(folder, `--out ${folder}`)?.isDirectory()) return false;
  const names = namesIn(folder);
  const size = statSync(join(folder, CERTIFICATES), { throwIfNoEntry: false })?.size ?? 0;
  return names.length > 0 && names.every((name) => BEGINNING.includes(name)) && size === 0;
}

export class RunFolder {
  readonly path: string;
  readonly #lock: RunLock;
  readonly #certificates: number;
  readonly #log: number;
  readonly #classifier: number;
  #lines = 0;

  /** The three files are there. Closes, and gives the lock back, in `close`. */
  private constructor(path: string, lock: RunLock, lines: number) {
    this.path = path;
    this.#lock = lock;
    this.#certificates = openSync(join(path, CERTIFICATES), 'a');
    this.#log = openSync(join(path, LOG), 'a');
    this.#classifier = openSync(join(path, CLASSIFIER), 'a');
    this.#lines = lines;
  }

  /**
   * Makes the folder and writes what is known at the start; leaves nothing where that fails.
   *
   * @param take takes the lock of a folder that is there
   */
  static async begin(
    path: string,
    config: unknown,
    take: (path: string) => Promise<RunLock>,
  ): Promise<RunFolder> {
    if (!isStillborn(path)) requireEmpty(path);
    const made = makeFolders(path, `--out ${path}`);
    const lock = await take(path);
    try {
      // Somebody may have been quicker; what is there now is theirs.
      if (existsSync(join(path, CONFIG))) requireEmpty(path);
      writeFileSync(join(path, CERTIFICATES), '');
      writeFileSync(join(path, LOG), `${LOG_HEADER}\n`);
      writeFileSync(join(path, CLASSIFIER), `${CLASSIFIER_HEADER}\n`);
      // Last and at once: where there is a configuration there is a whole run.
      writeFileSync(join(path, `${CONFIG}.new`), `${JSON.stringify(config, null, 2)}\n`, { flush: true });
      renameSync(join(path, `${CONFIG}.new`), join(path, CONFIG));
      return new RunFolder(path, lock, 0);
    } catch (error) {
      if (!(error instanceof TurnproofError))
        for (const name of BEGINNING) rmSync(join(path, name), { force: true });
      lock.release();
      removeEmpty(made);
      throw error instanceof TurnproofError ? error : unwritable(path, error);
    }
  }

  /** Goes on with a run: its files hold `images` and nothing else from now on. */
  static reopen(path: string, lock: RunLock, images: readonly ImageLines[]): RunFolder {
    try {
      writeRunLines(path, images);
      return new RunFolder(path, lock, images.length);
    } catch (error) {
      throw unwritable(path, error);
    }
  }

  /** Certificates written. */
  get lines(): number {
    return this.#lines;
  }

  /** Synchronous on purpose: a signal is heard only when all lines are on disk. */
  add(certificate: string, row: LogRow & ClassifierRow): void {
    this.#lock.check();
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
    const path = join(this.path, SUSPECT);
    writeFileSync(`${path}.new`, content, { flush: true });
    renameSync(`${path}.new`, path);
  }

  /** All images that were suspect have been done again, and have passed. */
  clearSuspects(): void {
    rmSync(join(this.path, SUSPECT), { force: true });
  }

  close(): void {
    closeSync(this.#certificates);
    closeSync(this.#log);
    closeSync(this.#classifier);
    this.#lock.release();
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
