import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { circumstances } from './circumstances.ts';

const adapter = {
  name: 'Some GPU',
  vendor: 'some',
  architecture: 'one',
  description: 'driver 1.2',
  kind: 'hardware',
  adapterClass: 'some/one',
} as const;

let folder: string;
const git = (...args: string[]) => execFileSync('git', ['-C', folder, ...args], { encoding: 'utf8' }).trim();

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'turnproof-bench-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('circumstances', () => {
  it('name no commit outside a checkout', () => {
    expect(circumstances(adapter, folder)).toMatchObject({
      adapter: 'Some GPU',
      commit: null,
      modified: false,
    });
  });

  it('name the commit, and tell when files differ from it', () => {
    git('init', '--quiet');
    writeFileSync(join(folder, 'kernel.wgsl'), '// one\n');
    git('add', '.');
    git('-c', 'user.name=T', '-c', 'user.email=t@example.org', 'commit', '--quiet', '-m', 'one');
    const commit = git('rev-parse', 'HEAD');
    expect(circumstances(adapter, folder)).toMatchObject({ commit, modified: false });
    writeFileSync(join(folder, 'kernel.wgsl'), '// two\n');
    expect(circumstances(adapter, folder)).toMatchObject({ commit, modified: true });
  });
});
