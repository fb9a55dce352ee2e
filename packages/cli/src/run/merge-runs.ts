/** Shards of a run, joined into the run that nobody had cut: the same lines in the same order. */
import {
  copyFileSync,
  existsSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { badInput, TurnproofError } from '@turnproof/core';
import { removeEmpty } from '@turnproof/core/folders';
import { shardFolderName } from '../options/shard.ts';
import { dataDigest } from '../prepare/inputs.ts';
import { CALIBRATION } from './calibration-file.ts';
import { moved } from './kept-paths.ts';
import { makeFolders } from './place-to-write.ts';
import { CONFIG, differences, type RunConfig, readRunConfig } from './run-config.ts';
import { checkRunFolder, SUSPECT } from './run-folder.ts';
import { type ImageLines, readRunLines, writeRunLines } from './run-lines.ts';
import { currentHolder } from './run-lock.ts';
import { readSuspects } from './run-notes.ts';

interface ShardRun {
  readonly path: string;
  readonly config: RunConfig;
  readonly shard: NonNullable<RunConfig['data']['shard']>;
}

export interface MergedRun {
  readonly images: number;
  readonly shards: number;
  /** Images whose certificates are not to be used, of all shards. */
  readonly suspects: readonly number[];
  /** Adapters and providers, where shards ran on several. */
  readonly devices: readonly string[];
}

/**
 * Writes the joined run to `out`, all of it or nothing.
 *
 * @throws TurnproofError `bad-input` for a folder that is no shard, a shard that is missing, given twice, not complete or
 *   of another configuration, each by its name; `busy` for one that is still written to
 */
export async function mergeRuns(paths: readonly string[], out: string): Promise<MergedRun> {
  checkRunFolder(out);
  const shards = inOrder(paths.map(openShard));
  const lines = shards.map(({ path, config }) => allLines(path, config));
  const total = shards[0]?.shard.of ?? 0;
  const images: ImageLines[] = [];
  for (let i = 0; i < total; i++) {
    const image = lines[i % shards.length]?.[Math.floor(i / shards.length)];
    const shard = shards[i % shards.length];
    if (!image) throw badInput(`${shard?.path}: has fewer images than its part of ${total}`, REDO);
    images.push(image);
  }
  refuseDoubles(images, shards);
  const suspects = await Promise.all(shards.map(({ path }) => readSuspects(path)));
  const named = suspects.flatMap((found) => [...(found?.images ?? [])].map(Number));
  const reasons = [...new Set(suspects.flatMap((found) => found?.reason ?? []))];
  const config = mergedConfig(shards, images, out);
  const made = `${out}.new-${process.pid}`;
  const folders = makeFolders(made, `--out ${out}`);
  try {
    writeRunLines(made, images);
    writeFileSync(join(made, CONFIG), `${JSON.stringify(config, null, 2)}\n`, { flush: true });
    // The same in every shard: its hash is part of their plans.
    const calibration = join(shards[0]?.path ?? '', CALIBRATION);
    if (existsSync(calibration)) copyFileSync(calibration, join(made, CALIBRATION));
    if (named.length > 0) {
      const content = { schema: 'turnproof/suspect/1', reason: reasons.join('; '), images: named };
      writeFileSync(join(made, SUSPECT), `${JSON.stringify(content, null, 2)}\n`, { flush: true });
    }
    // An empty folder may be there already, and not every system replaces it.
    if (statSync(out, { throwIfNoEntry: false })) rmdirSync(out);
    renameSync(made, out);
  } catch (error) {
    rmSync(made, { recursive: true, force: true });
    removeEmpty(folders);
    const words = error instanceof Error ? error.message : String(error);
    throw new TurnproofError('internal', `${out}: cannot be written: ${words}`, { cause: error });
  }
  const devices = new Set(shards.map(({ config }) => `${config.adapter.name}, ${config.provider}`));
  return { images: images.length, shards: shards.length, suspects: named, devices: [...devices] };
}

const REDO = 'Run that shard again with certify --resume, then merge.';

function openShard(path: string): ShardRun {
  const config = readRunConfig(path);
  if (config === null) {
    throw badInput(`${path}: holds no run of turnproof certify`, 'Name the folders of the shards.');
  }
  const { shard } = config.data;
  if (!shard)
    throw badInput(`${path}: is a whole run and no shard`, 'Name folders that certify --shard has written.');
  const holder = currentHolder(path);
  if (holder) {
    throw new TurnproofError('busy', `${path}: process ${holder.pid} on ${holder.host} still writes to it`, {
      fix: 'let it end, then merge',
    });
  }
  return { path, config, shard };
}

/** By number, and all of them. */
function inOrder(runs: readonly ShardRun[]): ShardRun[] {
  const [first] = runs;
  if (!first) throw badInput('no shard is named', 'Name the folders of all shards.');
  const byNumber = new Map<number, ShardRun>();
  for (const run of runs) {
    const found = differences(first.config, run.config, {
      shards: true,
      names: [`in ${first.path}`, `in ${run.path}`],
    });
    if (found.length > 0) {
      throw badInput(
        `${run.path} and ${first.path} are of different runs:\n  ${found.join('\n  ')}`,
        'Name the shards of one run.',
      );
    }
    const before = byNumber.get(run.shard.index);
    if (before) {
      throw badInput(
        `shard ${run.shard.index} of ${run.shard.count} is given twice: ${before.path} and ${run.path}`,
        'Name each shard once.',
      );
    }
    byNumber.set(run.shard.index, run);
  }
  const { count, of } = first.shard;
  // Shards beyond the number of images have none, and no folder.
  const needed = Array.from({ length: Math.min(count, of) }, (_, i) => i + 1);
  const missing = needed.filter((index) => !byNumber.has(index));
  if (missing.length > 0) {
    const names = missing.map((index) => shardFolderName({ index, count })).join(', ');
    throw badInput(`shards are missing: ${names}`, 'Name the folders of all shards.');
  }
  return needed.flatMap((index) => byNumber.get(index) ?? []);
}

/** Every image of a shard, in its order. */
function allLines(path: string, config: RunConfig): ImageLines[] {
  const { images, unfinished } = readRunLines(path, config, new Set());
  const byIndex = new Map(images.map((image) => [image.certificate.index, image]));
  const missing = config.data.indices.filter((index) => !byIndex.has(index));
  if (missing.length > 0 || unfinished.length > 0) {
    const shown = missing.slice(0, 5).join(', ') + (missing.length > 5 ? ', ...' : '');
    const words =
      missing.length > 0 ? `${missing.length} images are missing (${shown})` : unfinished.join('; ');
    throw badInput(`${path}: ${words}`, REDO);
  }
  return config.data.indices.flatMap((index) => byIndex.get(index) ?? []);
}

function refuseDoubles(images: readonly ImageLines[], shards: readonly ShardRun[]): void {
  const seen = new Map<number, number>();
  for (const [i, { certificate }] of images.entries()) {
    const before = seen.get(certificate.index);
    if (before !== undefined) {
      const [a, b] = [shards[before % shards.length], shards[i % shards.length]];
      throw badInput(`image ${certificate.index} is certified in ${a?.path} and in ${b?.path}`, REDO);
    }
    seen.set(certificate.index, i);
  }
}

/** As the run that nobody cut would have it, in the words of the first shard. */
function mergedConfig(shards: readonly ShardRun[], images: readonly ImageLines[], out: string): unknown {
  const [first] = shards;
  if (!first) throw new TurnproofError('internal', 'there are no shards');
  const content = JSON.parse(readFileSync(join(first.path, CONFIG), 'utf8'));
  const { shard: _, out: __, ...options } = content.options;
  const { paths } = first.config;
  const digest = dataDigest();
  for (const { certificate } of images) {
    const { index, label, image } = certificate;
    digest.add({ index, label, sha256: image.sha256 });
  }
  const indices = images.map(({ certificate }) => certificate.index);
  const { spec, size, selection } = first.config.data;
  const sha256 = digest.hex();
  if (selection !== undefined && sha256 !== selection) {
    throw badInput(
      `${first.path}: the shards' certificates are of other images or labels than their ${CONFIG} says`,
      REDO,
    );
  }
  const started = shards.map(({ config }) => config.started).sort()[0];
  return {
    ...content,
    options: { ...options, out },
    ...(paths ? { paths: moved(paths, first.path, out) } : {}),
    data: { spec, size, indices, sha256 },
    started,
  };
}
