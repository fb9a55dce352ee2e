/**
 * What a measured number is worth nothing without, in Node: where, on what and with which sources it was measured.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Gpu } from '@turnproof/core';
import { deviceFacts } from './suite/device-facts.ts';
import type { Circumstances } from './suite/result.ts';

/** The output of a git command in a folder, or null where git or a repository is missing. */
function git(folder: string, ...args: string[]): string | null {
  try {
    return execFileSync('git', ['-C', folder, ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return null;
  }
}

/** Which sources a folder holds: what a bundle notes in its `commit.json`, else what git says. */
export function sourcesOf(folder: string): Pick<Circumstances, 'commit' | 'modified'> {
  try {
    const noted: unknown = JSON.parse(readFileSync(join(folder, 'commit.json'), 'utf8'));
    if (typeof noted === 'object' && noted !== null && 'commit' in noted && 'modified' in noted)
      return { commit: String(noted.commit), modified: noted.modified === true };
  } catch {
    // No bundle.
  }
  const commit = git(folder, 'rev-parse', 'HEAD');
  const modified = commit !== null && (git(folder, 'status', '--porcelain') ?? '') !== '';
  return { commit, modified };
}

/**
 * @param gpu - The device that the numbers come from.
 * @param folder - The folder of the checkout (or bundle) that they come from.
 */
export function circumstances(
  gpu: Pick<Gpu, 'adapter' | 'device'>,
  folder = join(import.meta.dirname, '..', '..', '..'),
): Circumstances {
  return {
    ...deviceFacts(gpu),
    runtime: `node ${process.versions.node}`,
    platform: `${process.platform}-${process.arch}`,
    ...sourcesOf(folder),
    date: new Date().toISOString(),
  };
}
