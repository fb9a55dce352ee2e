import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { verifyCalibration } from '@turnproof/certify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TemporaryFolder, temporaryFolder } from '../data/testing/files.ts';
import { runCli } from '../run-cli.test-support.ts';

let folder: TemporaryFolder;
const cli = (...args: string[]) => runCli(args, { cwd: folder.path });
const at = (...names: string[]) => join(folder.path, ...names);

const PIPELINE = [
  ...['--transform', 'rotation', '--range', '4', '--sigma-gamma', '8'],
  ...['--vignette', 'circle:2', '--blur', '5:1', '--adapter', 'software', '--seed', '0'],
];
const SMALL = ['--n-choose', '6', '--n-images', '6', '--n-betas', '60', '--rho-e', '0.15', '--margin', '1.3'];
const calibrate = (...more: string[]) =>
  cli('calibrate', '--data', 'signs', '--limit', '20', ...PIPELINE, ...SMALL, ...more);
const certify = (...more: string[]) =>
  cli(
    ...['certify', '--method', 'dist-d', '--data', 'signs', '--model', 'signs', ...PIPELINE],
    ...['--n-gamma', '20', '--n-eps', '2000', '--n0', '5', '--confidence', '0.98', ...more],
  );

beforeAll(async () => {
  folder = await temporaryFolder();
  const { stderr, code } = await calibrate('--out', 'calibration.json');
  expect(code, stderr).toBe(0);
});
afterAll(() => folder.remove());

const calibration = async (name = 'calibration.json') => JSON.parse(await readFile(at(name), 'utf8'));

describe('calibrate', () => {
  it('writes E, and q_E that follows from its counts, by images that are apart', async () => {
    const content = await calibration();
    expect(verifyCalibration(content).problems).toEqual([]);
    const { choice, images, E, bound, errors, nImages } = content;
    expect([choice.images.length, images.length, nImages]).toEqual([6, 6, 6]);
    expect(E).toBe(1.3 * Math.max(...choice.images.map(({ error }: { error: number }) => error)));
    expect([bound, errors]).toEqual(['chord', 'bounded']);
    const all = [...choice.images, ...images].map(({ index }: { index: number }) => index);
    expect(new Set(all).size).toBe(12);
    expect(Math.max(...all)).toBeLessThan(20);
    // In an order of their own: data sets may be sorted by class.
    expect(all).not.toEqual(all.toSorted((a, b) => a - b));
  });

  it('takes a folder, a given E and sampled errors, and says that those guarantee nothing', async () => {
    const { stdout, stderr, code } = await calibrate(
      '--out',
      'sampled',
      '--errors',
      'sampled',
      '--target',
      '2',
    );
    expect(code, stderr).toBe(0);
    expect((await readdir(at('sampled'))).sort()).toEqual([
      'calibration.json',
      'config.json',
      'summary.json',
    ]);
    const { choice, E, nGammas, passed, guarantee } = await calibration('sampled/calibration.json');
    expect([choice, E, nGammas, passed]).toEqual([null, 2, 10, 6]);
    expect(guarantee).toMatch(/^Sampled, no guarantee on Γ\. /);
    expect(stdout).toContain('Sampled, no guarantee on Γ');
    const low = await calibrate('--out', 'low.json', '--errors', 'sampled', '--target', '0.001');
    expect(low.code, low.stderr).toBe(0);
    expect((await calibration('low.json')).passed).toBe(0);
  });

  it.each([
    ['too few β for rho_E', ['--rho-e', '0.001'], 'at least 6905 are needed'],
    ['more images than there are', ['--n-images', '15'], 'more than the 20 selected'],
    ['a confidence that is none', ['--confidence', '1'], 'must lie strictly between 0 and 1'],
    ['a file that is there', ['--out', 'calibration.json'], 'is there already'],
  ])('refuses %s', async (_, more, words) => {
    const { stderr, code } = await calibrate('--out', 'refused.json', ...more);
    expect([code, stderr]).toEqual([2, expect.stringContaining(words)]);
    expect(await readdir(folder.path)).not.toContain('refused.json');
  });
});

