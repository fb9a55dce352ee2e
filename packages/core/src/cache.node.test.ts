import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cacheFolders, dropCached, readCached, writeCached } from './cache.node.ts';

const VARIABLES = ['TURNPROOF_CACHE', 'XDG_CACHE_HOME', 'HOME', 'TMPDIR'] as const;

describe('the cache', () => {
  let root: string;
  const before = Object.fromEntries(VARIABLES.map((name) => [name, process.env[name]]));
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'turnproof-cache-'));
    for (const [i, name] of VARIABLES.entries()) process.env[name] = join(root, String(i));
  });
  afterEach(() => {
    for (const name of VARIABLES) {
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
    }
    rmSync(root, { recursive: true, force: true });
  });

  it('lies where it is told to, then where the system has its caches, then among temporary files', () => {
    expect(cacheFolders()).toEqual([
      join(root, '0', 'turnproof'),
      join(root, '1', 'turnproof'),
      join(root, '2', '.cache', 'turnproof'),
      join(root, '3', 'turnproof'),
    ]);
  });

  it('gives back what was written last, whole, and nothing else', () => {
    expect(readCached('verdict')).toBeNull();
    expect(writeCached('verdict', 'first')).toBe(true);
    expect(writeCached('verdict', 'second')).toBe(true);
    expect(readCached('verdict')).toBe('second');
    expect(readdirSync(join(root, '0', 'turnproof'))).toEqual(['verdict']);
    expect(readCached('other')).toBeNull();
    dropCached('verdict');
    expect(readCached('verdict')).toBeNull();
    dropCached('verdict');
  });

  it('is in the first folder that can be used, and nowhere else', () => {
    expect(writeCached('verdict', 'words')).toBe(true);
    process.env.TURNPROOF_CACHE = join(root, 'another');
    expect(readCached('verdict')).toBeNull();
    writeFileSync(join(root, 'a file'), '');
    process.env.TURNPROOF_CACHE = join(root, 'a file');
    expect(writeCached('verdict', 'elsewhere')).toBe(true);
    expect(readFileSync(join(root, '1', 'turnproof', 'verdict'), 'utf8')).toBe('elsewhere');
    expect(readCached('verdict')).toBe('elsewhere');
  });

  it('leaves no draft where a file cannot take its place', () => {
    mkdirSync(join(root, '0', 'turnproof', 'verdict', 'folder'), { recursive: true });
    expect(writeCached('verdict', 'words')).toBe(false);
    expect(readCached('verdict')).toBeNull();
    expect(readdirSync(join(root, '0', 'turnproof'))).toEqual(['verdict']);
  });

  it('does not follow a link, which may lead to anybody’s file', () => {
    mkdirSync(join(root, '0', 'turnproof'), { recursive: true });
    writeFileSync(join(root, 'elsewhere'), 'planted');
    symlinkSync(join(root, 'elsewhere'), join(root, '0', 'turnproof', 'verdict'));
    expect(readCached('verdict')).toBeNull();
    expect(writeCached('verdict', 'own')).toBe(true);
    expect(readCached('verdict')).toBe('own');
    expect(readFileSync(join(root, 'elsewhere'), 'utf8')).toBe('planted');
  });

  it('says so where nothing can be written at all', () => {
    for (const i of VARIABLES.keys()) writeFileSync(join(root, String(i)), 'a file');
    expect(writeCached('verdict', 'words')).toBe(false);
    expect(readCached('verdict')).toBeNull();
  });
});
