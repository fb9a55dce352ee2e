/**
 * A model whose batch is fixed to one image, as one that takes any: many images in one call instead of one call each.
 *
 * With a batch of 1 it is the same function, by construction: only the declared batch and the shapes of Reshape nodes
 * change, and these give the very shapes that they gave (`freedGraph`). That its rows do not see each other is tried, as
 * it is of every model; a model that does not stand the trial stays as it is.
 */
import { create } from '@bufbuild/protobuf';
import { badInput } from '@turnproof/core';
import { adaptModel } from './adapt.ts';
import type { Preparation } from './adaptation.ts';
import { imageLength } from './classifier.ts';
import type { ImageShape, InspectedModel } from './model.ts';
import { constantNode, INT64 } from './onnx/constant.ts';
import {
  type GraphProto,
  type NodeProto,
  TensorShapeProto_DimensionSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from './onnx/onnx-pb.ts';
import { decodeModel, encodeModel, unusedPrefix } from './onnx/tree.ts';
import { createSession, exclusive, loadOrt } from './ort-runtime.ts';
import { checkParity } from './parity.ts';
import { WasmClassifier } from './wasm-classifier.ts';

export interface PrepareOptions {
  /** Of the wasm runtime. */
  readonly threads?: number | undefined;
  /** Different images `[count, channels, height, width]` for the trial, two at least; by default noise. */
  readonly images?: () => Promise<Float32Array> | Float32Array;
}

/**
 * The model for images of a shape: adapted (see `adaptModel`) and, where its batch is fixed to 1 and nothing speaks
 * against it, with that batch free.
 *
 * @throws TurnproofError `bad-input` as `adaptModel` does
 */
export async function prepareModel(
  inspected: InspectedModel,
  shape: ImageShape,
  preparation: Preparation = {},
  { threads, images = () => noiseImages(shape) }: PrepareOptions = {},
): Promise<InspectedModel> {
  const model = adaptModel(inspected, shape, preparation);
  // As the file declares it: a model may be run one image at a time for a reason of its own.
  const isOfOne = inspected.info.inputShape[0] === 1 && !inspected.info.unsteady;
  if (inspected.readyFor || !isOfOne || preparation.batch === 'kept') return model;
  const opened: WasmClassifier[] = [];
  const open = async (one: InspectedModel): Promise<WasmClassifier> => {
    const classifier = await WasmClassifier.open(one, shape, threads);
    opened.push(classifier);
    return classifier;
  };
  try {
    const freed = await freedModel(model, threads);
    await checkParity(await open(freed), await open(model), await images());
    return freed;
  } catch {
    // Whatever is in the way (a shape that does not follow, rows that mix, memory): as it is, it still runs.
    return model;
  } finally {
    for (const classifier of opened) await classifier.release();
  }
}

/** Enough to see rows that mix, few enough for large images. */
const TRIAL_IMAGES = 4;

/** Numbers in [0, 1) that look random, the same everywhere. */
function noiseImages(shape: ImageShape): Float32Array {
  let state = 1;
  return Float32Array.from({ length: TRIAL_IMAGES * imageLength(shape) }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  });
}

async function freedModel(model: InspectedModel, threads: number | undefined): Promise<InspectedModel> {
  const { info, bytes } = model;
  const tree = decodeModel(info.file, bytes);
  const { graph } = tree;
  if (!graph) throw badInput(`${info.file}: not an ONNX model: it holds no graph`);
  const shapes = await shapesOf(model, reshapesOf(graph), threads);
  freedGraph(graph, info, shapes, unusedPrefix(tree));
  if (mayCount(graph, info.outputName)) throw badInput(`${info.file}: may count the images of its batch`);
  return {
    ...model,
    bytes: encodeModel(info.file, tree),
    info: {
      ...info,
      inputShape: [null, ...info.inputShape.slice(1)],
      fixedBatch: null,
      adapted: { ...info.adapted, batch: 'freed' },
    },
  };
}

const isStandard = ({ domain }: NodeProto): boolean => domain === '' || domain === 'ai.onnx';

function reshapesOf({ node }: GraphProto): NodeProto[] {
  return node.filter((one) => one.opType === 'Reshape' && isStandard(one));
}

/**
 * What nodes give, by the runtime's inference from declared shapes alone: true whatever the images are. Those that it
 * does not know are missing.
 */
async function shapesOf(
  { info, bytes }: InspectedModel,
  nodes: readonly NodeProto[],
  threads: number | undefined,
): Promise<ReadonlyMap<string, readonly number[]>> {
  const tree = decodeModel(info.file, bytes);
  const declared = new Set(tree.graph?.output.map(({ name }) => name));
  for (const name of nodes.flatMap(({ output }) => output)) {
    if (!declared.has(name)) tree.graph?.output.push(create(ValueInfoProtoSchema, { name }));
  }
  const ort = await loadOrt('wasm', threads);
  const metadata = await exclusive(async () => {
    const session = await createSession(ort, encodeModel(info.file, tree));
    const { outputMetadata } = session;
    await session.release();
    return outputMetadata;
  });
  const isSize = (size: number | string): size is number =>
    typeof size === 'number' && size >= 1 && size < 2 ** 31;
  return new Map(
    metadata.flatMap((value) =>
      value.isTensor && value.shape.every(isSize) ? [[value.name, value.shape.filter(isSize)] as const] : [],
    ),
  );
}

/**
 * Frees the first dimension of input and output. A Reshape that gives [1, a, b, ...], all known, is told to give
 * [as many as there are, a, b, ...]: of a batch of 1 that is the same, whatever it was told before and how.
 */
function freedGraph(
  graph: GraphProto,
  { inputName, outputName }: Pick<InspectedModel['info'], 'inputName' | 'outputName'>,
  shapes: ReadonlyMap<string, readonly number[]>,
  prefix: string,
): void {
  for (const value of [...graph.input, ...graph.output]) {
    if (value.name === inputName || value.name === outputName) freeFirst(value);
  }
  // They are for one image; the runtime infers them again.
  graph.valueInfo = [];
  const constants: NodeProto[] = [];
  for (const [i, node] of reshapesOf(graph).entries()) {
    const [first, ...rest] = shapes.get(node.output[0] ?? '') ?? [];
    if (first !== 1) continue;
    const name = `${prefix}_batch_${i}`;
    const dims = BigInt64Array.from([-1, ...rest], BigInt);
    constants.push(constantNode(name, INT64, [dims.length], dims));
    node.input = [node.input[0] ?? '', name];
  }
  graph.node = [...constants, ...graph.node];
}

/** Operators that give the number of images, or hide what they do in graphs of their own. */
const COUNTING = ['Shape', 'Size', 'If', 'Loop', 'Scan'];

/** Does the output depend on such an operator? With one image it was a constant. */
function mayCount({ node }: GraphProto, outputName: string): boolean {
  const makers = new Map(node.flatMap((one) => one.output.map((name) => [name, one] as const)));
  const open = [outputName];
  const seen = new Set<NodeProto>();
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const maker = makers.get(name);
    if (!maker || seen.has(maker)) continue;
    seen.add(maker);
    open.push(...maker.input);
  }
  return [...seen].some((one) => COUNTING.includes(one.opType));
}

function freeFirst({ type }: ValueInfoProto): void {
  if (type?.value.case !== 'tensorType') return;
  const { shape } = type.value.value;
  if (!shape || shape.dim.length === 0) return;
  shape.dim[0] = create(TensorShapeProto_DimensionSchema, { value: { case: 'dimParam', value: 'n' } });
}
