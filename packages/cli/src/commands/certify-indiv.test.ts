import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { certificateSchema, verifyCertificate } from '@turnproof/certify';
import { warpOracle } from '@turnproof/shaders/oracle';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { linearModel } from '../../../certify/src/classifier/onnx-writer.test-support.ts';
import { npy, type TemporaryFolder, temporaryFolder } from '../data/testing/files.ts';
import { runCli } from '../run-cli.test-support.ts';

let folder: TemporaryFolder;
const SHAPE = { channels: 1, height: 16, width: 16 };
/** A bar and a disc in black and white: in images without either the inverse sees little. */
const ORIGINALS = [
  (x: number, y: number) => Math.abs(x) < 2 && Math.abs(y) < 6,
  (x: number, y: number) => Math.hypot(x - 1, y + 1) < 4,
].map((lit) =>
  Float32Array.from({ length: 256 }, (_, k) => (lit((k % 16) - 7.5, Math.floor(k / 16) - 7.5) ? 1 : 0)),
);
/** How they are turned. */
const ANGLES = [3.3, -5.1];

beforeAll(async () => {
  folder = await temporaryFolder();
  const { channels, height, width } = SHAPE;
  const files = ORIGINALS.map((x, i) => warpOracle('rotation', [ANGLES[i] ?? 0], x, SHAPE));
  const bytesOf = (images: readonly ArrayLike<number>[]) =>
    Uint8Array.from(images.flatMap((image) => Array.from(image, (v) => Math.round(255 * v))));
  const floats = new Uint8Array(Float32Array.from(files.flatMap((image) => [...image])).buffer);
  const dictionary = (descr: string, shape: string) =>
    `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape}), }`;
  const shape = `${files.length}, ${channels}, ${height}, ${width}`;
  await folder.write('bytes.npy', npy(dictionary('|u1', shape), bytesOf(files)));
  await folder.write('originals.npy', npy(dictionary('|u1', shape), bytesOf(ORIGINALS)));
  await folder.write('floats.npy', npy(dictionary('<f4', shape), floats));
  // Two classes, the bias ahead of the pixels: sure of itself, as a trained model would be.
  await folder.write('model.onnx', linearModel({ image: [1, 16, 16], classes: 2, scale: 0.05 }).bytes);
});
afterAll(() => folder.remove());

const COMMON = [
  ...['--method', 'indiv', '--model', 'model.onnx', '--transform', 'rotation', '--range', '6'],
  ...['--vignette', 'circle:1', '--blur', '5:1', '--adapter', 'software', '--seed', '5'],
];
const U8 = ['--attack-quantization', 'u8'];
const SMALL = [
  '--n-gamma',
  '30',
  '--n-choose-e',
  '20',
  '--n-test-e',
  '100',
  '--n-eps',
  '2000',
  '--boxes',
  '128',
];

describe('certify --method indiv', () => {
  it('certifies the originals of attacked images, replays to the byte, and makes a report', async () => {
    const args = ['certify', ...COMMON, ...U8, ...SMALL, '--data', 'npy:bytes.npy', '--out', 'run'];
    const { stderr, code } = await runCli([...args, '--json'], { cwd: folder.path });
    expect(code, stderr).toBe(0);
    const lines = (await readFile(join(folder.path, 'run', 'certificates.jsonl'), 'utf8'))
      .trimEnd()
      .split('\n');
    const certificates = lines.map((line) => certificateSchema.parse(JSON.parse(line)));
    for (const certificate of certificates) {
      expect(verifyCertificate(certificate).problems).toEqual([]);
      if (certificate.method !== 'indiv') throw new Error('another method');
      expect(certificate.radius).toBeGreaterThan(0);
      const angle = ANGLES[certificate.index] ?? Number.NaN;
      const { lower = [], upper = [] } = certificate.inverse?.left ?? {};
      expect(lower[0]).toBeLessThanOrEqual(Math.min(0, angle));
      expect(upper[0]).toBeGreaterThanOrEqual(Math.max(0, angle));
    }
    // What is claimed is g's answer at the originals; those are at hand here.
    const asked = await runCli(['predict', ...COMMON, ...U8, '--data', 'npy:originals.npy', '--json'], {
      cwd: folder.path,
    });
    const answers = asked.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).predicted);
    expect(answers).toEqual(certificates.map(({ predicted }) => predicted));
    const replay = await runCli(['verify', 'run', '--replay', '1'], { cwd: folder.path });
    expect(replay.code, replay.stdout + replay.stderr).toBe(0);
    const page = await readFile(join(folder.path, 'run', 'report.html'), 'utf8');
    expect(page).toContain('Whatever image it was made from');
  });

  it('predicts g for the file as it is, and says that this is no certificate', async () => {
    const args = ['predict', ...COMMON, ...U8, '--data', 'npy:bytes.npy', '--limit', '1', '--json'];
    const { stdout, code } = await runCli(args, { cwd: folder.path });
    expect(code).toBe(0);
    const { method, guarantee, predicted } = JSON.parse(stdout);
    expect(method).toBe('indiv');
    expect(predicted).not.toBeNull();
    expect(guarantee).toContain('No guarantee for transformed images');
  });

  it.each([
    ['a range of 0', [...U8, '--range', '0'], 'bytes.npy', 'range 0'],
    ['images that were not rounded, said to be', U8, 'floats.npy', 'no multiple of 1/255'],
    ['no refinement', [...U8, '--refinements', '0'], 'bytes.npy', 'refinements'],
    ['no boxes', [...U8, '--boxes', '0'], 'bytes.npy', 'boxes'],
    ['too many boxes', [...U8, '--boxes', '1000000'], 'bytes.npy', 'boxes = 1000000'],
  ])('refuses %s', async (_, options, file, words) => {
    const args = ['certify', ...COMMON, ...options, '--data', `npy:${file}`, '--out', 'refused'];
    const { stderr, code } = await runCli(args, { cwd: folder.path });
    expect(code).toBe(2);
    expect(stderr).toContain(words);
    expect(stderr).not.toContain('    at ');
  });

  it('wonders at 8-bit images that are said not to be rounded', async () => {
    const args = ['certify', ...COMMON, '--data', 'npy:bytes.npy', '--out', 'wondered', '--dry-run'];
    const { stderr, code } = await runCli(args, { cwd: folder.path });
    expect(code).toBe(0);
    expect(stderr).toContain('2 of 2 images look rounded to 8 bits');
  });
});
