/**
 * One PNG or JPEG file as float32 planes in [0, 1]. The stored numbers are taken as they are: v / 255 or, of 16-bit
 * PNG, v / 65535, correctly rounded. Nothing is resized, turned (EXIF orientation is ignored) or converted between
 * colour profiles (an embedded profile is ignored, as PIL does). Of an animated or multi-picture file the first picture
 * is taken. In particular:
 * - grey of 1, 2 and 4 bits is spread over the full range; a palette is its colours (3 channels, even if all are grey);
 * - an alpha channel that is opaque everywhere is dropped; transparency is refused, for what lies behind is not given;
 * - CMYK becomes red, green and blue as in PIL: (255 - C) (255 - K) / 255, rounded to 8 bits, and so on.
 */
import { endianness } from 'node:os';
import { badInput } from '@turnproof/core';
import sharp, { type Metadata } from 'sharp';
import { fileSize, readAt } from './files.ts';
import { pixelCount, type Shape, unitFromBytes } from './types.ts';

/** Largest image, in pixels: a header may declare any size, so decoding needs a limit of its own. */
export const MAX_PIXELS = 4096 * 4096;
/** Largest file, in bytes: what 16-bit RGBA of that size takes unpacked, twice. */
const MAX_FILE = 2 ** 28;

export const IMAGE_NAME = /\.(png|jpe?g)$/i;
const PNG_SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const JPEG_SIGNATURE = Buffer.from([0xff, 0xd8, 0xff]);
const PNG_END = Buffer.from('IEND', 'latin1');
const JPEG_END = Buffer.from([0xff, 0xd9]);
/** Some cameras and editors append bytes after the end mark; it is looked for in this many last bytes. */
const TAIL = 65_536;

/** What the numbers of a pixel are. */
type Space = 'grey' | 'rgb' | 'cmyk';

export interface ImageHeader {
  /** As the classifier gets it: 1 channel for grey, else 3. */
  readonly shape: Shape;
  readonly space: Space;
  readonly bits: 8 | 16;
  readonly hasAlpha: boolean;
}

const SPACES: Readonly<Record<string, Space>> = {
  'b-w': 'grey',
  grey16: 'grey',
  srgb: 'rgb',
  rgb16: 'rgb',
  cmyk: 'cmyk',
};
/** Numbers of a pixel without alpha. */
const NUMBERS = { grey: 1, rgb: 3, cmyk: 4 } as const;

/**
 * Reads a file's header.
 *
 * @throws TurnproofError 'bad-input' for what is no whole PNG or JPEG, for kinds of pixels that are not read, and for
 *   more pixels than {@link MAX_PIXELS}
 */
export async function readHeader(path: string): Promise<ImageHeader> {
  const size = await fileSize(path);
  if (size > MAX_FILE) {
    throw badInput(`${path}: has ${size} bytes, more than the ${MAX_FILE} that are read`, 'Save it smaller.');
  }
  const head = await readAt(path, 0, Math.min(size, PNG_SIGNATURE.length));
  const isPng = head.equals(PNG_SIGNATURE);
  if (!isPng && !head.subarray(0, JPEG_SIGNATURE.length).equals(JPEG_SIGNATURE)) {
    throw badInput(
      `${path}: ${size === 0 ? 'is empty' : 'is neither a PNG nor a JPEG file, whatever its name says'}`,
      'Convert it to PNG, or fetch it again.',
    );
  }
  const tail = await readAt(path, Math.max(0, size - TAIL), Math.min(size, TAIL));
  if (!tail.includes(isPng ? PNG_END : JPEG_END)) {
    throw badInput(`${path}: ends early, the image is cut`, 'Fetch it again.');
  }
  let found: Metadata;
  try {
    // Only the header is read here; the limit is checked below, in our own words.
    found = await sharp(path, { limitInputPixels: false }).metadata();
  } catch (error) {
    throw undecodable(path, error);
  }
  const { channels, height, width, hasAlpha, depth } = found;
  const space = SPACES[found.space ?? ''];
  const bits = depth === 'uchar' ? 8 : depth === 'ushort' ? 16 : undefined;
  if (
    !space ||
    !bits ||
    channels !== NUMBERS[space] + (hasAlpha ? 1 : 0) ||
    (space === 'cmyk' && bits !== 8)
  ) {
    throw badInput(
      `${path}: has ${channels} channels (${found.space}, ${depth}); wanted are grey, RGB or CMYK of 8 bits, or 16 in PNG`,
      'Convert it to RGB or grey.',
    );
  }
  if (height * width > MAX_PIXELS) {
    throw badInput(
      `${path}: declares ${width} x ${height} pixels, more than the ${MAX_PIXELS} that are read`,
      'Make it smaller, as the classifier wants it.',
    );
  }
  return { shape: { channels: space === 'grey' ? 1 : 3, height, width }, space, bits, hasAlpha };
}

