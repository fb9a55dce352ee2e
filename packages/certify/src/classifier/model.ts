/**
 * What a model file must be to serve as the base classifier b: one float image batch in, [n, classes] out.
 * Everything is checked before the GPU is touched. Not for running it (wasm-classifier and webgpu-classifier) nor for
 * bringing images into its layout (adapt).
 */
import { badInput } from '@turnproof/core';
import type { InferenceSession } from 'onnxruntime-web';
import type { Adaptation } from './adaptation.ts';
import { type Layout, likelyLayout } from './layout.ts';
import { type ExternalFile, externalTensors, inlineExternalData } from './onnx/external-data.ts';
import type { ModelProto } from './onnx/onnx-pb.ts';
import { decodeModel, encodeModel } from './onnx/tree.ts';
import { hasFloat16, widenFloat16 } from './onnx/widen-float16.ts';
import { readOnnxHeader } from './onnx-header.ts';
import { createSession, exclusive, loadOrt, ortMessage } from './ort-runtime.ts';
import { type Scores, scoresOf } from './scores.ts';
import { isDynamicallyQuantised, type UnsteadyNode, unsteadyNodes } from './unsteady.ts';

/** `[channels, height, width]` of the images, as the data set has them. */
export interface ImageShape {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

export interface ModelInfo {
  readonly file: string;
  /** Of the file's bytes, hexadecimal. */
  readonly sha256: string;
  /** Files beside it that hold weights; absent where all are inside. */
  readonly externalData?: readonly ExternalFile[];
  readonly inputName: string;
  /** As declared; null where a dimension is free. */
  readonly inputShape: readonly (number | null)[];
  /** By what is declared alone; null: the images (`chooseLayout`) or the user decide between nchw and nhwc. */
  readonly layout: Layout | null;
  /** The only batch size that the model takes, or null when it takes any. */
  readonly fixedBatch: number | null;
  /** As declared; null where free or not known without the images. */
  readonly channels: number | null;
  readonly height: number | null;
  readonly width: number | null;
  readonly outputName: string;
  /** As declared; null where free. */
  readonly classes: number | null;
  /** By the operator that makes them: Softmax gives probabilities. The largest is the same. */
  readonly scores: Scores;
  /** Version of the default operator set; absent when the file does not name one. */
  readonly opset?: number;
  /** Nodes that may keep it from being a function of one image; absent: none is known. */
  readonly unsteady?: readonly UnsteadyNode[];
  /** How it differs from the model of the file; absent: not at all. */
  readonly adapted?: Adaptation;
}

/** A model file that was read and checked. */
export interface InspectedModel {
  /** Complete, in float32: what the runtime is given. The file's own bytes where nothing had to be changed. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly info: ModelInfo;
  /** Set by `adaptModel`: it takes [n, channels, height, width] of just this shape. */
  readonly readyFor?: ImageShape;
}

export interface InspectOptions {
  /** Of the wasm runtime, as in `openClassifier`. */
  readonly threads?: number | undefined;
  /** Which of several outputs holds the logits. */
  readonly output?: string | undefined;
}

/** Protobuf, and so ONNX without external data, ends here. */
const MAX_BYTES = 2 ** 31 - 1;
/** Images of one run, declared by an untrusted file: buffers are made for as many. */
const MAX_BATCH = 65_536;
/** Before, onnxruntime promises nothing; later ones it refuses. Both were tried, and a test tries them again. */
export const OPSETS = { first: 7, last: 26 } as const;

/**
 * Reads a model file and checks all that can be checked without the data.
 *
 * @throws TurnproofError `bad-input`: no such file, a directory, too large, not ONNX, truncated, weights elsewhere than
 *   in its folder, operators that onnxruntime-web lacks, more than one input or output, an input that is no float image
 *   batch, an output that is not [n, classes].
 */
export async function inspectModel(path: string, options: InspectOptions = {}): Promise<InspectedModel> {
  const { readFile, stat } = await import('node:fs/promises');
  const found = await stat(path).catch((error: unknown) => {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    throw badInput(
      missing ? `${path}: no such file` : `${path}: cannot be read: ${ortMessage(error)}`,
      'give the path of an .onnx file',
    );
  });
  if (!found.isFile()) {
    throw badInput(
      `${path}: ${found.isDirectory() ? 'a directory' : 'not a regular file'}, not a model`,
      'give the path of an .onnx file',
    );
  }
  if (found.size > MAX_BYTES) {
    throw badInput(`${path}: ${found.size} bytes; models up to ${MAX_BYTES} bytes can be read`);
  }
  const bytes = await readFile(path).catch((error: unknown) => {
    throw badInput(`${path}: cannot be read: ${ortMessage(error)}`, 'check its permissions');
  });
  return inspectModelBytes(path, new Uint8Array(bytes), { ...options, beside: true });
}

/**
 * {@link inspectModel} for bytes that are already here (a browser, a test). `file` is the name in messages; external
 * data are looked for beside it only where `beside` is set.
 */
export async function inspectModelBytes(
  file: string,
  given: Uint8Array<ArrayBuffer>,
  { threads, output, beside = false }: InspectOptions & { readonly beside?: boolean } = {},
): Promise<InspectedModel> {
  const { opset } = readOnnxHeader(file, given);
  if (opset !== undefined && (opset < OPSETS.first || opset > OPSETS.last)) {
    throw badInput(
      `${file}: is of operator set ${opset}; ${OPSETS.first} to ${OPSETS.last} can be run`,
      'export it again, or convert it: onnx.version_converter.convert_version(model, 17)',
    );
  }
  const tree = decodeModel(file, given);
  const externalData = await moveInside(file, tree, beside);
  const adapted: { float16?: 'widened'; output?: string; oneByOne?: true } = {};
  if (hasFloat16(tree)) {
    widenFloat16(tree);
    adapted.float16 = 'widened';
  }
  if (output !== undefined && keepOutput(file, tree, output)) adapted.output = output;
  const changed = externalData.length > 0 || Object.keys(adapted).length > 0;
  const bytes = changed ? encodeModel(file, tree) : given;
  const ort = await loadOrt('wasm', threads);
  const declared = await exclusive(async () => {
    const session = await createSession(ort, bytes).catch((error: unknown) => {
      throw refusal(file, error);
    });
    const declared = { inputs: session.inputMetadata, outputs: session.outputMetadata };
    await session.release();
    return declared;
  });
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', given));
  const out = readOutput(file, declared.outputs);
  const input = readInput(file, declared.inputs);
  const oneByOne = input.fixedBatch === null && isDynamicallyQuantised(tree);
  if (oneByOne) adapted.oneByOne = true;
  const unsteady = unsteadyNodes(tree, out.outputName);
  const info: ModelInfo = {
    file,
    sha256: Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join(''),
    ...(externalData.length > 0 ? { externalData } : {}),
    ...input,
    // Its scale is then that of the one image.
    ...(oneByOne ? { fixedBatch: 1 } : {}),
    ...out,
    scores: scoresOf(tree, out.outputName),
    ...(opset === undefined ? {} : { opset }),
    ...(unsteady.length > 0 ? { unsteady } : {}),
    ...(Object.keys(adapted).length > 0 ? { adapted } : {}),
  };
  return { bytes, info };
}

async function moveInside(file: string, tree: ModelProto, beside: boolean): Promise<ExternalFile[]> {
  if (beside) return inlineExternalData(file, tree);
  if (externalTensors(tree).length === 0) return [];
  throw badInput(
    `${file}: keeps its weights in another file (ONNX external data)`,
    'save it as one file: onnx.save_model(model, path, save_as_external_data=False)',
  );
}

/** Leaves one of the graph's outputs. False: it is the only one anyway. */
function keepOutput(file: string, { graph }: ModelProto, name: string): boolean {
  const outputs = graph?.output ?? [];
  const kept = outputs.filter((value) => value.name === name);
  if (!graph || kept.length !== 1) {
    const names = outputs.map((value) => value.name.slice(0, 80)).join(', ') || 'none';
    throw badInput(`${file}: has no output «${name}», but: ${names}`, 'Give one of these names to --output.');
  }
  graph.output = kept;
  return outputs.length > 1;
}

function refusal(file: string, error: unknown): Error {
  const words = ortMessage(error);
  return badInput(
    `${file}: onnxruntime refuses it: ${words}`,
    `check it with onnx.checker, or export it with standard operators (operator sets ${OPSETS.first} to ${OPSETS.last})`,
  );
}

type Metadata = readonly InferenceSession.ValueMetadata[];

/** A free dimension comes by its name; one without a name as -1, read as an unsigned number: 4294967295. */
const isUnnamed = (size: number | string): boolean =>
  typeof size === 'number' && (size < 0 || size >= 2 ** 31);

/** «image float32 [batch, 1, 28, 28]», as messages show it. */
function describe(value: InferenceSession.ValueMetadata): string {
  if (!value.isTensor) return `${value.name} (not a tensor)`;
  const sizes = value.shape.map((size) => (isUnnamed(size) ? 'any' : size));
  return `${value.name} ${value.type} [${sizes.join(', ')}]`;
}

/** The one value of a kind, as a float32 tensor with its free dimensions as null. */
function single(file: string, what: 'input' | 'output', values: Metadata, fix: string) {
  const [value] = values;
  if (!value || values.length > 1) {
    const list = values.map(describe).join('; ') || 'none';
    const how = what === 'output' && values.length > 1 ? 'Say which holds the logits: --output NAME.' : fix;
    throw badInput(`${file}: the model has ${values.length} ${what}s, not one: ${list}`, how);
  }
  if (!value.isTensor || value.type !== 'float32') {
    throw badInput(`${file}: the ${what} is ${describe(value)}; it must be a float32 tensor`, fix);
  }
  const shape = value.shape.map((size) => (typeof size === 'string' || isUnnamed(size) ? null : size));
  if (shape.includes(0)) throw badInput(`${file}: the ${what} is ${describe(value)}: a dimension is 0`, fix);
  return { name: value.name, shape, words: describe(value) };
}

function readInput(file: string, values: Metadata) {
  const fix =
    'export the model with one float32 input: [n, channels, height, width], [n, height, width, channels] or [n, features]';
  const { name, shape, words } = single(file, 'input', values, fix);
  const [batch = null, ...dims] = shape;
  if (dims.length < 1 || dims.length > 3) {
    throw badInput(
      `${file}: the input is ${words}; images come as [n, channels, height, width], [n, height, width, channels] or [n, features]`,
      fix,
    );
  }
  if (batch !== null && batch > MAX_BATCH) {
    throw badInput(
      `${file}: the input is ${words}: ${batch} images at once, more than ${MAX_BATCH}`,
      'export it with a smaller batch, or a free one',
    );
  }
  const layout = likelyLayout(dims);
  const [a = null, b = null, c = null] = dims;
  const [channels, height, width] =
    layout === 'nchw' ? [a, b, c] : layout === 'nhwc' ? [c, a, b] : layout === 'hw' ? [1, a, b] : [];
  return {
    inputName: name,
    inputShape: shape,
    layout,
    fixedBatch: batch,
    channels: channels ?? null,
    height: height ?? null,
    width: width ?? null,
  };
}

function readOutput(file: string, values: Metadata) {
  const fix = 'end the model with one float32 output [n, classes] (Flatten before it where needed)';
  const { name, shape, words } = single(file, 'output', values, fix);
  // An empty shape means that shape inference gave up; the first run shows the shape then.
  const classes = shape[1] ?? null;
  if (shape.length !== 2 && shape.length !== 0) {
    throw badInput(`${file}: the output is ${words}; logits come as [n, classes]`, fix);
  }
  if (classes !== null && classes < 2) {
    throw badInput(`${file}: the output is ${words}: a classifier has at least two classes`, fix);
  }
  return { outputName: name, classes } as const;
}
