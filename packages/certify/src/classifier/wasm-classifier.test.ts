import { describe, expect, it } from 'vitest';
import { argmaxRows, openClassifier } from './index.ts';
import { inspectModelBytes } from './model.ts';
import { linearModel, linearOracle, onnxModel, someFloats } from './onnx-writer.test-support.ts';
import { mnist, sharedFiles } from './shared-files.test-support.ts';

const shape = { channels: 2, height: 3, width: 4 };
const FEATURES = 24;
/** Sums of 25 products below 1: float32 rounding stays well under this. */
const ROUNDING = 1e-5;

async function openLinear(options: { image?: number[]; batch?: number } = {}) {
  const { bytes, w, b } = linearModel({ image: [2, 3, 4], classes: 5, ...options });
  const model = await inspectModelBytes('linear.onnx', bytes);
  const classifier = await openClassifier({ model, provider: 'wasm', shape });
  return { classifier, oracle: (images: Float32Array) => linearOracle(images, w, b) };
}

function expectClose(got: Float32Array, want: readonly number[]) {
  expect(got.length).toBe(want.length);
  const worst = want.reduce((m, v, i) => Math.max(m, Math.abs(v - (got[i] ?? Number.NaN))), 0);
  expect(worst).toBeLessThan(ROUNDING);
}

describe('the wasm classifier', () => {
  it('computes the logits of a linear model', async () => {
    const { classifier, oracle } = await openLinear();
    expect([classifier.provider, classifier.classes, classifier.fixedBatch]).toEqual(['wasm', 5, null]);
    for (const batch of [1, 2, 7]) {
      const images = someFloats(batch * FEATURES, batch);
      expectClose(await classifier.logits(images, batch), oracle(images));
    }
    await classifier.release();
  });

  it('feeds a model of flat features in the order channels, rows, columns', async () => {
    const { classifier, oracle } = await openLinear({ image: [FEATURES] });
    const images = someFloats(3 * FEATURES, 3);
    expectClose(await classifier.logits(images, 3), oracle(images));
    await classifier.release();
  });

  it('pads and cuts batches for a model of fixed batch size', async () => {
    const { classifier, oracle } = await openLinear({ batch: 4 });
    expect(classifier.fixedBatch).toBe(4);
    for (const batch of [1, 3, 4, 5, 8, 10]) {
      const images = someFloats(batch * FEATURES, batch);
      expectClose(await classifier.logits(images, batch), oracle(images));
    }
    await classifier.release();
  });

  it('gives no logits for no images', async () => {
    const { classifier } = await openLinear();
    expect((await classifier.logits(new Float32Array(0), 0)).length).toBe(0);
    await classifier.release();
  });

  it('answers calls made at the same time as if they came in turn', async () => {
    const { classifier, oracle } = await openLinear();
    const inputs = [1, 2, 3, 4, 5].map((seed) => someFloats(seed * FEATURES, seed));
    const results = await Promise.all(inputs.map((images, i) => classifier.logits(images, i + 1)));
    for (const [i, result] of results.entries())
      expectClose(result, oracle(inputs[i] ?? new Float32Array(0)));
    await classifier.release();
  });

  it('passes a NaN on, only in its own row', async () => {
    const { classifier } = await openLinear();
    const images = someFloats(3 * FEATURES, 9);
    images[FEATURES + 5] = Number.NaN;
    const answers = argmaxRows(await classifier.logits(images, 3), 5);
    expect([...answers].map((answer) => answer === -1)).toEqual([false, true, false]);
    await classifier.release();
  });

  it('refuses images of another count, and any use after its release, which may be repeated', async () => {
    const { classifier } = await openLinear();
    await expect(classifier.logits(new Float32Array(FEATURES + 1), 1)).rejects.toThrow(
      '25 floats are not 1 images of 24 floats',
    );
    await classifier.release();
    await classifier.release();
    await expect(classifier.logits(new Float32Array(FEATURES), 1)).rejects.toThrow('after its release');
  });
});

describe('opening a model', () => {
  it('for images of another shape is refused', async () => {
    const model = await inspectModelBytes('linear.onnx', linearModel({ image: [2, 3, 4], classes: 5 }).bytes);
    await expect(
      openClassifier({ model, provider: 'wasm', shape: { channels: 1, height: 28, width: 28 } }),
    ).rejects.toThrow('linear.onnx: the model takes images [2, 3, 4], the data has [1, 28, 28]');
  });

  it('whose batch is free on paper and fixed inside is refused', async () => {
    const bytes = onnxModel({
      inputs: [{ name: 'x', shape: ['n', 2, 3, 4] }],
      outputs: [{ name: 'y', shape: ['m', 24] }],
      weights: [{ name: 'one', shape: [2], data: BigInt64Array.of(1n, -1n) }],
      nodes: [{ op: 'Reshape', inputs: ['x', 'one'], outputs: ['y'] }],
    });
    const model = await inspectModelBytes('hidden.onnx', bytes);
    await expect(
      openClassifier({ model, provider: 'wasm', shape, preparation: { order: 'nchw' } }),
    ).rejects.toThrow(
      expect.objectContaining({
        code: 'bad-input',
        message: 'hidden.onnx: for 2 images the model answers [1, 48], not [2, classes]',
      }),
    );
  });

  it('that does not run on the data’s size is refused with the runtime’s words', async () => {
    const bytes = onnxModel({
      inputs: [{ name: 'x', shape: ['n', 'c', 'h', 'w'] }],
      outputs: [{ name: 'y', shape: ['n', 5] }],
      weights: [{ name: 'w', shape: [25, 5], data: someFloats(125, 1) }],
      nodes: [
        { op: 'Flatten', inputs: ['x'], outputs: ['f'] },
        { op: 'MatMul', inputs: ['f', 'w'], outputs: ['y'] },
      ],
    });
    const model = await inspectModelBytes('other.onnx', bytes);
    await expect(
      openClassifier({ model, provider: 'wasm', shape, preparation: { order: 'nchw' } }),
    ).rejects.toThrow(
      expect.objectContaining({
        code: 'bad-input',
        message: expect.stringMatching(
          /other\.onnx: the model does not run on input \[2, 2, 3, 4\]: .*MatMul/,
        ),
      }),
    );
  });

  it('with the webgpu provider needs a device', async () => {
    const model = await inspectModelBytes('linear.onnx', linearModel({ image: [2, 3, 4], classes: 5 }).bytes);
    await expect(openClassifier({ model, provider: 'webgpu', shape })).rejects.toThrow(
      'the webgpu provider needs a GPU device',
    );
  });
});

const shared = sharedFiles(
  'models/mnist_clean.onnx',
  'data/mnist/t10k-images-idx3-ubyte.gz',
  'data/mnist/t10k-labels-idx1-ubyte.gz',
);

describe.runIf(shared)('a trained MNIST network', () => {
  it('classifies at least 97 % of 300 test digits', async () => {
    const [model = '', images = '', labels = ''] = shared ?? [];
    const digits = mnist(images, labels, 300);
    const classifier = await openClassifier({
      model,
      provider: 'wasm',
      shape: { channels: 1, height: 28, width: 28 },
    });
    const answers = argmaxRows(await classifier.logits(digits.images, 300), classifier.classes);
    const right = digits.labels.filter((label, i) => label === answers[i]).length;
    expect(right).toBeGreaterThanOrEqual(0.97 * 300);
    await classifier.release();
  });
});
