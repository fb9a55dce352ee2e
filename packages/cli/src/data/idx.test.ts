import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDataset } from './index.ts';
import {
  idxImages,
  idxLabels,
  refusalOf,
  type TemporaryFolder,
  temporaryFolder,
  uint32s,
} from './testing/files.ts';

const IMAGES = 't10k-images-idx3-ubyte';
const LABELS = 't10k-labels-idx1-ubyte';
// Three images of two rows and three columns.
const pixels = Buffer.from([0, 51, 102, 153, 204, 255, 1, 2, 3, 4, 5, 6, 10, 20, 30, 40, 50, 60]);
const images = idxImages([3, 2, 3], pixels);
const labels = idxLabels([7, 0, 9]);

let root: TemporaryFolder;
let count = 0;

beforeAll(async () => {
  root = await temporaryFolder();
});
afterAll(() => root.remove());

/** A fresh folder with these files; its path. */
async function folderWith(files: Record<string, Uint8Array | string>): Promise<string> {
  const name = `set-${count++}`;
  await root.write(join(name, 'notes.txt'), 'not looked at');
  for (const [file, bytes] of Object.entries(files)) await root.write(join(name, file), bytes);
  return join(root.path, name);
}

const refusal = async (files: Record<string, Uint8Array | string>): Promise<string> => {
  const folder = await folderWith(files);
  return refusalOf(() => openDataset(`mnist:${folder}`));
};

