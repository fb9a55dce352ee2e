import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sourcesOf } from './circumstances.ts';

let folder: string;
const git = (...args: string[]) => execFileSync('git', ['-C', folder, ...args], { encoding: 'utf8' }).trim();

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'turnproof-bench-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('the sources of a result', () => {
  it('have no commit outside a checkout', () => {
    expect(sourcesOf(folder)).toEqual({ commit: null, modified: false });
  });

  it('have the commit, and tell when files differ from it', () => {
    git('init', '--quiet');
    writeFileSync(join(folder, 'kernel.wgsl'), '// one\n');
    git('add', '.');
    git('-c', 'user.name=T', '-c', 'user.email=t@example.org', 'commit', '--quiet', '-m', 'one');
    const commit = git('rev-parse', 'HEAD');
    expect(sourcesOf(folder)).toEqual({ commit, modified: false });
    writeFileSync(join(folder, 'kernel.wgsl'), '// two\n');
    expect(sourcesOf(folder)).toEqual({ commit, modified: true });
  });

  it('of a bundle are those that it was made from, wherever it was unpacked', () => {
    git('init', '--quiet');
    writeFileSync(join(folder, 'commit.json'), JSON.stringify({ commit: 'abc', modified: true }));
    expect(sourcesOf(folder)).toEqual({ commit: 'abc', modified: true });
  });
});
