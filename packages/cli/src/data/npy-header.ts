/**
 * The header of NumPy's .npy files, read strictly: what is not exactly an array of numbers, in C order and
 * little-endian, is refused. Not for .npz, pickled objects or structured types.
 *
 * Format: numpy.lib.format, versions 1.0 to 3.0: "\x93NUMPY", major, minor, header length (uint16 or uint32),
 * a Python dictionary with 'descr', 'fortran_order' and 'shape', the values.
 */
import { badInput, type TurnproofError } from '@turnproof/core';
import { fileSize, readAt, requireSize } from './files.ts';

/** What a file of numbers holds. */
export interface NpyHeader {
  readonly path: string;
  /** 'f' float, 'u' unsigned, 'i' signed. */
  readonly kind: 'f' | 'u' | 'i';
  /** Bytes of a value. */
  readonly itemSize: number;
  readonly shape: readonly number[];
  /** Where the values start, and where they and the file end. */
  readonly start: number;
  readonly end: number;
}

const MAGIC = Buffer.from('\x93NUMPY', 'latin1');
/** numpy itself refuses headers above 10,000 characters; real ones have 118. */
const MAX_HEADER = 10_000;
const FIELD =
  /\s*(['"])(descr|fortran_order|shape)\1\s*:\s*(?:(['"])([^'"]*)\3|(True|False)|\(([\d\s,]*)\))\s*(?:,|$)/y;
const TYPES = ['f4', 'f8', 'u1', 'u2', 'u4', 'u8', 'i1', 'i2', 'i4', 'i8'];

/**
 * Reads and checks the header of `path`; the size it declares is compared with the file's before anything is held.
 *
 * @throws TurnproofError 'bad-input' naming the file and what is wrong with it.
 */
export async function readNpyHeader(path: string): Promise<NpyHeader> {
  const size = await fileSize(path);
  const head = await readAt(path, 0, Math.min(size, 12));
  if (head.length >= 2 && head.toString('latin1', 0, 2) === 'PK') {
    throw badInput(`${path}: is an .npz archive, not .npy`, 'Save the one array with numpy.save.');
  }
  if (!head.subarray(0, MAGIC.length).equals(MAGIC)) {
    throw badInput(`${path}: is no .npy file (its first bytes are not \\x93NUMPY)`, 'Save with numpy.save.');
  }
  const major = head[6] ?? 0;
  const lengthBytes = major === 1 ? 2 : 4;
  if (major > 3 || major < 1 || head[7] !== 0) {
    throw badInput(
      `${path}: is of the unknown npy version ${major}.${head[7] ?? 0}`,
      'Save with numpy.save.',
    );
  }
  const prefix = MAGIC.length + 2 + lengthBytes;
  if (size < prefix) requireSize(path, prefix, size);
  const length = lengthBytes === 2 ? head.readUInt16LE(8) : head.readUInt32LE(8);
  if (length > MAX_HEADER) {
    throw badInput(
      `${path}: declares a header of ${length} bytes, more than the ${MAX_HEADER} that are read`,
      'Save with numpy.save.',
    );
  }
  const start = prefix + length;
  if (size < start) requireSize(path, start, size);
  const text = (await readAt(path, prefix, length)).toString('latin1');
  const { descr, fortranOrder, shape } = parseDictionary(path, text);
  const { kind, itemSize } = parseType(path, descr);
  if (fortranOrder) {
    throw badInput(`${path}: is in Fortran order`, 'Save numpy.ascontiguousarray(x) instead.');
  }
  if (shape.some((extent) => extent === 0)) {
    throw badInput(
      `${path}: has shape [${shape.join(', ')}], which holds nothing`,
      'Give at least one image.',
    );
  }
  // A product beyond 2^53 may be rounded, but is then larger than any file.
  const end = shape.reduce((product, extent) => product * extent, itemSize) + start;
  requireSize(path, end, size);
  return { path, kind, itemSize, shape, start, end };
}

interface Dictionary {
  readonly descr: string;
  readonly fortranOrder: boolean;
  readonly shape: readonly number[];
}

function parseDictionary(path: string, text: string): Dictionary {
  const body = /^\{(.*)\}\s*$/s.exec(text)?.[1]?.trimEnd();
  if (body === undefined) throw badHeader(path);
  if (/['"]descr['"]\s*:\s*[[(]/.test(body)) {
    throw badInput(`${path}: holds records of several fields`, 'Save a plain array of numbers.');
  }
  const fields = new Map<string, RegExpExecArray>();
  const field = new RegExp(FIELD);
  while (field.lastIndex < body.length) {
    const match = field.exec(body);
    const key = match?.[2];
    if (match === null || key === undefined || fields.has(key)) throw badHeader(path);
    fields.set(key, match);
  }
  const descr = fields.get('descr')?.[4];
  const order = fields.get('fortran_order')?.[5];
  const extents = fields.get('shape')?.[6];
  if (descr === undefined || order === undefined || extents === undefined) throw badHeader(path);
  return { descr, fortranOrder: order === 'True', shape: parseShape(path, extents) };
}

function parseShape(path: string, text: string): number[] {
  const parts = text.split(',').map((part) => part.trim());
  // Python ends a tuple of one with a comma and may end any with it.
  if (parts.at(-1) === '') parts.pop();
  return parts.map((part) => {
    const extent = Number(part);
    if (!/^\d+$/.test(part) || !Number.isSafeInteger(extent)) throw badHeader(path);
    return extent;
  });
}

function parseType(path: string, descr: string): Pick<NpyHeader, 'kind' | 'itemSize'> {
  const [order, kind, bytes] = [descr[0], descr[1], Number(descr.slice(2))];
  if (!TYPES.includes(descr.slice(1)) || (kind !== 'f' && kind !== 'u' && kind !== 'i')) {
    const what = kind === 'O' ? 'Python objects' : `values of type '${descr.slice(0, 20)}'`;
    throw badInput(`${path}: holds ${what}`, 'Save float32, float64 or uint8 images and integer labels.');
  }
  if (order === '>' && bytes > 1) {
    throw badInput(`${path}: is big-endian`, `Save x.astype('<${kind}${bytes}') instead.`);
  }
  // '=' and '|' say "this machine's" and "no matter"; numpy writes neither for values of several bytes.
  if (order !== '<' && bytes > 1) throw badHeader(path);
  return { kind, itemSize: bytes };
}

function badHeader(path: string): TurnproofError {
  return badInput(`${path}: its npy header cannot be understood`, 'Save the array with numpy.save.');
}
