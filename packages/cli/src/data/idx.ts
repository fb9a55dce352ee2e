/**
 * MNIST's IDX files, plain or gzipped. Not for IDX in general: unsigned bytes only, images with three sizes and
 * labels with one, as MNIST and its relatives have them.
 *
 * Layout (big-endian): two zero bytes, type 8, number of sizes, each size as uint32, the values.
 */
import { join } from 'node:path';
import { badInput } from '@turnproof/core';
import { fileSize, gunzipFile, pathKind, readAt, requireFolder, requireSize } from './files.ts';
import { type Dataset, makeDataset, pixelCount, unitFromBytes } from './types.ts';

const CLASSES = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'] as const;
const RANK = { images: 3, labels: 1 } as const;

type Content = keyof typeof RANK;

interface IdxFile {
  readonly path: string;
  readonly sizes: readonly number[];
  /** `length` values from the `start`th. */
  read(start: number, length: number): Promise<Uint8Array>;
}

/**
 * Opens the images and labels that `folder` holds under MNIST's own names.
 *
 * @param prefix "t10k" (test set) or "train".
 * @throws TurnproofError 'bad-input' for anything that is not a matching pair of whole IDX files.
 */
export async function openMnist(
  spec: string,
  kind: string,
  folder: string,
  prefix: 't10k' | 'train',
): Promise<Dataset> {
  await requireFolder(folder);
  const images = await openIdx(await findIdx(folder, `${prefix}-images-idx3-ubyte`), 'images');
  const labels = await openIdx(await findIdx(folder, `${prefix}-labels-idx1-ubyte`), 'labels');
  const [size = 0, height = 0, width = 0] = images.sizes;
  const [labelCount = 0] = labels.sizes;
  if (labelCount !== size) {
    throw badInput(
      `${labels.path} has ${labelCount} labels, but ${images.path} has ${size} images`,
      'Give both files of the same set.',
    );
  }
  const labelOf = await labels.read(0, size);
  const wrong = labelOf.findIndex((label) => label >= CLASSES.length);
  if (wrong >= 0) {
    throw badInput(
      `${labels.path}: label ${labelOf[wrong]} of image ${wrong} is outside the classes 0 to ${CLASSES.length - 1}`,
      'Give the labels of a ten-class set.',
    );
  }
  const shape = { channels: 1, height, width };
  const count = pixelCount(shape);
  return makeDataset({
    spec,
    classes: CLASSES,
    shape,
    size,
    name: (index) => `${kind}[${index}]`,
    label: (index) => labelOf[index] ?? null,
    pixels: async (index) => unitFromBytes(await images.read(index * count, count)),
  });
}

async function findIdx(folder: string, name: string): Promise<string> {
  for (const candidate of [name, `${name}.gz`]) {
    const path = join(folder, candidate);
    if ((await pathKind(path)) !== 'missing') return path;
  }
  throw badInput(
    `${folder}: has neither ${name} nor ${name}.gz`,
    'Name the folder that holds the IDX files under their original names.',
  );
}

async function openIdx(path: string, content: Content): Promise<IdxFile> {
  const headLength = 4 + 4 * RANK[content];
  if (path.endsWith('.gz')) {
    let sizes: number[] = [];
    // Deflate has no random access; MNIST's largest file unpacks to 47 MB, so it is unpacked once and kept.
    const bytes = await gunzipFile(path, headLength, (head) => {
      sizes = parseSizes(path, content, head);
      return declaredSize(headLength, sizes);
    });
    return {
      path,
      sizes,
      read: async (start, length) => bytes.subarray(headLength + start, headLength + start + length),
    };
  }
  const actual = await fileSize(path);
  const sizes = parseSizes(path, content, await readAt(path, 0, Math.min(headLength, actual)));
  requireSize(path, declaredSize(headLength, sizes), actual);
  return { path, sizes, read: (start, length) => readAt(path, headLength + start, length) };
}

// A product beyond 2^53 may be rounded, but is then larger than any file and fails the comparison all the same.
function declaredSize(headLength: number, sizes: readonly number[]): number {
  return headLength + sizes.reduce((product, size) => product * size, 1);
}

function parseSizes(path: string, content: Content, head: Buffer): number[] {
  const rank = RANK[content];
  const magic = 0x0800 + rank;
  if (head.length >= 2 && head[0] === 0x1f && head[1] === 0x8b) {
    throw badInput(`${path}: is a gzip file without .gz in its name`, 'Add .gz to its name, or unpack it.');
  }
  if (head.length < 4 || head.readUInt32BE(0) !== magic) {
    throw badInput(
      `${path}: does not start as an IDX file of ${content} (wanted ${hex(magic)}, found ${head.length < 4 ? `${head.length} bytes` : hex(head.readUInt32BE(0))})`,
      `Give the ${content} file of the set under its original name.`,
    );
  }
  const headLength = 4 + 4 * rank;
  if (head.length < headLength) requireSize(path, headLength, head.length);
  const sizes = Array.from({ length: rank }, (_, i) => head.readUInt32BE(4 + 4 * i));
  if (sizes.some((size) => size === 0)) {
    throw badInput(
      `${path}: declares ${sizes.join(' x ')}, which is no ${content} at all`,
      'Fetch it again.',
    );
  }
  return sizes;
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(8, '0')}`;
}
