/**
 * CIFAR-10's binary format: records of one label byte and 3072 bytes, a 32 x 32 plane each of red, green and blue.
 * Serves the built-in signs too, which are kept in the same format. Not for CIFAR-100 (two label bytes).
 */
import { join } from 'node:path';
import { badInput, TurnproofError } from '@turnproof/core';
import { fileSize, listFolder, pathKind, readAt, scanFile } from './files.ts';
import { type Dataset, makeDataset, pixelCount, unitFromBytes } from './types.ts';

const SHAPE = { channels: 3, height: 32, width: 32 } as const;
const RECORD = 1 + pixelCount(SHAPE);
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

/**
 * Opens a CIFAR-10 file, or of a folder its test set: test_batch.bin, else every test_*.bin in the order of names.
 *
 * @throws TurnproofError 'bad-input' for files that are not whole records with labels 0 to 9.
 */
export async function openCifar10(spec: string, path: string): Promise<Dataset> {
  const paths = (await pathKind(path)) === 'folder' ? await testFiles(path) : [path];
  return openRecords(spec, 'cifar10', paths, CIFAR10_CLASSES);
}

/**
 * Opens files of CIFAR records, one after the other, as one data set.
 *
 * @param classes names in the order of the label bytes; a label beyond them is refused.
 */
export async function openRecords(
  spec: string,
  kind: string,
  paths: readonly string[],
  classes: readonly string[],
): Promise<Dataset> {
  const labels: number[] = [];
  const places: { path: string; position: number }[] = [];
  for (const path of paths) {
    const size = await fileSize(path);
    if (size === 0 || size % RECORD !== 0) {
      throw badInput(
        `${path}: ${size} bytes are not a whole number of ${RECORD}-byte records (label and 3 x 32 x 32 pixels)`,
        'The file is cut, has bytes after its end, or is no CIFAR-10 binary file: fetch it again.',
      );
    }
    await scanFile(path, 0, size, RECORD * RECORDS_PER_PIECE, (bytes, start) => {
      for (let at = 0; at < bytes.length; at += RECORD) {
        const label = bytes[at] ?? 0;
        const position = start + at;
        if (label >= classes.length) {
          throw badInput(
            `${path}: label ${label} of record ${position / RECORD} (byte ${position}) is outside the classes 0 to ${classes.length - 1}`,
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
    classes,
    shape: SHAPE,
    size: labels.length,
    name: (index) => `${kind}[${index}]`,
    label: (index) => labels[index] ?? null,
    pixels: async (index) => {
      const place = places[index];
      if (place === undefined) throw new TurnproofError('internal', `no record ${index}`);
      return unitFromBytes(await readAt(place.path, place.position + 1, RECORD - 1));
    },
  });
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
