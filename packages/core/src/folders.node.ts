/**
 * Making folders on Node, level by level. Node's own `recursive` never comes back where a system answers «no such file»
 * to every new folder, as /proc does. Not for deciding where to write.
 */
import { mkdirSync, rmdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** Another process may take a level away just before the next one is made. A system that has no new folders answers the same for ever. */
const TRIES = 20;

/**
 * Makes a folder and those above it that are missing; `onMade` is told of each that was made here, outermost first.
 *
 * @throws Error with Node's `code`: what stands in the way
 */
export function makeFolder(path: string, onMade: (folder: string) => void = () => undefined): void {
  for (let tries = 1; ; tries++) {
    try {
      for (const level of missingLevels(path)) if (makeLevel(level)) onMade(level);
      return;
    } catch (error) {
      if (codeOf(error) !== 'ENOENT' || tries === TRIES) throw error;
    }
  }
}

/** Outermost first. */
function missingLevels(path: string): string[] {
  const missing: string[] = [];
  for (let level = path; !isFolder(level); level = dirname(level)) {
    missing.unshift(level);
    if (dirname(level) === level) break;
  }
  return missing;
}

/** False where somebody else was quicker. */
function makeLevel(path: string): boolean {
  try {
    mkdirSync(path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST' && isFolder(path)) return false;
    throw error;
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** Takes away folders that were made here, innermost first, as far as they are empty. */
export function removeEmpty(folders: readonly string[]): void {
  for (const folder of folders.toReversed()) {
    try {
      rmdirSync(folder);
    } catch {
      // Somebody else has put something there, or has taken it away.
    }
  }
}

/** Such as ENOENT; empty for an error that is none of the system's. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
