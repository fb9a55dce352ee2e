import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { certificateSchema, verifyCertificate } from '@turnproof/certify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { linearModel } from '../../../certify/src/classifier/onnx-writer.test-support.ts';
import { type TemporaryFolder, temporaryFolder } from '../data/testing/files.ts';
import { stopAt } from '../run/stop-at.test-support.ts';
import { runCli } from '../run-cli.test-support.ts';

let folder: TemporaryFolder;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => folder.remove());

const COMMON = [
  ...['--data', 'signs', '--model', 'signs', '--transform', 'rotation', '--range', '10'],
  ...['--vignette', 'circle:2', '--blur', '5:1', '--adapter', 'software', '--seed', '5'],
];
/** Few samples: enough for a small radius, done in seconds on a software adapter. */
const SMALL = [
  '--method',
  'dist-x',
  '--sigma-gamma',
  '10',
  '--n-gamma',
  '30',
  '--n-choose-e',
  '20',
  '--n-test-e',
  '100',
  '--n-eps',
  '2000',
];

const linesOf = async (run: string, name: string) =>
  (await readFile(join(folder.path, run, name), 'utf8')).trimEnd().split('\n');

describe('certify on the built-in signs', () => {
  it('writes a run whose certificates hold, and says the same on stdout', async () => {
    const args = ['certify', ...COMMON, ...SMALL, '--index', '0,11', '--out', 'run', '--json'];
    const { stdout, stderr, code } = await runCli(args, { cwd: folder.path });
    expect(code, stderr).toBe(0);
    expect((await readdir(join(folder.path, 'run'))).sort()).toEqual([
      'certificates.jsonl',
      'classifier.tsv',
      'config.json',
      'log.tsv',
      'report',
      'report.html',
      'state.json',
    ]);
    expect((await readdir(join(folder.path, 'run', 'report'))).sort()).toEqual([
      'certified-accuracy.svg',
      'errors.svg',
      'rho.svg',
      'samples.svg',
      'time.svg',
    ]);
    expect(await linesOf('run', 'classifier.tsv')).toEqual(['idx\tlabel\tcorrect', '0\t0\t1', '11\t1\t1']);

    const lines = await linesOf('run', 'certificates.jsonl');
    expect(stdout.trimEnd().split('\n')).toEqual(lines);
    const certificates = lines.map((line) => certificateSchema.parse(JSON.parse(line)));
    expect(certificates.map(({ index, label }) => [index, label])).toEqual([
      [0, 0],
      [11, 1],
    ]);
    for (const certificate of certificates) expect(verifyCertificate(certificate).problems).toEqual([]);
    // The model answers these two rightly through noise and small turns: an abstention would be a fault.
    expect(
      certificates.every(({ correct, radius }) => correct === true && radius !== null && radius > 0),
    ).toBe(true);

    const [header, ...rows] = await linesOf('run', 'log.tsv');
    expect(header).toBe('idx\tlabel\tpredict\tradius\tcorrect\ttime');
    expect(rows.map((row) => row.split('\t').slice(0, 5).map(Number))).toEqual(
      certificates.map(({ index, label, predicted, radius }) => [index, label, predicted, radius, 1]),
    );
    const config = JSON.parse((await linesOf('run', 'config.json')).join('\n'));
    expect(config).toMatchObject({
      options: { data: 'signs', 'n-gamma': '30', n0: '20', seed: '5' },
      data: { indices: [0, 11] },
    });
    expect(stderr).toContain('certified accuracy at 10 degrees');
  });

  it('gives the same counts for the same seed, and others for another', async () => {
    // A model that is often lost after a turn: its counts lie far from all and from none.
    const weak = ['--model', 'signs:clean', '--range', '60', '--method', 'base', '--limit', '12'];
    const certify = async (seed: string, out: string) => {
      const args = ['certify', ...COMMON, ...weak, '--json', '--quiet'];
      const { stdout, code } = await runCli([...args, '--seed', seed, '--out', out], { cwd: folder.path });
      expect(code).toBe(0);
      const lines = stdout.trimEnd().split('\n');
      return lines.map((line) => certificateSchema.parse(JSON.parse(line)).counts);
    };
    const first = await certify('1', 'seed-1');
    expect(await certify('1', 'seed-1-again')).toEqual(first);
    expect(await certify('2', 'seed-2')).not.toEqual(first);
  });

  it('takes its options from --config, flags winning', async () => {
    const text =
      'data: signs\nmodel: signs\ntransform: rotation\nrange: 20\nmethod: base\nlimit: 3\nadapter: software\n';
    await folder.write('run.yaml', text);
    const args = ['certify', '--config', 'run.yaml', '--limit', '1', '--out', 'from-config'];
    const { stdout, code } = await runCli(args, { cwd: folder.path });
    expect(code).toBe(0);
    expect(stdout).toContain('over 1 image');
    const config = JSON.parse((await linesOf('from-config', 'config.json')).join('\n'));
    expect(config.options).toMatchObject({ range: '20', limit: '1', method: 'base', out: 'from-config' });
    expect(config.pipeline).toMatchObject({ transform: 'rotation', range: 20 });
  });

  it('stops at Ctrl-C with status 130, and what is finished is whole', async () => {
    const run = join(folder.path, 'interrupted');
    const args = ['certify', ...COMMON, '--method', 'base', '--out', 'interrupted'];
    const env = stopAt({ signal: 'SIGINT', before: 'line', nth: 3 });
    const { stderr, code } = await runCli(args, { cwd: folder.path, env });
    expect(code, stderr).toBe(130);
    const text = await readFile(join(run, 'certificates.jsonl'), 'utf8');
    expect(text.endsWith('\n')).toBe(true);
    const lines = text.trimEnd().split('\n');
    expect(lines.length).toBeLessThan(200);
    for (const line of lines) certificateSchema.parse(JSON.parse(line));
    expect((await linesOf('interrupted', 'log.tsv')).length).toBe(1 + lines.length);
    expect(stderr).toContain(`interrupted: ${lines.length} of 200 images are certified, in interrupted`);
  });
});

