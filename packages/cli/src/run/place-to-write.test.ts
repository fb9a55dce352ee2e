/** Where a command is told to write, and nothing can be written: refused before a GPU is asked for anything. */
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { refusalOf, type TemporaryFolder, temporaryFolder } from '../data/testing/files.ts';
import { runCli } from '../run-cli.test-support.ts';
import { lookAt, requireWritable } from './place-to-write.ts';

let folder: TemporaryFolder;
const at = (...names: string[]) => join(folder.path, ...names);
beforeAll(async () => {
  folder = await temporaryFolder();
  symlinkSync(at('unmounted'), at('disk'));
  symlinkSync(at('round'), at('round'));
  mkdirSync(at('there'));
  symlinkSync(at('there'), at('link'));
  await folder.write('file', '');
  await folder.write('plan.yaml', 'runs: [{ name: a, options: { data: signs } }]');
});
afterAll(() => folder.remove());

const refused = (path: string) => refusalOf(() => requireWritable(path, `--out ${path}`));

describe('a place to write', () => {
  it('is refused behind a link that leads nowhere, whatever follows it', async () => {
    for (const path of [at('disk'), `${at('disk')}/`, at('disk', 'run'), at('disk', 'a', 'b', 'c')]) {
      const refusal = await refused(path);
      expect(refusal).toContain(`${at('disk')} is a link to something that is not there`);
      expect(refusal).toContain('Mount');
    }
    expect(await refused(at('round', 'run'))).toContain('(ELOOP)');
  });
  it('is refused on a file and below one', async () => {
    expect(await refused(at('file'))).toMatch(/--out \S+file: is not a folder/);
    expect(await refused(at('file', 'run'))).toContain(`${at('file')} is not a folder`);
  });
  it('is refused where the name is too long for any system', async () => {
    expect(await refused(at('x'.repeat(5000)))).toContain('cannot be made (ENAMETOOLONG)');
  });
  it.runIf(existsSync('/proc/self'))('is refused where the system has no new folders', async () => {
    expect(await refused('/proc/turnproof/run')).toContain('cannot be made (ENOENT)');
  });
  it('is taken where it can be made, through a link too, and nothing is left of the trial', () => {
    for (const path of [at('new', 'run'), at('link', 'run'), `${at('link')}/`, at('there')])
      requireWritable(path, '--out');
    expect(existsSync(at('new'))).toBe(false);
    expect(readdirSync(at('there'))).toEqual([]);
    expect(lookAt(at('new'), '--out')).toBeUndefined();
    expect(lookAt(at('link'), '--out')?.isDirectory()).toBe(true);
  });
});

const RUN = [
  '--data',
  'signs',
  '--limit',
  '1',
  '--model',
  'signs',
  '--transform',
  'rotation',
  '--range',
  '3',
];
const BOUND = ['--data', 'signs', '--limit', '2', '--transform', 'rotation', '--range', '3'];

/** What writes, and the option that says where. */
const WRITERS: readonly (readonly [args: readonly string[], option: string, name: string])[] = [
  [['certify', ...RUN], '--out', 'run'],
  [['certify', ...RUN, '--resume'], '--out', 'run'],
  [['predict', '--method', 'base', ...RUN], '--out', 'run'],
  [['attack', ...RUN], '--out', 'run'],
  [['attack', ...RUN], '--png', 'pictures'],
  [['bound', ...BOUND, '--beta', '3'], '--out', 'run'],
  [['calibrate', ...BOUND, '--n-betas', '7', '--rho-e', '0.9'], '--out', 'run'],
  [['calibrate', ...BOUND, '--n-betas', '7', '--rho-e', '0.9'], '--out', 'run/calibration.json'],
  [['merge', 'nowhere'], '--out', 'run'],
  [['report', 'nowhere'], '--out', 'run'],
  [['experiment', 'plan.yaml'], '--out', 'run'],
];

describe.each(WRITERS)('%j', (args, option, name) => {
  it(`refuses ${option} where nothing can be written, in one line and before the GPU is opened`, async () => {
    const before = readdirSync(folder.path);
    // Where Node's own way of making folders never comes back; else behind a link that leads nowhere.
    const out = join(existsSync('/proc/self') ? '/proc/turnproof' : at('disk'), name);
    const { stdout, stderr, code } = await runCli([...args, option, out], { cwd: folder.path });
    expect(code, stderr).toBe(2);
    const [first, second, ...more] = stderr.trimEnd().split('\n');
    expect(first).toMatch(
      new RegExp(`^turnproof: ${option} \\S+: .*(is a link to something|cannot be made)`),
    );
    expect(second).toMatch(/^ {2}fix: /);
    expect(more).toEqual([]);
    expect(stdout).toBe('');
    expect(readdirSync(folder.path)).toEqual(before);
  });
});

it('a calibration never takes the place of a link that leads nowhere', async () => {
  symlinkSync(at('gone.json'), at('kept.json'));
  const { code, stderr } = await runCli(['calibrate', ...BOUND, '--out', at('kept.json')], {
    cwd: folder.path,
  });
  expect(code).toBe(2);
  expect(stderr).toContain('kept.json is a link to something that is not there');
  expect(() => readFileSync(at('kept.json'))).toThrow('ENOENT');
});
