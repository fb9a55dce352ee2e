/**
 * What a measured number is worth nothing without: where, on what and with which sources it was measured. Not the
 * measuring itself.
 */
import { execFileSync } from 'node:child_process';
import type { AdapterDescription } from '@turnproof/core';

export interface Circumstances {
  /** As the driver names itself. */
  readonly adapter: string;
  readonly driver: string;
  readonly adapterKind: AdapterDescription['kind'];
  /** Such as «node 22.23.3». */
  readonly runtime: string;
  /** Such as «linux-x64». */
  readonly platform: string;
  /** The commit measured; null outside a git checkout. */
  readonly commit: string | null;
  /** True where files differ from the commit, so that it does not name what was measured. */
  readonly modified: boolean;
  /** ISO 8601, UTC. */
  readonly date: string;
}

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

/**
 * @param adapter - The adapter that the numbers come from.
 * @param folder - A folder of the checkout that they come from.
 */
export function circumstances(
  adapter: AdapterDescription,
  folder: string = import.meta.dirname,
): Circumstances {
  return {
    adapter: adapter.name,
    driver: adapter.description,
    adapterKind: adapter.kind,
    runtime: `node ${process.versions.node}`,
    platform: `${process.platform}-${process.arch}`,
    commit: git(folder, 'rev-parse', 'HEAD'),
    modified: (git(folder, 'status', '--porcelain') ?? '') !== '',
    date: new Date().toISOString(),
  };
}
