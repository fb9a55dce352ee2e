import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openClassifier } from './index.ts';
import { chooseLayout } from './layout.ts';
import { inspectModel, inspectModelBytes, type ModelInfo, OPSETS } from './model.ts';
import { type Graph, linearModel, linearOracle, onnxModel, someFloats } from './onnx-writer.test-support.ts';
import { createSession, exclusive, loadOrt } from './ort-runtime.ts';

const inspect = (graph: Graph) => inspectModelBytes('m.onnx', onnxModel(graph));
const badInput = (words: string | RegExp) =>
  expect.objectContaining({
    code: 'bad-input',
    message: typeof words === 'string' ? expect.stringContaining(words) : expect.stringMatching(words),
    fix: expect.any(String),
  });

describe('a model file', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'turnproof-model-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('is described by its digest, names, shapes and opset', async () => {
    const { bytes } = linearModel({ image: [3, 4, 5], classes: 7 });
    const file = join(folder, 'linear.onnx');
    await writeFile(file, bytes);
    const { info, bytes: read } = await inspectModel(file);
    expect(info).toEqual({
      file,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      inputName: 'x',
      inputShape: [null, 3, 4, 5],
      layout: 'nchw',
      fixedBatch: null,
      channels: 3,
      height: 4,
      width: 5,
      outputName: 'logits',
      classes: 7,
      scores: 'logits',
      opset: 13,
    } satisfies ModelInfo);
    expect(read).toEqual(bytes);
  });

  it('that is missing, a directory or empty is refused with its name', async () => {
    const missing = join(folder, 'none.onnx');
    await expect(inspectModel(missing)).rejects.toThrow(badInput(`${missing}: no such file`));
    await expect(inspectModel(folder)).rejects.toThrow(badInput(`${folder}: a directory`));
    const empty = join(folder, 'empty.onnx');
    await writeFile(empty, '');
    await expect(inspectModel(empty)).rejects.toThrow(badInput(`${empty}: the file is empty`));
  });

  it('beyond 2 GiB is refused before it is read', async () => {
    const huge = join(folder, 'huge.onnx');
    await writeFile(huge, '');
    await truncate(huge, 2 ** 31); // sparse: takes no space
    await expect(inspectModel(huge)).rejects.toThrow(
      expect.objectContaining({ code: 'bad-input', message: expect.stringContaining('2147483648 bytes') }),
    );
  });

  it.each([
    ['zero bytes', new Uint8Array(100), 'byte 0: field number 0'],
    ['text', new TextEncoder().encode('<!doctype html><html>not found</html>'), 'not an ONNX model'],
    [
      'a PNG',
      Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13),
      'not an ONNX model',
    ],
    ['a protobuf without a graph', Uint8Array.of(8, 8), 'holds no graph'],
    ['an endless number', new Uint8Array(20).fill(0xff), 'not an ONNX model'],
  ])('of %s is refused', async (_, bytes, words) => {
    await expect(inspectModelBytes('m.onnx', Uint8Array.from(bytes))).rejects.toThrow(badInput(words));
  });

  it('that was cut off anywhere is refused as truncated or without a graph', async () => {
    const { bytes } = linearModel({ image: [1, 2, 2], classes: 3 });
    for (const length of [1, 2, 5, 20, bytes.length - 1]) {
      await expect(inspectModelBytes('m.onnx', bytes.slice(0, length))).rejects.toThrow(
        badInput(/truncated|holds no graph/),
      );
    }
  });

  it('whose graph is damaged inside is refused', async () => {
    const { bytes } = linearModel({ image: [1, 2, 2], classes: 3 });
    bytes.fill(0xff, bytes.length - 30);
    await expect(inspectModelBytes('m.onnx', bytes)).rejects.toThrow(
      badInput('m.onnx: not an ONNX model: damaged inside its graph'),
    );
  });
});

