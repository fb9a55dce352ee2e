/** What a run folder holds of a run that is to be gone on with. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { badInput } from '@turnproof/core';
import type { Console } from '../console.ts';
import type { Values, Word } from '../options/values.ts';
import { CALIBRATION } from './calibration-file.ts';
import { foundPaths } from './kept-paths.ts';
import {
  differences,
  type PlannedConfig,
  type RunConfig,
  readRunConfig,
  wordsToResume,
} from './run-config.ts';
import { isStillborn } from './run-folder.ts';
import { type ImageLines, readRunLines } from './run-lines.ts';
import { RunLock } from './run-lock.ts';
import { readSuspects } from './run-notes.ts';

/** Takes the lock, and says so where it has to wait. */
export function takeLock(folder: string, console: Console): Promise<RunLock> {
  return RunLock.take(folder, {
    onWait: ({ pid, host }) =>
      console.warn(
        `${folder} was last written to by process ${pid} on ${host}; waiting whether it still lives`,
      ),
  });
}

/**
 * The configuration of the run that --resume names; null where none was begun yet and the options say what to begin, so
 * that a job that may be started again has one command line.
 *
 * @throws TurnproofError `bad-input` where there is nothing to go on with
 */
export function configToResume(folder: string, values: Values): RunConfig | null {
  const config = readRunConfig(folder);
  if (config === null && !values.isGiven('data') && !isStillborn(folder)) {
    throw badInput(
      `--resume: ${folder} holds no run to go on with`,
      'Name the folder that turnproof certify has written, or give the options of a new run.',
    );
  }
  return config;
}

/** The values given, and for the others those of the run. */
export function resumedValues(folder: string, values: Values, config: RunConfig): Values {
  const words = wordsToResume(config);
  // They choose images together, or exclude each other.
  const choosing = ['index', 'skip', 'limit', 'stride'];
  if (choosing.some((name) => values.isGiven(name))) for (const name of choosing) delete words[name];
  const merged = values.over(words);
  return merged.over({ ...foundPaths(folder, config.paths, merged), ...keptCalibration(folder, words) });
}

/** The copy that the run keeps is the one that its certificates rest on. */
function keptCalibration(
  folder: string,
  { calibration }: Readonly<Record<string, Word>>,
): Record<string, string> {
  const path = join(folder, CALIBRATION);
  return calibration !== undefined && existsSync(path) ? { calibration: path } : {};
}

/** @throws TurnproofError `bad-input` naming each difference */
export function requireSame(folder: string, there: RunConfig, here: PlannedConfig): void {
  const found = differences(there, here);
  if (found.length === 0) return;
  throw badInput(
    `--resume: ${folder} was begun with another configuration:\n  ${found.join('\n  ')}`,
    'Leave these options out to go on with that run, or give another --out.',
  );
}

export interface Remainder {
  /** What is there, and stands. */
  readonly images: readonly ImageLines[];
  /** What is to be done, in order. */
  readonly indices: readonly number[];
  /** Those of them that are done again because their certificates are suspect. */
  readonly suspects: ReadonlySet<number>;
  /** What has to be repaired, in words. */
  readonly unfinished: readonly string[];
}

/** @throws TurnproofError `bad-input`: see readRunLines */
export async function remainderOf(folder: string, config: RunConfig): Promise<Remainder> {
  const found = await readSuspects(folder);
  const suspects = new Set(config.data.indices.filter((index) => found?.images.has(index)));
  const { images, unfinished } = readRunLines(folder, config, suspects);
  const done = new Set(images.map(({ certificate }) => certificate.index));
  return { images, indices: config.data.indices.filter((index) => !done.has(index)), suspects, unfinished };
}

/** Are images in the order of the run? Those that were done again come behind the others at first. */
export function inOrder(images: readonly ImageLines[], { data }: RunConfig): ImageLines[] {
  const byIndex = new Map(images.map((image) => [image.certificate.index, image]));
  return data.indices.flatMap((index) => byIndex.get(index) ?? []);
}
