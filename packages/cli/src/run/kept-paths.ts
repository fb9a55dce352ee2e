/**
 * Where the data, labels and model of a run lie, kept in its config.json so that it can be gone on with and drawn again
 * from any working folder. Each path is kept twice: as seen from the run folder, which holds when both are moved
 * together, and absolute, which holds when the run folder alone is. Whether what is found there is the same as before is
 * for others to judge, by hashes.
 */
import { existsSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { badInput } from '@turnproof/core';
import { z } from 'zod';
import { withPaths } from '../data/spec.ts';
import { isBuiltIn } from '../options/model.ts';
import type { Values } from '../options/values.ts';

const keptPath = z.strictObject({ relative: z.string(), absolute: z.string() });

/** By option. Absent in runs of earlier versions. */
export const keptPaths = z.record(z.string(), keptPath).optional();

export type KeptPaths = NonNullable<z.infer<typeof keptPaths>>;

type Change = (path: string) => string;

/** The options that name files, and how the words of each are rewritten with other paths; built-in ones have none. */
const NAMING = {
  data: withPaths,
  labels: (word: string, change: Change) => change(word),
  model: (word: string, change: Change) => (isBuiltIn(word) ? word : change(word)),
} as const;

export type Naming = keyof typeof NAMING;
const names = Object.keys(NAMING) as Naming[];

/** @param from where the words' relative paths start: the working folder, unless told otherwise */
export function pathsToKeep(
  wordOf: (name: Naming) => string | undefined,
  folder: string,
  from = process.cwd(),
): KeptPaths {
  const kept: KeptPaths = {};
  for (const name of names) {
    const word = wordOf(name);
    if (word === undefined || pathsIn(name, word).length === 0) continue;
    const absolute = NAMING[name](word, (path) => resolve(from, path));
    const seenFromRun = NAMING[name](word, (path) => relative(resolve(folder), resolve(from, path)));
    kept[name] = { relative: seenFromRun, absolute };
  }
  return kept;
}

/** As {@link pathsToKeep}, for a run folder that takes the place of another. */
export function moved(paths: KeptPaths, from: string, to: string): KeptPaths {
  return pathsToKeep((name) => paths[name]?.relative, to, from);
}

/**
 * The words of an option, with paths that are there now.
 *
 * @param given as the run was told; used as it is where the run keeps no paths
 * @throws TurnproofError `bad-input` naming the places that were looked at
 */
export function findKept(
  folder: string,
  paths: KeptPaths | undefined,
  name: Naming,
  given: string | undefined,
): string | undefined {
  const kept = paths?.[name];
  if (kept === undefined) return given;
  const tried = [
    NAMING[name](kept.relative, (path) => usable(resolve(folder, path))),
    NAMING[name](kept.absolute, usable),
  ];
  const found = tried.find((word) => pathsIn(name, word).every((path) => existsSync(path)));
  if (found !== undefined) return found;
  throw badInput(
    `${folder}: the ${name} of the run cannot be found: ${[...new Set(tried)].join(' and ')} are not there`,
    `Give --${name} as it is now.`,
  );
}

/** `--data npy:` takes no comma in a path; a relative one may do without. */
function usable(path: string): string {
  return path.includes(',') ? relative('', path) : path;
}

function pathsIn(name: Naming, word: string): string[] {
  const paths: string[] = [];
  NAMING[name](word, (path) => {
    paths.push(path);
    return path;
  });
  return paths;
}

/** The options of a run that name files, each as {@link findKept} has it; those that are `given` here are left alone. */
export function foundPaths(
  folder: string,
  paths: KeptPaths | undefined,
  values: Pick<Values, 'text' | 'isGiven'>,
): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of names) {
    if (values.isGiven(name)) continue;
    const word = findKept(folder, paths, name, values.text(name));
    if (word !== undefined) found[name] = word;
  }
  return found;
}
