/** The course of a run: results in the order of the images, on disk one by one, under the eyes of the parity guard. */
import type { ParityGuard } from '@turnproof/certify';
import { TurnproofError } from '@turnproof/core';
import { pMapIterable } from 'p-map';
import type { ClassifierRow } from './classifier-tsv.ts';
import type { LogRow } from './log-tsv.ts';
import type { RunFolder } from './run-folder.ts';

export interface ImageResult extends LogRow, ClassifierRow {
  /** The line of certificates.jsonl. */
  readonly line: string;
}

/**
 * Works on up to `atOnce` images at the same time and writes each result as soon as those before it are written.
 *
 * @param written told after each line
 * @throws TurnproofError `parity` when the classifier stopped being sound: the images since the last check that passed
 *   are then listed in suspect.json
 */
export async function guardedRun<T extends ImageResult>(
  indices: readonly number[],
  work: (index: number) => Promise<T>,
  atOnce: number,
  guard: ParityGuard,
  folder: RunFolder,
  written: (result: T) => void,
): Promise<void> {
  try {
    for await (const result of pMapIterable(indices, work, { concurrency: atOnce })) {
      folder.add(result.line, result);
      written(result);
      await guard.finished(result.index);
    }
    await guard.check();
  } catch (error) {
    if (error instanceof TurnproofError && error.code === 'parity' && guard.suspects.length > 0) {
      folder.markSuspect(guard.suspects, error.message);
    }
    throw error;
  }
}
