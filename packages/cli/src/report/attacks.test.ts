/** What reports show of attacks and of calibrations: real runs of the built-in signs. */
import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDataset } from '../data/index.ts';
import { attribute, bytesOf, checkPage, pngOf, wordsOf } from './page.test-support.ts';
import { COMMON, makeRuns, type Runs } from './runs.test-support.ts';

/** Without the model: a calibration asks no classifier. */
const PIPELINE = COMMON.filter((word, i) => word !== '--model' && COMMON[i - 1] !== '--model');
const CALIBRATE = [
  ...['--skip', '20', '--limit', '12', '--n-choose', '6', '--n-images', '6', '--n-betas', '60'],
  ...['--rho-e', '0.15', '--errors', 'sampled', '--out', 'calibration.json'],
];
const DIST_D = [
  ...['--method', 'dist-d', '--calibration', 'calibration.json', '--index', '0'],
  ...['--n-gamma', '20', '--n-eps', '2000', '--confidence', '0.98', '--out', 'sampled'],
];

let runs: Runs;
beforeAll(async () => {
  runs = await makeRuns([['--method', 'base', '--index', '0,3', '--n-gamma', '60', '--out', 'base']]);
  for (const args of [
    ['attack', ...COMMON, '--index', '3', '--attacks', '10', '--out', 'hit'],
    ['calibrate', ...PIPELINE, ...CALIBRATE],
    ['certify', ...COMMON, ...DIST_D],
  ]) {
    const { stderr, code } = await runs.cli(...args);
    expect(code, stderr).toBe(0);
  }
});
afterAll(() => runs.folder.remove());

describe('a report beside an attack', () => {
  it('shows the worst image of those that were attacked, and what b says there', async () => {
    const { stderr, code } = await runs.cli('report', 'base', '--attack', 'hit', '--out', 'page');
    expect(code, stderr).toBe(0);
    const page = await runs.pageOf('page');
    const worst = checkPage(page).filter(
      ({ tagName, attrs }) =>
        tagName === 'img' &&
        attrs.some(({ name, value }) => name === 'alt' && value.includes('worst of 10 attacks')),
    );
    expect(worst).toHaveLength(1);
    const [image] = worst;
    const { data: bytes } = await pngOf(image && attribute(image, 'src'));
    const attacked = await openDataset(`npy:${runs.at('hit', 'images.npy')}`);
    expect(bytes.equals(bytesOf((await attacked.read(0)).pixels, 3))).toBe(true);
    expect(wordsOf(page)).toMatch(/Image 3[\s\S]*worst of 10 attacks, γ = -?[\d.]+°: b alone says class 3/);
  });

  it('says why one is not shown, and goes on', async () => {
    await rm(runs.at('hit', 'images.npy'));
    const { stderr, code } = await runs.cli('report', 'base', '--attack', 'hit', '--out', 'page');
    expect(code, stderr).toBe(0);
    expect(wordsOf(await runs.pageOf('page'))).toMatch(/The attack in hit is not shown: .*images\.npy/);
  });
});

describe('a report on Dist-D with sampled errors', () => {
  it('says that nothing is guaranteed on Γ, wherever a number could be taken for more', async () => {
    const page = await runs.pageOf('sampled');
    checkPage(page);
    const words = wordsOf(page).replace(/\s+/g, ' ');
    expect(words).toContain(
      'Sampled, no guarantee on Γ: the calibration held the largest error at some random γ',
    );
    expect(words).toContain('accuracy as if certified (sampled, no guarantee on Γ) at any radius');
    expect(words).toContain('10 random γ of each β: no guarantee on Γ');
    // How many pass hangs on the draws.
    expect(words).toMatch(/images that passed ?[1-6] of 6/);
    expect(words).not.toMatch(/\d certified accuracy/);
    const [line = ''] = await runs.linesOf('sampled');
    expect(JSON.parse(line).guarantee).toMatch(/^Sampled, no guarantee on Γ\. /);
    const both = await runs.cli('report', 'base', 'sampled', '--out', 'both');
    expect(both.code, both.stderr).toBe(0);
    expect(wordsOf(await runs.pageOf('both'))).toContain('dist-d (sampled, no guarantee on Γ)');
  });
});
