/**
 * Images in class folders: DIR/<class>/<file>.png or .jpg. Classes are numbered in the order of their names' code
 * points, files likewise, so `index` and `label` are the same on every system.
 *
 * Not for preparing images: nothing is resized, cropped, rotated (EXIF orientation is ignored), composited or
 * converted between colour profiles (an embedded profile is ignored, as PIL does), for whatever is done to the
 * pixels belongs to the certified pipeline. Hence:
 * - all images have one size and one number of channels: 1 when all are grey, 3 when all are colour;
 * - 8 bits a channel; 1, 2 and 4 bit grey is spread over 0..255, a palette is its colours (3 channels, even if grey);
 * - refused by name: transparency, 16 bits a channel, CMYK, other formats, folders inside class folders.
 * Headers and the presence of each file's end mark are checked on opening; damage further inside shows on reading.
 */
import { join } from 'node:path';
import { badInput } from '@turnproof/core';
import sharp, { type Metadata } from 'sharp';
import { fileSize, listFolder, pathKind, readAt } from './files.ts';
import { type Dataset, makeDataset, pixelCount, type Shape, shapeText, unitFromBytes } from './types.ts';

/** Largest image, in pixels: a header may declare any size, so decoding needs a limit of its own. */
export const MAX_PIXELS = 4096 * 4096;

const IMAGE_NAME = /\.(png|jpe?g)$/i;
const PNG_SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const JPEG_SIGNATURE = Buffer.from([0xff, 0xd8, 0xff]);
const PNG_END = Buffer.from('IEND', 'latin1');
const JPEG_END = Buffer.from([0xff, 0xd9]);
/** Some cameras and editors append bytes after the end mark; it is looked for in this many last bytes. */
const TAIL = 65_536;
const FILES_AT_ONCE = 8;

interface ImageFile {
  readonly path: string;
  readonly name: string;
  readonly label: number;
}

/**
 * Opens a folder of class folders.
 *
 * @throws TurnproofError 'bad-input' for an empty folder or class, files that are no images, and images that differ
 *   in size or channels (both are named).
 */
export async function openFolder(spec: string, folder: string): Promise<Dataset> {
  const { classes, files } = await listImages(folder);
  const shapes: Shape[] = [];
  for (let start = 0; start < files.length; start += FILES_AT_ONCE) {
    const group = files.slice(start, start + FILES_AT_ONCE);
    shapes.push(...(await Promise.all(group.map((file) => checkHeader(file.path)))));
  }
  const [first] = files;
  const [shape] = shapes;
  if (first === undefined || shape === undefined) throw noClasses(folder);
  const odd = shapes.findIndex((other) => shapeText(other) !== shapeText(shape));
  if (odd >= 0) throw unequal(first.path, shape, files[odd]?.path ?? '', shapes[odd] ?? shape);
  return makeDataset({
    spec,
    classes,
    shape,
    size: files.length,
    name: (index) => files[index]?.name ?? '',
    label: (index) => files[index]?.label ?? null,
    pixels: (index) => decode(files[index]?.path ?? '', first.path, shape),
  });
}

async function listImages(folder: string): Promise<{ classes: string[]; files: ImageFile[] }> {
  const classes: string[] = [];
  const files: ImageFile[] = [];
  for (const className of await listFolder(folder)) {
    const classFolder = join(folder, className);
    if ((await pathKind(classFolder)) !== 'folder') {
      // A README beside the classes does no harm; an image there would be left out without a word.
      if (!IMAGE_NAME.test(className)) continue;
      throw badInput(`${classFolder}: lies in no class folder`, 'Move it into the folder of its class.');
    }
    const names = await listFolder(classFolder);
    if (names.length === 0) {
      throw badInput(`${classFolder}: is an empty class folder`, 'Add PNG or JPEG files, or remove it.');
    }
    for (const name of names) {
      const path = join(classFolder, name);
      if (!IMAGE_NAME.test(name)) {
        throw badInput(
          `${path}: is neither .png, .jpg nor .jpeg`,
          'Class folders hold images alone: convert or move it.',
        );
      }
      files.push({ path, name: `${className}/${name}`, label: classes.length });
    }
    classes.push(className);
  }
  if (classes.length === 0) throw noClasses(folder);
  return { classes, files };
}

/** Size and channels from the header; refuses what the head comment lists. */
async function checkHeader(path: string): Promise<Shape> {
  const size = await fileSize(path);
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
  const { channels, height, width } = found;
  if (found.hasAlpha) {
    throw badInput(
      `${path}: has transparency, and what lies behind it is not given`,
      'Flatten it onto a background first.',
    );
  }
  if (found.depth !== 'uchar') {
    throw badInput(
      `${path}: has more than 8 bits a channel`,
      'Save it with 8 bits a channel, or hand over float32 values as npy:IMAGES.',
    );
  }
  if (!(channels === 1 && found.space === 'b-w') && !(channels === 3 && found.space === 'srgb')) {
    throw badInput(
      `${path}: has ${channels} channels (${found.space}); wanted are grey or RGB`,
      'Convert it to RGB or grey.',
    );
  }
  if (height * width > MAX_PIXELS) {
    throw badInput(
      `${path}: declares ${width} x ${height} pixels, more than the ${MAX_PIXELS} that are read`,
      'Make it smaller, as the classifier wants it.',
    );
  }
  return { channels, height, width };
}

async function decode(path: string, firstPath: string, shape: Shape): Promise<Float32Array> {
  // The file may have changed since it was checked.
  const now = await checkHeader(path);
  if (shapeText(now) !== shapeText(shape)) throw unequal(firstPath, shape, path, now);
  const bytes = await readAt(path, 0, await fileSize(path));
  let data: Buffer;
  try {
    const image = sharp(bytes, { ignoreIcc: true, limitInputPixels: MAX_PIXELS, sequentialRead: true });
    // sharp hands out grey as three equal channels unless told otherwise.
    data = await (shape.channels === 1 ? image.toColourspace('b-w') : image).raw().toBuffer();
  } catch (error) {
    throw undecodable(path, error);
  }
  const count = pixelCount(shape);
  if (data.length !== count) throw undecodable(path, new Error(`${data.length} values instead of ${count}`));
  return unitFromBytes(shape.channels === 1 ? data : planesFromPixels(data, shape));
}

/** [height, width, channels] to [channels, height, width]. */
function planesFromPixels(data: Uint8Array, { channels, height, width }: Shape): Uint8Array {
  const plane = height * width;
  const out = new Uint8Array(data.length);
  for (let channel = 0; channel < channels; channel++) {
    for (let i = 0; i < plane; i++) out[channel * plane + i] = data[i * channels + channel] ?? 0;
  }
  return out;
}

function noClasses(folder: string): Error {
  return badInput(
    `${folder}: has no class folders`,
    'Put the images into one subfolder for each class, also if there is only one.',
  );
}

function unequal(pathA: string, a: Shape, pathB: string, b: Shape): Error {
  return badInput(
    `${pathA} is ${shapeText(a)} (channels x height x width), but ${pathB} is ${shapeText(b)}`,
    'Give images of one size, all grey or all colour: none is resized or converted here.',
  );
}

function undecodable(path: string, error: unknown): Error {
  const why = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
  return badInput(`${path}: cannot be decoded (${why})`, 'Fetch it again.');
}
