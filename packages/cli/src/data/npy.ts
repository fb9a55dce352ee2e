/**
 * Images and labels as NumPy arrays. Images: float32, float64 (rounded to float32) or uint8 (v / 255), of shape
 * [n, channels, height, width] or [n, height, width] (one channel). Labels: integers of any width, of shape [n].
 *
 * Not for other layouts: channels-last is refused rather than guessed. An array counts as channels-last when its
 * last extent is at most 4 and its second is larger than 4; every other array of four extents is read as
 * [n, channels, height, width]. Values are never scaled or clipped: floats outside [0, 1] are refused. For that a
 * float file is read through once on opening, in pieces.
 */
import { badInput } from '@turnproof/core';
import { MAX_LABEL } from './class-words.ts';
import { readAt, scanFile } from './files.ts';
import { type NpyHeader, readNpyHeader } from './npy-header.ts';
import { type Dataset, makeDataset, pixelCount, type Shape, unitFromBytes } from './types.ts';

const VALUES_PER_PIECE = 2 ** 18;

/**
 * Opens an array of images and, where given, one of labels.
 *
 * @throws TurnproofError 'bad-input' for files that are no such arrays, for values outside [0, 1] (the first is
 *   named), and for a number of labels that differs from the number of images.
 */
export async function openNpy(spec: string, imagesPath: string, labelsPath: string | null): Promise<Dataset> {
  const images = await readNpyHeader(imagesPath);
  const { size, shape } = layout(images);
  const labels = labelsPath === null ? null : await readLabels(labelsPath, imagesPath, size);
  if (images.kind === 'f') await checkAll(images);
  const count = pixelCount(shape);
  const bytes = count * images.itemSize;
  return makeDataset({
    spec,
    classes: null,
    shape,
    size,
    name: (index) => `npy[${index}]`,
    label: (index) => labels?.[index] ?? null,
    pixels: async (index) => {
      const data = await readAt(imagesPath, images.start + index * bytes, bytes);
      if (images.kind === 'u') return unitFromBytes(data);
      const pixels = new Float32Array(count);
      for (let i = 0; i < count; i++) pixels[i] = unitValue(images, data, i, index * count + i);
      return pixels;
    },
  });
}

function layout(images: NpyHeader): { size: number; shape: Shape } {
  const { path, kind, itemSize, shape } = images;
  if (kind === 'i' || (kind === 'u' && itemSize !== 1)) {
    throw badInput(
      `${path}: holds ${itemSize * 8}-bit integers, whose full scale is not known`,
      'Save uint8, or float32 scaled to [0, 1].',
    );
  }
  const [size = 0, a = 0, b = 0, c = 0] = shape;
  if (shape.length === 3) return { size, shape: { channels: 1, height: a, width: b } };
  if (shape.length !== 4) {
    throw badInput(
      `${path}: has shape [${shape.join(', ')}]; wanted is [n, channels, height, width] or [n, height, width]`,
      'Reshape it; a single image needs a first extent of 1.',
    );
  }
  if (c <= 4 && a > 4) {
    throw badInput(
      `${path}: has shape [${shape.join(', ')}], which looks like [n, height, width, channels]`,
      'Save numpy.ascontiguousarray(x.transpose(0, 3, 1, 2)) instead.',
    );
  }
  return { size, shape: { channels: a, height: b, width: c } };
}

/** Reads all of a file that holds a wrong value: how to mend it depends on the others. */
async function checkAll(images: NpyHeader): Promise<void> {
  const { path, start, end, itemSize } = images;
  let first: readonly [element: number, value: number] | undefined;
  let [low, high] = [0, 1];
  await scanFile(path, start, end, itemSize * VALUES_PER_PIECE, (bytes, position) => {
    const before = (position - start) / itemSize;
    for (let i = 0; i < bytes.length / itemSize; i++) {
      const value = valueAt(images, bytes, i);
      if (value >= 0 && value <= 1) continue;
      first ??= [before + i, value];
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  });
  if (first) throw noPixel(images, ...first, adviceFor(low, high));
}

/** Values this far outside [0, 1] may come from resizing: bicubic and Lanczos overshoot at edges. */
const OVERSHOOT = 0.5;

/** What makes pixels of values from `low` to `high` (NaN where one of them is no number). */
function adviceFor(low: number, high: number): string {
  if (low >= -OVERSHOOT && high <= 1 + OVERSHOOT)
    return 'Clip what resizing left outside: numpy.clip(x, 0, 1).';
  if (low >= 0 && high <= 255) return 'Scale the values: x / 255.';
  if (low >= 0 && high <= 65_535) return 'Scale the values: x / 65535.';
  if (low >= -1 && high <= 1) return 'Scale the values: (x + 1) / 2.';
  return 'Save finite values between 0 and 1, as they are before a model normalises them (--mean, --std).';
}

const valueAt = ({ itemSize }: NpyHeader, bytes: Buffer, i: number): number =>
  itemSize === 4 ? bytes.readFloatLE(4 * i) : bytes.readDoubleLE(8 * i);

/** The `i`th value of `bytes`, which is the `element`th of the file; the file may have changed since it was checked. */
function unitValue(images: NpyHeader, bytes: Buffer, i: number, element: number): number {
  const value = valueAt(images, bytes, i);
  if (value >= 0 && value <= 1) return value;
  throw noPixel(images, element, value, 'Save finite values between 0 and 1.');
}

function noPixel({ path, shape }: NpyHeader, element: number, value: number, fix: string): Error {
  return badInput(
    `${path}: element [${coordinates(element, shape).join(', ')}] is ${value}; pixels lie in [0, 1]`,
    fix,
  );
}

function coordinates(element: number, shape: readonly number[]): number[] {
  let rest = element;
  return shape
    .toReversed()
    .map((extent) => {
      const at = rest % extent;
      rest = (rest - at) / extent;
      return at;
    })
    .reverse();
}

async function readLabels(path: string, imagesPath: string, size: number): Promise<Float64Array> {
  const header = await readNpyHeader(path);
  const { kind, itemSize, shape, start, end } = header;
  if (shape.length !== 1) {
    throw badInput(
      `${path}: labels have shape [${shape.join(', ')}]; wanted is [n]`,
      'Save one number an image: x.reshape(-1), or x.argmax(1) of a one-hot array.',
    );
  }
  if (kind === 'f') throw badInput(`${path}: labels are floats`, "Save x.astype('int64') instead.");
  if (shape[0] !== size) {
    throw badInput(
      `${path} has ${shape[0]} labels, but ${imagesPath} has ${size} images`,
      'Give both of the same set.',
    );
  }
  const labels = new Float64Array(size);
  await scanFile(path, start, end, itemSize * VALUES_PER_PIECE, (bytes, position) => {
    for (let at = 0; at < bytes.length; at += itemSize) {
      const element = (position - start + at) / itemSize;
      const label = integerAt(bytes, at, kind === 'i', itemSize);
      if (label < 0n || label > MAX_LABEL) {
        throw badInput(
          `${path}: label ${label} of image ${element} is no class number (0 to ${MAX_LABEL})`,
          'Number the classes from 0.',
        );
      }
      labels[element] = Number(label);
    }
  });
  return labels;
}

function integerAt(bytes: Buffer, at: number, signed: boolean, itemSize: number): bigint {
  if (itemSize === 8) return signed ? bytes.readBigInt64LE(at) : bytes.readBigUInt64LE(at);
  return BigInt(signed ? bytes.readIntLE(at, itemSize) : bytes.readUIntLE(at, itemSize));
}
