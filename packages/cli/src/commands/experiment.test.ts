/** Experiments of real runs, the program as a user starts it. */
import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TemporaryFolder, temporaryFolder } from '../data/testing/files.ts';
import { currentHolder } from '../run/run-lock.ts';
import { lastingPart } from '../run/same-run.test-support.ts';
import { stopAt } from '../run/stop-at.test-support.ts';
import { runCli } from '../run-cli.test-support.ts';

let folder: TemporaryFolder;
const cli = (...args: string[]) => runCli(args, { cwd: folder.path });
const at = (...names: string[]) => join(folder.path, ...names);

const TWO = `
title: Two runs
options: { data: signs, model: signs, method: base, limit: 3, adapter: software, transform: rotation, vignette: 'circle:2' }
runs:
  - name: near
    options: { range: 5 }
    paper: { images: 1000, cert. 5°: 0.987 }
    note: the model is ours
  - name: far
    options: { range: 20 }
`;

beforeAll(async () => {
  folder = await temporaryFolder();
  await folder.write('two.yaml', TWO);
});
afterAll(() => folder.remove());

describe('an experiment', () => {
  it('runs what the file says, and ends in a table and a report', async () => {
    const { stdout, stderr, code } = await cli('experiment', 'two.yaml', '--out', 'two', '--set', 'limit=2');
    expect(code, stderr).toBe(0);
    expect((await readdir(at('two'))).sort()).toEqual(['far', 'near', 'report', 'report.html', 'table.md']);
    const seed = /^seed (\d+) \(--set seed=\d+ repeats the draws\)$/m.exec(stderr)?.[1];
    expect(seed, stderr).toBeDefined();
    for (const name of ['near', 'far']) {
      const config = JSON.parse(await readFile(at('two', name, 'config.json'), 'utf8'));
      expect(config.options).toMatchObject({
        limit: '2',
        method: 'base',
        seed,
        range: name === 'near' ? '5' : '20',
      });
      expect(
        (await readFile(at('two', name, 'certificates.jsonl'), 'utf8')).trimEnd().split('\n'),
      ).toHaveLength(2);
    }
    const table = await readFile(at('two', 'table.md'), 'utf8');
    const [head = '', , near = '', paper = '', far = ''] = table.split('\n').slice(4);
    const cells = (line: string) => line.split('|').map((cell) => cell.trim());
    const column = cells(head).indexOf('cert. 5°');
    expect(cells(near)[1]).toBe('near');
    expect(cells(paper)[1]).toBe('near (paper)');
    expect([cells(near)[column], cells(paper)[column]]).toEqual(['1.000', '0.987']);
    expect(cells(paper)[cells(head).indexOf('images')]).toBe('1000');
    expect(cells(far)[1]).toBe('far');
    expect(table).toContain('near: the model is ours');
    expect(stdout).toMatch(/near \(paper\)/);
    // Rows of images are the runs' own, and for people.
    expect(stdout).not.toContain('over 2 images');
    expect(stderr).toContain('over 2 images');
    expect(stdout).toContain(join('two', 'report.html'));
    const page = await readFile(at('two', 'report.html'), 'utf8');
    expect(page).toContain('<h1>Two runs</h1>');
    expect(page).toContain('near (paper)');
    expect(existsSync(at('two', 'near', 'report.html'))).toBe(true);
  });

  it('takes complete runs as they are with --reuse, and refuses those that were made otherwise', async () => {
    const again = (...args: string[]) =>
      cli('experiment', 'two.yaml', '--out', 'two', '--only', 'near', ...args);
    const before = await readFile(at('two', 'near', 'config.json'), 'utf8');
    const reused = await again('--set', 'limit=2', '--reuse', '--json');
    expect(reused.code, reused.stderr).toBe(0);
    expect(JSON.parse(reused.stdout.split('\n')[0] ?? '')).toEqual({
      run: 'near',
      folder: join('two', 'near'),
      reused: true,
    });
    expect(await readFile(at('two', 'near', 'config.json'), 'utf8')).toBe(before);
    const other = await again('--reuse');
    expect(other.stderr).toMatch(/was made with another limit \(2, not 3\)/);
    expect(other.code).toBe(2);
    const without = await again('--set', 'limit=2');
    expect(without.stderr).toMatch(/holds another run/);
    expect(without.code).toBe(2);
  });

  it('goes on with --reuse where a run was interrupted', async () => {
    const file = at('two', 'near', 'certificates.jsonl');
    const whole = await readFile(file, 'utf8');
    await writeFile(file, whole.slice(0, whole.indexOf('\n') + 100));
    const args = ['--only', 'near', '--set', 'limit=2', '--reuse', '--json'];
    const { code, stdout, stderr } = await cli('experiment', 'two.yaml', '--out', 'two', ...args);
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout.split('\n')[0] ?? '')).toMatchObject({ run: 'near', reused: false });
    expect(stderr).toContain('1 image is certified already, 1 to go');
    expect((await readFile(file, 'utf8')).split('\n').map(lastingPart)).toEqual(
      whole.split('\n').map(lastingPart),
    );
  });

  it.each([
    ['a data set that is not there', ['--set', 'data=mnist:nowhere'], /nowhere/],
    ['a model that is not there', ['--set', 'model=nowhere.onnx'], /nowhere\.onnx/],
    ['an option that means nothing', ['--set', 'limt=3'], /«limt».*nearest is limit/],
    ['a --set without a value', ['--set', 'limit'], /--set limit: is no NAME=VALUE/],
    ['a range that is none', ['--set', 'range=0'], /range/],
  ])('refuses %s before anything runs', async (_, args, words) => {
    const { stdout, stderr, code } = await cli('experiment', 'two.yaml', '--out', 'refused', ...args);
    expect(stderr).toMatch(words);
    expect(stderr).not.toContain('run 1 of');
    expect(stdout).toBe('');
    expect(code).toBe(2);
    expect(existsSync(at('refused'))).toBe(false);
  });

  it('refuses the last run before the first one starts', async () => {
    await folder.write('late.yaml', TWO.replace('range: 20', 'range: 20, model: nowhere.onnx'));
    const { stderr, code } = await cli('experiment', 'late.yaml', '--out', 'late');
    expect(stderr).toMatch(/nowhere\.onnx/);
    expect(stderr).toContain('that is run far of late.yaml; nothing was run');
    expect(code).toBe(2);
    expect(existsSync(at('late'))).toBe(false);
  });

  it('stops at a signal with status 130, its run too, and what is finished is whole', async () => {
    const file = at('stopped', 'near', 'certificates.jsonl');
    const args = ['experiment', 'two.yaml', '--out', 'stopped', '--set', 'limit=200'];
    const env = stopAt({ signal: 'SIGTERM', before: 'line', nth: 3, to: 'parent' });
    const { stderr, code } = await runCli(args, { cwd: folder.path, env });
    expect(code, stderr).toBe(130);
    expect(stderr).toContain('interrupted: 0 of 2 runs are complete');
    const text = await readFile(file, 'utf8');
    expect(text.endsWith('\n')).toBe(true);
    expect(text.split('\n').length).toBeLessThan(200);
    // Nobody writes on.
    expect(currentHolder(at('stopped', 'near'))).toBeNull();
    expect(existsSync(at('stopped', 'far'))).toBe(false);
  });
});

