/**
 * MNIST's IDX files, plain or gzipped. Not for IDX in general: unsigned bytes only, images with three sizes and
 * labels with one, as MNIST and its relatives have them.
 *
 * Layout (big-endian): two zero bytes, type 8, number of sizes, each size as uint32, the values.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { badInput } from '@turnproof/core';
import { fileSize, gunzipFile, pathKind, readAt, requireFolder, requireSize } from './files.ts';
import { editDistance } from './spec.ts';
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
 * Opens MNIST's images and labels, which `folder` holds as their authors, torchvision or Kaggle's archives name them.
 *
 * @param prefix "t10k" (test set) or "train".
 * @throws TurnproofError 'bad-input' for anything that is not a matching pair of whole IDX files of ten classes.
 */
export async function openMnist(
  spec: string,
  kind: string,
  folder: string,
  prefix: 't10k' | 'train',
): Promise<Dataset> {
  await requireFolder(folder);
  const images = await findIdx(folder, prefix, 'images');
  return openPair(spec, kind, images, await findIdx(folder, prefix, 'labels'), CLASSES);
}

/**
 * Opens an IDX file of images and, where given, one of labels, under any name: EMNIST and the like. Labels are the class
 * numbers as they stand there.
 *
 * @throws TurnproofError 'bad-input' for anything that is not a matching pair of whole IDX files.
 */
export function openIdxPair(spec: string, imagesPath: string, labelsPath: string | null): Promise<Dataset> {
  return openPair(spec, 'idx', imagesPath, labelsPath, null);
}

async function openPair(
  spec: string,
  kind: string,
  imagesPath: string,
  labelsPath: string | null,
  classes: readonly string[] | null,
): Promise<Dataset> {
  const images = await openIdx(imagesPath, 'images');
  const [size = 0, height = 0, width = 0] = images.sizes;
  const labelOf = labelsPath === null ? null : await readLabels(labelsPath, imagesPath, size);
  const wrong = classes && labelOf ? labelOf.findIndex((label) => label >= classes.length) : -1;
  if (classes && labelOf && wrong >= 0) {
    throw badInput(
      `${labelsPath}: label ${labelOf[wrong]} of image ${wrong} is outside the classes 0 to ${classes.length - 1}`,
      'Give the labels of a ten-class set, or name the two files of another: --data idx:IMAGES,LABELS.',
    );
  }
  const shape = { channels: 1, height, width };
  const count = pixelCount(shape);
  return makeDataset({
    spec,
    classes,
    shape,
    size,
    name: (index) => `${kind}[${index}]`,
    label: (index) => labelOf?.[index] ?? null,
    pixels: async (index) => unitFromBytes(await images.read(index * count, count)),
  });
}

async function readLabels(path: string, imagesPath: string, size: number): Promise<Uint8Array> {
  const labels = await openIdx(path, 'labels');
  const [count = 0] = labels.sizes;
  if (count === size) return labels.read(0, size);
  throw badInput(
    `${path} has ${count} labels, but ${imagesPath} has ${size} images`,
    'Give both files of the same set.',
  );
}

/** Below the folder; torchvision makes the last two. */
const PLACES = ['', 'raw', 'MNIST/raw'] as const;

/** Kaggle's archives have a dot in the name, or put each file into a folder of its own name. */
async function findIdx(folder: string, prefix: string, content: Content): Promise<string> {
  const ending = `idx${RANK[content]}-ubyte`;
  const names = [`${prefix}-${content}-${ending}`, `${prefix}-${content}.${ending}`];
  const files = names.flatMap((name) => [name, `${name}.gz`, join(name, name)]);
  for (const place of PLACES) {
    for (const file of files) {
      const path = join(folder, place, file);
      const kind = await pathKind(path);
      if (kind === 'file' || kind === 'other') return path;
    }
  }
  const [name = ''] = names;
  const near = await filesLike(folder, name);
  throw badInput(
    `${folder}: has neither ${name} nor ${name}.gz${near.length > 0 ? `, but ${near.join(', ')}` : ''}`,
    near.length > 0
      ? 'Name the folder that holds the files of that name, or two others: --data idx:IMAGES,LABELS.'
      : 'Name the folder that holds the IDX files under their original names.',
  );
}

/** Folders that are looked into, names that are looked at, names that are told. */
const [LOOKED_INTO, LOOKED_AT, TOLD] = [30, 3000, 3] as const;

/** What may be an IDX file, by its name, in the folder or up to two below it: the nearest to a name first. */
async function filesLike(folder: string, wanted: string): Promise<string[]> {
  const found: string[] = [];
  let level = [''];
  let looked = 0;
  for (let depth = 0; depth <= 2; depth++) {
    const below: string[] = [];
    for (const place of level.slice(0, LOOKED_INTO)) {
      // What may not be read here is no help to anybody.
      const entries = await readdir(join(folder, place), { withFileTypes: true }).catch(() => []);
      looked += entries.length;
      if (looked > LOOKED_AT) return found.slice(0, TOLD);
      for (const entry of entries) {
        if (entry.isDirectory()) below.push(join(place, entry.name));
        else if (/idx\d|ubyte/i.test(entry.name)) found.push(join(place, entry.name));
      }
    }
    level = below;
  }
  const distance = (path: string): number => editDistance(path.slice(-64).toLowerCase(), wanted);
  return found.sort((a, b) => distance(a) - distance(b) || (a < b ? -1 : 1)).slice(0, TOLD);
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
