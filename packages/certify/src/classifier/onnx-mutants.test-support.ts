/**
 * Run as a process of its own: mutants of a small model through inspectModelBytes and openClassifier, so that a crash of
 * the runtime shows as the end of this process. Prints a JSON line a mutant. Arguments: seed, number of mutants.
 */
import { toBinary } from '@bufbuild/protobuf';
import { TurnproofError } from '@turnproof/core';
import fc from 'fast-check';
import { inspectModelBytes, openClassifier, prepareModel } from './index.ts';
import { ModelProtoSchema } from './onnx/onnx-pb.ts';
import { decodeModel, partsOf } from './onnx/tree.ts';
import { type Node, onnxModel, someFloats } from './onnx-writer.test-support.ts';

const shape = { channels: 1, height: 6, width: 6 };
const nodes: readonly Node[] = [
  {
    op: 'Conv',
    inputs: ['x', 'k'],
    outputs: ['c'],
    attributes: { kernel_shape: [3, 3], pads: [1, 1, 1, 1] },
  },
  { op: 'Relu', inputs: ['c'], outputs: ['r'] },
  { op: 'MaxPool', inputs: ['r'], outputs: ['p'], attributes: { kernel_shape: [2, 2], strides: [2, 2] } },
  { op: 'Flatten', inputs: ['p'], outputs: ['f'], attributes: { axis: 1 } },
  { op: 'Gemm', inputs: ['f', 'w', 'b'], outputs: ['y'], attributes: { transB: 0 } },
];
const original = onnxModel({
  inputs: [{ name: 'x', shape: ['n', 1, 6, 6] }],
  outputs: [{ name: 'y', shape: ['n', 3] }],
  weights: [
    { name: 'k', shape: [2, 1, 3, 3], data: someFloats(18, 1) },
    { name: 'w', shape: [18, 3], data: someFloats(54, 2) },
    { name: 'b', shape: [3], data: someFloats(3, 3) },
  ],
  nodes,
});

const OPS = [
  'Conv',
  'Relu',
  'MaxPool',
  'Flatten',
  'Gemm',
  'MatMul',
  'Reshape',
  'Transpose',
  'Loop',
  'If',
  'Pad',
];
const odd = fc.oneof(
  fc.constantFrom(0n, 1n, -1n, 2n ** 31n, 2n ** 31n - 1n, 2n ** 40n, -(2n ** 63n), 2n ** 63n - 1n),
  fc.bigInt(-8n, 64n),
);
const step = fc.record({
  kind: fc.constantFrom(
    'byte',
    'byte',
    'cut',
    'dims',
    'attribute',
    'op',
    'name',
    'type',
    'raw',
    'drop',
    'input',
  ),
  at: fc.nat(1_000_000),
  value: fc.nat(255),
  number: odd,
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** One change, to the bytes or to the tree; a change that the tree no longer allows is left out. */
function change(bytes: Uint8Array, { kind, at, value, number }: Step): Uint8Array {
  const out = Uint8Array.from(bytes);
  if (out.length === 0) return out;
  if (kind === 'byte') out[at % out.length] = value;
  if (kind === 'cut') return out.subarray(0, at % out.length);
  if (kind === 'byte') return out;
  let tree: ReturnType<typeof decodeModel>;
  try {
    tree = decodeModel('m', out);
  } catch {
    return out;
  }
  const { graph } = tree;
  const pick = <T>(list: readonly T[]): T | undefined => list[at % Math.max(1, list.length)];
  const tensor = pick(graph?.initializer ?? []);
  const node = pick(graph?.node ?? []);
  const attribute = pick(partsOf(tree).attributes);
  if (kind === 'dims' && tensor) tensor.dims[value % Math.max(1, tensor.dims.length)] = number;
  if (kind === 'raw' && tensor) tensor.rawData = tensor.rawData.subarray(0, value);
  if (kind === 'type' && tensor) tensor.dataType = value % 24;
  if (kind === 'op' && node) node.opType = OPS[value % OPS.length] ?? '';
  if (kind === 'name' && node) node.input[0] = ['', 'y', 'x', 'f', 'w'][value % 5] ?? '';
  if (kind === 'drop' && graph) graph.node.splice(value % Math.max(1, graph.node.length), 1);
  if (kind === 'attribute' && attribute) {
    if (attribute.ints.length > 0) attribute.ints[value % attribute.ints.length] = number;
    else attribute.i = number;
  }
  const type = graph?.input[0]?.type?.value;
  if (kind === 'input' && type?.case === 'tensorType') {
    const dim = type.value.shape?.dim[value % Math.max(1, type.value.shape.dim.length)];
    if (dim) dim.value = { case: 'dimValue', value: number };
    else type.value.elemType = value % 24;
  }
  return toBinary(ModelProtoSchema, tree);
}

async function outcomeOf(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  try {
    const model = await inspectModelBytes('m.onnx', bytes, { threads: 1 });
    const ready = await prepareModel(model, shape);
    const classifier = await openClassifier({ model: ready, provider: 'wasm', shape, threads: 1 });
    const { classes } = classifier;
    const logits = await classifier.logits(new Float32Array(3 * 36).fill(0.5), 3);
    await classifier.release();
    return logits.length === 3 * classes ? 'runs' : `gives ${logits.length} logits`;
  } catch (error) {
    if (error instanceof TurnproofError && error.code === 'bad-input') {
      return error.message.includes('\n') ? `several lines: ${error.message}` : 'refused';
    }
    return `fails: ${error instanceof TurnproofError ? error.code : ''} ${String(error)}`;
  }
}

const [seed = '1', count = '100'] = process.argv.slice(2);
const mutants = fc.sample(fc.array(step, { minLength: 1, maxLength: 3 }), {
  seed: Number(seed),
  numRuns: Number(count),
});
for (const [i, steps] of mutants.entries()) {
  let bytes: Uint8Array = original;
  for (const one of steps) bytes = change(bytes, one);
  const kinds = steps.map(({ kind }) => kind).join('+');
  const outcome = await outcomeOf(Uint8Array.from(bytes));
  console.log(JSON.stringify({ i, kinds, outcome }));
}
process.exit(0);