const OF_ALL_KINDS = `
title: All kinds
options:
  { data: signs, model: signs, adapter: software, transform: rotation, range: 4, sigma-gamma: 8, vignette: 'circle:2', blur: '5:1', seed: 0 }
runs:
  - { name: errors, command: bound, options: { limit: 2, betas: 1 }, paper: { max. bound: 0.5 } }
  - { name: hit, command: attack, options: { index: 1, attacks: 5 } }
  - name: asked
    command: predict
    options: { data: 'npy:\${run:hit}/images.npy,\${run:hit}/labels.npy', method: base, n-gamma: 40 }
  - name: measured
    command: calibrate
    options: { skip: 20, limit: 12, n-choose: 6, n-images: 6, n-betas: 60, rho-e: 0.15, margin: 1.3 }
  - name: certified
    options:
      { method: dist-d, calibration: '\${run:measured}/calibration.json', index: 1, n-gamma: 20, n-eps: 2000, confidence: 0.98 }
`;

describe('an experiment of several commands', () => {
  it('hands on what earlier runs wrote, ends in a table for each command, and can be taken up again', async () => {
    await folder.write('kinds.yaml', OF_ALL_KINDS);
    const { stdout, stderr, code } = await cli('experiment', 'kinds.yaml', '--out', 'kinds');
    expect(code, stderr).toBe(0);
    const table = await readFile(at('kinds', 'table.md'), 'utf8');
    const headings = ['Interpolation error', 'Attack', 'Predictions', 'Calibration', 'Rotation'];
    expect([...table.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading)).toEqual(headings);
    for (const name of ['errors', 'hit', 'asked', 'measured', 'certified'])
      expect(table).toContain(`| ${name} |`);
    expect(table).toMatch(/\| errors \(paper\) \|.*\| 0\.5 \|/);
    expect(table).toMatch(/\| asked \| base \(no guarantee\) \| 1 \|/);
    expect(stdout).toContain('b adv. acc.');
    const { qE } = JSON.parse(await readFile(at('kinds', 'measured', 'calibration.json'), 'utf8'));
    expect(qE).toBeGreaterThan(0);
    expect(table).toContain(qE.toFixed(4).slice(0, 5));
    // The page shows the attack on the image that was certified.
    expect(await readFile(at('kinds', 'report.html'), 'utf8')).toContain('worst of 5 attacks');

    const again = await cli('experiment', 'kinds.yaml', '--out', 'kinds', '--reuse', '--json');
    expect(again.code, again.stderr).toBe(0);
    expect(again.stdout.match(/"reused":true/g)).toHaveLength(5);
    const other = await cli('experiment', 'kinds.yaml', '--out', 'kinds', '--reuse', '--set', 'attacks=6');
    expect([other.code, other.stderr]).toEqual([2, expect.stringContaining('another attacks (5, not 6)')]);
  });
});

describe('the experiments that come with it', () => {
  const experiments = fileURLToPath(new URL('../../../../experiments/', import.meta.url));
  it('have options that their commands know, and name what they need', async () => {
    const files = (await readdir(experiments)).filter((name) => name.endsWith('.yaml'));
    expect(files).toContain('signs.yaml');
    for (const name of files) {
      const text = await readFile(join(experiments, name), 'utf8');
      // The data set is the one that --set gives.
      const rest = text.replace(/data: '[^']*'/g, '');
      const placeholders = [...rest.matchAll(/\$\{(\w+)\}/g)].map(([, word]) => `--define=${word}=nowhere`);
      const { stderr, code } = await cli(
        'experiment',
        join(experiments, name),
        '--out',
        'e',
        '--set',
        'data=npy:nowhere',
      );
      expect(code, `${name}: ${stderr}`).toBe(2);
      expect(stderr).toMatch(placeholders.length > 0 ? /is not defined/ : /nowhere/);
      const defined = [
        'experiment',
        join(experiments, name),
        '--out',
        'e',
        '--set',
        'data=npy:nowhere',
        ...placeholders,
      ];
      expect((await cli(...defined)).stderr, name).toMatch(/npy:nowhere|nowhere/);
    }
  });
});
