/** Adapted models against plain loops: the same logits as the linear model gives for images put into order by hand. */
import { describe, expect, it } from 'vitest';
import { adaptModel } from './adapt.ts';
import { type InspectedModel, inspectModelBytes, openClassifier, type Preparation } from './index.ts';
import { decodeModel } from './onnx/tree.ts';
import { float16 } from './onnx/widen-float16.ts';
import { linearModel, linearOracle, onnxModel, someFloats } from './onnx-writer.test-support.ts';

const shape = { channels: 2, height: 3, width: 4 };
const FEATURES = 24;

async function logits(model: InspectedModel, images: Float32Array, preparation: Preparation = {}) {
  const classifier = await openClassifier({ model, provider: 'wasm', shape, preparation });
  const result = await classifier.logits(images, images.length / FEATURES);
  await classifier.release();
  return { result, info: classifier.info };
}

const linear = async (image: readonly number[], batch?: number) => {
  const made = linearModel({ image, classes: 3, ...(batch === undefined ? {} : { batch }) });
  return { ...made, model: await inspectModelBytes('m.onnx', made.bytes) };
};

/** [n, c, h, w] to [n, h, w, c]. */
function channelsLast(images: Float32Array): Float32Array {
  const { channels, height, width } = shape;
  const plane = height * width;
  return images.map((_, i) => {
    const [n, rest] = [Math.floor(i / FEATURES), i % FEATURES];
    const [pixel, c] = [Math.floor(rest / channels), rest % channels];
    return images[n * FEATURES + c * plane + pixel] ?? Number.NaN;
  });
}

function expectNear(got: Float32Array, wanted: readonly number[]): void {
  expect(got.length).toBe(wanted.length);
  for (const [i, value] of wanted.entries())
    expect(Math.abs((got[i] ?? Number.NaN) - value)).toBeLessThan(1e-4);
}

const images = someFloats(5 * FEATURES, 7).map((value) => (value + 1) / 2);

