/**
 * Models of every making (packages/certify/test-models) are certified on the signs, and what their certificates say of
 * them is enough to draw them again. Their logits against PyTorch's: certify/src/classifier/test-models.test.ts.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Certifier, certificateSchema, type Preparation, verifyCertificate } from '@turnproof/certify';
import { type Gpu, openDevice } from '@turnproof/core';
import { testAdapters } from '@turnproof/core/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { linearModel, onnxModel, someFloats } from '../../certify/src/classifier/onnx-writer.test-support.ts';
import { Console } from './console.ts';
import { openDataset } from './data/index.ts';
import { type TemporaryFolder, temporaryFolder } from './data/testing/files.ts';
import { openOnGpu } from './prepare/engine.ts';
import { openHostModel } from './prepare/inputs.ts';
import { runCli } from './run-cli.test-support.ts';

const MODELS = fileURLToPath(new URL('../../certify/test-models/', import.meta.url));
const MEAN_STD = { mean: [0.5, 0.4, 0.3], std: [0.25, 0.2, 0.3] };

const PLAN = {
  method: 'sweep',
  sigmaGamma: 10,
  sigmaEps: 0.15,
  nGamma: 1,
  n0: 20,
  nEps: 1000,
  inner: 'sequential',
  nChooseE: 1,
  nTestE: 1,
  radiusRule: 'tight',
  floor: 1,
  maxSamples: 20_000,
  confidence: 0.95,
  batch: 'auto',
  seed: 1n,
} as const;

const adapters = await testAdapters();
const adapter = adapters.find((name) => name !== 'swiftshader') ?? 'swiftshader';
let gpu: Gpu;
let folder: TemporaryFolder;
beforeAll(async () => {
  gpu = await openDevice({ adapter });
  folder = await temporaryFolder();
});
afterAll(async () => {
  gpu.close();
  await folder.remove();
});

describe('a model', () => {
  it.each<[string, Preparation, object | undefined]>([
    ['torch-opset11', {}, undefined],
    ['torch-opset13', {}, undefined],
    ['torch-opset17', {}, undefined],
    ['torch-dynamo-opset18', {}, undefined],
    ['fixed-batch8', {}, undefined],
    ['nhwc', {}, { layout: 'nhwc' }],
    ['float16', {}, { float16: 'widened' }],
    ['flat', {}, { reshaped: [3072] }],
    ['flat-column', {}, { reshaped: [3072, 1], batch: 'freed' }],
    ['external', {}, undefined],
    ['mean_std', MEAN_STD, MEAN_STD],
  ])('%s.onnx is certified', async (name, preparation, adapted) => {
    const data = await openDataset('signs');
    const { host } = await openHostModel(
      `${MODELS}${name}.onnx`,
      { data, indices: [0, 1] },
      undefined,
      preparation,
    );
    const certifier = await Certifier.open({
      gpu,
      classifier: host,
      shape: data.shape,
      pipeline: {
        transform: 'rotation',
        range: 4,
        pre: { vignette: { kind: 'circle', offset: 2 }, blur: { size: 5, sigma: 1 } },
        quantization: 'none',
      },
      plan: PLAN,
    });
    for (const index of [0, 1]) {
      const certificate = await certifier.certify(await data.read(index));
      expect(certificate.radius).toBeGreaterThan(0);
      expect(certificate.correct).toBe(true);
      expect(certificate.model.adapted).toEqual(adapted);
      expect(certificate.model.externalData?.length).toBe(name === 'external' ? 1 : undefined);
      expect(verifyCertificate(JSON.parse(JSON.stringify(certificate))).problems).toEqual([]);
    }
    await certifier.close();
    await host.release();
  });

  it('is drawn again as it was prepared, from its certificate alone', async () => {
    const args = [
      ...['certify', '--data', 'signs', '--limit', '2', '--model', `${MODELS}mean_std.onnx`],
      ...['--mean', '0.5,0.4,0.3', '--std', '0.25,0.2,0.3', '--transform', 'rotation', '--range', '4'],
      ...['--sigma-eps', '0.15', '--vignette', 'circle:2', '--blur', '5:1', '--out', 'run'],
      ...['--adapter', adapter, '--seed', '0'],
    ];
    const ran = await runCli(args, { cwd: folder.path });
    expect(ran.code, ran.stderr).toBe(0);
    const again = await runCli(['verify', 'run', '--replay', '1'], { cwd: folder.path });
    expect(again.stdout).toContain('1 of 1 certificates are what drawing them again gives');
    expect(again.code).toBe(0);
    const file = join(folder.path, 'run/certificates.jsonl');
    const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
    const forged = lines.map((line) => {
      const certificate = certificateSchema.parse(JSON.parse(line));
      return JSON.stringify({
        ...certificate,
        model: { ...certificate.model, adapted: { ...MEAN_STD, std: [50, 40, 60] } },
      });
    });
    await writeFile(file, `${forged.join('\n')}\n`);
    const other = await runCli(['verify', 'run', '--replay', '2'], { cwd: folder.path });
    expect(other.code, other.stdout).toBe(42);
    const report = await readFile(join(folder.path, 'run/report.html'), 'utf8');
    expect(report).toContain('mean 0.5,0.4,0.3; std 0.25,0.2,0.3');
  });
});

describe('a model for one image at a time', () => {
  const model = `${MODELS}flat-column.onnx`;
  const certify = (out: string) =>
    runCli(
      [
        ...['certify', '--data', 'signs', '--limit', '1', '--model', model, '--transform', 'rotation'],
        ...['--range', '4', '--sigma-eps', '0.15', '--vignette', 'circle:2', '--blur', '5:1', '--out', out],
        ...['--adapter', adapter],
      ],
      { cwd: folder.path },
    );
  const replayed = (out: string) => runCli(['verify', out, '--replay', '1'], { cwd: folder.path });

  it('runs on many; its certificate says so, and drawing it again does the same', async () => {
    const ran = await certify('freed');
    expect(ran.code, ran.stderr).toBe(0);
    const file = join(folder.path, 'freed/certificates.jsonl');
    const certificate = certificateSchema.parse(JSON.parse(await readFile(file, 'utf8')));
    expect(certificate.model.adapted).toEqual({ reshaped: [3072, 1], batch: 'freed' });
    expect((await replayed('freed')).stdout).toContain(
      '1 of 1 certificates are what drawing them again gives',
    );
    // A model that cannot be freed, or need not be, is not what such a certificate speaks of.
    const other = { ...certificate.model, adapted: { batch: 'freed' } };
    await writeFile(file, `${JSON.stringify({ ...certificate, model: other })}\n`);
    const forged = await replayed('freed');
    expect([forged.code, forged.stdout]).toEqual([42, expect.stringContaining('model.adapted')]);
  });

  it('is said by model inspect to take one, and to be freed for data that fit', async () => {
    const alone = await runCli(['model', 'inspect', model], { cwd: folder.path });
    expect(alone.stdout).toMatch(/^batch +1 only$/m);
    const fitted = await runCli(['model', 'inspect', model, '--data', 'signs'], { cwd: folder.path });
    expect(fitted.stdout).toMatch(/^adapted +reshaped to \[n, 3072, 1\]; its batch of 1 freed$/m);
  });
});

describe('an operator that the webgpu provider lacks', () => {
  const shape = { channels: 1, height: 4, width: 4 };
  const file = async () =>
    folder.write(
      'shrink.onnx',
      onnxModel({
        inputs: [{ name: 'x', shape: ['n', 1, 4, 4] }],
        outputs: [{ name: 'y', shape: ['n', 3] }],
        weights: [{ name: 'w', shape: [16, 3], data: someFloats(48, 1) }],
        nodes: [
          { op: 'Shrink', inputs: ['x'], outputs: ['s'] },
          { op: 'Flatten', inputs: ['s'], outputs: ['f'] },
          { op: 'MatMul', inputs: ['f', 'w'], outputs: ['y'] },
        ],
      }),
    );

  const notes: string[] = [];
  class Listening extends Console {
    override note(line: string): void {
      notes.push(line);
    }
  }
  const console = new Listening({ json: false, quiet: false, verbose: false });

  const prepared = async (path: string) => {
    const data = { ...(await openDataset('signs')), shape };
    return openHostModel(path, { data, indices: [0] }, undefined, {});
  };

  it('leaves the model to the wasm provider, with one line', async () => {
    const { model, host } = await prepared(await file());
    const choice = { provider: 'auto', threads: undefined } as const;
    expect(await openOnGpu(choice, model, gpu, shape, console)).toBeNull();
    expect(notes).toEqual([
      'shrink.onnx: the webgpu provider has no kernel for Shrink (node «s»); the wasm provider runs the model',
    ]);
    const only = { provider: 'webgpu', threads: undefined } as const;
    await expect(openOnGpu(only, model, gpu, shape, console)).rejects.toThrow(
      'shrink.onnx: the webgpu provider has no kernel for Shrink (node «s»)',
    );
    await host.release();
  });

  it('is not seen where there is none', async () => {
    const path = await folder.write('linear.onnx', linearModel({ image: [1, 4, 4], classes: 3 }).bytes);
    const { model, host } = await prepared(path);
    const classifier = await openOnGpu({ provider: 'auto', threads: undefined }, model, gpu, shape, console);
    expect(classifier?.provider).toBe('webgpu');
    await classifier?.release();
    await host.release();
  });
});
