/** Models of a fixed batch of one: those that can be freed, and those that cannot and run as they did. */
import { describe, expect, it } from 'vitest';
import { checkParity, inspectModelBytes, openClassifier, type Preparation, prepareModel } from './index.ts';
import { decodeModel, encodeModel } from './onnx/tree.ts';
import {
  type Graph,
  linearModel,
  linearOracle,
  type Node,
  onnxModel,
  someFloats,
  type Weight,
} from './onnx-writer.test-support.ts';

const shape = { channels: 1, height: 4, width: 4 };
const COUNT = 5;
const images = someFloats(COUNT * 16, 7).map((value) => (value + 1) / 2);
const w: Weight = { name: 'w', shape: [16, 3], data: someFloats(48, 1) };
const sizes = (name: string, ...values: number[]): Weight => ({
  name,
  shape: [values.length],
  data: BigInt64Array.from(values, BigInt),
});

/** «x» of one image, through these nodes to «f», and by w to «y». */
const graphOf = (nodes: readonly Node[], weights: readonly Weight[] = [], end?: readonly Node[]): Graph => ({
  inputs: [{ name: 'x', shape: [1, 1, 4, 4] }],
  outputs: [{ name: 'y', shape: [1, 3] }],
  weights: [w, ...weights],
  nodes: [...nodes, ...(end ?? [{ op: 'MatMul', inputs: ['f', 'w'], outputs: ['y'] }])],
});
const reshape = (...values: number[]): Graph =>
  graphOf([{ op: 'Reshape', inputs: ['x', 's'], outputs: ['f'] }], [sizes('s', ...values)]);
const flatten: Node = { op: 'Flatten', inputs: ['x'], outputs: ['f'] };
const matmul: Node = { op: 'MatMul', inputs: ['f', 'w'], outputs: ['z'] };

async function prepared(graph: Graph, preparation: Preparation = {}) {
  const model = await inspectModelBytes('m.onnx', onnxModel(graph));
  return prepareModel(model, shape, preparation);
}

async function opened(graph: Graph, preparation: Preparation = {}) {
  const model = await inspectModelBytes('m.onnx', onnxModel(graph));
  return openClassifier({ model, provider: 'wasm', shape, preparation });
}

/** The kept model's logits, image by image, and the freed one's: alone and together. */
async function compare(graph: Graph) {
  const [kept, freed] = [await opened(graph, { batch: 'kept' }), await opened(graph)];
  try {
    const one = (i: number) => images.slice(16 * i, 16 * (i + 1));
    const [before, after]: [number[], number[]] = [[], []];
    for (let i = 0; i < COUNT; i++) {
      before.push(...(await kept.logits(one(i), 1)));
      after.push(...(await freed.logits(one(i), 1)));
    }
    const together = [...(await freed.logits(images, COUNT))];
    return { before, after, together, freed: freed.info, kept: kept.info };
  } finally {
    await kept.release();
    await freed.release();
  }
}

const expectNear = (got: readonly number[], wanted: readonly number[]) => {
  expect(got.length).toBe(wanted.length);
  for (const [i, value] of wanted.entries())
    expect(Math.abs((got[i] ?? Number.NaN) - value)).toBeLessThan(1e-5);
};

const FREED: readonly (readonly [string, Graph])[] = [
  ['Flatten', graphOf([flatten])],
  ['a Reshape to [1, 16]', reshape(1, 16)],
  ['a Reshape to [1, -1], as exporters write one image', reshape(1, -1)],
  ['a Reshape to [-1, 16]', reshape(-1, 16)],
  ['a Reshape to [0, -1]', reshape(0, -1)],
  [
    'a Reshape by the shape of its input',
    graphOf(
      [
        { op: 'Shape', inputs: ['x'], outputs: ['shape'] },
        { op: 'Gather', inputs: ['shape', 'first'], outputs: ['n'] },
        { op: 'Concat', inputs: ['n', 'rest'], outputs: ['s'], attributes: { axis: 0 } },
        { op: 'Reshape', inputs: ['x', 's'], outputs: ['f'] },
      ],
      [sizes('first', 0), sizes('rest', -1)],
    ),
  ],
  [
    'Reshapes one after the other, and one of weights',
    graphOf(
      [
        { op: 'Reshape', inputs: ['x', 's'], outputs: ['a'] },
        { op: 'Transpose', inputs: ['a'], outputs: ['b'], attributes: { perm: [0, 2, 1] } },
        { op: 'Reshape', inputs: ['b', 't'], outputs: ['c'] },
        { op: 'Reshape', inputs: ['k', 't'], outputs: ['l'] },
        { op: 'Mul', inputs: ['c', 'l'], outputs: ['f'] },
      ],
      [sizes('s', 1, 2, 8), sizes('t', 1, 16), { name: 'k', shape: [4, 4], data: someFloats(16, 9) }],
    ),
  ],
  [
    'a bias of one row',
    graphOf(
      [flatten, matmul],
      [{ name: 'b', shape: [1, 3], data: someFloats(3, 2) }],
      [{ op: 'Add', inputs: ['z', 'b'], outputs: ['y'] }],
    ),
  ],
  [
    'Softmax over the classes',
    graphOf([flatten, matmul], [], [{ op: 'Softmax', inputs: ['z'], outputs: ['y'] }]),
  ],
];

