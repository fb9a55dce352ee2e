/** Text files that somebody else may have made: regular, of a sane size, UTF-8; and YAML in them. */
import { readFile, stat } from 'node:fs/promises';
import { badInput } from '@turnproof/core';
import { parseDocument } from 'yaml';

/** Configurations and plans are written by hand. */
export const MAX_YAML = 2 ** 20;
/** Node holds no longer string. */
export const MAX_LINES = 2 ** 29 - 64;

/**
 * @param name for the message, where it is not the path alone
 * @returns null where there is no such file
 * @throws TurnproofError `bad-input` for anything but a regular file of at most `limit` bytes that can be read
 */
export async function readText(path: string, limit: number, name = path): Promise<string | null> {
  try {
    const found = await stat(path);
    if (found.isDirectory()) throw badInput(`${name}: is a folder, not a file`, 'Name a file.');
    // A pipe or a device may never end.
    if (!found.isFile()) throw badInput(`${name}: is not a regular file`, 'Name a regular file.');
    if (found.size > limit) {
      throw badInput(
        `${name}: has ${found.size} bytes, more than the ${limit} that are read`,
        'Make it smaller.',
      );
    }
    return await readFile(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    if (code === 'bad-input') throw error;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw badInput(`${name}: cannot be read (${code})`, 'Check its permissions.');
  }
}

/**
 * What a YAML text says, scalars as they are written.
 *
 * @throws TurnproofError `bad-input` for what is no YAML, is nested too deeply or repeats itself too often by aliases
 */
export function parseYaml(path: string, text: string, fix: string): unknown {
  const refuse = (error: Error): Error => {
    const [first] = error.message.split('\n');
    return badInput(`${path}: no YAML: ${first?.replace(/:$/, '') ?? 'unreadable'}`, fix);
  };
  try {
    const document = parseDocument(text, { schema: 'failsafe', logLevel: 'error' });
    const [error] = document.errors;
    if (error) throw refuse(error);
    return document.toJS();
  } catch (error) {
    // Too many aliases are a ReferenceError, too much nesting is a RangeError.
    if (error instanceof Error && 'code' in error && error.code === 'bad-input') throw error;
    throw refuse(error instanceof Error ? error : new Error(String(error)));
  }
}
