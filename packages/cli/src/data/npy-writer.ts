/** Writes NumPy arrays (format 1.0, C order), so that what one command makes another reads as `--data npy:`. */
import { closeSync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs';
import { TurnproofError } from '@turnproof/core';

/** '<f4': float32; '|u1': uint8; '<i8': int64. */
export type NpyType = '<f4' | '|u1' | '<i8';

const MAGIC = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0]);
const ALIGNMENT = 64;

export function npyHeader(type: NpyType, shape: readonly number[]): Buffer {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const words = `{'descr': '${type}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const length = Math.ceil((MAGIC.length + 2 + words.length + 1) / ALIGNMENT) * ALIGNMENT;
  const header = Buffer.alloc(length, ' ');
  MAGIC.copy(header);
  header.writeUInt16LE(length - MAGIC.length - 2, MAGIC.length);
  header.write(words, MAGIC.length + 2, 'latin1');
  header[length - 1] = 0x0a;
  return header;
}

/** An array that grows entry by entry; there under its name only when it is whole. */
export class NpyWriter {
  readonly #path: string;
  readonly #type: NpyType;
  readonly #values: number;
  readonly #file: number;
  #left: number;

  /** @param shape its first extent counts the entries */
  constructor(path: string, type: NpyType, shape: readonly number[]) {
    const [entries = 0, ...rest] = shape;
    this.#path = path;
    this.#type = type;
    this.#left = entries;
    this.#values = rest.reduce((product, extent) => product * extent, 1);
    this.#file = openSync(`${path}.part`, 'wx');
    writeSync(this.#file, npyHeader(type, shape));
  }

  /** uint8: values in [0, 1] that are whole 255ths, as they are read back. */
  add(entry: ArrayLike<number>): void {
    if (entry.length !== this.#values || this.#left === 0) {
      throw new TurnproofError('internal', `${this.#path}: an entry of ${entry.length} values too many`);
    }
    this.#left -= 1;
    writeSync(this.#file, this.#bytes(entry));
  }

  /** Names the file; before, it is FILE.part. */
  close(): void {
    fsyncSync(this.#file);
    closeSync(this.#file);
    if (this.#left > 0)
      throw new TurnproofError('internal', `${this.#path}: ${this.#left} entries are missing`);
    renameSync(`${this.#path}.part`, this.#path);
  }

  #bytes(entry: ArrayLike<number>): Buffer {
    const width = { '<f4': 4, '|u1': 1, '<i8': 8 }[this.#type];
    const bytes = Buffer.alloc(width * entry.length);
    for (let i = 0; i < entry.length; i++) {
      const value = entry[i] ?? 0;
      if (this.#type === '<f4') bytes.writeFloatLE(value, 4 * i);
      else if (this.#type === '|u1') bytes[i] = Math.round(255 * value);
      else bytes.writeBigInt64LE(BigInt(value), 8 * i);
    }
    return bytes;
  }
}
