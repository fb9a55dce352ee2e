/** The course of a run: results in the order of the images, on disk one by one, under the eyes of the parity guard. */
import { type ParityGuard, SampleMismatch } from '@turnproof/certify';
import { TurnproofError } from '@turnproof/core';
import { pMapIterable } from 'p-map';
import type { ClassifierRow } from './classifier-tsv.ts';
import type { LogRow } from './log-tsv.ts';
import type { RunFolder } from './run-folder.ts';

export interface ImageResult extends LogRow, ClassifierRow {
  /** The line of certificates.jsonl. */
  readonly line: string;
}

/** Of a parity guard, whatever classifier it guards just now. */
export type Guard = Pick<ParityGuard, 'suspects' | 'finished'> & { check(): Promise<unknown> };

export interface GuardedRun<T extends ImageResult> {
  readonly indices: readonly number[];
  readonly work: (index: number) => Promise<T>;
  /** Images that are worked on at the same time. */
  readonly atOnce: number;
  readonly guard: Guard;
  readonly folder: RunFolder;
  /** Told after each line. */
  readonly written: (result: T) => void;
  /** Images that are suspect from before, all of them among `indices` now. */
  readonly suspects?: ReadonlySet<number>;
  /** Ends the run early: images in work are dropped, those that are written are checked once more. */
  readonly stop?: AbortSignal;
}

/**
 * Works on up to `atOnce` images at the same time and writes each result as soon as those before it are written.
 *
 * @throws TurnproofError `parity` when the classifier stopped being sound: the images since the last check that passed
 *   are then listed in suspect.json. Where the audit of an image's samples shows it, no check that passed says anything of
 *   the images before: all that were written here are listed, and the image that shows it.
 */
export async function guardedRun<T extends ImageResult>(run: GuardedRun<T>): Promise<void> {
  const { indices, work, atOnce, guard, folder, written, stop } = run;
  /** Suspect from before, and not done again yet. */
  const open = new Set(run.suspects);
  const waitForCheck = open.size > 0;
  const done: number[] = [];
  const settle = () => {
    // What was done again stands once a check has passed since.
    if (waitForCheck && open.size === 0 && guard.suspects.length === 0) folder.clearSuspects();
  };
  const results = pMapIterable(indices, work, { concurrency: atOnce })[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await unlessStopped(results.next(), stop);
      if (next === null || next.done) break;
      const result = next.value;
      folder.add(result.line, result);
      done.push(result.index);
      written(result);
      open.delete(result.index);
      await guard.finished(result.index);
      settle();
      if (stop?.aborted) break;
    }
    if (!stop?.aborted || guard.suspects.length > 0) await guard.check();
    settle();
  } catch (error) {
    if (!(error instanceof TurnproofError && error.code === 'parity')) throw error;
    const audited = error instanceof SampleMismatch;
    const found = audited ? [...done, error.image] : guard.suspects;
    if (found.length === 0) throw error;
    folder.markSuspect([...new Set([...(run.suspects ?? []), ...found])], error.message);
    throw audited ? error : namingSuspects(error, guard.suspects);
  }
}

const SINCE = 'finished since the last check: images';

/** The guard's own errors name them already; those of an image that was at work do not. */
function namingSuspects(error: TurnproofError, images: readonly number[]): TurnproofError {
  if (error.message.includes(SINCE)) return error;
  return new TurnproofError('parity', `${error.message}; ${SINCE} ${images.join(', ')}`, {
    cause: error,
    ...(error.fix === undefined ? {} : { fix: error.fix }),
  });
}

/** Null when the signal is first; then nobody waits for the promise any more. */
function unlessStopped<T>(promise: Promise<T>, stop: AbortSignal | undefined): Promise<T | null> {
  if (!stop) return promise;
  return new Promise((resolve, reject) => {
    const drop = () => resolve(null);
    if (stop.aborted) drop();
    stop.addEventListener('abort', drop, { once: true });
    // Not a race with one promise of the whole run: that would keep a reaction for every image.
    promise.then(resolve, reject).finally(() => stop.removeEventListener('abort', drop));
  });
}
