/**
 * The program on a Node that is too old. The Node of the tests is new enough, so a preloaded module lies about its
 * version; scripts/check-built.mjs tries a Node that is really old, where one is on PATH.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TemporaryFolder, temporaryFolder } from './data/testing/files.ts';
import { AGAIN, isEnough, OLDEST, ownNode } from './own-node.ts';
import { version } from './version.ts';

const BIN = fileURLToPath(new URL('bin.ts', import.meta.url));

let folder: TemporaryFolder;
/** Says that Node is old: the first time, or always. */
let onceOld: string;
let alwaysOld: string;
beforeAll(async () => {
  folder = await temporaryFolder();
  const lie = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.20.2' } });\n`;
  onceOld = await folder.write('once.mjs', `if (!process.env.${AGAIN}) ${lie}`);
  alwaysOld = await folder.write('always.mjs', lie);
});
afterAll(() => folder.remove());

interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
}

/** @param told shown what is on stderr so far, and the process */
function run(
  preload: string,
  args: readonly string[],
  told?: (stderr: string, pid: number) => void,
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const node = [`--import=${preload}`, '--conditions=turnproof-source', '--no-warnings', BIN];
    const env = { ...process.env };
    delete env[AGAIN];
    const child = spawn(process.execPath, [...node, ...args], {
      cwd: folder.path,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
      told?.(stderr, child.pid ?? 0);
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ stdout, stderr, code }));
  });
}

describe('the oldest Node', () => {
  it.each([
    ['18.20.8', false],
    ['20.20.2', false],
    ['22.11.0', false],
    ['22.12.0', true],
    ['22.23.3', true],
    ['23.0.0', true],
    ['100.1.0', true],
  ])('is met by %s: %s', (words, enough) => {
    expect(isEnough(words)).toBe(enough);
  });
  it('is the one that the package names', () => {
    const { engines } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
    expect(engines.node).toBe(`>=${OLDEST}`);
  });
  it('is brought by the npm package node, wherever above the program that lies', () => {
    expect(ownNode(BIN)).toMatch(/node_modules[\\/]node[\\/]bin[\\/]node(\.exe)?$/);
    expect(ownNode(join(folder.path, 'dist', 'bin.js'))).toBeNull();
  });
});

describe('the program under a Node that is too old', () => {
  it('runs itself under its own, and ends as that does', async () => {
    const asked = await run(onceOld, ['--version']);
    expect(asked).toEqual({ stdout: `${version()}\n`, stderr: '', code: 0 });
    const refused = await run(onceOld, ['certify', '--data', 'signs']);
    expect([refused.code, refused.stdout]).toEqual([2, '']);
    expect(refused.stderr).toMatch(/^turnproof: --transform is missing\n {2}fix: .*\n$/);
  });
  it('says what it needs in one line where that one is too old as well', async () => {
    const { stdout, stderr, code } = await run(alwaysOld, ['--version']);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^turnproof: needs Node 22\.12 or newer, this is Node 20\.20\.2: .*\n$/);
  });
  it('hands a signal on, and winds up as without it', async () => {
    const certify = [
      'certify',
      '--data',
      'signs',
      '--model',
      'signs',
      '--transform',
      'rotation',
      '--range',
      '10',
    ];
    const more = [
      '--method',
      'base',
      '--seed',
      '0',
      '--adapter',
      'software',
      '--threads',
      '1',
      '--out',
      'run',
    ];
    let sent = false;
    const { stderr, code } = await run(onceOld, [...certify, ...more], (soFar, pid) => {
      if (sent || !soFar.includes('writing to run')) return;
      sent = true;
      process.kill(pid, 'SIGTERM');
    });
    expect(code, stderr).toBe(130);
    expect(stderr).toContain('go on with: turnproof certify --out run --resume');
  });
});
