/**
 * config.json of a run: what it was asked for, in effect. Which of it certificates depend on is decided here; a run is
 * only gone on with, and shards are only joined, where all of that is the same.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { badInput } from '@turnproof/core';
import { wgslSha256 } from '@turnproof/shaders';
import { z } from 'zod';
import { parseJson } from '../json.ts';
import type { Values, Word } from '../options/values.ts';
import type { Checked } from '../prepare/certifying.ts';
import { version } from '../version.ts';
import { keptPaths, pathsToKeep } from './kept-paths.ts';

export const CONFIG = 'config.json';
export const CONFIG_SCHEMA = 'turnproof/run/1';

const words = z.record(z.string(), z.union([z.string(), z.boolean(), z.array(z.string())]));

const shard = z.strictObject({
  /** From 1 on. */
  index: z.int().min(1),
  count: z.int().min(1),
  /** Images of all shards. */
  of: z.int().min(1),
});

export type Shard = z.infer<typeof shard>;

const runConfig = z.object({
  schema: z.literal(CONFIG_SCHEMA),
  command: z.literal('certify'),
  version: z.string(),
  started: z.string(),
  options: words,
  paths: keptPaths,
  plan: z.looseObject({ method: z.string(), seed: z.string() }),
  pipeline: z.looseObject({ transform: z.enum(['rotation', 'translation']), range: z.number() }),
  bound: z.string(),
  data: z.strictObject({
    spec: z.string(),
    size: z.int().min(0),
    indices: z.array(z.int().min(0)),
    sha256: z.string(),
    shard: shard.optional(),
    /** Of a shard: SHA-256 of the images of all shards, so that they know each other. Absent in earlier versions. */
    selection: z.string().optional(),
  }),
  /** With the external files and the adaptation, where there are any. */
  model: z.looseObject({ file: z.string(), sha256: z.string() }),
  shaders: z.strictObject({ sha256: z.string() }),
  adapter: z.looseObject({ name: z.string() }),
  provider: z.string(),
  /** Of the data's classes, for the report. */
  remark: z.string().optional(),
});

export type RunConfig = z.infer<typeof runConfig>;

/** All of it that is known before a GPU is asked for anything. */
export type PlannedConfig = Omit<RunConfig, 'started' | 'adapter' | 'provider'>;

export function plannedConfig(values: Values, checked: Checked, out: string): PlannedConfig {
  const { selected, plan, pipeline, boundMethod, opened, remark } = checked;
  const { data, indices, sha256, selection, shard } = selected;
  const { file, sha256: model, externalData, adapted } = opened.model.info;
  const { resume: _, 'dry-run': __, ...options } = values.toJSON();
  // Through JSON, so that it is equal to what is read back.
  return JSON.parse(
    JSON.stringify({
      schema: CONFIG_SCHEMA,
      command: 'certify',
      version: version(),
      options: { ...options, ...(shard ? { shard: `${shard.index}/${shard.count}` } : {}), out },
      paths: pathsToKeep((name) => values.text(name), out),
      plan: { ...plan, seed: String(plan.seed) },
      pipeline,
      bound: boundMethod,
      data: { spec: data.spec, size: data.size, indices, sha256, ...(shard ? { shard, selection } : {}) },
      model: { file, sha256: model, externalData, adapted, classes: opened.host.classes },
      shaders: { sha256: wgslSha256 },
      ...(remark === null ? {} : { remark }),
    }),
  );
}

/** Null where the folder holds none. @throws TurnproofError `bad-input` for one that is no run's */
export function readRunConfig(folder: string): RunConfig | null {
  const path = join(folder, CONFIG);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw badInput(`${path}: cannot be read (${code})`, 'Check its permissions.');
  }
  const { content, fault } = parseJson(text);
  if (fault !== null) throw badInput(`${path}: ${fault}`, 'Name the folder of a run of turnproof certify.');
  const result = runConfig.safeParse(content);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw badInput(
    `${path}: ${issue?.path.join('.') || 'the file'}: ${issue?.message ?? 'is no configuration'}`,
    'Name the folder of a run of turnproof certify.',
  );
}

/** No certificate depends on these: where it runs, what is printed, where it goes. */
const FREE = ['adapter', 'provider', 'threads', 'batch', 'out', 'config', 'json', 'quiet', 'verbose'];
/** Options that stand in `plan`, `pipeline`, `data` or `model` in effect: words may differ and mean the same. */
const IN_EFFECT = [
  'data',
  'labels',
  'fit',
  'index',
  'skip',
  'limit',
  'stride',
  'shard',
  'model',
  'transform',
  'range',
].concat(
  ['method', 'seed', 'confidence', 'sigma-gamma', 'sigma-eps', 'n0', 'n-gamma', 'n-eps', 'n-choose-e'],
  ['n-test-e', 'inner', 'radius-rule', 'floor', 'max-samples', 'bound', 'vignette', 'blur', 'calibration'],
);

/**
 * What two runs were asked for differently, as far as certificates depend on it: a line each, none where they are the
 * same. What an option is by its words alone (one that no field has yet) is compared by its words.
 *
 * @param shards compare shards of one run: their images differ
 */
export function differences(
  there: PlannedConfig,
  here: PlannedConfig,
  { shards = false, names = ['there', 'here'] }: { shards?: boolean; names?: readonly [string, string] } = {},
): string[] {
  const found: string[] = [];
  const compare = (path: string, a: unknown, b: unknown): void => {
    if (isRecord(a) && isRecord(b)) {
      for (const key of new Set([...Object.keys(a), ...Object.keys(b)]))
        compare(path === '' ? key : `${path}.${key}`, a[key], b[key]);
    } else if (JSON.stringify(a) !== JSON.stringify(b)) {
      found.push(`${path}: ${wordsOf(a)} ${names[0]}, ${wordsOf(b)} ${names[1]}`);
    }
  };
  compare('', essence(there, shards), essence(here, shards));
  return found;
}

function essence(config: PlannedConfig, shards: boolean): Record<string, unknown> {
  const { version, options, plan, pipeline, bound, data, model, shaders } = config;
  const { batch: _, ...counts } = plan;
  const { size, indices, sha256, shard, selection } = data;
  const named = Object.entries(options).filter(([name]) => !FREE.includes(name) && !IN_EFFECT.includes(name));
  return {
    version,
    plan: counts,
    pipeline,
    bound,
    data: shards
      ? { size, of: shard?.of, shards: shard?.count, ...(selection ? { selection } : chosenBy(options)) }
      : { size, shard, indices, sha256 },
    // How many classes it has follows from the model, and earlier versions did not say.
    model: { ...model, file: undefined, classes: undefined },
    shaders,
    options: Object.fromEntries(named),
  };
}

/** The words that choose images: shards of earlier versions know no more of each other's. */
function chosenBy({ data, index, skip, limit, stride }: RunConfig['options']): Record<string, unknown> {
  return { data, index, skip, limit, stride };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function wordsOf(value: unknown): string {
  if (value === undefined) return 'not given';
  if (Array.isArray(value) && value.length > 6) {
    return `${value.slice(0, 3).join(',')},...,${value.at(-1)} (${value.length})`;
  }
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** The words of a run, for options that a resumed one was not given. */
export function wordsToResume({ options }: RunConfig): Record<string, Word> {
  const { out: _, json: __, quiet: ___, verbose: ____, config: _____, ...rest } = options;
  return rest;
}
