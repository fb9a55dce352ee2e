import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDataset } from '../data/index.ts';
import { type TemporaryFolder, temporaryFolder } from '../data/testing/files.ts';
import { runCli } from '../run-cli.test-support.ts';

let folder: TemporaryFolder;
const cli = (...args: string[]) => runCli(args, { cwd: folder.path });
const at = (...names: string[]) => join(folder.path, ...names);
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => folder.remove());

const PIPELINE = [
  ...['--transform', 'rotation', '--range', '90', '--vignette', 'circle:2', '--blur', '5:1'],
  ...['--model', 'signs', '--adapter', 'software', '--seed', '0'],
];
const attack = (...more: string[]) =>
  cli('attack', '--data', 'signs', '--index', '0,3,5', ...PIPELINE, ...more);
const linesOf = async (...names: string[]) =>
  (await readFile(at(...names), 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

describe('attack', () => {
  it('writes the worst images as data and PNG, and what b and g make of them', async () => {
    const { stdout, stderr, code } = await attack(
      ...['--attacks', '20', '--out', 'worst', '--png', 'png', '--smoothed', 'base', '--n-gamma', '60'],
    );
    expect(code, stderr).toBe(0);
    expect((await readdir(at('worst'))).sort()).toEqual([
      ...['attack.jsonl', 'config.json', 'images.npy', 'labels.npy', 'summary.json'],
    ]);
    const lines = await linesOf('worst', 'attack.jsonl');
    expect(lines.map(({ row, index }) => [row, index])).toEqual([
      [0, 0],
      [1, 3],
      [2, 5],
    ]);
    const data = await openDataset(`npy:${at('worst', 'images.npy')},${at('worst', 'labels.npy')}`);
    const clean = await openDataset('signs');
    for (const { row, index, label, attacked, image, loss, smoothed } of lines) {
      const there = await data.read(row);
      const original = await clean.read(index);
      expect([there.sha256, there.label]).toEqual([attacked.sha256, label]);
      expect([original.sha256, original.label]).toEqual([image.sha256, label]);
      expect(loss).toBeGreaterThan(0);
      expect(smoothed.guarantee).toMatch(/^No guarantee/);
      const png = await sharp(at('png', `${index}-worst.png`))
        .raw()
        .toBuffer();
      expect(png[0]).toBe(Math.round(255 * (there.pixels[0] ?? 9)));
      expect(png[1]).toBe(Math.round(255 * (there.pixels[32 * 32] ?? 9)));
    }
    const share = (good: (line: (typeof lines)[number]) => boolean) =>
      (lines.filter(good).length / lines.length).toFixed(3);
    expect(stdout).toContain(
      `b acc.                             ${share(({ clean: b, label }) => b.answer === label)}`,
    );
    expect(stdout).toContain(
      `b adv. acc.                        ${share(({ answer, label }) => answer === label)}`,
    );
    expect(stdout).toMatch(/g adv\. acc\. +\S+ \(base, no guarantee\)/);

    // PREDICT on the written images says what the attack said of g.
    const predicted = await cli(
      ...['predict', '--method', 'base', '--data', data.spec, ...PIPELINE, '--n-gamma', '60', '--json'],
    );
    expect(predicted.code, predicted.stderr).toBe(0);
    expect(predicted.stdout.trimEnd().split('\n')).toHaveLength(3);
  });

  it('keeps all of them, in the order of their drawing, as 8-bit images where it is asked to', async () => {
    const few = ['--choose', 'random', '--attacks', '3', '--attack-quantization', 'u8', '--out', 'random'];
    const { stderr, code } = await attack(...few);
    expect(code, stderr).toBe(0);
    const lines = await linesOf('random', 'attack.jsonl');
    expect(lines.map(({ index }) => index)).toEqual([0, 0, 0, 3, 3, 3, 5, 5, 5]);
    expect(new Set(lines.map(({ gamma }) => gamma[0])).size).toBe(9);
    const header = (await readFile(at('random', 'images.npy'))).subarray(0, 100).toString('latin1');
    expect(header).toContain("'descr': '|u1'");
    const data = await openDataset(`npy:${at('random', 'images.npy')},${at('random', 'labels.npy')}`);
    for (const { row, attacked } of lines) expect((await data.read(row)).sha256).toBe(attacked.sha256);
  });

  it('draws the same transformations whatever is kept and whatever other images there are', async () => {
    const gammas = async (...more: string[]) => {
      const { stdout } = await cli('attack', '--data', 'signs', ...PIPELINE, '--json', '--quiet', ...more);
      return stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line))
        .filter(({ index }) => index === 3)
        .map(({ gamma }) => gamma[0]);
    };
    const all = await gammas('--index', '3', '--choose', 'random', '--attacks', '6');
    expect(all).toHaveLength(6);
    const [worst] = await gammas('--index', '1,3', '--attacks', '6');
    expect(all).toContain(worst);
  });

  it.each([
    ['no attack at all', ['--attacks', '0'], 'no whole number from 1 on'],
    ['a folder that holds something', ['--out', '.'], 'is not empty'],
    ['another choice', ['--choose', 'best'], 'nearest is'],
  ])('refuses %s', async (_, more, words) => {
    await folder.write('something', 'x');
    const { stderr, code } = await attack(...more);
    expect([code, stderr]).toEqual([2, expect.stringContaining(words)]);
  });
});