describe('a batch of one is freed behind', () => {
  it.each(FREED)('%s: the same function, one image or many', async (_, graph) => {
    const { before, after, together, freed, kept } = await compare(graph);
    expect(freed).toMatchObject({
      fixedBatch: null,
      inputShape: [null, 1, 4, 4],
      adapted: { batch: 'freed' },
    });
    expect([kept.fixedBatch, kept.adapted]).toEqual([1, undefined]);
    // With a batch of 1 the same operators on the same shapes: not near, but the same.
    expect(after).toEqual(before);
    expectNear(together, before);
  });

  it.each([[[16]], [[16, 1]], [[1, 16]], [[4, 4]], [[1, 4, 4]], [[4, 4, 1]]])(
    'an input of %j, after what brings images there',
    async (image) => {
      const { bytes, w: weights, b } = linearModel({ image, classes: 3, batch: 1 });
      const model = await inspectModelBytes('m.onnx', bytes);
      const preparation = { mean: [0.5], std: [0.25] };
      const classifier = await openClassifier({ model, provider: 'wasm', shape, preparation });
      expect(classifier.info.adapted).toMatchObject({ ...preparation, batch: 'freed' });
      const normalised = images.map((value) => (value - 0.5) / 0.25);
      const logits = await classifier.logits(images, COUNT);
      for (const [i, value] of linearOracle(normalised, weights, b).entries()) {
        expect(Math.abs((logits[i] ?? Number.NaN) - value)).toBeLessThan(1e-4);
      }
      await classifier.release();
    },
  );

  it('shapes that the file declares for one image between its nodes', async () => {
    const tree = decodeModel('m', onnxModel(reshape(1, 16)));
    const declared = decodeModel(
      'm',
      onnxModel({ ...reshape(1, 16), outputs: [{ name: 'f', shape: [1, 16] }] }),
    );
    tree.graph?.valueInfo.push(...(declared.graph?.output ?? []));
    const model = await inspectModelBytes('m.onnx', encodeModel('m', tree));
    expect((await prepareModel(model, shape)).info.fixedBatch).toBeNull();
  });
});

const KEPT: readonly (readonly [string, Graph])[] = [
  [
    'takes its first image alone',
    graphOf(
      [
        { op: 'Slice', inputs: ['x', 'from', 'to', 'axes'], outputs: ['g'] },
        { ...flatten, inputs: ['g'] },
      ],
      [sizes('from', 0), sizes('to', 1), sizes('axes', 0)],
    ),
  ],
  [
    'drops its batch and makes it again',
    graphOf(
      [
        { op: 'Squeeze', inputs: ['x', 'axes'], outputs: ['a'] },
        { op: 'Reshape', inputs: ['a', 's'], outputs: ['f'] },
      ],
      [sizes('axes', 0), sizes('s', 1, 16)],
    ),
  ],
  [
    'normalises over its batch',
    graphOf(
      [flatten, matmul],
      [],
      [{ op: 'Softmax', inputs: ['z'], outputs: ['y'], attributes: { axis: 0 } }],
    ),
  ],
  [
    'counts the images of its batch',
    graphOf(
      [flatten, matmul, { op: 'Shape', inputs: ['z'], outputs: ['shape'] }],
      [],
      [
        { op: 'Cast', inputs: ['shape'], outputs: ['counts'], attributes: { to: 1 } },
        { op: 'ReduceMin', inputs: ['counts'], outputs: ['n'], attributes: { keepdims: 0 } },
        // A factor that is 1 here; another model's need not be 1 in a batch that no trial sees.
        { op: 'Div', inputs: ['n', 'n'], outputs: ['one'] },
        { op: 'Mul', inputs: ['z', 'one'], outputs: ['y'] },
      ],
    ),
  ],
  [
    'turns its rows around',
    graphOf(
      [flatten, matmul],
      [sizes('from', -1), sizes('to', -9), sizes('axes', 0), sizes('steps', -1)],
      [{ op: 'Slice', inputs: ['z', 'from', 'to', 'axes', 'steps'], outputs: ['y'] }],
    ),
  ],
];

