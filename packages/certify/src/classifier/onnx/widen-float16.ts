/**
 * A float16 model as a float32 one: each weight is the same number (float16 is a subset of float32), each operator works
 * in float32. Why not run it in float16: the wasm provider has no such kernels and widens on its own, and a GPU need not
 * know float16 at all, so the two providers would compute different things. What is certified is the widened model; the
 * certificate says so.
 */
import type { ModelProto, TensorProto } from './onnx-pb.ts';
import { FLOAT, FLOAT16, partsOf } from './tree.ts';

/** Integer attributes whose value is a TensorProto.DataType. */
const TYPE_ATTRIBUTES = new Set(['to', 'dtype', 'output_dtype', 'stash_type']);

export function hasFloat16(model: ModelProto): boolean {
  const { tensors, types, attributes } = partsOf(model);
  return (
    tensors.some(({ dataType }) => dataType === FLOAT16) ||
    types.some(({ value }) => value.case === 'tensorType' && value.value.elemType === FLOAT16) ||
    attributes.some(({ name, i }) => TYPE_ATTRIBUTES.has(name) && i === BigInt(FLOAT16))
  );
}

/** Changes the model in place. External weights must be inside by then. */
export function widenFloat16(model: ModelProto): void {
  const { tensors, types, attributes } = partsOf(model);
  for (const tensor of tensors) if (tensor.dataType === FLOAT16) widenTensor(tensor);
  for (const { value } of types) {
    if (value.case === 'tensorType' && value.value.elemType === FLOAT16) value.value.elemType = FLOAT;
  }
  for (const attribute of attributes) {
    if (TYPE_ATTRIBUTES.has(attribute.name) && attribute.i === BigInt(FLOAT16)) attribute.i = BigInt(FLOAT);
  }
}

function widenTensor(tensor: TensorProto): void {
  const halves =
    tensor.int32Data.length > 0
      ? Uint16Array.from(tensor.int32Data)
      : Uint16Array.from({ length: Math.floor(tensor.rawData.length / 2) }, (_, i) =>
          little(tensor.rawData, 2 * i),
        );
  const view = new DataView(new ArrayBuffer(4 * halves.length));
  for (const [i, half] of halves.entries()) view.setFloat32(4 * i, float16(half), true);
  tensor.int32Data = [];
  tensor.rawData = new Uint8Array(view.buffer);
  tensor.dataType = FLOAT;
}

const little = (bytes: Uint8Array, at: number): number => (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);

/** IEEE 754 binary16: a sign, 5 bits of exponent, 10 of fraction. Exact. */
export function float16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
}