describe('certify by sweep, the default', () => {
  it('certifies a sign over the whole range, and verify agrees', async () => {
    const args = ['certify', ...COMMON, '--index', '0', '--out', 'sweep', '--json'];
    const { stdout, stderr, code } = await runCli(args, { cwd: folder.path });
    expect(code, stderr).toBe(0);
    const certificate = certificateSchema.parse(JSON.parse(stdout));
    expect(certificate).toMatchObject({
      method: 'sweep',
      predicted: 0,
      radius: 10,
      interval: { lower: [-10], upper: [10] },
    });
    expect((await runCli(['verify', 'sweep'], { cwd: folder.path })).code).toBe(0);
  });

  it('certifies a model that always answers the same: nothing can change that', async () => {
    const bytes = linearModel({ image: [3, 32, 32], classes: 10, scale: 0 }).bytes;
    const model = await folder.write('constant.onnx', bytes);
    const args = [
      'certify',
      ...COMMON,
      '--model',
      model,
      '--range',
      'max',
      '--limit',
      '1',
      '--out',
      'constant',
    ];
    const { stderr, code } = await runCli([...args, '--json'], { cwd: folder.path });
    expect(code, stderr).toBe(0);
    const [line = ''] = await linesOf('constant', 'certificates.jsonl');
    expect(JSON.parse(line)).toMatchObject({ radius: 180, counts: { votes: 128 } });
  });
});

describe('predict on the built-in signs', () => {
  it.each([
    ['a fixed batch of 4', () => linearModel({ image: [3, 32, 32], classes: 10, batch: 4 }).bytes],
    ['flattened images', () => linearModel({ image: [3 * 32 * 32], classes: 10 }).bytes],
  ])('works with a model of %s', async (_, model) => {
    const file = await folder.write('linear.onnx', model());
    const args = [
      'predict',
      ...COMMON,
      '--model',
      file,
      '--method',
      'base',
      '--limit',
      '2',
      '--json',
      '--quiet',
    ];
    const { stdout, stderr, code } = await runCli(args, { cwd: folder.path });
    expect(code, stderr).toBe(0);
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).index),
    ).toEqual([0, 1]);
  });

  it.each(['base', 'dist', 'sweep'])('answers with %s', async (method) => {
    const args = [
      'predict',
      ...COMMON,
      '--method',
      method,
      '--index',
      '0',
      '--n-eps',
      '100',
      '--json',
      '--quiet',
    ];
    const { stdout, stderr, code } = await runCli(args, { cwd: folder.path });
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ index: 0, label: 0, predicted: 0 });
  });
});

describe('verify', () => {
  it('passes an honest run and names the line of a forged radius', async () => {
    const args = ['certify', ...COMMON, '--method', 'base', '--index', '0', '--out', 'honest', '--quiet'];
    expect((await runCli(args, { cwd: folder.path })).code).toBe(0);
    expect((await runCli(['verify', 'honest'], { cwd: folder.path })).code).toBe(0);
    const [line = ''] = await linesOf('honest', 'certificates.jsonl');
    const certificate = JSON.parse(line);
    const forged = { ...certificate, radius: certificate.radius * 0.99 + 0.2 };
    await writeFile(
      join(folder.path, 'honest', 'certificates.jsonl'),
      `${line}\n${JSON.stringify(forged)}\n`,
    );
    const { stdout, stderr, code } = await runCli(['verify', 'honest'], { cwd: folder.path });
    expect(`${stdout}${stderr}`).toMatch(/line 2/);
    expect(code).toBe(42);
  });
  it('refuses a folder that holds no run', async () => {
    const { stderr, code } = await runCli(['verify', 'nowhere'], { cwd: folder.path });
    expect(stderr).toMatch(/nowhere/);
    expect(code).toBe(2);
  });
});