describe('a model', () => {
  it('with channels last is given channels last', async () => {
    const { model, w, b } = await linear([3, 4, 2]);
    const { result, info } = await logits(model, images);
    expectNear(result, linearOracle(channelsLast(images), w, b));
    expect(info).toMatchObject({ layout: 'nchw', inputShape: [null, 2, 3, 4], adapted: { layout: 'nhwc' } });
  });

  it.each([undefined, 1, 2])('with flattened images takes them in their order (batch %s)', async (batch) => {
    for (const dims of [[FEATURES], [FEATURES, 1], [1, FEATURES], [FEATURES, 1, 1]]) {
      const { model, w, b } = await linear(dims, batch);
      const { result, info } = await logits(model, images);
      expectNear(result, linearOracle(images, w, b));
      expect(info.adapted).toEqual({ reshaped: dims, ...(batch === 1 ? { batch: 'freed' } : {}) });
    }
  });

  it('with images flattened channels last takes them so when told', async () => {
    const { model, w, b } = await linear([FEATURES]);
    const { result, info } = await logits(model, images, { order: 'nhwc' });
    expectNear(result, linearOracle(channelsLast(images), w, b));
    expect(info.adapted).toEqual({ layout: 'nhwc', reshaped: [FEATURES] });
  });

  it.each([
    [[0.4], [0.25]],
    [
      [0.4, 0.6],
      [0.25, 2],
    ],
  ])('is given (x - mean) / std, mean %j and std %j, whatever its layout', async (mean, std) => {
    const plane = 12;
    const normalised = images.map((value, i) => {
      const c = Math.floor(i / plane) % 2;
      return (value - (mean[c] ?? mean[0] ?? 0)) / (std[c] ?? std[0] ?? 1);
    });
    const first = await linear([2, 3, 4]);
    const plain = await logits(first.model, images, { mean, std });
    expectNear(plain.result, linearOracle(normalised, first.w, first.b));
    expect(plain.info.adapted).toEqual({ mean, std });
    const last = await linear([3, 4, 2]);
    const { result } = await logits(last.model, images, { mean, std });
    expectNear(result, linearOracle(channelsLast(normalised), last.w, last.b));
  });

  it('that needs nothing is not touched, and is made ready once', async () => {
    const { model } = await linear([2, 3, 4]);
    expect(adaptModel(model, shape, {}).bytes).toBe(model.bytes);
    const ready = adaptModel(model, shape, { mean: [0.5] });
    expect(adaptModel(ready, shape, { mean: [0.5] })).toBe(ready);
  });

  it('keeps its names apart from those that are put before it', async () => {
    const bytes = onnxModel({
      inputs: [{ name: 'turnproof_images', shape: ['n', FEATURES] }],
      outputs: [{ name: 'y', shape: ['n', 3] }],
      weights: [{ name: 'turnproof_shape', shape: [FEATURES, 3], data: someFloats(3 * FEATURES, 1) }],
      nodes: [{ op: 'MatMul', inputs: ['turnproof_images', 'turnproof_shape'], outputs: ['y'] }],
    });
    const { result } = await logits(await inspectModelBytes('m.onnx', bytes), images);
    expectNear(result, linearOracle(images, someFloats(3 * FEATURES, 1), new Float32Array(3)));
  });

  it('of which one output is taken says so', async () => {
    const graph = {
      inputs: [{ name: 'x', shape: ['n', FEATURES] }],
      outputs: [
        { name: 'features', shape: ['n', FEATURES] },
        { name: 'y', shape: ['n', 3] },
      ],
      weights: [{ name: 'w', shape: [FEATURES, 3], data: someFloats(3 * FEATURES, 1) }],
      nodes: [
        { op: 'Relu', inputs: ['x'], outputs: ['features'] },
        { op: 'MatMul', inputs: ['features', 'w'], outputs: ['y'] },
      ],
    };
    const bytes = onnxModel(graph);
    await expect(inspectModelBytes('m.onnx', bytes)).rejects.toThrow(
      expect.objectContaining({ fix: 'Say which holds the logits: --output NAME.' }),
    );
    await expect(inspectModelBytes('m.onnx', bytes, { output: 'z' })).rejects.toThrow(
      'has no output «z», but: features, y',
    );
    const model = await inspectModelBytes('m.onnx', bytes, { output: 'y' });
    expect(model.info.adapted).toEqual({ output: 'y' });
    const { result } = await logits(model, images);
    expectNear(result, linearOracle(images, someFloats(3 * FEATURES, 1), new Float32Array(3)));
  });

  it.each<[Preparation, string]>([
    [{ mean: [1, 2, 3] }, '--mean has 3 numbers, the images have 2 channels'],
    [{ std: [0] }, '--std: not above 0'],
    [{ std: [1e-60] }, '--std: not above 0'],
    [{ mean: [1e60] }, '--mean: not a number that float32 can hold'],
    [{ order: 'nhwc' }, 'takes images [4, 2, 3] as nhwc, the data has [2, 3, 4]'],
  ])('is refused with %j', async (preparation, words) => {
    const { model } = await linear([2, 3, 4]);
    await expect(logits(model, images, preparation)).rejects.toThrow(
      expect.objectContaining({ code: 'bad-input', message: expect.stringContaining(words) }),
    );
  });
});

describe('float16', () => {
  // From IEEE 754-2008, binary16.
  it.each([
    [0x0000, 0],
    [0x3c00, 1],
    [0xc000, -2],
    [0x7bff, 65504],
    [0x0001, 2 ** -24],
    [0x03ff, 2 ** -14 - 2 ** -24],
    [0x0400, 2 ** -14],
    [0x3555, 0.333251953125],
    [0x7c00, Number.POSITIVE_INFINITY],
    [0xfc00, Number.NEGATIVE_INFINITY],
  ])('%i is %d', (bits, value) => {
    expect(float16(bits)).toBe(value);
  });

  it('weights and types are float32 afterwards, the numbers the same', async () => {
    const half = Uint16Array.of(0x3c00, 0x3555, 0xc000, 0x0001, 0x3800, 0x4248);
    const tree = decodeModel('m', linearModel({ image: [2], classes: 3 }).bytes);
    const { widenFloat16, hasFloat16 } = await import('./onnx/widen-float16.ts');
    const [w] = tree.graph?.initializer ?? [];
    if (!w) throw new Error('no weights');
    expect(hasFloat16(tree)).toBe(false);
    w.dataType = 10;
    w.rawData = new Uint8Array(half.buffer);
    expect(hasFloat16(tree)).toBe(true);
    widenFloat16(tree);
    expect(hasFloat16(tree)).toBe(false);
    const floats = new Float32Array(Uint8Array.from(w.rawData).buffer);
    expect([...floats]).toEqual([...half].map(float16));
  });
});
