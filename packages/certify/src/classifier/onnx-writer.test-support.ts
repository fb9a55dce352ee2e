/**
 * Writes tiny ONNX models for tests: just enough protobuf (onnx.proto of opset 13) for a graph of standard
 * operators with float32 weights. Test support only.
 */

/** A dimension: a size (-1, as some converters write a free one), the name of a free one, or null: free, without a name. */
export type Dim = number | string | null;

export interface TensorType {
  readonly name: string;
  readonly shape: readonly Dim[];
  /** TensorProto.DataType; 1 (float32) by default, 7 is int64, 11 float64. */
  readonly type?: number;
}

export interface Weight {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array | BigInt64Array | Uint8Array;
  /** TensorProto.DataType; by default that of the data: 1 (float32), 7 (int64), 2 (uint8). 9 is bool. */
  readonly type?: number;
}

export interface Node {
  readonly op: string;
  readonly name?: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Integers or lists of them. */
  readonly attributes?: Readonly<Record<string, number | readonly number[]>>;
}

export interface Graph {
  readonly inputs: readonly TensorType[];
  readonly outputs: readonly TensorType[];
  readonly weights?: readonly Weight[];
  readonly nodes: readonly Node[];
  readonly opset?: number;
}

type Bytes = Uint8Array<ArrayBuffer>;

function concat(parts: readonly Bytes[]): Bytes {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** A negative number takes ten bytes: 64 bits, as two's complement. */
function varint(value: number): Bytes {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest >= 128n) {
    bytes.push(Number(rest % 128n) + 128);
    rest /= 128n;
  }
  return Uint8Array.from([...bytes, Number(rest)]);
}

const int = (field: number, value: number) => concat([varint(field * 8), varint(value)]);
const raw = (field: number, value: Bytes) => concat([varint(field * 8 + 2), varint(value.length), value]);
const text = (field: number, value: string) => raw(field, Uint8Array.from(new TextEncoder().encode(value)));
const message = (field: number, ...parts: readonly Bytes[]) => raw(field, concat(parts));

const ATTRIBUTE_INT = 2;
const ATTRIBUTE_INTS = 7;

function attribute(name: string, value: number | readonly number[]): Bytes {
  const content =
    typeof value === 'number'
      ? [int(3, value), int(20, ATTRIBUTE_INT)]
      : [...value.map((v) => int(8, v)), int(20, ATTRIBUTE_INTS)];
  return message(5, text(1, name), ...content);
}

function node({ op, name, inputs, outputs, attributes = {} }: Node): Bytes {
  return message(
    1,
    ...inputs.map((name) => text(1, name)),
    ...outputs.map((name) => text(2, name)),
    ...(name === undefined ? [] : [text(3, name)]),
    text(4, op),
    ...Object.entries(attributes).map(([name, value]) => attribute(name, value)),
  );
}

function weight({ name, shape, data, type }: Weight): Bytes {
  const bytes = new Uint8Array(data.byteLength);
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  const own = data instanceof Float32Array ? 1 : data instanceof Uint8Array ? 2 : 7;
  return message(5, ...shape.map((size) => int(1, size)), int(2, type ?? own), text(8, name), raw(9, bytes));
}

function value(field: number, { name, shape, type = 1 }: TensorType): Bytes {
  const dims = shape.map((dim) =>
    message(1, ...(dim === null ? [] : [typeof dim === 'number' ? int(1, dim) : text(2, dim)])),
  );
  return message(field, text(1, name), message(2, message(1, int(1, type), message(2, ...dims))));
}

/** The bytes of an .onnx file. */
export function onnxModel({ inputs, outputs, weights = [], nodes, opset = 13 }: Graph): Bytes {
  return concat([
    int(1, 8),
    message(8, int(2, opset)),
    message(
      7,
      ...nodes.map(node),
      text(2, 'test'),
      ...weights.map(weight),
      ...inputs.map((input) => value(11, input)),
      ...outputs.map((output) => value(12, output)),
    ),
  ]);
}

/** Deterministic weights in [-1, 1). */
export function someFloats(count: number, seed: number): Float32Array<ArrayBuffer> {
  let state = seed >>> 0;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

export interface LinearOptions {
  /** Input shape without the batch; its product is the number of features. */
  readonly image: readonly number[];
  readonly classes: number;
  readonly batch?: Dim;
  /** 0 makes every answer the bias: a constant model. Default 1. */
  readonly scale?: number;
}

/** A linear classifier: Flatten, Gemm. Weights `[features, classes]` and bias `[classes]` are {@link someFloats}. */
export function linearModel({ image, classes, batch = 'n', scale = 1 }: LinearOptions) {
  const features = image.reduce((a, b) => a * b, 1);
  const w = someFloats(features * classes, 1).map((value) => scale * value);
  const b = someFloats(classes, 2);
  const bytes = onnxModel({
    inputs: [{ name: 'x', shape: [batch, ...image] }],
    outputs: [{ name: 'logits', shape: [batch, classes] }],
    weights: [
      { name: 'w', shape: [features, classes], data: w },
      { name: 'b', shape: [classes], data: b },
    ],
    nodes: [
      { op: 'Flatten', inputs: ['x'], outputs: ['flat'], attributes: { axis: 1 } },
      { op: 'Gemm', inputs: ['flat', 'w', 'b'], outputs: ['logits'] },
    ],
  });
  return { bytes, w, b, features };
}

/** The same in float64 and plain loops: `[batch, classes]`. */
export function linearOracle(images: Float32Array, w: Float32Array, b: Float32Array): number[] {
  const classes = b.length;
  const features = w.length / classes;
  const logits: number[] = [];
  for (let row = 0; row < images.length / features; row++) {
    for (let c = 0; c < classes; c++) {
      let sum = b[c] ?? Number.NaN;
      for (let f = 0; f < features; f++) {
        sum += (images[row * features + f] ?? Number.NaN) * (w[f * classes + c] ?? Number.NaN);
      }
      logits.push(sum);
    }
  }
  return logits;
}
