/** What a run folder says beside its certificates: where data and model lay, and which certificates are not to be used. */
import { join } from 'node:path';
import { badInput } from '@turnproof/core';
import type { FolderOptions } from '../data/index.ts';
import { parseJson } from '../json.ts';
import type { Values } from '../options/values.ts';
import { MAX_LINES, readText } from '../text-file.ts';
import { foundPaths, keptPaths } from './kept-paths.ts';

export interface RunOrigin {
  /** The words of the run, with paths that are there now; undefined where config.json does not say. */
  readonly data: string | undefined;
  readonly model: string | undefined;
  /** The words by which the run was given its data. */
  readonly spec: string | undefined;
  readonly folder: FolderOptions;
}

/**
 * @param given options that are said here: where the run had those from is not looked for
 * @throws TurnproofError `bad-input` for a config.json that is none, and for paths of the run that are not there any
 *   more; the absence of the file is no error
 */
export async function readOrigin(
  folder: string,
  given: Pick<Values, 'isGiven'> = { isGiven: () => false },
): Promise<RunOrigin> {
  const config = await readJson(join(folder, 'config.json'));
  const options = fieldOf(config, 'options');
  const text = (name: string) => {
    const value = fieldOf(options, name);
    return typeof value === 'string' ? value : undefined;
  };
  const paths = keptPaths.safeParse(fieldOf(config, 'paths')).data;
  const found = foundPaths(folder, paths, { text, isGiven: (name) => given.isGiven(name) });
  const folderOptions = { fit: text('fit'), labels: found.labels };
  return { data: found.data, model: found.model, spec: text('data'), folder: folderOptions };
}

/** The options of a run's config.json; none where there is no such file. */
export async function readOptions(folder: string): Promise<Readonly<Record<string, unknown>>> {
  const options = fieldOf(await readJson(join(folder, 'config.json')), 'options');
  return typeof options === 'object' && options !== null ? { ...options } : {};
}

export interface Suspects {
  readonly images: ReadonlySet<unknown>;
  readonly reason: string;
}

/** @throws TurnproofError `bad-input` for a suspect.json that is none; null where there is none */
export async function readSuspects(folder: string): Promise<Suspects | null> {
  const path = join(folder, 'suspect.json');
  const content = await readJson(path);
  if (content === undefined) return null;
  const [images, reason] = [fieldOf(content, 'images'), fieldOf(content, 'reason')];
  if (!Array.isArray(images) || typeof reason !== 'string') throw badInput(`${path}: names no images`);
  return { images: new Set(images), reason };
}

async function readJson(path: string): Promise<unknown> {
  const text = await readText(path, MAX_LINES);
  if (text === null) return undefined;
  const { content, fault } = parseJson(text);
  if (fault !== null) throw badInput(`${path}: ${fault}`);
  return content;
}

function fieldOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.entries(value).find(([key]) => key === name)?.[1];
}
