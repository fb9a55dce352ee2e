/**
 * CIFAR's binary format: records of label bytes (one in CIFAR-10; a coarse and a fine one in CIFAR-100) and 3072 bytes, a
 * 32 x 32 plane each of red, green and blue. Serves the built-in signs too, which are kept in the format of CIFAR-10.
 */
import { join } from 'node:path';
import { badInput, TurnproofError } from '@turnproof/core';
import { fileSize, listFolder, pathKind, readAt, scanFile } from './files.ts';
import { type Dataset, makeDataset, pixelCount, unitFromBytes } from './types.ts';

const SHAPE = { channels: 3, height: 32, width: 32 } as const;
const PIXELS = pixelCount(SHAPE);
const RECORDS_PER_PIECE = 256;

const CIFAR10_CLASSES = [
  'airplane',
  'automobile',
  'bird',
  'cat',
  'deer',
  'dog',
  'frog',
  'horse',
  'ship',
  'truck',
] as const;

/** Of a set in this format. */
interface Format {
  /** In the names of images. */
  readonly kind: string;
  /** The last of them is the class. */
  readonly labelBytes: number;
  /** Names in the order of the label bytes, or as many numbers. */
  readonly classes: readonly string[] | number;
}

/**
 * Opens a CIFAR-10 file, or of a folder its test set: test_batch.bin, else every test_*.bin in the order of names.
 *
 * @throws TurnproofError 'bad-input' for files that are not whole records with labels 0 to 9.
 */
export async function openCifar10(spec: string, path: string): Promise<Dataset> {
  const paths = (await pathKind(path)) === 'folder' ? await testFiles(path) : [path];
  return openRecords(spec, paths, { kind: 'cifar10', labelBytes: 1, classes: CIFAR10_CLASSES });
}

/**
 * Opens a CIFAR-100 file, or of a folder its test.bin; the classes are the 100 fine ones.
 *
 * @throws TurnproofError 'bad-input' for a file that is not whole records with labels 0 to 99.
 */
export async function openCifar100(spec: string, path: string): Promise<Dataset> {
  const file = (await pathKind(path)) === 'folder' ? join(path, 'test.bin') : path;
  return openRecords(spec, [file], { kind: 'cifar100', labelBytes: 2, classes: 100 });
}

/** Opens files of such records, one after the other, as one data set; a label beyond the classes is refused. */
export async function openRecords(
  spec: string,
  paths: readonly string[],
  { kind, labelBytes, classes }: Format,
): Promise<Dataset> {
  const count = typeof classes === 'number' ? classes : classes.length;
  const record = labelBytes + PIXELS;
  const labels: number[] = [];
  const places: { path: string; position: number }[] = [];
  for (const path of paths) {
    const size = await fileSize(path);
    if (size === 0 || size % record !== 0) throw noRecords(path, size, labelBytes);
    await scanFile(path, 0, size, record * RECORDS_PER_PIECE, (bytes, start) => {
      for (let at = 0; at < bytes.length; at += record) {
        const label = bytes[at + labelBytes - 1] ?? 0;
        const position = start + at;
        if (label >= count) {
          throw badInput(
            `${path}: label ${label} of record ${position / record} (byte ${position + labelBytes - 1}) is outside the classes 0 to ${count - 1}`,
            'The file is damaged or in another format: fetch the binary version.',
          );
        }
        labels.push(label);
        places.push({ path, position });
      }
    });
  }
  return makeDataset({
    spec,
    ...(typeof classes === 'number'
      ? {
          classes: null,
          named: Array.from({ length: classes }, (_, number) => ({ number, name: `${number}` })),
        }
      : { classes }),
    shape: SHAPE,
    size: labels.length,
    name: (index) => `${kind}[${index}]`,
    label: (index) => labels[index] ?? null,
    pixels: async (index) => {
      const place = places[index];
      if (place === undefined) throw new TurnproofError('internal', `no record ${index}`);
      return unitFromBytes(await readAt(place.path, place.position + labelBytes, PIXELS));
    },
  });
}

/** A file of the other set is known by its size. */
function noRecords(path: string, size: number, labelBytes: number): Error {
  const other = labelBytes === 1 ? 'CIFAR-100' : 'CIFAR-10';
  const isOther = size > 0 && size % (3 - labelBytes + PIXELS) === 0;
  return badInput(
    `${path}: ${size} bytes are not a whole number of ${labelBytes + PIXELS}-byte records (${labelBytes === 1 ? 'label' : 'two labels'} and 3 x 32 x 32 pixels)`,
    isOther
      ? `It may be a file of ${other}: --data ${other.toLowerCase().replace('-', '')}:FILE.`
      : 'The file is cut, has bytes after its end, or is no CIFAR binary file: fetch it again.',
  );
}

async function testFiles(folder: string): Promise<string[]> {
  const names = await listFolder(folder);
  const found = names.includes('test_batch.bin')
    ? ['test_batch.bin']
    : names.filter((name) => name.startsWith('test_') && name.endsWith('.bin'));
  if (found.length === 0) {
    throw badInput(
      `${folder}: has neither test_batch.bin nor any test_*.bin`,
      'Name the folder of the binary version of CIFAR-10, or one .bin file.',
    );
  }
  return found.map((name) => join(folder, name));
}
