/** Models: damaged, hostile, of another kind. */
import { execFileSync } from 'node:child_process';
import { mkdir, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Graph,
  linearModel,
  type Node,
  onnxModel,
  someFloats,
} from '../../../certify/src/classifier/onnx-writer.test-support.ts';
import { idxImages, idxLabels } from '../../src/data/testing/files.ts';
import { type Case, certifyWith } from './case.ts';

const image = [1, 4, 4];
const weights = [{ name: 'w', shape: [16, 3], data: someFloats(48, 1) }];
const input = { name: 'x', shape: ['n', ...image] };
const output = { name: 'y', shape: ['n', 3] };
const flatten: Node = { op: 'Flatten', inputs: ['s'], outputs: ['f'] };
const multiply: Node = { op: 'MatMul', inputs: ['f', 'w'], outputs: ['y'] };

const behind = (...nodes: Node[]): Graph => ({
  inputs: [input],
  outputs: [output],
  weights,
  nodes: [...nodes, flatten, multiply],
});

const varint = (value: number): number[] =>
  value < 128 ? [value] : [(value & 127) | 128, ...varint(value >> 7)];
const field = (number: number, bytes: Uint8Array | number[]): Buffer =>
  Buffer.from([...varint(number * 8 + 2), ...varint(bytes.length), ...bytes]);

/** A graph in an attribute of a node of a graph in an attribute ... */
function nested(depth: number): Buffer {
  let graph: Buffer = Buffer.alloc(0);
  for (let i = 0; i < depth; i++) {
    const attribute = Buffer.concat([field(1, Buffer.from('g')), field(6, graph)]);
    graph = field(1, Buffer.concat([field(4, Buffer.from('If')), field(5, attribute)]));
  }
  return Buffer.concat([Buffer.from([8, 8]), field(7, graph)]);
}

/** «w» of a linear model, kept where the entries say. */
function external(location: string, dims: readonly number[] = [16, 3]): Buffer {
  const entry = (key: string, value: string) =>
    field(13, Buffer.concat([field(1, Buffer.from(key)), field(2, Buffer.from(value))]));
  const tensor = Buffer.concat([
    ...dims.map((dim) => Buffer.from([8, ...varint(dim)])),
    Buffer.from([16, 1]),
    field(8, Buffer.from('w')),
    entry('location', location),
    Buffer.from([14 * 8, 1]),
  ]);
  const rest = onnxModel({ ...behind({ op: 'Relu', inputs: ['x'], outputs: ['s'] }), weights: [] });
  // Messages that are put one after the other are merged, by the rules of protobuf.
  return Buffer.concat([rest, field(7, field(5, tensor))]);
}

