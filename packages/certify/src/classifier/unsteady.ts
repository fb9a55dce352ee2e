/**
 * Nodes of a model that keep it from being a function of one image: they draw random numbers, or mix the images of a batch.
 * Where a model is found to be none (`checkParity`), they say why. Not a proof: other nodes can do the same.
 */
import type { ModelProto, NodeProto, TensorProto } from './onnx/onnx-pb.ts';
import { partsOf } from './onnx/tree.ts';

export interface UnsteadyNode {
  /** What it is, in words. */
  readonly op: string;
  /** The node's name, or what it gives where it has none. */
  readonly node: string;
  /** random: other answers each time. batch: answers that depend on the other images. */
  readonly kind: 'random' | 'batch';
}

const RANDOM = new Set([
  'Bernoulli',
  'Multinomial',
  'RandomNormal',
  'RandomNormalLike',
  'RandomUniform',
  'RandomUniformLike',
]);
const NORMALISING = new Set(['Softmax', 'LogSoftmax', 'Hardmax']);
/** Their scale is that of the whole tensor, so of all images in the batch. */
const DYNAMIC = new Set(['DynamicQuantizeLinear', 'DynamicQuantizeMatMul', 'DynamicQuantizeLSTM']);

export function unsteadyNodes(model: ModelProto, outputName: string): UnsteadyNode[] {
  const { nodes, graphs } = partsOf(model);
  const constants = new Map<string, TensorProto>();
  for (const tensor of graphs.flatMap(({ initializer }) => initializer)) constants.set(tensor.name, tensor);
  for (const { opType, output, attribute } of nodes) {
    const value = opType === 'Constant' ? attribute.find(({ name }) => name === 'value')?.t : undefined;
    if (value && output[0] !== undefined) constants.set(output[0], value);
  }
  return nodes.flatMap((node): UnsteadyNode[] => {
    const found = judge(node, constants, outputName);
    return found ? [{ ...found, node: node.name || (node.output[0] ?? '') }] : [];
  });
}

/** Is an image's answer here a matter of the scale of its whole batch, and of nothing else? */
export function isDynamicallyQuantised(model: ModelProto): boolean {
  return partsOf(model).nodes.some(({ opType }) => DYNAMIC.has(opType));
}

function judge(
  node: NodeProto,
  constants: ReadonlyMap<string, TensorProto>,
  outputName: string,
): Omit<UnsteadyNode, 'node'> | null {
  const { opType: op, input, output } = node;
  if (RANDOM.has(op)) return { op, kind: 'random' };
  if (DYNAMIC.has(op)) return { op, kind: 'batch' };
  const training = { op: `${op} in training mode` };
  if (op === 'Dropout') {
    // From operator set 12 on the third input says so; before, it never drops.
    const mode = input[2] ?? '';
    return mode === '' || isFalse(constants.get(mode)) ? null : { ...training, kind: 'random' };
  }
  if (op === 'BatchNormalization') {
    // Before operator set 14 it is in training mode where it gives its new mean.
    const trains = integerOf(node, 'training_mode') === 1 || (output[1] ?? '') !== '';
    return trains ? { ...training, kind: 'batch' } : null;
  }
  if (NORMALISING.has(op)) {
    const axis = integerOf(node, 'axis');
    const overBatch = axis === 0 || (axis === -2 && output.includes(outputName));
    return overBatch ? { op: `${op} over the batch`, kind: 'batch' } : null;
  }
  return null;
}

function integerOf({ attribute }: NodeProto, name: string): number | undefined {
  const found = attribute.find((each) => each.name === name);
  return found && Number(found.i);
}

/** A tensor of zeros alone; of one that is not known nothing is known. */
function isFalse(tensor: TensorProto | undefined): boolean {
  if (!tensor) return false;
  return tensor.rawData.every((byte) => byte === 0) && tensor.int32Data.every((value) => value === 0);
}
