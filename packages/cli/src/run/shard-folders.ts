/** Folders of shards by the name of the one that holds them. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { CONFIG } from './run-config.ts';

const SHARD = /^shard-(\d+)-of-(\d+)$/;

/** In the place of a folder that is no run but holds shards: these, by number. */
export function withShards(paths: readonly string[]): string[] {
  return paths.flatMap((path) => {
    if (!statSync(path, { throwIfNoEntry: false })?.isDirectory() || existsSync(join(path, CONFIG)))
      return path;
    const shards = readdirSync(path).filter((name) => SHARD.test(name));
    shards.sort((a, b) => numberOf(a) - numberOf(b));
    return shards.length === 0 ? path : shards.map((name) => join(path, name));
  });
}

function numberOf(name: string): number {
  return Number(SHARD.exec(name)?.[1]);
}
