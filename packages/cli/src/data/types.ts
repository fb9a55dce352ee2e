/**
 * What every reader of images hands over, and the one way of making it. Not for file formats: each has a file of its own.
 */
import { createHash } from 'node:crypto';
import { endianness } from 'node:os';
import { badInput } from '@turnproof/core';
import type { NamedClass } from './class-words.ts';

/** Size of every image of a data set, in pixels. */
export interface Shape {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/** One image as the classifier gets it. */
export interface DataImage {
  /** Position in the data set, from 0. */
  readonly index: number;
  /** Class number, or null where the data set has no labels. */
  readonly label: number | null;
  /** For people: the file's name ("cat/one.png"), or the place in its container ("mnist[3]"). */
  readonly name: string;
  /** [channels, height, width], each in [0, 1]. */
  readonly pixels: Float32Array;
  /** SHA-256 of the pixels as little-endian float32 bytes, in hex. */
  readonly sha256: string;
}

/** An opened, checked data set. It holds no file open between reads. */
export interface Dataset {
  /** As it was asked for. */
  readonly spec: string;
  /** Class names in the order of their numbers, or null where the format has none. */
  readonly classes: readonly string[] | null;
  readonly classCount: number | null;
  /** What the data call their classes, and which number each has; null where they do not say. */
  readonly named: readonly NamedClass[] | null;
  readonly shape: Shape;
  /** Number of images. */
  readonly size: number;
  /**
   * Reads the image at `index`.
   *
   * @throws TurnproofError 'bad-input' when there is no such image or its bytes cannot be decoded.
   */
  read(index: number): Promise<DataImage>;
}

/** What a reader has to know so that `makeDataset` can do the rest. */
export interface DatasetParts {
  readonly spec: string;
  readonly classes: readonly string[] | null;
  /** Where `classes` does not say it: numbers that are not 0, 1, 2 ... */
  readonly named?: readonly NamedClass[];
  readonly shape: Shape;
  readonly size: number;
  name(index: number): string;
  label(index: number): number | null;
  pixels(index: number): Promise<Float32Array>;
}

/** Number of values of one image. */
export function pixelCount(shape: Shape): number {
  return shape.channels * shape.height * shape.width;
}

/** "3 x 32 x 32" */
export function shapeText(shape: Shape): string {
  return `${shape.channels} x ${shape.height} x ${shape.width}`;
}

/** Adds the index check and the hash, which are the same for every format. */
export function makeDataset(parts: DatasetParts): Dataset {
  const { spec, classes, shape, size } = parts;
  return {
    spec,
    classes,
    classCount: classes === null ? null : classes.length,
    named: parts.named ?? classes?.map((name, number) => ({ number, name })) ?? null,
    shape,
    size,
    async read(index) {
      if (!Number.isInteger(index) || index < 0 || index >= size) throw outOfRange(index, size);
      const pixels = await parts.pixels(index);
      return {
        index,
        label: parts.label(index),
        name: parts.name(index),
        pixels,
        sha256: hashPixels(pixels),
      };
    },
  };
}

/** The answer to an index that the data set does not have; `index` as it was written. */
export function outOfRange(index: number | string, size: number): Error {
  return badInput(
    `index ${index} is out of range: the data set has ${size} ${size === 1 ? 'image' : 'images'}`,
    size === 1 ? 'Use index 0.' : `Use indices from 0 to ${size - 1}.`,
  );
}

/** SHA-256 of little-endian float32 bytes, in hex. */
export function hashPixels(pixels: Float32Array): string {
  const bytes = Buffer.from(pixels.buffer, pixels.byteOffset, pixels.byteLength);
  // A certificate's hash must be the same everywhere, so the byte order is not left to the host.
  return createHash('sha256')
    .update(endianness() === 'LE' ? bytes : Buffer.from(bytes).swap32())
    .digest('hex');
}

// The quotient v/255 in float64, rounded to float32, equals the float32 quotient: 53 >= 2 * 24 + 2 bits, so
// rounding twice does no harm.
const UNIT_OF_BYTE = Float32Array.from({ length: 256 }, (_, value) => value / 255);

/** 8-bit values to float32: v / 255, correctly rounded. Keeps the order of the values. */
export function unitFromBytes(bytes: Uint8Array): Float32Array {
  const out = new Float32Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) out[i] = UNIT_OF_BYTE[bytes[i] ?? 0] ?? 0;
  return out;
}
