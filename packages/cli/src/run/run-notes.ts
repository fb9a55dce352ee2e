/** What a run folder says beside its certificates: where data and model lay, and which certificates are not to be used. */
import { join } from 'node:path';
import { badInput } from '@turnproof/core';
import type { FolderOptions } from '../data/index.ts';
import { MAX_LINES, readText } from '../text-file.ts';

export interface RunOrigin {
  /** As on the command line of the run; undefined where config.json does not say. */
  readonly data: string | undefined;
  readonly model: string | undefined;
  readonly folder: FolderOptions;
}

/** @throws TurnproofError `bad-input` for a config.json that is none; its absence is no error */
export async function readOrigin(folder: string): Promise<RunOrigin> {
  const config = await readJson(join(folder, 'config.json'));
  const options = fieldOf(config, 'options');
  const word = (name: string) => {
    const value = fieldOf(options, name);
    return typeof value === 'string' ? value : undefined;
  };
  return { data: word('data'), model: word('model'), folder: { fit: word('fit'), labels: word('labels') } };
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
  try {
    return JSON.parse(text);
  } catch {
    throw badInput(`${path}: is no JSON`);
  }
}

function fieldOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.entries(value).find(([key]) => key === name)?.[1];
}