describe('certify --method dist-d', () => {
  it('certifies other images with it, keeps it beside them, and verify checks both', async () => {
    const content = await calibration();
    const used = new Set([...content.images, ...content.choice.images].map(({ index }) => index));
    const [free] = Array.from({ length: 20 }, (_, i) => i).filter((i) => !used.has(i));
    const args = ['--calibration', 'calibration.json', '--index', `${free},23`, '--out', 'run'];
    const { stderr, code } = await certify(...args);
    expect(code, stderr).toBe(0);
    const text = await readFile(at('run', 'certificates.jsonl'), 'utf8');
    const [first] = text.split('\n').map((line) => (line === '' ? null : JSON.parse(line)));
    expect(first.radius).toBeGreaterThan(0);
    expect(first.bound).toMatchObject({ tested: content.E, rhoE: 0.15, calibration: { qE: content.qE } });
    expect(await readFile(at('run', 'calibration.json'), 'utf8')).toBe(
      await readFile(at('calibration.json'), 'utf8'),
    );
    expect(await readFile(at('run', 'report.html'), 'utf8')).toContain('Dist-D');
    expect((await cli('verify', 'run')).code).toBe(0);
    const replayed = await cli('verify', 'run', '--replay', '1');
    expect(replayed.code, replayed.stdout).toBe(0);

    // Another calibration in its place: certificates rest on figures that are no longer there.
    await writeFile(at('run', 'calibration.json'), `${JSON.stringify(content)}\n`);
    const changed = await cli('verify', 'run');
    expect([changed.code, changed.stdout]).toEqual([
      42,
      expect.stringContaining('is not what calibration.json'),
    ]);
    await writeFile(at('run', 'calibration.json'), JSON.stringify({ ...content, passed: 6, qE: 0.9 }));
    const forged = await cli('verify', 'run');
    expect([forged.code, forged.stdout]).toEqual([42, expect.stringContaining('qE: says 0.9')]);
  });

  it('refuses the images that made the calibration', async () => {
    const { images } = await calibration();
    const { stderr, code } = await certify(
      '--calibration',
      'calibration.json',
      '--index',
      `${images[0].index},25`,
    );
    expect(code).toBe(2);
    expect(stderr).toContain(`1 of the selected images made the calibration (${images[0].index})`);
  });

  it.each([
    ['range', ['--range', '5'], 'range (calibrated: 4, here: 5)'],
    ['sigma_gamma', ['--sigma-gamma', '9'], 'sigma_gamma (calibrated: 8, here: 9)'],
    ['blur', ['--blur', '5:2'], 'blur (calibrated: 5:1, here: 5:2)'],
    ['vignette', ['--vignette', 'none'], 'vignette (calibrated: circle:2, here: none)'],
    ['quantization', ['--attack-quantization', 'u8'], 'attack quantization (calibrated: none, here: u8)'],
  ])('refuses a calibration for another %s, naming it', async (_, more, words) => {
    const { stderr, code } = await certify('--calibration', 'calibration.json', '--index', '25', ...more);
    expect([code, stderr]).toEqual([2, expect.stringContaining(words)]);
  });

  it('refuses to go without one, and files that are none or do not add up', async () => {
    expect((await certify('--index', '25')).stderr).toContain('needs --calibration FILE');
    const content = await calibration();
    const broken: [string, string, string][] = [
      ['none.json', 'nonsense', 'is no JSON'],
      ['forged.json', JSON.stringify({ ...content, qE: 0.99 }), 'qE: says 0.99'],
      ['foreign.json', '{"schema":"other"}', 'Make it again'],
    ];
    for (const [name, text, words] of broken) {
      await writeFile(at(name), text);
      const { stderr, code } = await certify('--calibration', name, '--index', '25');
      expect([code, stderr]).toEqual([2, expect.stringContaining(words)]);
    }
    const wrong = await cli(
      'certify',
      '--data',
      'signs',
      '--model',
      'signs',
      ...PIPELINE,
      '--calibration',
      'x',
    );
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('does nothing for sweep')]);
  });
});
