import { existsSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { codeOf, makeFolder, removeEmpty } from './folders.node.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'turnproof-folders-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const codeWhile = (path: string): string => {
  try {
    makeFolder(path);
    return 'made';
  } catch (error) {
    return codeOf(error);
  }
};

describe('a folder', () => {
  it('is made with those above it, and each is told that was not there', () => {
    const made: string[] = [];
    makeFolder(join(folder, 'a', 'b', 'c'), (one) => made.push(one));
    expect(made).toEqual([join(folder, 'a'), join(folder, 'a', 'b'), join(folder, 'a', 'b', 'c')]);
    makeFolder(join(folder, 'a', 'd'), (one) => made.push(one));
    expect(made.slice(3)).toEqual([join(folder, 'a', 'd')]);
    expect(codeWhile(join(folder, 'a'))).toBe('made');
  });
  it('is taken away again only as far as nobody has put anything there', () => {
    const made: string[] = [];
    makeFolder(join(folder, 'x', 'y', 'z'), (one) => made.push(one));
    writeFileSync(join(folder, 'x', 'theirs'), '');
    removeEmpty(made);
    expect(readdirSync(join(folder, 'x'))).toEqual(['theirs']);
  });
  it('is an error where a file or a link that leads nowhere is in the way', () => {
    writeFileSync(join(folder, 'file'), '');
    symlinkSync(join(folder, 'nowhere'), join(folder, 'dangling'));
    expect(codeWhile(join(folder, 'file'))).toBe('EEXIST');
    expect(codeWhile(join(folder, 'file', 'below'))).toBe('EEXIST');
    expect(codeWhile(join(folder, 'dangling'))).toBe('EEXIST');
    expect(codeWhile(join(folder, 'dangling', 'below'))).toBe('EEXIST');
    expect(existsSync(join(folder, 'nowhere'))).toBe(false);
  });
  // Node's own mkdir with `recursive` never comes back from there.
  it.runIf(existsSync('/proc/self'))('is an error where the system has no new folders', () => {
    expect(codeWhile('/proc/turnproof/run')).toBe('ENOENT');
  });
});
