/**
 * seed.json in the folder that all shards of a run are given: their seed, where no --seed says it. The first shard that
 * comes along writes it, the others read it.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { badInput } from '@turnproof/core';
import { codeOf } from '@turnproof/core/folders';
import { z } from 'zod';
import { randomSeed, readSeed, withSeed } from '../options/seed.ts';
import type { Values } from '../options/values.ts';
import { makeFolders } from './place-to-write.ts';

export const SEED = 'seed.json';

const content = z.strictObject({
  schema: z.literal('turnproof/seed/1'),
  seed: z.string().regex(/^\d{1,20}$/),
});

/** How often, and how long apart, a file is read that is being written. */
const [READS, PAUSE_MS] = [50, 100];

/**
 * The values with the shards' seed, or with a new one where there is none yet; writes nothing.
 *
 * @throws TurnproofError `bad-input` where --seed says another than the shards have, and for a damaged file
 */
export async function withShardSeed(values: Values, folder: string): Promise<Values> {
  const there = await readShardSeed(folder);
  if (there !== null) requireSame(values, there, folder);
  return withSeed(values, () => there ?? randomSeed());
}

/**
 * Writes down the seed of the values for the shards to come. Where another shard was quicker, its seed is the one.
 *
 * @throws TurnproofError as {@link withShardSeed}
 */
export async function claimShardSeed(values: Values, folder: string): Promise<Values> {
  const path = join(folder, SEED);
  makeFolders(folder, `--out ${folder}`);
  try {
    const own = { schema: 'turnproof/seed/1', seed: String(readSeed(values)) };
    writeFileSync(path, `${JSON.stringify(own)}\n`, { flag: 'wx', flush: true });
    return values;
  } catch (error) {
    const code = codeOf(error);
    if (code !== 'EEXIST') throw badInput(`${path}: cannot be written (${code})`, 'Give another --out.');
  }
  const there = await readShardSeed(folder);
  if (there === null) return claimShardSeed(values, folder);
  requireSame(values, there, folder);
  return values.over({ seed: String(there) });
}

function requireSame(values: Values, there: bigint, folder: string): void {
  if (!values.isGiven('seed') || readSeed(values) === there) return;
  throw badInput(
    `--seed ${values.text('seed')}: the shards in ${folder} have seed ${there}`,
    `Leave --seed out, or give another --out; ${join(folder, SEED)} keeps it.`,
  );
}

/** Null where there is none. */
async function readShardSeed(folder: string): Promise<bigint | null> {
  const path = join(folder, SEED);
  for (let reads = 1; ; reads++) {
    let text: string;
    try {
      text = readFileSync(path, 'utf8');
    } catch (error) {
      const code = codeOf(error);
      if (code === 'ENOENT' || code === 'ENOTDIR') return null;
      throw badInput(`${path}: cannot be read (${code})`, 'Check its permissions.');
    }
    const seed = parsed(text);
    if (seed !== null) return seed;
    if (reads === READS) throw badInput(`${path}: holds no seed`, 'Remove it, and the shards beside it.');
    await sleep(PAUSE_MS);
  }
}

/** Null for a file that is still being written, or is damaged. */
function parsed(text: string): bigint | null {
  try {
    return BigInt(content.parse(JSON.parse(text)).seed);
  } catch {
    return null;
  }
}
