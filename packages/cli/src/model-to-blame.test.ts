/**
 * Models that are no function of one image, given to the real program: they are refused as bad input that names what is
 * wrong with them, and nothing is certified. Their comparison in the library: certify/src/classifier/parity.test.ts.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { someFloats } from '../../certify/src/classifier/onnx-writer.test-support.ts';
import * as unsteady from '../../certify/src/classifier/unsteady-models.test-support.ts';
import { npy, type TemporaryFolder, temporaryFolder } from './data/testing/files.ts';
import { type Ended, runCli } from './run-cli.test-support.ts';

const MODELS = {
  'batchnorm.onnx': [
    unsteady.batchNormalised(true),
    /depends on the other images.*BatchNormalization in train/,
  ],
  'dropout.onnx': [
    unsteady.droppingOut(true),
    /differently each time.*Dropout in training mode \(node «drop»\)/,
  ],
  'random.onnx': [
    unsteady.noisyInside(),
    /differently each time it is asked: RandomNormalLike \(node «rn»\)/,
  ],
  'softmax.onnx': [unsteady.softmaxOver(0), /depends on the other images.*Softmax over the batch/],
  'nan.onnx': [unsteady.givingNaN(), /gives logits that are no numbers.*image 0, class 3: NaN/],
} as const;

describe('a model that is itself to blame', () => {
  let folder: TemporaryFolder;
  beforeAll(async () => {
    folder = await temporaryFolder();
    const write = (name: string, bytes: Uint8Array) => writeFile(join(folder.path, name), bytes);
    const pixels = someFloats(4 * 24, 5).map(Math.abs);
    const header = "{'descr': '<f4', 'fortran_order': False, 'shape': (4, 2, 3, 4), }";
    await write('x.npy', npy(header, new Uint8Array(pixels.buffer)));
    for (const [name, [bytes]] of Object.entries(MODELS)) await write(name, bytes);
    await write('rows.onnx', unsteady.watchingRowSeven());
    await write('sizes.onnx', unsteady.watchingItsBatch(7.5, 49.5));
    await write('quantised.onnx', unsteady.dynamicallyQuantised());
  });
  afterAll(() => folder.remove());

  const certify = (model: string, out: string, ...more: string[]) =>
    runCli(
      [
        ...['certify', '--model', model, '--data', 'npy:x.npy', '--transform', 'rotation', '--range', '2'],
        ...['--sigma-eps', '0.3', '--vignette', 'none', '--blur', 'none', '--provider', 'wasm', '--out', out],
        ...more,
      ],
      { cwd: folder.path },
    );
  const inspect = (model: string) =>
    runCli(['model', 'inspect', model, '--data', 'npy:x.npy'], { cwd: folder.path });

  const expectBlame = ({ code, stderr }: Ended, words: RegExp) => {
    expect(code).toBe(2);
    const [first = '', second = '', ...rest] = stderr.trimEnd().split('\n');
    expect(first).toMatch(words);
    expect(second).toMatch(/^ {2}fix: (export it for inference|check its weights)/);
    // Before a GPU is asked for anything.
    expect(rest).toEqual([]);
  };

  it.each(Object.entries(MODELS))('is named as bad input by inspect: %s', async (name, [, words]) => {
    expectBlame(await inspect(name), words);
  });

  it.each(['batchnorm.onnx', 'nan.onnx'] as const)('is named as bad input by certify: %s', async (name) => {
    expectBlame(await certify(name, `run-${name}`), MODELS[name][1]);
    await expect(readFile(join(folder.path, `run-${name}`, 'config.json'))).rejects.toThrow('ENOENT');
  });

  it('is found before the first image where it answers class 0 once row 7 of its batch is not row 0 again', async () => {
    const { code, stderr, stdout } = await certify('rows.onnx', 'rows', '--batch', '64');
    expect([code, stdout]).toEqual([2, expect.not.stringMatching(/^ +0 /m)]);
    expect(stderr).toMatch(
      /rows.onnx: the model's answer to an image depends on the other images of its batch/,
    );
    expect(await readFile(join(folder.path, 'rows', 'certificates.jsonl'), 'utf8')).toBe('');
    expect((await inspect('rows.onnx')).code).toBe(2);
  });

  it('ends the run with status 42 where only the audit of live samples can see it', async () => {
    const { code, stderr } = await certify('sizes.onnx', 'sizes', '--batch', '50');
    expect(stderr).toMatch(/a noisy sample of image 0 was counted for class 0 .* image 0 is not certified/);
    expect(code).toBe(42);
    expect(await readFile(join(folder.path, 'sizes', 'certificates.jsonl'), 'utf8')).toBe('');
    const { images, reason } = JSON.parse(await readFile(join(folder.path, 'sizes', 'suspect.json'), 'utf8'));
    expect([images, reason]).toEqual([[0], expect.stringContaining('a noisy sample of image 0')]);
  });

  it('is run one image at a time where it quantises dynamically, and the certificate says so', async () => {
    const { code, stderr } = await certify('quantised.onnx', 'quantised', '--limit', '1');
    expect([code, stderr]).toEqual([0, expect.not.stringContaining('differ')]);
    const line = await readFile(join(folder.path, 'quantised', 'certificates.jsonl'), 'utf8');
    expect(JSON.parse(line).model.adapted).toEqual({ oneByOne: true });
    const verified = await runCli(['verify', 'quantised', '--replay', '1'], { cwd: folder.path });
    expect([verified.code, verified.stdout]).toEqual([0, expect.stringContaining('0 fields differ')]);
    const { stdout } = await inspect('quantised.onnx');
    expect(stdout).toMatch(/batch +1 only\n.*\n.*\nadapted +one image at a time/);
  });
});
