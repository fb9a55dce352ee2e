import { type Gpu, openDevice, TurnproofError } from '@turnproof/core';
import { closeChecked, expectClose, fillSentinel, SENTINEL, testAdapters } from '@turnproof/core/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Classifier, checkParity, openClassifier } from './index.ts';
import { inspectModelBytes } from './model.ts';
import { linearModel, linearOracle, someFloats } from './onnx-writer.test-support.ts';
import { mnist, sharedFiles } from './shared-files.test-support.ts';

const shape = { channels: 2, height: 3, width: 4 };
const FEATURES = 24;
const CLASSES = 5;
const ROUNDING = 1e-5;

const shared = sharedFiles(
  'models/mnist_clean.onnx',
  'data/mnist/t10k-images-idx3-ubyte.gz',
  'data/mnist/t10k-labels-idx1-ubyte.gz',
);

describe.each(await testAdapters())('the webgpu classifier on %s', (adapter) => {
  let gpu: Gpu;
  beforeAll(async () => {
    gpu = await openDevice({ adapter });
  });
  afterAll(() => closeChecked(gpu));

  async function openLinear(batch?: number) {
    const { bytes, w, b } = linearModel({
      image: [2, 3, 4],
      classes: CLASSES,
      ...(batch === undefined ? {} : { batch }),
    });
    const model = await inspectModelBytes('linear.onnx', bytes);
    const classifier = await openClassifier({ model, provider: 'webgpu', shape, device: gpu.device });
    return { classifier, oracle: (images: Float32Array) => linearOracle(images, w, b) };
  }

  function onGpu(classifier: Classifier, images: GPUBuffer, batch: number, out: GPUBuffer): Promise<void> {
    if (!classifier.logitsOnGpu) throw new Error('no logitsOnGpu');
    return classifier.logitsOnGpu(images, batch, out);
  }

  it.each([undefined, 4])('computes the logits of a linear model of fixed batch %s', async (fixed) => {
    const { classifier, oracle } = await openLinear(fixed);
    expect([classifier.provider, classifier.classes, classifier.fixedBatch]).toEqual([
      'webgpu',
      5,
      fixed ?? null,
    ]);
    for (const batch of [1, 3, 4, 10, 2]) {
      const images = someFloats(batch * FEATURES, batch);
      expectClose(`batch ${batch}`, await classifier.logits(images, batch), oracle(images), ROUNDING);
    }
    await classifier.release();
  });

  it.each([undefined, 4])(
    'writes a batch’s logits into our buffer, nothing behind them (fixed batch %s)',
    async (fixed) => {
      const { classifier, oracle } = await openLinear(fixed);
      for (const batch of [1, 4, 7]) {
        const images = someFloats(batch * FEATURES, batch);
        const room = gpu.array('f32', (batch + 3) * FEATURES, 'images');
        const out = gpu.array('f32', batch * CLASSES + 9, 'logits');
        gpu.write(room, images);
        fillSentinel(gpu, out);
        await onGpu(classifier, room.buffer, batch, out.buffer);
        const got = await gpu.read(out);
        expectClose(`batch ${batch}`, got.subarray(0, batch * CLASSES), oracle(images), ROUNDING);
        expect(new Set(got.subarray(batch * CLASSES))).toEqual(new Set([Math.fround(SENTINEL)]));
        room.release();
        out.release();
      }
      await classifier.release();
    },
  );

  it('keeps calls on several buffers apart that are made at once', async () => {
    const { classifier, oracle } = await openLinear();
    const jobs = [1, 2, 3, 4, 5, 6].map((batch) => {
      const images = someFloats(batch * FEATURES, batch);
      const out = gpu.array('f32', batch * CLASSES, 'logits');
      fillSentinel(gpu, out);
      return { batch, images, input: gpu.upload('f32', images, 'images'), out };
    });
    await Promise.all(jobs.map((job) => onGpu(classifier, job.input.buffer, job.batch, job.out.buffer)));
    for (const { batch, images, input, out } of jobs) {
      expectClose(`batch ${batch}`, await gpu.read(out), oracle(images), ROUNDING);
      input.release();
      out.release();
    }
    await classifier.release();
  });

  it('refuses buffers that are too small', async () => {
    const { classifier } = await openLinear();
    const [images, out] = [gpu.array('f32', 64, 'images'), gpu.array('f32', 64, 'logits')];
    await expect(onGpu(classifier, images.buffer, 100, out.buffer)).rejects.toThrow(
      'too small for 100 images',
    );
    for (const array of [images, out]) array.release();
    await classifier.release();
  });

  it('fails on buffers of another device, and is finished then', async () => {
    const { classifier } = await openLinear();
    const other = await openDevice({ adapter });
    const [images, out] = [other.array('f32', 64, 'images'), other.array('f32', 64, 'logits')];
    await expect(onGpu(classifier, images.buffer, 1, out.buffer)).rejects.toThrow(
      expect.objectContaining({ code: 'gpu', message: expect.stringContaining('does not run on the GPU') }),
    );
    await expect(classifier.logits(new Float32Array(FEATURES), 1)).rejects.toThrow('a run of it failed');
    await classifier.release();
    other.close();
  });

  it('lives beside a wasm classifier and a second model of its own kind, and calls at once stay apart', async () => {
    const [first, second] = [await openLinear(), await openLinear(4)];
    const { bytes } = linearModel({ image: [2, 3, 4], classes: CLASSES });
    const model = await inspectModelBytes('linear.onnx', bytes);
    const onHost = await openClassifier({ model, provider: 'wasm', shape });
    const images = someFloats(6 * FEATURES, 4);
    const results = await Promise.all(
      [first.classifier, onHost, second.classifier, first.classifier].map((c) => c.logits(images, 6)),
    );
    for (const logits of results) expectClose('logits', logits, first.oracle(images), ROUNDING);
    for (const classifier of [first.classifier, second.classifier, onHost]) await classifier.release();
  });

  it('reports a device that goes away as lost', async () => {
    const own = await openDevice({ adapter });
    const { bytes } = linearModel({ image: [2, 3, 4], classes: CLASSES });
    const model = await inspectModelBytes('linear.onnx', bytes);
    const classifier = await openClassifier({ model, provider: 'webgpu', shape, device: own.device });
    own.device.destroy();
    await own.device.lost;
    const failure = await classifier.logits(new Float32Array(FEATURES), 1).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(TurnproofError);
    expect(failure).toMatchObject({ code: 'device-lost' });
    await classifier.release();
    own.close();
  });

  it.runIf(shared)('agrees with the wasm provider on 8 digits, one by one and in batches', async () => {
    const [model = '', images = '', labels = ''] = shared ?? [];
    const digits = mnist(images, labels, 8).images;
    const options = { model, shape: { channels: 1, height: 28, width: 28 } };
    const a = await openClassifier({ ...options, provider: 'webgpu', device: gpu.device });
    const b = await openClassifier({ ...options, provider: 'wasm' });
    const want = await b.logits(digits, 8);
    for (const batch of [1, 4]) {
      for (let start = 0; start < 8; start += batch) {
        const got = await a.logits(digits.slice(start * 784, (start + batch) * 784), batch);
        expectClose(`batch ${batch}`, got, want.slice(start * 10, (start + batch) * 10), 1e-4);
      }
    }
    expect((await checkParity(a, b, digits)).repeatable).toBe(true);
    await a.release();
    await b.release();
  });
});
