import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { testAdapters } from '@turnproof/core/testing';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { linearModel, onnxModel, someFloats } from './onnx-writer.test-support.ts';

const here = new URL('.', import.meta.url).href;
const core = new URL('../../../core/src/index.ts', import.meta.url).href;
const adapters = await testAdapters();

const wasmScript = (model: string) => `
  import { openClassifier } from '${here}index.ts';
  const shape = { channels: 1, height: 2, width: 2 };
  const classifier = await openClassifier({ model: ${JSON.stringify(model)}, provider: 'wasm', shape, threads: 2 });
  await classifier.logits(new Float32Array(8), 2);
  await classifier.release();
  console.log('released');`;

const webgpuScript = (model: string) => `
  import { openDevice } from '${core}';
  import { openClassifier, checkParity } from '${here}index.ts';
  const shape = { channels: 1, height: 2, width: 2 };
  const model = ${JSON.stringify(model)};
  const gpu = await openDevice({ adapter: '${adapters[0]}' });
  const a = await openClassifier({ model, provider: 'webgpu', device: gpu.device, shape });
  const b = await openClassifier({ model, provider: 'wasm', shape });
  await checkParity(a, b, Float32Array.of(0, 1, 0, 1, 1, 0, 0, 1));
  await a.release();
  await b.release();
  gpu.close();
  console.log('released');`;

const refusedScript = (model: string) => `
  import { openClassifier } from '${here}index.ts';
  const shape = { channels: 1, height: 3, width: 3 };
  await openClassifier({ model: ${JSON.stringify(model)}, provider: 'wasm', shape, preparation: { order: 'nchw' } }).catch((error) => {
    console.log(error.code === 'bad-input' && error.message.includes('does not run') ? 'released' : error);
  });`;

/** Takes images of any size on paper, and of 4 pixels only in truth. */
const freeModel = () =>
  onnxModel({
    inputs: [{ name: 'x', shape: ['n', 'c', 'h', 'w'] }],
    outputs: [{ name: 'y', shape: ['n', 3] }],
    weights: [{ name: 'w', shape: [4, 3], data: someFloats(12, 1) }],
    nodes: [
      { op: 'Flatten', inputs: ['x'], outputs: ['f'] },
      { op: 'MatMul', inputs: ['f', 'w'], outputs: ['y'] },
    ],
  });

interface Ended {
  readonly output: string;
  readonly code: number | null;
}

/** Runs a module as a process of its own, to its natural end. */
async function run(source: string, folder: string): Promise<Ended> {
  // A file, not --eval: the runtime's worker threads inherit the command line's flags.
  const file = join(folder, 'script.mjs');
  await writeFile(file, source);
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--conditions=turnproof-source', '--no-warnings', file]);
    // One that does not end, because something keeps Node alive, is ended with its test, which has failed by then.
    onTestFinished(() => {
      child.kill('SIGKILL');
    });
    let output = '';
    const hear = (chunk: Buffer) => {
      output += chunk.toString();
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.on('error', reject);
    child.on('close', (code) => resolve({ output, code }));
  });
}

describe('a process that used', () => {
  let folder: string;
  let linear: string;
  let free: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'turnproof-exit-'));
    linear = join(folder, 'linear.onnx');
    free = join(folder, 'free.onnx');
    await writeFile(linear, linearModel({ image: [1, 2, 2], classes: 3 }).bytes);
    await writeFile(free, freeModel());
  });
  afterAll(() => rm(folder, { recursive: true }));

  it.each([
    ['a wasm classifier with two threads', () => wasmScript(linear)],
    ['a wasm and a webgpu classifier', () => webgpuScript(linear)],
    ['a model that was refused while it ran', () => refusedScript(free)],
  ])('%s ends by itself and says nothing of its own', async (_, script) => {
    const { output, code } = await run(script(), folder);
    // Dawn's own notes about limits are not the classifier's.
    const lines = output.split('\n').filter((line) => line !== '' && !line.startsWith('Warning: max'));
    expect(lines).toEqual(['released']);
    expect(code).toBe(0);
  });
});
