/**
 * Models of different making, written by PyTorch's exporters (scripts/make-test-models.py), against PyTorch's own
 * logits: on the wasm provider, and on the webgpu provider.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Gpu, openDevice } from '@turnproof/core';
import { closeChecked, expectClose, testAdapters } from '@turnproof/core/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Adaptation, inspectModel, openClassifier, type Preparation } from './index.ts';

const FOLDER = fileURLToPath(new URL('../../test-models/', import.meta.url));
const shape = { channels: 3, height: 32, width: 32 };
const COUNT = 3;

interface Reference {
  readonly mean: number[];
  readonly std: number[];
  readonly logits: number[][];
  readonly softmax: number[][];
  readonly float16: number[][];
  readonly mean_std: number[][];
}
const reference: Reference = JSON.parse(readFileSync(`${FOLDER}reference.json`, 'utf8'));

/** As the script computes them. */
const images = Float32Array.from({ length: COUNT * 3072 }, (_, i) =>
  Math.fround(((73 * i + 11 * i * i) % 256) / 255),
);

/** Float32 sums in another order; logits here are below 40. */
const ROUNDING = 1e-4;
/** Of float16, whose fractions have 11 bits, in a few layers. */
const HALF_ROUNDING = 0.1;

type Key = 'logits' | 'softmax' | 'float16' | 'mean_std';
const MODELS: readonly [string, number, (Adaptation | undefined)?, Preparation?, Key?][] = [
  ['torch-opset7', 7],
  ['torch-opset11', 11],
  ['torch-opset13', 13],
  ['torch-opset17', 17],
  ['torch-dynamo-opset18', 18],
  ['converted-opset21', 21],
  ['fixed-batch8', 13],
  ['nhwc', 13, { layout: 'nhwc' }],
  ['flat', 13, { reshaped: [3072] }],
  ['flat-column', 13, { reshaped: [3072, 1], batch: 'freed' }],
  ['float16', 13, { float16: 'widened' }, {}, 'float16'],
  ['external', 17],
  ['softmax', 13, undefined, {}, 'softmax'],
  [
    'mean_std',
    17,
    { mean: reference.mean, std: reference.std },
    { mean: reference.mean, std: reference.std },
    'mean_std',
  ],
];

describe.each(MODELS)('%s.onnx', (name, opset, adapted, preparation = {}, key = 'logits') => {
  const expected = reference[key].flat();
  const tolerance = key === 'float16' ? HALF_ROUNDING : ROUNDING;
  const model = inspectModel(`${FOLDER}${name}.onnx`);

  it('is understood', async () => {
    const { info } = await model;
    expect(info.opset).toBe(opset);
    expect(info.fixedBatch).toBe({ 'fixed-batch8': 8, 'flat-column': 1 }[name] ?? null);
    expect(info.scores).toBe(name === 'softmax' ? 'probabilities' : 'logits');
    expect(info.externalData?.map(({ file }) => file)).toEqual(
      name === 'external' ? ['external.weights'] : undefined,
    );
  });

  it('gives PyTorch’s logits on the wasm provider', async () => {
    const classifier = await openClassifier({ model: await model, provider: 'wasm', shape, preparation });
    expect(classifier.info.adapted).toEqual(adapted);
    expect(classifier.classes).toBe(10);
    expectClose(name, await classifier.logits(images, COUNT), expected, tolerance);
    await classifier.release();
  });
});

// One adapter: it is the graphs that are tried here, and SwiftShader takes minutes to compile their shaders.
const adapters = await testAdapters();
const adapter = adapters.find((name) => name !== 'swiftshader') ?? 'swiftshader';

describe(`on the webgpu provider of ${adapter}`, () => {
  let gpu: Gpu;
  beforeAll(async () => {
    gpu = await openDevice({ adapter });
  });
  afterAll(() => closeChecked(gpu));

  it.each(MODELS)('%s.onnx gives the wasm provider’s logits', async (name, ...more) => {
    const preparation = more[2] ?? {};
    const model = await inspectModel(`${FOLDER}${name}.onnx`);
    const host = await openClassifier({ model, provider: 'wasm', shape, preparation });
    const device = await openClassifier({
      model,
      provider: 'webgpu',
      device: gpu.device,
      shape,
      preparation,
    });
    const wanted = [...(await host.logits(images, COUNT))];
    expectClose(name, await device.logits(images, COUNT), wanted, ROUNDING);
    await host.release();
    await device.release();
  });
});
