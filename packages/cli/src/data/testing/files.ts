/**
 * What the tests of the readers share: temporary folders, hand-made files, and taking a refusal's words.
 * Files are built from the formats' descriptions, not by the readers' own code. Not shipped, not for the readers.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import { TurnproofError } from '@turnproof/core';

export interface TemporaryFolder {
  readonly path: string;
  /** Writes a file (and the folders above it) and returns its path. */
  write(name: string, bytes: Uint8Array | string): Promise<string>;
  remove(): Promise<void>;
}

export async function temporaryFolder(): Promise<TemporaryFolder> {
  const path = await mkdtemp(join(tmpdir(), 'turnproof-data-'));
  return {
    path,
    async write(name, bytes) {
      const file = join(path, name);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, bytes);
      return file;
    },
    remove: () => rm(path, { recursive: true, force: true }),
  };
}

/** "message | fix" of the bad-input error that `work` ends with; any other end is a failure of the test. */
export async function refusalOf(work: () => unknown): Promise<string> {
  let result: unknown;
  try {
    result = await work();
  } catch (error) {
    if (error instanceof TurnproofError && error.code === 'bad-input') {
      return `${error.message} | ${error.fix ?? ''}`;
    }
    throw error;
  }
  throw new Error(`expected a refusal, got ${JSON.stringify(result)}`);
}

/** Big-endian uint32s. */
export function uint32s(...values: number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [i, value] of values.entries()) bytes.writeUInt32BE(value, 4 * i);
  return bytes;
}

export function idxImages(sizes: readonly [number, number, number], pixels: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([0, 0, 8, 3]), uint32s(...sizes), pixels]);
}

export function idxLabels(labels: readonly number[]): Buffer {
  return Buffer.concat([Buffer.from([0, 0, 8, 1]), uint32s(labels.length), Buffer.from(labels)]);
}

/** A CIFAR record with the same three values in every pixel. */
export function cifarRecord(label: number, red: number, green: number, blue: number): Buffer {
  return Buffer.concat([
    Buffer.from([label]),
    ...[red, green, blue].map((value) => Buffer.alloc(1024, value)),
  ]);
}

export interface PngParts {
  readonly width: number;
  readonly height: number;
  readonly bitDepth: number;
  /** 0 grey, 2 RGB, 3 palette, 4 grey with alpha, 6 RGB with alpha. */
  readonly colourType: number;
  /** Packed rows, without the filter bytes. */
  readonly rows: readonly (readonly number[])[];
  readonly palette?: readonly number[];
  readonly transparency?: readonly number[];
}

/** A PNG file by the letter of its specification (filter 0 throughout). */
export function png(parts: PngParts): Buffer {
  const header = Buffer.concat([
    uint32s(parts.width, parts.height),
    Buffer.from([parts.bitDepth, parts.colourType, 0, 0, 0]),
  ]);
  const pixels = deflateSync(Buffer.from(parts.rows.flatMap((row) => [0, ...row])));
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    ...(parts.palette === undefined ? [] : [chunk('PLTE', Buffer.from(parts.palette))]),
    ...(parts.transparency === undefined ? [] : [chunk('tRNS', Buffer.from(parts.transparency))]),
    chunk('IDAT', pixels),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** A chunk of a PNG file. */
export function chunk(type: string, data: Buffer): Buffer {
  const typed = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  return Buffer.concat([uint32s(data.length), typed, uint32s(crc32(typed))]);
}

/** A version 1.0 .npy file with this dictionary text and these bytes. */
export function npy(dictionary: string, values: Uint8Array): Buffer {
  const text = Buffer.from(`${dictionary}\n`, 'latin1');
  const length = Buffer.alloc(2);
  length.writeUInt16LE(text.length);
  return Buffer.concat([Buffer.from('\x93NUMPY\x01\x00', 'latin1'), length, text, values]);
}
