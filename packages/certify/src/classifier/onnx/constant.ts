/** Constant nodes: old models would need an initialiser to be an input. */
import { create } from '@bufbuild/protobuf';
import { AttributeProtoSchema, type NodeProto, NodeProtoSchema, TensorProtoSchema } from './onnx-pb.ts';

/** TensorProto.DataType. */
export const INT64 = 7;
/** AttributeProto.AttributeType. */
const TENSOR = 4;

export function constantNode(
  output: string,
  dataType: number,
  dims: readonly number[],
  values: Float32Array | BigInt64Array,
): NodeProto {
  const t = create(TensorProtoSchema, {
    dataType,
    dims: dims.map(BigInt),
    // ONNX is little-endian, as every machine is that runs this.
    rawData: new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
  });
  const attribute = [create(AttributeProtoSchema, { name: 'value', type: TENSOR, t })];
  return create(NodeProtoSchema, { name: output, opType: 'Constant', output: [output], attribute });
}