/** Bytes changed by a fixed rule, so that each run tries the same. */
function mutant(seed: number): Uint8Array {
  const bytes = Uint8Array.from(linearModel({ image, classes: 3 }).bytes);
  let state = seed;
  for (let i = 0; i < 3; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const at = state % Math.min(bytes.length, 200);
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}

export async function modelCases(inputs: string): Promise<Case[]> {
  const write = (name: string, bytes: Uint8Array | string) => writeFile(join(inputs, name), bytes);
  await mkdir(join(inputs, 'mnist'));
  await write(
    'mnist/t10k-images-idx3-ubyte',
    idxImages(
      [3, 4, 4],
      Uint8Array.from({ length: 48 }, (_, i) => 5 * i),
    ),
  );
  await write('mnist/t10k-labels-idx1-ubyte', idxLabels([0, 1, 2]));
  const good = linearModel({ image, classes: 3 }).bytes;
  const files: Record<string, Uint8Array | string> = {
    'model.onnx': good,
    'empty.onnx': '',
    'text.onnx': 'this is no ONNX file\n',
    'zeros.onnx': new Uint8Array(4096),
    'cut.onnx': good.subarray(0, 150),
    'picture.onnx': Buffer.from('\x89PNG\r\n\x1a\n\0\0\0\rIHDR', 'latin1'),
    'nograph.onnx': Uint8Array.of(8, 8),
    'opset6.onnx': onnxModel({ ...behind({ op: 'Relu', inputs: ['x'], outputs: ['s'] }), opset: 6 }),
    'opset99.onnx': onnxModel({ ...behind({ op: 'Relu', inputs: ['x'], outputs: ['s'] }), opset: 99 }),
    'unknown.onnx': onnxModel(behind({ op: 'NoSuchOp', inputs: ['x'], outputs: ['s'] })),
    'cycle.onnx': onnxModel(behind({ op: 'Add', inputs: ['x', 'f'], outputs: ['s'] })),
    'two-inputs.onnx': onnxModel({
      ...behind({ op: 'Add', inputs: ['x', 'z'], outputs: ['s'] }),
      inputs: [input, { name: 'z', shape: ['n', 1, 4, 4] }],
    }),
    'two-outputs.onnx': onnxModel({
      ...behind({ op: 'Relu', inputs: ['x'], outputs: ['s'] }),
      outputs: [output, { name: 'f', shape: ['n', 16] }],
    }),
    'channels.onnx': linearModel({ image: [3, 4, 4], classes: 3 }).bytes,
    'size.onnx': linearModel({ image: [1, 5, 5], classes: 3 }).bytes,
    'one-class.onnx': linearModel({ image, classes: 1 }).bytes,
    'batch.onnx': linearModel({ image, classes: 3, batch: 2 ** 30 }).bytes,
    'free.onnx': onnxModel({
      ...behind({ op: 'Relu', inputs: ['x'], outputs: ['s'] }),
      inputs: [{ name: 'x', shape: ['n', 'a', 'b', 'c'] }],
    }),
    // 2^40 floats, made when the model runs.
    'memory.onnx': onnxModel({
      ...behind(
        { op: 'ConstantOfShape', inputs: ['huge'], outputs: ['zeros'] },
        { op: 'ReduceSum', inputs: ['zeros'], outputs: ['sum'] },
        { op: 'Add', inputs: ['x', 'sum'], outputs: ['s'] },
      ),
      weights: [...weights, { name: 'huge', shape: [2], data: BigInt64Array.of(2n ** 20n, 2n ** 20n) }],
    }),
    'nested.onnx': nested(3000),
    'outside.onnx': external('../secret.bin'),
    'absolute.onnx': external('/etc/passwd'),
    'linked.onnx': external('out.bin'),
    'gone.onnx': external('gone.bin'),
    'short.onnx': external('cut-weights.bin'),
    'huge-shape.onnx': external('cut-weights.bin', [2 ** 20, 2 ** 20]),
    'nan.onnx': onnxModel({
      ...behind({ op: 'Relu', inputs: ['x'], outputs: ['s'] }),
      weights: [{ name: 'w', shape: [16, 3], data: new Float32Array(48).fill(Number.NaN) }],
    }),
    'cut-weights.bin': 'short',
    'unreadable.onnx': good,
    '\u001b[2Jodd\u202e.onnx': 'no model',
  };
  for (const [name, bytes] of Object.entries(files)) await write(name, bytes);
  await symlink('/etc/hostname', join(inputs, 'out.bin'));
  await write('sparse.onnx', '');
  await truncate(join(inputs, 'sparse.onnx'), 2 ** 32);
  execFileSync('mkfifo', [join(inputs, 'pipe.onnx')]);
  execFileSync('chmod', ['600', join(inputs, 'unreadable.onnx')]);
  const model = (what: string, file: string, more: Partial<Case> = {}): Case => ({
    what: `model: ${what}`,
    args: certifyWith(inputs, { model: join(inputs, file) }),
    ...more,
  });
  const mutants = Array.from({ length: 10 }, (_, i) => i + 1);
  for (const seed of mutants) await write(`mutant-${seed}.onnx`, mutant(seed));
  return [
    model('missing', 'nowhere.onnx'),
    model('a folder', 'mnist'),
    model('a pipe that nobody writes to', 'pipe.onnx'),
    model('4 GiB of nothing', 'sparse.onnx'),
    model('empty', 'empty.onnx'),
    model('text', 'text.onnx'),
    model('zero bytes', 'zeros.onnx'),
    model('cut', 'cut.onnx'),
    model('the start of a PNG', 'picture.onnx'),
    model('a protobuf without graph', 'nograph.onnx'),
    model('of operator set 6', 'opset6.onnx'),
    model('of operator set 99', 'opset99.onnx'),
    model('an unknown operator', 'unknown.onnx'),
    model('a cycle in the graph', 'cycle.onnx'),
    model('two inputs', 'two-inputs.onnx'),
    model('two outputs', 'two-outputs.onnx'),
    model('an output that is not there', 'two-outputs.onnx', {
      args: certifyWith(inputs, { model: join(inputs, 'two-outputs.onnx'), output: 'logits' }),
    }),
    model('for 3 channels', 'channels.onnx'),
    model('for another size', 'size.onnx'),
    model('one class', 'one-class.onnx'),
    model('a batch of 2^30', 'batch.onnx'),
    model('no declared layout', 'free.onnx'),
    model('2^40 numbers made at run time', 'memory.onnx'),
    model('graphs nested 3,000 deep', 'nested.onnx'),
    model('NaN weights', 'nan.onnx', { codes: [0, 42] }),
    model('weights above its folder', 'outside.onnx'),
    model('weights at an absolute path', 'absolute.onnx'),
    model('weights behind a link to another file', 'linked.onnx'),
    model('weights that are not there', 'gone.onnx'),
    model('weights that are cut', 'short.onnx'),
    model('weights of 4 TiB by their shape', 'huge-shape.onnx'),
    model('not readable', 'unreadable.onnx', { as: 'nobody' }),
    model('a name of control characters', '\u001b[2Jodd\u202e.onnx'),
    ...mutants.map((seed) => ({
      what: `model: mutant ${seed}`,
      args: ['model', 'inspect', join(inputs, `mutant-${seed}.onnx`), '--data', `mnist:${inputs}/mnist`],
      codes: [0, 2],
    })),
  ];
}
