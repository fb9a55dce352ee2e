/**
 * Weights that an ONNX model keeps in other files («external data»). A model file is untrusted: the name that it gives must
 * lie in its own folder or below, be a regular file, and be as long as the tensor says, all before anything of that size
 * is held. A file of that name may be a link, and then it leads where its owner wants: caches of model hubs keep models
 * and weights as links into one folder. No model can make a link. Linked folders on the way must stay inside. The weights
 * are put into the model in memory; the runtime never sees a path.
 */
import { badInput } from '@turnproof/core';
import type { ModelProto, TensorProto } from './onnx-pb.ts';
import { partsOf } from './tree.ts';

export interface ExternalFile {
  /** As the model names it: relative to the model's folder, with forward slashes. */
  readonly file: string;
  /** Of the whole file. */
  readonly sha256: string;
}

/** TensorProto.DataLocation. */
const EXTERNAL = 1;

/** Bits of an element by TensorProto.DataType; strings have no fixed size and cannot be external. */
const BITS: Readonly<Record<number, number>> = {
  1: 32, // float32
  2: 8, // uint8
  3: 8, // int8
  4: 16, // uint16
  5: 16, // int16
  6: 32, // int32
  7: 64, // int64
  9: 8, // bool
  10: 16, // float16
  11: 64, // float64
  12: 32, // uint32
  13: 64, // uint64
  14: 64, // complex64
  15: 128, // complex128
  16: 16, // bfloat16
  17: 8, // float8e4m3fn
  18: 8, // float8e4m3fnuz
  19: 8, // float8e5m2
  20: 8, // float8e5m2fnuz
  21: 4, // uint4
  22: 4, // int4
};

/** Protobuf, and so the model with its weights inside, ends here. */
const MAX_TOTAL = 2 ** 31 - 1;
/** More files than any exporter writes (one for each tensor at most). */
const MAX_FILES = 10_000;

const FIX = 'save it as one file: onnx.save_model(model, path, save_as_external_data=False)';

interface Place {
  readonly tensor: TensorProto;
  readonly words: string;
  readonly location: string;
  readonly offset: number;
  readonly length: number;
}

export function externalTensors(model: ModelProto): TensorProto[] {
  return partsOf(model).tensors.filter(({ dataLocation }) => dataLocation === EXTERNAL);
}

/**
 * Moves all external weights into the model.
 *
 * @param path of the model file
 * @returns the files that they came from, in the order of their names; empty where there are none
 * @throws TurnproofError `bad-input` naming model, tensor and file
 */
export async function inlineExternalData(path: string, model: ModelProto): Promise<ExternalFile[]> {
  const places = externalTensors(model).map((tensor) => placeOf(path, tensor));
  if (places.length === 0) return [];
  const byFile = new Map<string, Place[]>();
  for (const place of places) {
    const group = byFile.get(place.location);
    if (group) group.push(place);
    else byFile.set(place.location, [place]);
  }
  if (byFile.size > MAX_FILES) {
    throw badInput(`${path}: names ${byFile.size} files of weights, more than ${MAX_FILES}`, FIX);
  }
  const total = places.reduce((sum, { length }) => sum + length, 0);
  if (total > MAX_TOTAL) {
    throw badInput(
      `${path}: its weights are ${total} bytes; at most ${MAX_TOTAL} can be held`,
      'use a smaller model',
    );
  }
  const files: ExternalFile[] = [];
  for (const location of [...byFile.keys()].sort()) {
    const { bytes, sha256 } = await readBeside(path, location);
    for (const { tensor, words, offset, length } of byFile.get(location) ?? []) {
      if (offset + length > bytes.length) {
        throw badInput(
          `${path}: ${words} needs bytes ${offset} to ${offset + length} of ${location}, which has ${bytes.length}`,
          'copy the file of weights again: it is cut, or belongs to another model',
        );
      }
      tensor.rawData = bytes.subarray(offset, offset + length);
      tensor.dataLocation = 0;
      tensor.externalData = [];
    }
    files.push({ file: location, sha256 });
  }
  return files;
}

