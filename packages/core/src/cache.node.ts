/**
 * The cache: small files that may go missing at any time, in the first folder that can be written to. Nothing may rest on
 * what is in them that its reader cannot check.
 */
import { randomUUID } from 'node:crypto';
import { accessSync, constants, lstatSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeFolder } from './folders.node.ts';

/** Best first. None of them need be there, or be writable. */
export function cacheFolders(): string[] {
  const roots = [
    process.env.TURNPROOF_CACHE,
    process.env.XDG_CACHE_HOME,
    join(homedir(), '.cache'),
    tmpdir(),
  ];
  return roots
    .filter((root): root is string => root !== undefined && root !== '')
    .map((root) => join(root, 'turnproof'));
}

/** Those of them that can be written to, made where they are missing. */
function* usableFolders(): Generator<string> {
  for (const folder of cacheFolders()) {
    try {
      makeFolder(folder);
      accessSync(folder, constants.W_OK);
    } catch {
      // The next one may do.
      continue;
    }
    yield folder;
  }
}

/** The file of this name where there is one that this user wrote: others may write into a folder for temporary files. */
export function readCached(name: string): string | null {
  for (const folder of usableFolders()) {
    const path = join(folder, name);
    try {
      const found = lstatSync(path);
      const own = process.getuid === undefined || found.uid === process.getuid();
      return found.isFile() && own ? readFileSync(path, 'utf8') : null;
    } catch {
      return null;
    }
  }
  return null;
}

/** Whole or not at all. False where no folder takes it. */
export function writeCached(name: string, content: string): boolean {
  for (const folder of usableFolders()) {
    const draft = join(folder, `${name}.${randomUUID()}.part`);
    try {
      writeFileSync(draft, content, { flush: true, flag: 'wx' });
      renameSync(draft, join(folder, name));
      return true;
    } catch {
      remove(draft);
      return false;
    }
  }
  return false;
}

/** Forgets the file wherever it is. */
export function dropCached(name: string): void {
  for (const folder of cacheFolders()) remove(join(folder, name));
}

function remove(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // Not ours to delete: then it is not ours to read, either.
  }
}