describe('mnist:DIR', () => {
  it.each([
    ['plain', { [IMAGES]: images, [LABELS]: labels }],
    ['gzipped', { [`${IMAGES}.gz`]: gzipSync(images), [`${LABELS}.gz`]: gzipSync(labels) }],
    ['one of each', { [IMAGES]: images, [`${LABELS}.gz`]: gzipSync(labels) }],
  ])('reads %s files, images as rows of v/255 with their labels', async (_, files) => {
    const spec = `mnist:${await folderWith(files)}`;
    const data = await openDataset(spec);
    expect(data).toMatchObject({
      spec,
      size: 3,
      classCount: 10,
      shape: { channels: 1, height: 2, width: 3 },
    });
    expect(data.classes).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
    const first = await data.read(0);
    expect(first).toMatchObject({ index: 0, label: 7, name: 'mnist[0]' });
    expect([...first.pixels]).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1].map(Math.fround));
    expect((await data.read(2)).label).toBe(9);
    expect((await data.read(2)).pixels[5]).toBe(Math.fround(60 / 255));
  });

  const DOTTED = ['t10k-images.idx3-ubyte', 't10k-labels.idx1-ubyte'];
  it.each<[string, string, string]>([
    ['as Kaggle has them, with a dot', DOTTED[0] ?? '', DOTTED[1] ?? ''],
    ['as Kaggle has them, each in a folder of its name', `${IMAGES}/${IMAGES}`, `${LABELS}/${LABELS}`],
    ['with a dot, each in a folder of its name', `${DOTTED[0]}/${DOTTED[0]}`, `${DOTTED[1]}/${DOTTED[1]}`],
    ['below torchvision’s root', `MNIST/raw/${IMAGES}`, `MNIST/raw/${LABELS}`],
    ['below a folder of torchvision’s', `raw/${IMAGES}`, `raw/${LABELS}`],
  ])('finds files %s, packed or not', async (_, first, second) => {
    for (const ending of first.includes('/') && !first.includes('raw') ? [''] : ['', '.gz']) {
      const pack = (bytes: Buffer) => (ending === '' ? bytes : gzipSync(bytes));
      const folder = await folderWith({
        [`${first}${ending}`]: pack(images),
        [`${second}${ending}`]: pack(labels),
      });
      const data = await openDataset(`mnist:${folder}`);
      expect([data.size, (await data.read(2)).label, (await data.read(2)).pixels[5]]).toEqual([
        ...[3, 9, Math.fround(60 / 255)],
      ]);
    }
  });

  it('takes the unpacked of two, as torchvision keeps both', async () => {
    const folder = await folderWith({
      [`MNIST/raw/${IMAGES}`]: images,
      [`MNIST/raw/${IMAGES}.gz`]: 'damaged',
      [`MNIST/raw/${LABELS}`]: labels,
    });
    expect((await openDataset(`mnist:${folder}`)).size).toBe(3);
  });

  it.each<[string, string[], string]>([
    [
      'of EMNIST',
      ['emnist-letters-test-images-idx3-ubyte', 'emnist-letters-test-labels-idx1-ubyte'],
      'but emnist-letters-test-images-idx3-ubyte, emnist-letters-test-labels-idx1-ubyte',
    ],
    ['of another set below it', [`FashionMNIST/raw/${IMAGES}`], `but FashionMNIST/raw/${IMAGES}`],
    ['for training', ['train-images-idx3-ubyte', 'train-labels-idx1-ubyte'], 'but train-images-idx3-ubyte'],
    ['in other letters', ['T10K-IMAGES-IDX3-UBYTE'], 'but T10K-IMAGES-IDX3-UBYTE'],
    ['under an archive’s name', [`${IMAGES}.zip`], `but ${IMAGES}.zip`],
  ])('names files %s that it finds instead', async (_, files, words) => {
    const answer = await refusal(Object.fromEntries(files.map((name) => [name, images])));
    expect(answer).toContain(`neither ${IMAGES} nor ${IMAGES}.gz, ${words}`);
    expect(answer).toContain('--data idx:IMAGES,LABELS');
  });

  it('never asks for a file where it wants a folder', async () => {
    const words = await refusal({ [`${IMAGES}/readme`]: 'x', [LABELS]: labels });
    expect(words).toContain(`neither ${IMAGES} nor`);
    expect(words).not.toContain('Name a file');
  });

  it('looks no further than is quick', async () => {
    const many = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`d${i}/e/f/x-idx3-ubyte`, 'x']));
    expect(await refusal(many)).not.toContain('but');
  });

  it('reads gzip files of several members', async () => {
    const parts = Buffer.concat([gzipSync(images.subarray(0, 20)), gzipSync(images.subarray(20))]);
    const data = await openDataset(
      `mnist:${await folderWith({ [`${IMAGES}.gz`]: parts, [LABELS]: labels })}`,
    );
    expect((await data.read(1)).pixels[0]).toBe(Math.fround(1 / 255));
  });

  it('mnist-train: takes the training files', async () => {
    const folder = await folderWith({ 'train-images-idx3-ubyte': images, 'train-labels-idx1-ubyte': labels });
    const data = await openDataset(`mnist-train:${folder}`);
    expect((await data.read(1)).name).toBe('mnist-train[1]');
    expect(await refusalOf(() => openDataset(`mnist:${folder}`))).toContain(
      `neither ${IMAGES} nor ${IMAGES}.gz`,
    );
  });

  it.each([-1, 3, 0.5, Number.NaN])('index %d is refused with the size', async (index) => {
    const data = await openDataset(`mnist:${await folderWith({ [IMAGES]: images, [LABELS]: labels })}`);
    expect(await refusalOf(() => data.read(index))).toMatch(
      /out of range: the data set has 3 images.*0 to 2/,
    );
  });

  it('a folder that is none is refused', async () => {
    const file = await root.write('a-file', 'x');
    expect(await refusalOf(() => openDataset(`mnist:${file}`))).toContain('a-file: is not a folder');
    expect(await refusalOf(() => openDataset('mnist:/no/such/place'))).toContain(
      '/no/such/place: no such folder',
    );
    expect(await refusalOf(() => openDataset('mnist:a\0b'))).toContain('cannot be read');
  });

  it.each<[string, Record<string, Uint8Array | string>, RegExp]>([
    ['a missing images file', { [LABELS]: labels }, /neither t10k-images-idx3-ubyte nor .*gz/],
    ['a missing labels file', { [IMAGES]: images }, /neither t10k-labels-idx1-ubyte nor .*gz/],
    [
      'labels under the images name',
      { [IMAGES]: labels, [LABELS]: labels },
      /images-idx3-ubyte: .*0x00000803, found 0x00000801/,
    ],
    [
      'images under the labels name',
      { [IMAGES]: images, [LABELS]: images },
      /labels-idx1-ubyte: .*0x00000801, found 0x00000803/,
    ],
    ['an empty file', { [IMAGES]: '', [LABELS]: labels }, /images-idx3-ubyte: .*found 0 bytes/],
    [
      'a header cut short',
      { [IMAGES]: images.subarray(0, 9), [LABELS]: labels },
      /ends early, at byte 9 of the 16/,
    ],
    [
      'a truncated file',
      { [IMAGES]: images.subarray(0, 30), [LABELS]: labels },
      /images-idx3-ubyte: ends early, at byte 30 of the 34/,
    ],
    [
      'an over-long file',
      { [IMAGES]: Buffer.concat([images, Buffer.alloc(1)]), [LABELS]: labels },
      /longer than the 34 bytes/,
    ],
    [
      'truncated labels',
      { [IMAGES]: images, [LABELS]: labels.subarray(0, 10) },
      /labels-idx1-ubyte: ends early, at byte 10 of the 11/,
    ],
    [
      'a count of none',
      { [IMAGES]: idxImages([0, 2, 3], Buffer.alloc(0)), [LABELS]: idxLabels([]) },
      /declares 0 x 2 x 3/,
    ],
    [
      'fewer labels than images',
      { [IMAGES]: images, [LABELS]: idxLabels([1, 2]) },
      /has 2 labels, but .* has 3 images/,
    ],
    [
      'a label beyond the classes',
      { [IMAGES]: images, [LABELS]: idxLabels([1, 10, 2]) },
      /label 10 of image 1 is outside the classes 0 to 9/,
    ],
    ['gzip without .gz', { [IMAGES]: gzipSync(images), [LABELS]: labels }, /gzip file without \.gz/],
    ['.gz that is no gzip', { [`${IMAGES}.gz`]: images, [LABELS]: labels }, /ubyte\.gz: is no gzip file/],
    ['an empty .gz', { [`${IMAGES}.gz`]: '', [LABELS]: labels }, /is no gzip file/],
    [
      'a truncated gzip',
      { [`${IMAGES}.gz`]: gzipSync(images).subarray(0, -9), [LABELS]: labels },
      /ubyte\.gz: ends early, the gzip file is cut/,
    ],
    [
      'a gzip with a wrong checksum',
      { [`${IMAGES}.gz`]: withByte(gzipSync(images), -6, 0x5a), [LABELS]: labels },
      /damaged gzip file/,
    ],
    [
      'text after the gzip data',
      { [`${IMAGES}.gz`]: Buffer.concat([gzipSync(images), Buffer.from('more')]), [LABELS]: labels },
      /damaged gzip file/,
    ],
    [
      'zeros after the gzip data',
      { [`${IMAGES}.gz`]: Buffer.concat([gzipSync(images), Buffer.alloc(4)]), [LABELS]: labels },
      /4 bytes after the end/,
    ],
    [
      'a whole gzip of a truncated file',
      { [`${IMAGES}.gz`]: gzipSync(images.subarray(0, 30)), [LABELS]: labels },
      /ends early, at byte 30 of the 34/,
    ],
    [
      'a whole gzip of a cut header',
      { [`${IMAGES}.gz`]: gzipSync(images.subarray(0, 9)), [LABELS]: labels },
      /ends early, at byte 9 of the 16/,
    ],
    [
      'a gzip that unpacks to far more than declared',
      { [`${IMAGES}.gz`]: gzipSync(Buffer.concat([images, Buffer.alloc(2 ** 26)])), [LABELS]: labels },
      /longer than the 34 bytes/,
    ],
  ])('%s is refused by name', async (_, files, words) => {
    expect(await refusal(files)).toMatch(words);
  });

  it.each([
    ['of more bytes than there are numbers', [0xffffffff, 0xffffffff, 0xffffffff]],
    ['of terabytes', [0xffffffff, 28, 28]],
    ['of a gigabyte', [1, 32768, 32768]],
  ])('a header that declares sizes %s is refused before anything is held', async (_, sizes) => {
    const hostile = Buffer.concat([Buffer.from([0, 0, 8, 3]), uint32s(...sizes), pixels]);
    const before = process.memoryUsage().arrayBuffers;
    expect(await refusal({ [IMAGES]: hostile, [LABELS]: labels })).toContain('ends early, at byte 34 of the');
    expect(await refusal({ [`${IMAGES}.gz`]: gzipSync(hostile), [LABELS]: labels })).toMatch(
      /more than \d+ packed bytes can hold/,
    );
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 24);
  });
});