/** The pixels of a file whose header was read just now: [channels, height, width]. */
export async function decodeImage(path: string, header: ImageHeader): Promise<Float32Array> {
  const { shape, space, bits, hasAlpha } = header;
  const bytes = await readAt(path, 0, await fileSize(path));
  // Of 8-bit grey sharp would hand out the grey alone, and nobody would see its alpha.
  const asRgb = space === 'grey' && bits === 8 && hasAlpha;
  const target = asRgb
    ? 'srgb'
    : { grey: bits === 8 ? 'b-w' : 'grey16', rgb: bits === 8 ? 'srgb' : 'rgb16', cmyk: 'cmyk' }[space];
  let raw: Buffer;
  try {
    let image = sharp(bytes, { ignoreIcc: true, limitInputPixels: MAX_PIXELS, sequentialRead: true });
    // Else CMYK would go through a colour profile and back.
    if (space === 'cmyk') image = image.pipelineColourspace('cmyk');
    // sharp hands out grey as three equal channels, and 8 bits of 16, unless told otherwise.
    raw = await image
      .toColourspace(target)
      .raw({ depth: bits === 8 ? 'uchar' : 'ushort' })
      .toBuffer();
  } catch (error) {
    throw undecodable(path, error);
  }
  const stored = bits === 8 ? raw : uint16s(raw);
  const numbers = NUMBERS[asRgb ? 'rgb' : space] + (hasAlpha ? 1 : 0);
  const count = shape.height * shape.width * numbers;
  if (stored.length !== count) {
    throw undecodable(path, new Error(`${stored.length} values instead of ${count}`));
  }
  if (hasAlpha) requireOpaque(path, stored, numbers, shape, bits === 8 ? 255 : 65_535);
  const planes = toPlanes(
    space === 'cmyk' ? rgbFromCmyk(stored) : stored,
    space === 'cmyk' ? 3 : numbers,
    shape,
  );
  return planes instanceof Uint16Array ? Float32Array.from(planes, unitOf16) : unitFromBytes(planes);
}

// Twice rounded (float64, then float32) like the 8-bit table in types.ts, and harmless for the same reason.
const unitOf16 = (value: number): number => value / 65_535;

function uint16s(raw: Buffer): Uint16Array {
  // libvips hands out 16-bit numbers in this machine's byte order.
  const little = endianness() === 'LE';
  return Uint16Array.from({ length: raw.length >> 1 }, (_, i) =>
    little ? raw.readUInt16LE(2 * i) : raw.readUInt16BE(2 * i),
  );
}

function requireOpaque(
  path: string,
  stored: ArrayLike<number>,
  numbers: number,
  { width }: Shape,
  opaque: number,
): void {
  for (let at = numbers - 1; at < stored.length; at += numbers) {
    if (stored[at] === opaque) continue;
    const pixel = (at - (numbers - 1)) / numbers;
    throw badInput(
      `${path}: has transparency (column ${pixel % width}, row ${Math.floor(pixel / width)}), and what lies behind it is not given`,
      'Flatten it onto a background first.',
    );
  }
}

/** [height, width, numbers] to [channels, height, width]; further numbers (alpha) are dropped. */
function toPlanes(stored: Uint8Array | Uint16Array, numbers: number, shape: Shape): Uint8Array | Uint16Array {
  const { channels, height, width } = shape;
  if (numbers === 1) return stored;
  const plane = height * width;
  const count = pixelCount(shape);
  const out = stored instanceof Uint16Array ? new Uint16Array(count) : new Uint8Array(count);
  for (let channel = 0; channel < channels; channel++) {
    for (let i = 0; i < plane; i++) out[channel * plane + i] = stored[i * numbers + channel] ?? 0;
  }
  return out;
}

function rgbFromCmyk(cmyk: ArrayLike<number>): Uint8Array {
  const out = new Uint8Array((cmyk.length / 4) * 3);
  for (let i = 0; i < cmyk.length / 4; i++) {
    const light = 255 - (cmyk[4 * i + 3] ?? 0);
    for (let c = 0; c < 3; c++) out[3 * i + c] = light - Math.round((light * (cmyk[4 * i + c] ?? 0)) / 255);
  }
  return out;
}

function undecodable(path: string, error: unknown): Error {
  const why = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
  return badInput(`${path}: cannot be decoded (${why})`, 'Fetch it again.');
}