describe('a batch of one is kept, and the model runs as before, where it', () => {
  it.each(KEPT)('%s', async (_, graph) => {
    const { before, after, together, freed } = await compare(graph);
    expect([freed.fixedBatch, freed.adapted]).toEqual([1, undefined]);
    expect(after).toEqual(before);
    expect(together).toEqual(before);
  });

  it('sees the other images of its batch only a little', async () => {
    const graph = graphOf(
      [flatten, matmul, { op: 'ReduceMean', inputs: ['z'], outputs: ['mean'], attributes: { axes: [0] } }],
      [{ name: 'little', shape: [1], data: Float32Array.of(0.01) }],
      [
        { op: 'Mul', inputs: ['mean', 'little'], outputs: ['part'] },
        { op: 'Add', inputs: ['z', 'part'], outputs: ['y'] },
      ],
    );
    expect((await prepared(graph)).info.fixedBatch).toBe(1);
  });

  it('normalises as in training, and so answers differently each time', async () => {
    const parameter = (name: string): Weight => ({ name, shape: [3], data: Float32Array.of(1, 1, 1) });
    const graph = graphOf([flatten, matmul], ['s', 'b', 'm', 'v'].map(parameter), [
      {
        op: 'BatchNormalization',
        inputs: ['z', 's', 'b', 'm', 'v'],
        outputs: ['y', 'rm', 'rv'],
        attributes: { training_mode: 1 },
      },
    ]);
    expect((await prepared({ ...graph, opset: 15 })).info.fixedBatch).toBe(1);
  });

  it('quantises by the scale of its batch, though the images of the trial have one scale', async () => {
    const graph = graphOf([
      { op: 'Flatten', inputs: ['x'], outputs: ['g'] },
      { op: 'DynamicQuantizeLinear', inputs: ['g'], outputs: ['q', 'scale', 'zero'] },
      { op: 'DequantizeLinear', inputs: ['q', 'scale', 'zero'], outputs: ['f'] },
    ]);
    const model = await inspectModelBytes('m.onnx', onnxModel(graph));
    // The same numbers in another order.
    const alike = Float32Array.from({ length: 4 * 16 }, (_, i) => ((i + 5 * Math.floor(i / 16)) % 16) / 15);
    expect((await prepareModel(model, shape, {}, { images: () => alike })).info.fixedBatch).toBe(1);
  });

  it('is told so', async () => {
    expect((await prepared(reshape(1, 16), { batch: 'kept' })).info.fixedBatch).toBe(1);
  });

  it('is a batch of more than one', async () => {
    const { bytes } = linearModel({ image: [1, 4, 4], classes: 3, batch: 2 });
    const ready = await prepareModel(await inspectModelBytes('m.onnx', bytes), shape);
    expect([ready.info.fixedBatch, ready.info.adapted]).toEqual([2, undefined]);
  });

  it('fails the trial on the images that it is given', async () => {
    const model = await inspectModelBytes('m.onnx', onnxModel(reshape(1, 16)));
    const broken = Float32Array.from(images).fill(Number.NaN, 20, 21);
    expect((await prepareModel(model, shape, {}, { images: () => broken })).info.fixedBatch).toBe(1);
    expect((await prepareModel(model, shape, {}, { images: () => images })).info.fixedBatch).toBeNull();
  });
});

it('a model that was made ready is not tried again', async () => {
  const ready = await prepared(reshape(1, 16));
  expect(await prepareModel(ready, shape)).toBe(ready);
  const kept = await prepared(reshape(1, 16), { batch: 'kept' });
  expect(await prepareModel(kept, shape)).toBe(kept);
});

it('a freed model stands the comparison of a run', async () => {
  const classifier = await opened(reshape(1, -1));
  await expect(checkParity(classifier, classifier, images)).resolves.toMatchObject({ images: COUNT });
  await classifier.release();
});
