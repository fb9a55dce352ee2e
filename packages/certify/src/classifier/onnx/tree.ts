/**
 * An ONNX model as a tree of messages, and walks over all of its parts, those inside subgraphs and functions included.
 * Fields that onnx.proto leaves out stay in the messages as unknown ones and are written back as they were.
 */
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { badInput } from '@turnproof/core';
import {
  type AttributeProto,
  type GraphProto,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  type SparseTensorProto,
  type TensorProto,
  type TypeProto,
} from './onnx-pb.ts';

/** TensorProto.DataType. */
export const FLOAT = 1;
export const FLOAT16 = 10;

/** @throws TurnproofError `bad-input` where the bytes are no such tree (`readOnnxHeader` says more of the outer layer) */
export function decodeModel(file: string, bytes: Uint8Array): ModelProto {
  try {
    return fromBinary(ModelProtoSchema, bytes);
  } catch (error) {
    // A RangeError also comes from a graph nested so deeply that the reader's stack ends.
    const words = error instanceof Error ? error.message : String(error);
    throw badInput(
      `${file}: not an ONNX model: damaged inside its graph: ${words}`,
      'export the model again',
    );
  }
}

/** @throws TurnproofError `bad-input` where the whole is larger than one message can be */
export function encodeModel(file: string, model: ModelProto): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(toBinary(ModelProtoSchema, model));
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    throw badInput(`${file}: is too large to be held in one piece: ${words}`, 'use a smaller model');
  }
}

/** Whatever holds nodes: graphs, those inside attributes, functions. The graph itself comes first. */
interface Parts {
  readonly graphs: GraphProto[];
  readonly nodes: NodeProto[];
  readonly attributes: AttributeProto[];
  readonly tensors: TensorProto[];
  readonly types: TypeProto[];
}

/** Every part of a kind, at any depth. They are the model's own: what is changed in them is changed in it. */
export function partsOf(model: ModelProto): Parts {
  const parts: Parts = { graphs: [], nodes: [], attributes: [], tensors: [], types: [] };
  const addType = (type: TypeProto | undefined): void => {
    if (!type) return;
    parts.types.push(type);
    if (type.value.case === 'sequenceType' || type.value.case === 'optionalType')
      addType(type.value.value.elemType);
  };
  const addSparse = (tensor: SparseTensorProto | undefined): void => {
    if (tensor?.values) parts.tensors.push(tensor.values);
    if (tensor?.indices) parts.tensors.push(tensor.indices);
  };
  const addAttribute = (attribute: AttributeProto): void => {
    parts.attributes.push(attribute);
    if (attribute.t) parts.tensors.push(attribute.t);
    for (const tensor of attribute.tensors) parts.tensors.push(tensor);
    addSparse(attribute.sparseTensor);
    for (const tensor of attribute.sparseTensors) addSparse(tensor);
    addType(attribute.tp);
    for (const type of attribute.typeProtos) addType(type);
    if (attribute.g) addGraph(attribute.g);
    for (const graph of attribute.graphs) addGraph(graph);
  };
  const addNodes = (nodes: readonly NodeProto[]): void => {
    for (const node of nodes) {
      parts.nodes.push(node);
      for (const attribute of node.attribute) addAttribute(attribute);
    }
  };
  const addGraph = (graph: GraphProto): void => {
    parts.graphs.push(graph);
    for (const tensor of graph.initializer) parts.tensors.push(tensor);
    for (const tensor of graph.sparseInitializer) addSparse(tensor);
    for (const value of [...graph.input, ...graph.output, ...graph.valueInfo]) addType(value.type);
    addNodes(graph.node);
  };
  if (model.graph) addGraph(model.graph);
  for (const { node, attributeProto, valueInfo } of model.functions) {
    for (const value of valueInfo) addType(value.type);
    for (const attribute of attributeProto) addAttribute(attribute);
    addNodes(node);
  }
  return parts;
}

/** The start of names that nothing in the model has. */
export function unusedPrefix(model: ModelProto): string {
  const names = new Set(
    partsOf(model).graphs.flatMap(({ node, input, initializer }) => [
      ...node.flatMap(({ output }) => output),
      ...[...input, ...initializer].map(({ name }) => name),
    ]),
  );
  let prefix = 'turnproof';
  while ([...names].some((name) => name.startsWith(prefix))) prefix += '_';
  return prefix;
}
