/**
 * Puts standard nodes before a model's graph so that whatever layout it wants, it takes float32 images
 * [n, channels, height, width] in [0, 1]: normalisation (Sub, Div), Transpose, Reshape. Both providers run the same
 * adapted model, and nothing else knows of layouts. What was done is part of the certified classifier: `Adaptation`
 * goes into the certificate.
 */
import { create } from '@bufbuild/protobuf';
import { badInput, TurnproofError } from '@turnproof/core';
import type { Adaptation, Preparation } from './adaptation.ts';
import { chooseLayout } from './layout.ts';
import type { ImageShape, InspectedModel } from './model.ts';
import { constantNode, INT64 } from './onnx/constant.ts';
import {
  type AttributeProto,
  AttributeProtoSchema,
  type GraphProto,
  type NodeProto,
  NodeProtoSchema,
  ValueInfoProtoSchema,
} from './onnx/onnx-pb.ts';
import { decodeModel, encodeModel, FLOAT, unusedPrefix } from './onnx/tree.ts';

/** AttributeProto.AttributeType. */
const INTS = 7;

/**
 * The model for images of a shape; one that is ready for it already is left as it is.
 *
 * @throws TurnproofError `bad-input` where the images do not fit, or mean and std do not fit the images
 */
export function adaptModel(
  model: InspectedModel,
  shape: ImageShape,
  preparation: Preparation,
): InspectedModel {
  const { info, readyFor } = model;
  const { channels, height, width } = shape;
  if (readyFor) {
    if (readyFor.channels === channels && readyFor.height === height && readyFor.width === width)
      return model;
    throw new TurnproofError('internal', `${info.file}: is adapted to images of another shape`);
  }
  const { mean, std } = checkedNormalisation(preparation, channels);
  const layout = chooseLayout(info, shape, preparation.order);
  const transposed = layout === 'nhwc' || (layout === 'flat' && preparation.order === 'nhwc' && channels > 1);
  const features = channels * height * width;
  const reshaped =
    layout === 'hw'
      ? [height, width]
      : layout === 'flat'
        ? info.inputShape.slice(1).map((size) => size ?? features)
        : undefined;
  const done: Adaptation = {
    ...(mean ? { mean } : {}),
    ...(std ? { std } : {}),
    ...(transposed ? { layout: 'nhwc' as const } : {}),
    ...(reshaped ? { reshaped } : {}),
  };
  if (Object.keys(done).length === 0) return { ...model, readyFor: shape };
  const tree = decodeModel(info.file, model.bytes);
  const { graph } = tree;
  if (!graph) throw badInput(`${info.file}: not an ONNX model: it holds no graph`);
  const prefix = unusedPrefix(tree);
  const nodes = new Chain(`${prefix}_images`, prefix);
  const perChannel = (values: readonly number[]) =>
    values.length === 1 ? [1, 1, 1, 1] : [1, channels, 1, 1];
  if (mean) nodes.add('Sub', [nodes.constant('mean', FLOAT, perChannel(mean), Float32Array.from(mean))]);
  if (std) nodes.add('Div', [nodes.constant('std', FLOAT, perChannel(std), Float32Array.from(std))]);
  if (transposed) nodes.add('Transpose', [], [integers('perm', [0, 2, 3, 1])]);
  if (reshaped) {
    // 0: as many as come in.
    const dims = BigInt64Array.from([info.fixedBatch ?? 0, ...reshaped], BigInt);
    nodes.add('Reshape', [nodes.constant('shape', INT64, [dims.length], dims)]);
  }
  putBefore(graph, info.inputName, nodes, [info.fixedBatch, channels, height, width]);
  return {
    readyFor: shape,
    bytes: encodeModel(info.file, tree),
    info: {
      ...info,
      inputName: nodes.input,
      inputShape: [info.fixedBatch, channels, height, width],
      layout: 'nchw',
      channels,
      height,
      width,
      adapted: { ...done, ...info.adapted },
    },
  };
}

function checkedNormalisation({ mean, std }: Preparation, channels: number) {
  for (const [name, values] of Object.entries({ mean, std })) {
    if (values && values.length !== 1 && values.length !== channels) {
      throw badInput(
        `--${name} has ${values.length} numbers, the images have ${channels} channel${channels === 1 ? '' : 's'}`,
        `Give one number, or one for each channel, such as --${name} 0.49,0.48,0.45.`,
      );
    }
  }
  const float32 = (values: readonly number[] | undefined) => values?.map(Math.fround);
  const [m, s] = [float32(mean), float32(std)];
  if (m && !m.every(Number.isFinite)) throw badInput('--mean: not a number that float32 can hold');
  if (s && !s.every((value) => Number.isFinite(value) && value > 0)) {
    throw badInput(
      '--std: not above 0, or not a number that float32 can hold',
      'Give the deviation of the pixels.',
    );
  }
  return { mean: mean && [...mean], std: std && [...std] };
}

const integers = (name: string, values: readonly number[]): AttributeProto =>
  create(AttributeProtoSchema, { name, type: INTS, ints: values.map(BigInt) });

/** Nodes, each fed by the one before. */
class Chain {
  readonly input: string;
  readonly nodes: NodeProto[] = [];
  readonly #prefix: string;
  #last: string;

  constructor(input: string, prefix: string) {
    this.input = input;
    this.#prefix = prefix;
    this.#last = input;
  }

  add(opType: string, more: readonly string[], attribute: AttributeProto[] = []): void {
    const output = `${this.#prefix}_${opType.toLowerCase()}`;
    this.nodes.push(
      create(NodeProtoSchema, {
        name: output,
        opType,
        input: [this.#last, ...more],
        output: [output],
        attribute,
      }),
    );
    this.#last = output;
  }

  constant(
    name: string,
    dataType: number,
    dims: readonly number[],
    values: Float32Array | BigInt64Array,
  ): string {
    const output = `${this.#prefix}_${name}`;
    this.nodes.push(constantNode(output, dataType, dims, values));
    return output;
  }
}

/** The graph's input becomes what the chain gives, and the chain's input the graph's. */
function putBefore(
  graph: GraphProto,
  inputName: string,
  chain: Chain,
  dims: readonly (number | null)[],
): void {
  const last = chain.nodes.at(-1);
  if (last) last.output = [inputName];
  const dim = dims.map((size) => ({
    value:
      size === null
        ? { case: 'dimParam' as const, value: 'n' }
        : { case: 'dimValue' as const, value: BigInt(size) },
  }));
  const input = create(ValueInfoProtoSchema, {
    name: chain.input,
    type: { value: { case: 'tensorType', value: { elemType: FLOAT, shape: { dim } } } },
  });
  graph.input = graph.input.map((value) => (value.name === inputName ? input : value));
  graph.node = [...chain.nodes, ...graph.node];
}
