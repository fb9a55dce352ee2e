/**
 * Where a command is told to write: can anything be written there? Asked before hours are spent, by doing it: a folder
 * is made with a file in it, and both are taken away again. Not for what is in a folder that is there already.
 */
import { randomUUID } from 'node:crypto';
import { lstatSync, readdirSync, rmSync, type Stats, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { badInput, type TurnproofError } from '@turnproof/core';
import { codeOf, makeFolder, removeEmpty } from '@turnproof/core/folders';

/** What a check leaves for a moment, and a process that is killed in it for longer. */
const TRIAL = '.turnproof-trial-';

/** Longer paths are cut in messages. */
const SHOWN = 200;

/**
 * What stands at a path, links followed; undefined where nothing does.
 *
 * @param what begins the message, such as «--out runs/a»
 * @throws TurnproofError `bad-input` for a link that leads nowhere, and a path that the system refuses
 */
export function lookAt(path: string, what: string): Stats | undefined {
  // With a slash behind it a link is followed even by lstat.
  const bare = path.replace(/(?<=.)\/+$/, '');
  let link: Stats | undefined;
  try {
    link = lstatSync(bare);
    return link.isSymbolicLink() ? statSync(bare) : link;
  } catch (error) {
    const code = codeOf(error);
    if (link) {
      throw badInput(
        `${what}: ${bare} is a link to something that is not there (${code})`,
        'Mount the disk that it leads to, or give another folder.',
      );
    }
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw cannotBeMade(what, code);
  }
}

/** Names in a folder, without what other processes try just now. */
export function namesIn(folder: string): string[] {
  return readdirSync(folder).filter((name) => !name.startsWith(TRIAL));
}

/**
 * Can a folder be made at `path`, with those above it, and a file in it? One that is there may hold whatever it likes.
 *
 * @throws TurnproofError `bad-input` saying what stands in the way
 */
export function requireWritable(path: string, what: string): void {
  requireFolders(path, what);
  const made: string[] = [];
  try {
    makeFolder(path, (folder) => made.push(folder));
    const file = join(path, `${TRIAL}${randomUUID()}`);
    writeFileSync(file, '', { flag: 'wx' });
    rmSync(file);
  } catch (error) {
    throw unusable(path, what, codeOf(error));
  } finally {
    removeEmpty(made);
  }
}

/**
 * Makes the folder and those above it; tells which were made, outermost first.
 *
 * @throws TurnproofError `bad-input` saying what stands in the way
 */
export function makeFolders(path: string, what: string): string[] {
  requireFolders(path, what);
  const made: string[] = [];
  try {
    makeFolder(path, (folder) => made.push(folder));
    return made;
  } catch (error) {
    removeEmpty(made);
    throw unusable(path, what, codeOf(error));
  }
}

/** What is there of the path is folders. */
function requireFolders(path: string, what: string): void {
  for (let level = path; ; level = dirname(level)) {
    const stats = lookAt(level, what);
    if (stats?.isDirectory()) return;
    if (stats !== undefined) {
      throw badInput(`${what}: ${level === path ? '' : `${level} `}is not a folder`, 'Give another folder.');
    }
    if (dirname(level) === level) return;
  }
}

function unusable(path: string, what: string, code: string): TurnproofError {
  if (code !== 'EACCES' && code !== 'EPERM' && code !== 'EROFS') return cannotBeMade(what, code);
  let there = path;
  while (statSync(there, { throwIfNoEntry: false }) === undefined && dirname(there) !== there)
    there = dirname(there);
  return badInput(`${what}: no permission to write in ${there}`, 'Give another folder.');
}

function cannotBeMade(what: string, code: string): TurnproofError {
  return badInput(`${what.slice(0, SHOWN)}: cannot be made (${code})`, 'Give another folder.');
}
