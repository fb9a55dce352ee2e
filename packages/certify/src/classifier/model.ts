/**
 * What a model file must be to serve as the base classifier b: one float32 image batch in, [n, classes] out.
 * Everything is checked before the GPU is touched. Not for running it: that is wasm-classifier and webgpu-classifier.
 */
import { badInput } from '@turnproof/core';
import type { InferenceSession } from 'onnxruntime-web';
import { readOnnxHeader } from './onnx-header.ts';
import { createSession, exclusive, loadOrt, ortMessage } from './ort-runtime.ts';

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
  readonly inputName: string;
  /** As declared; null where a dimension is free. */
  readonly inputShape: readonly (number | null)[];
  /** `nchw`: [n, channels, height, width]. `flat`: [n, channels * height * width], the same numbers in the same order. */
  readonly layout: 'nchw' | 'flat';
  /** The only batch size that the model takes, or null when it takes any. */
  readonly fixedBatch: number | null;
  /** As declared; null where free, and always null for `flat`. */
  readonly channels: number | null;
  readonly height: number | null;
  readonly width: number | null;
  readonly outputName: string;
  /** As declared; null where free. */
  readonly classes: number | null;
  /** Version of the default operator set; absent when the file does not name one. */
  readonly opset?: number;
}

/** A model file that was read and checked. */
export interface InspectedModel {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly info: ModelInfo;
}

/** Protobuf, and so ONNX without external data, ends here. */
const MAX_BYTES = 2 ** 31 - 1;

/**
 * Reads a model file and checks all that can be checked without the data.
 *
 * @param threads of the wasm runtime, as in `openClassifier`
 * @throws TurnproofError `bad-input`: no such file, a directory, too large, not ONNX, truncated, operators that
 *   onnxruntime-web lacks, more than one input or output, an input that is no float32 image batch, an output that
 *   is not [n, classes].
 */
export async function inspectModel(path: string, threads?: number): Promise<InspectedModel> {
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
  return inspectModelBytes(path, new Uint8Array(bytes), threads);
}

/** {@link inspectModel} for bytes that are already here (a browser, a test). `file` is the name in messages. */
export async function inspectModelBytes(
  file: string,
  bytes: Uint8Array<ArrayBuffer>,
  threads?: number,
): Promise<InspectedModel> {
  const { opset } = readOnnxHeader(file, bytes);
  const ort = await loadOrt('wasm', threads);
  const { inputs, outputs } = await exclusive(async () => {
    const session = await createSession(ort, bytes).catch((error: unknown) => {
      throw refusal(file, error);
    });
    const declared = { inputs: session.inputMetadata, outputs: session.outputMetadata };
    await session.release();
    return declared;
  });
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  const info: ModelInfo = {
    file,
    sha256: Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join(''),
    ...readInput(file, inputs),
    ...readOutput(file, outputs),
    ...(opset === undefined ? {} : { opset }),
  };
  return { bytes, info };
}

function refusal(file: string, error: unknown): Error {
  const words = ortMessage(error);
  if (/external data|model_path must not be empty/i.test(words)) {
    return badInput(
      `${file}: keeps its weights in another file (ONNX external data)`,
      'save it as one file: onnx.save_model(model, path, save_as_external_data=False)',
    );
  }
  return badInput(
    `${file}: onnxruntime refuses it: ${words}`,
    'check it with onnx.checker, or export it with operators of a standard opset (13 to 21)',
  );
}

type Metadata = readonly InferenceSession.ValueMetadata[];

/** «image float32 [batch, 1, 28, 28]», as messages show it. */
function describe(value: InferenceSession.ValueMetadata): string {
  if (!value.isTensor) return `${value.name} (not a tensor)`;
  return `${value.name} ${value.type} [${value.shape.join(', ')}]`;
}

/** The one value of a kind, as a float32 tensor with its free dimensions as null. */
function single(file: string, what: 'input' | 'output', values: Metadata, fix: string) {
  const [value] = values;
  if (!value || values.length > 1) {
    const list = values.map(describe).join('; ') || 'none';
    throw badInput(`${file}: the model has ${values.length} ${what}s, not one: ${list}`, fix);
  }
  if (!value.isTensor || value.type !== 'float32') {
    throw badInput(`${file}: the ${what} is ${describe(value)}; it must be a float32 tensor`, fix);
  }
  // Free dimensions come as names, unnamed ones as -1.
  const shape = value.shape.map((size) => (typeof size === 'number' && size >= 0 ? size : null));
  if (shape.includes(0)) throw badInput(`${file}: the ${what} is ${describe(value)}: a dimension is 0`, fix);
  return { name: value.name, shape, words: describe(value) };
}

function readInput(file: string, values: Metadata) {
  const fix = 'export the model with one float32 input [n, channels, height, width] or [n, features]';
  const { name, shape, words } = single(file, 'input', values, fix);
  const [batch = null, ...rest] = shape;
  const base = { inputName: name, inputShape: shape, fixedBatch: batch };
  if (rest.length === 3) {
    const [channels = null, height = null, width = null] = rest;
    return { ...base, layout: 'nchw', channels, height, width } as const;
  }
  if (rest.length === 1)
    return { ...base, layout: 'flat', channels: null, height: null, width: null } as const;
  throw badInput(
    `${file}: the input is ${words}; images come as [n, channels, height, width] or [n, features]`,
    fix,
  );
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

/**
 * Does the model take images of this shape?
 *
 * @throws TurnproofError `bad-input` that names both shapes.
 */
export function checkShape(info: ModelInfo, shape: ImageShape): void {
  const fix = 'use the data set that the model was trained for';
  const { channels, height, width } = shape;
  const data = `[${channels}, ${height}, ${width}]`;
  const fits = (declared: number | null | undefined, size: number) => declared == null || declared === size;
  if (info.layout === 'flat') {
    const features = info.inputShape[1];
    if (!fits(features, channels * height * width)) {
      throw badInput(
        `${info.file}: the model takes ${features} numbers an image, the data has ${data} = ${channels * height * width}`,
        fix,
      );
    }
    return;
  }
  if (!fits(info.channels, channels) || !fits(info.height, height) || !fits(info.width, width)) {
    const model = [info.channels, info.height, info.width].map((size) => size ?? 'any').join(', ');
    throw badInput(`${info.file}: the model takes images [${model}], the data has ${data}`, fix);
  }
}

/** The input's dimensions for one run. */
export function inputDims(info: ModelInfo, shape: ImageShape, batch: number): number[] {
  const { channels, height, width } = shape;
  return info.layout === 'flat' ? [batch, channels * height * width] : [batch, channels, height, width];
}