describe('idx:IMAGES[,LABELS]', () => {
  it('reads a pair under any name, its labels as they stand there', async () => {
    const folder = await folderWith({
      'emnist-letters-test-images-idx3-ubyte.gz': gzipSync(images),
      'emnist-letters-test-labels-idx1-ubyte': idxLabels([24, 1, 26]),
    });
    const at = (name: string) => join(folder, `emnist-letters-test-${name}`);
    const data = await openDataset(`idx:${at('images-idx3-ubyte.gz')},${at('labels-idx1-ubyte')}`);
    expect(data).toMatchObject({ size: 3, classes: null, shape: { channels: 1, height: 2, width: 3 } });
    expect(await Promise.all([0, 1, 2].map(async (i) => (await data.read(i)).label))).toEqual([24, 1, 26]);
    expect((await data.read(0)).name).toBe('idx[0]');
    const alone = await openDataset(`idx:${at('images-idx3-ubyte.gz')}`);
    expect((await alone.read(0)).label).toBeNull();
  });

  it('refuses what is no such pair', async () => {
    const folder = await folderWith({ a: images, b: idxLabels([1, 2]) });
    expect(await refusalOf(() => openDataset(`idx:${folder}/a,${folder}/b`))).toMatch(
      /b has 2 labels, but .*a has 3 images/,
    );
    expect(await refusalOf(() => openDataset(`idx:${folder}/b`))).toMatch(
      /does not start as an IDX file of images/,
    );
    expect(await refusalOf(() => openDataset(`idx:${folder}`))).toContain('is a folder, not a file');
    expect(await refusalOf(() => openDataset('idx:a,b,c'))).toContain('one or two paths');
  });
});

function withByte(bytes: Buffer, at: number, value: number): Buffer {
  const copy = Buffer.from(bytes);
  const place = at < 0 ? copy.length + at : at;
  copy[place] = value;
  return copy;
}