describe('a graph', () => {
  const output = { name: 'y', shape: ['n', 3] };
  const image = { name: 'x', shape: ['n', 1, 2, 2] };
  const weights = [{ name: 'w', shape: [4, 3], data: someFloats(12, 1) }];
  const nodes = [
    { op: 'Flatten', inputs: ['x'], outputs: ['f'] },
    { op: 'MatMul', inputs: ['f', 'w'], outputs: ['y'] },
  ];

  it('may list its weights among its inputs', async () => {
    const { info } = await inspect({
      inputs: [image, { name: 'w', shape: [4, 3] }],
      outputs: [output],
      weights,
      nodes,
    });
    expect(info.inputName).toBe('x');
  });
  it('with a fixed batch says so', async () => {
    const { info } = await inspectModelBytes(
      'm',
      linearModel({ image: [1, 2, 2], classes: 3, batch: 4 }).bytes,
    );
    expect([info.fixedBatch, info.inputShape]).toEqual([4, [4, 1, 2, 2]]);
  });
  describe.each([
    ['without a name', null],
    ['of -1', -1],
  ])('whose free dimensions are %s', (_, free) => {
    const linear = (...shape: readonly (number | null)[]): Graph => ({
      inputs: [{ name: 'x', shape: [free, ...shape] }],
      outputs: [{ name: 'y', shape: [free, 3] }],
      weights,
      nodes,
    });

    it('takes any batch, height and width', async () => {
      const { info } = await inspect(linear(1, free, free));
      expect(info).toMatchObject({
        ...{ inputShape: [null, 1, null, null], layout: 'nchw', fixedBatch: null },
        ...{ channels: 1, height: null, width: null, classes: 3 },
      });
    });
    it('takes any channels', async () => {
      const { info } = await inspect({
        inputs: [{ name: 'x', shape: [free, free, 9, 9] }],
        outputs: [{ name: 'f', shape: [free, free] }],
        nodes: nodes.slice(0, 1),
      });
      expect([info.inputShape, info.layout, info.channels]).toEqual([[null, null, 9, 9], null, null]);
    });
    it('takes any number of features, and does not declare its classes', async () => {
      const { info } = await inspect({
        inputs: [{ name: 'x', shape: [free, free] }],
        outputs: [{ name: 'y', shape: [free, free] }],
        nodes: [{ op: 'Relu', inputs: ['x'], outputs: ['y'] }],
      });
      expect([info.inputShape, info.layout, info.classes]).toEqual([[null, null], 'flat', null]);
    });
    it('runs on two images', async () => {
      const model = await inspect(linear(1, free, free));
      const shape = { channels: 1, height: 2, width: 2 };
      const classifier = await openClassifier({ model, provider: 'wasm', shape });
      const images = someFloats(8, 3);
      const wanted = linearOracle(images, someFloats(12, 1), new Float32Array(3));
      expect([...(await classifier.logits(images, 2))].map((value) => value.toFixed(4))).toEqual(
        wanted.map((value) => value.toFixed(4)),
      );
      await classifier.release();
    });
    it('is refused in words that show them as any', async () => {
      const bytes = { name: 'x', shape: [free, 1, 2, 2], type: 2 };
      const cast = { op: 'Cast', inputs: ['x'], outputs: ['c'], attributes: { to: 1 } };
      const flatten = { op: 'Flatten', inputs: ['c'], outputs: ['f'] };
      await expect(
        inspect({ ...linear(1, 2, 2), inputs: [bytes], nodes: [cast, flatten, ...nodes.slice(1)] }),
      ).rejects.toThrow(badInput('x uint8 [any, 1, 2, 2]'));
      const label = { op: 'ArgMax', inputs: ['f'], outputs: ['y'], attributes: { axis: 1, keepdims: 0 } };
      await expect(
        inspect({
          ...linear(1, 2, 2),
          outputs: [{ name: 'y', shape: [free], type: 7 }],
          nodes: [...nodes.slice(0, 1), label],
        }),
      ).rejects.toThrow(badInput('y int64 [any]'));
    });
  });
  it('with a batch of 0 is refused', async () => {
    const { bytes } = linearModel({ image: [1, 2, 2], classes: 3, batch: 0 });
    await expect(inspectModelBytes('m.onnx', bytes)).rejects.toThrow(badInput('a dimension is 0'));
  });
  it('of flat features is recognised', async () => {
    const { info } = await inspectModelBytes('m', linearModel({ image: [12], classes: 3 }).bytes);
    expect([info.layout, info.channels, info.inputShape]).toEqual(['flat', null, [null, 12]]);
  });
  it('with two inputs is refused, both named', async () => {
    const graph = {
      inputs: [image, { name: 'mask', shape: ['n', 4] }],
      outputs: [output],
      weights,
      nodes: [
        { op: 'Flatten', inputs: ['x'], outputs: ['f0'] },
        { op: 'Add', inputs: ['f0', 'mask'], outputs: ['f'] },
        ...nodes.slice(1),
      ],
    };
    await expect(inspect(graph)).rejects.toThrow(
      badInput('has 2 inputs, not one: x float32 [n, 1, 2, 2]; mask float32 [n, 4]'),
    );
  });
  it('with two outputs is refused', async () => {
    const graph = { inputs: [image], outputs: [output, { name: 'f', shape: ['n', 4] }], weights, nodes };
    await expect(inspect(graph)).rejects.toThrow(badInput('has 2 outputs, not one'));
  });
  it('whose input is not float32 is refused', async () => {
    const graph = {
      inputs: [{ ...image, type: 11 }],
      outputs: [output],
      weights,
      nodes: [
        { op: 'Cast', inputs: ['x'], outputs: ['x1'], attributes: { to: 1 } },
        { op: 'Flatten', inputs: ['x1'], outputs: ['f'] },
        ...nodes.slice(1),
      ],
    };
    await expect(inspect(graph)).rejects.toThrow(badInput('the input is x float64 [n, 1, 2, 2]'));
  });
  it.each([[['n', 1, 2, 2, 1]], [['n']]])('with an input %j is refused as no image', async (shape) => {
    const graph = {
      inputs: [{ name: 'x', shape }],
      outputs: [{ name: 'y', shape: ['n', 'c'] }],
      nodes: [
        { op: 'Flatten', inputs: ['x'], outputs: ['y'], attributes: { axis: shape.length > 1 ? 1 : 0 } },
      ],
    };
    await expect(inspect(graph)).rejects.toThrow(badInput(/the input is x float32 \[n.*images come as/));
  });
  it.each([
    [['n', 3, 1, 1], 'logits come as [n, classes]'],
    [['n', 1], 'at least two classes'],
  ])('with an output %j is refused', async (shape, words) => {
    const features = shape[1] === 1 ? 1 : 3;
    const graph = {
      inputs: [{ name: 'x', shape: ['n', features, 1, 1] }],
      outputs: [{ name: 'y', shape }],
      nodes: [
        shape.length === 4
          ? { op: 'Relu', inputs: ['x'], outputs: ['y'] }
          : { op: 'Flatten', inputs: ['x'], outputs: ['y'] },
      ],
    };
    await expect(inspect(graph)).rejects.toThrow(badInput(words));
  });
  it('with an operator that the runtime lacks is refused by that name', async () => {
    const graph = {
      inputs: [image],
      outputs: [output],
      nodes: [{ op: 'NoSuchOp', inputs: ['x'], outputs: ['y'] }],
    };
    await expect(inspect(graph)).rejects.toThrow(badInput('NoSuchOp'));
  });
});

describe('an operator set', () => {
  const graph = (opset: number): Graph => ({
    opset,
    inputs: [{ name: 'x', shape: ['n', 1, 2, 2] }],
    outputs: [{ name: 'y', shape: ['n', 3] }],
    weights: [
      { name: 'k', shape: [1, 1, 1, 1], data: Float32Array.of(1) },
      { name: 'w', shape: [4, 3], data: someFloats(12, 1) },
    ],
    nodes: [
      { op: 'Conv', inputs: ['x', 'k'], outputs: ['c'] },
      { op: 'Flatten', inputs: ['c'], outputs: ['f'] },
      { op: 'MatMul', inputs: ['f', 'w'], outputs: ['y'] },
    ],
  });
  const all = Array.from({ length: OPSETS.last - OPSETS.first + 1 }, (_, i) => OPSETS.first + i);

  it('is run, whichever of those that are said to be', async () => {
    const images = someFloats(8, 3);
    const wanted = linearOracle(images, someFloats(12, 1), new Float32Array(3));
    for (const opset of all) {
      const model = await inspect(graph(opset));
      expect(model.info.opset).toBe(opset);
      const shape = { channels: 1, height: 2, width: 2 };
      const classifier = await openClassifier({ model, provider: 'wasm', shape });
      for (const [i, value] of (await classifier.logits(images, 2)).entries()) {
        expect(Math.abs(value - (wanted[i] ?? Number.NaN))).toBeLessThan(1e-5);
      }
      await classifier.release();
    }
  });
  it.each([OPSETS.first - 1, OPSETS.last + 1])(
    'that is none of them, such as %i, is refused',
    async (opset) => {
      await expect(inspect(graph(opset))).rejects.toThrow(
        badInput(`is of operator set ${opset}; 7 to 26 can be run`),
      );
    },
  );
  it('after the last of them is refused by the runtime itself', async () => {
    const ort = await loadOrt('wasm');
    const later = exclusive(() => createSession(ort, onnxModel(graph(OPSETS.last + 1))));
    await expect(later).rejects.toThrow(`Opset ${OPSETS.last + 1} is under development`);
  });
  it('is among those that the README names', async () => {
    const readme = await readFile(new URL('../../../../README.md', import.meta.url), 'utf8');
    expect(readme).toContain(`(operator sets ${OPSETS.first} to ${OPSETS.last})`);
  });
});

describe('chooseLayout', () => {
  const info = (...dims: (number | null)[]) =>
    ({ file: 'm.onnx', inputShape: [null, ...dims] }) as unknown as ModelInfo;
  const grey = { channels: 1, height: 28, width: 28 };
  const colour = { channels: 3, height: 32, width: 32 };

  it.each([
    ['nchw', [3, null, 32], colour],
    ['nhwc', [32, 32, 3], colour],
    ['nhwc', [null, null, 1], grey],
    ['nchw', [1, 28, 28], grey],
    ['hw', [28, 28], grey],
    ['flat', [784], grey],
    ['flat', [784, 1], grey],
    ['flat', [1, 784], grey],
    ['flat', [784, 1, 1], grey],
    ['flat', [null], colour],
    ['nchw', [1, 1, 1], { channels: 1, height: 1, width: 1 }],
  ] as const)('%s for an input of %j', (layout, dims, shape) => {
    expect(chooseLayout(info(...dims), shape)).toBe(layout);
  });
  it.each([
    [[3, 3, 3], { channels: 3, height: 3, width: 3 }],
    [[null, null, null], grey],
    [[3, null, null], { channels: 3, height: 3, width: 5 }],
  ] as const)('of %j is not guessed where both orders fit', (dims, shape) => {
    expect(() => chooseLayout(info(...dims), shape)).toThrow(
      badInput(/channels first and with channels last/),
    );
    expect(chooseLayout(info(...dims), shape, 'nhwc')).toBe('nhwc');
    expect(chooseLayout(info(...dims), shape, 'nchw')).toBe('nchw');
  });
  it('names both shapes where they differ', () => {
    expect(() => chooseLayout(info(3, null, 32), grey)).toThrow(
      badInput('m.onnx: the model takes images [3, any, 32], the data has [1, 28, 28]'),
    );
    expect(() => chooseLayout(info(32, 32, 3), grey)).toThrow(badInput('takes images [3, 32, 32], the data'));
    expect(() => chooseLayout(info(28, 28), colour)).toThrow(badInput('takes images [28, 28], the data'));
    expect(() => chooseLayout(info(28, 28, 1), grey, 'nchw')).toThrow(badInput('[28, 28, 1] as nchw'));
  });
  it('compares the number of features of a flat model', () => {
    expect(() => chooseLayout(info(784), colour)).toThrow(
      badInput('takes 784 numbers an image, the data has [3, 32, 32] = 3072'),
    );
    expect(() => chooseLayout(info(784, 1), colour)).toThrow(badInput('takes 784 numbers an image'));
  });
});