/** What a tensor's entries say, checked against its own shape. */
function placeOf(path: string, tensor: TensorProto): Place {
  const words = `weight «${tensor.name.slice(0, 80)}»`;
  const entries = new Map(tensor.externalData.map(({ key, value }) => [key, value]));
  const location = entries.get('location') ?? '';
  checkLocation(path, words, location);
  const bits = BITS[tensor.dataType];
  if (bits === undefined) {
    throw badInput(`${path}: ${words} is external and of the unknown type ${tensor.dataType}`, FIX);
  }
  if (tensor.dims.some((dim) => dim < 0n)) throw badInput(`${path}: ${words} has a negative size`, FIX);
  // BigInt: a product of declared sizes must not be rounded into something that fits.
  const size = (tensor.dims.reduce((product, dim) => product * dim, 1n) * BigInt(bits) + 7n) / 8n;
  if (size > BigInt(MAX_TOTAL)) {
    throw badInput(`${path}: ${words} declares ${size} bytes; at most ${MAX_TOTAL} can be held`, FIX);
  }
  const length = wholeOf(path, words, 'length', entries.get('length')) ?? Number(size);
  if (length !== Number(size)) {
    throw badInput(
      `${path}: ${words} is ${size} bytes by its shape, ${length} by its place in ${location}`,
      FIX,
    );
  }
  return {
    tensor,
    words,
    location,
    offset: wholeOf(path, words, 'offset', entries.get('offset')) ?? 0,
    length,
  };
}

function wholeOf(path: string, words: string, what: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(value)) {
    throw badInput(
      `${path}: ${words} has the ${what} «${text.slice(0, 40)}», which is no number of bytes`,
      FIX,
    );
  }
  return value;
}

/** By its words alone: relative, no way upwards, nothing that another system would read as a drive or separator. */
function checkLocation(path: string, words: string, location: string): void {
  const shown = JSON.stringify(location.slice(0, 120));
  if (location === '') throw badInput(`${path}: ${words} is external, but no file is named`, FIX);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  const odd = /[\\:\u0000-\u001f]/.test(location);
  const upwards = location.split('/').some((part) => part === '..' || part === '');
  if (odd || upwards) {
    throw badInput(
      `${path}: ${words} lies in ${shown}, which is no plain path below the model's folder`,
      'export the model again with its weights beside it; do not use models that reach for other files',
    );
  }
}

async function readBeside(path: string, location: string): Promise<{ bytes: Buffer; sha256: string }> {
  const [{ readFile, realpath, stat }, { basename, dirname, join, sep }, { createHash }] = await Promise.all([
    import('node:fs/promises'),
    import('node:path'),
    import('node:crypto'),
  ]);
  const named = join(dirname(path), location);
  const refuse = (words: string): Error =>
    badInput(
      `${path}: keeps weights in ${JSON.stringify(location)}, which ${words}`,
      'copy it beside the model',
    );
  try {
    const [folder, parent] = await Promise.all([realpath(dirname(path)), realpath(dirname(named))]);
    const inside = folder.endsWith(sep) ? folder : `${folder}${sep}`;
    if (parent !== folder && !parent.startsWith(inside)) {
      throw refuse("lies in a linked folder outside the model's folder");
    }
    const real = await realpath(join(parent, basename(named)));
    const found = await stat(real);
    if (!found.isFile()) throw refuse('is no regular file');
    if (found.size > MAX_TOTAL) throw refuse(`has ${found.size} bytes; at most ${MAX_TOTAL} can be held`);
    // What a system makes up as it is read says that it is empty, and need not end.
    const bytes = found.size === 0 ? Buffer.alloc(0) : await readFile(real);
    return { bytes, sha256: createHash('sha256').update(bytes).digest('hex') };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (code === 'bad-input') throw error;
    throw refuse(code === 'ENOENT' ? 'is not there' : `cannot be read (${code || String(error)})`);
  }
}
