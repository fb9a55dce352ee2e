import { mkdir, readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDataset } from './index.ts';
import { chunk, png, refusalOf, type TemporaryFolder, temporaryFolder, uint32s } from './testing/files.ts';

// Two rows of three pixels, by hand: nothing here goes through the decoder under test.
const colour = png({
  width: 3,
  height: 2,
  bitDepth: 8,
  colourType: 2,
  rows: [
    [0, 51, 102, 1, 2, 3, 4, 5, 6],
    [7, 8, 9, 10, 11, 12, 153, 204, 255],
  ],
});
const colourPlanes = [0, 1, 4, 7, 10, 153, 51, 2, 5, 8, 11, 204, 102, 3, 6, 9, 12, 255];
const grey = (...values: number[]): Buffer =>
  png({ width: values.length, height: 1, bitDepth: 8, colourType: 0, rows: [values] });
const allGreys = grey(...Array.from({ length: 256 }, (_, i) => i));

let root: TemporaryFolder;
let count = 0;

beforeAll(async () => {
  root = await temporaryFolder();
});
afterAll(() => root.remove());

async function folderWith(files: Record<string, Uint8Array | string>): Promise<string> {
  const name = `set-${count++}`;
  await mkdir(join(root.path, name));
  for (const [file, bytes] of Object.entries(files)) await root.write(join(name, file), bytes);
  return join(root.path, name);
}
const opened = async (files: Record<string, Uint8Array | string>) =>
  openDataset(`folder:${await folderWith(files)}`);
const refusal = async (files: Record<string, Uint8Array | string>): Promise<string> => {
  const folder = await folderWith(files);
  return refusalOf(async () => {
    const data = await openDataset(`folder:${folder}`);
    for (let i = 0; i < data.size; i++) await data.read(i);
  });
};
const unit = (values: readonly number[]): number[] => values.map((v) => Math.fround(v / 255));

describe('folder:DIR', () => {
  it('numbers classes and files by the code points of their names', async () => {
    const data = await opened({
      'b/2.png': grey(1),
      'b/10.png': grey(2),
      'B/x.PNG': grey(3),
      'a/x.png': grey(4),
      'README.md': 'not an image',
      '.cache/x.png': 'hidden',
      'a/.DS_Store': 'hidden',
    });
    expect(data.classes).toEqual(['B', 'a', 'b']);
    expect(data).toMatchObject({ size: 4, classCount: 3, shape: { channels: 1, height: 1, width: 1 } });
    const images = await Promise.all([0, 1, 2, 3].map((i) => data.read(i)));
    expect(images.map(({ name, label, pixels }) => [name, label, pixels[0]])).toEqual([
      ['B/x.PNG', 0, Math.fround(3 / 255)],
      ['a/x.png', 1, Math.fround(4 / 255)],
      ['b/10.png', 2, Math.fround(2 / 255)],
      ['b/2.png', 2, Math.fround(1 / 255)],
    ]);
  });

  it.each<[string, string[], string[] | null, number[]]>([
    // In the order in which the images come: that of the folders' names.
    ['numbers with gaps', ['0', '2', '7', '9'], null, [0, 2, 7, 9]],
    ['numbers of several digits', ['0', '1', '2', '10', '11'], null, [0, 1, 10, 11, 2]],
    ['numbers filled up with zeros', ['00000', '00014', '00042'], null, [0, 14, 42]],
    ['digits and letters', ['0', '1', '2', 'a', 'b'], ['0', '1', '2', 'a', 'b'], [0, 1, 2, 3, 4]],
    ['numbers and a name', ['20', '30', 'stop'], ['20', '30', 'stop'], [0, 1, 2]],
  ])('takes class folders of %s as what they say', async (_, folders, classes, labels) => {
    const data = await opened(Object.fromEntries(folders.map((name) => [`${name}/x.png`, grey(1)])));
    expect(data.classes).toEqual(classes);
    expect(await Promise.all(labels.map(async (_, i) => (await data.read(i)).label))).toEqual(labels);
  });

  it('counts a class folder without images as a class', async () => {
    const data = await opened({ 'a/x.png': grey(1), 'b/.DS_Store': '', 'c/x.png': grey(2) });
    expect(data.classes).toEqual(['a', 'b', 'c']);
    expect([data.size, (await data.read(1)).label]).toEqual([2, 2]);
  });

  it('gives a colour image as planes of red, green and blue', async () => {
    const data = await opened({ 'a/x.png': colour });
    expect(data.shape).toEqual({ channels: 3, height: 2, width: 3 });
    expect([...(await data.read(0)).pixels]).toEqual(unit(colourPlanes));
  });

  it('keeps all 256 greys as they are, in one channel', async () => {
    const data = await opened({ 'a/x.png': allGreys });
    expect(data.shape).toEqual({ channels: 1, height: 1, width: 256 });
    expect([...(await data.read(0)).pixels]).toEqual(unit([...Array(256).keys()]));
  });

  it('spreads grey of 1, 2 and 4 bits over the full range', async () => {
    const data = await opened({
      'a/1.png': png({ width: 4, height: 1, bitDepth: 1, colourType: 0, rows: [[0b01100000]] }),
      'a/2.png': png({ width: 4, height: 1, bitDepth: 2, colourType: 0, rows: [[0b00011011]] }),
      'a/4.png': png({ width: 4, height: 1, bitDepth: 4, colourType: 0, rows: [[0x01, 0x8f]] }),
    });
    const values = await Promise.all([0, 1, 2].map(async (i) => [...(await data.read(i)).pixels]));
    expect(values).toEqual([unit([0, 255, 255, 0]), unit([0, 85, 170, 255]), unit([0, 17, 136, 255])]);
  });

  it('replaces palette indices by their colours, also where all are grey', async () => {
    const data = await opened({
      'a/x.png': png({
        width: 2,
        height: 1,
        bitDepth: 8,
        colourType: 3,
        rows: [[1, 0]],
        palette: [9, 8, 7, 40, 50, 60],
      }),
      'a/y.png': png({
        width: 2,
        height: 1,
        bitDepth: 1,
        colourType: 3,
        rows: [[0b01000000]],
        palette: [0, 0, 0, 5, 5, 5],
      }),
    });
    expect([...(await data.read(0)).pixels]).toEqual(unit([40, 9, 50, 8, 60, 7]));
    expect([...(await data.read(1)).pixels]).toEqual(unit([0, 5, 0, 5, 0, 5]));
  });

  it('reads JPEG, colour and grey, near to what was stored', async () => {
    const flat = (channels: 1 | 3, values: number[]) =>
      sharp(Buffer.from(Array.from({ length: 64 }, () => values).flat()), {
        raw: { width: 8, height: 8, channels },
      });
    const colours = await opened({
      'a/x.jpg': await flat(3, [200, 100, 50]).jpeg({ quality: 100 }).toBuffer(),
    });
    const image = await colours.read(0);
    for (const [channel, value] of [200, 100, 50].entries()) {
      // Quality 100 keeps flat areas to a step or two of colour conversion.
      expect(Math.abs((image.pixels[channel * 64 + 27] ?? 0) * 255 - value)).toBeLessThanOrEqual(2);
    }
    const greys = await opened({
      'a/x.jpeg': await flat(1, [77]).toColourspace('b-w').jpeg({ quality: 100 }).toBuffer(),
    });
    expect(greys.shape).toEqual({ channels: 1, height: 8, width: 8 });
    expect(Math.abs(((await greys.read(0)).pixels[5] ?? 0) * 255 - 77)).toBeLessThanOrEqual(1);
  });

  it('keeps all 16 bits of grey and of colour: v / 65535', async () => {
    const values = [0, 1, 255, 256, 257, 32_768, 65_534, 65_535];
    const rows = [values.flatMap((v) => [v >> 8, v & 255])];
    const greys = await opened({
      'a/x.png': png({ width: 8, height: 1, bitDepth: 16, colourType: 0, rows }),
    });
    expect([...(await greys.read(0)).pixels]).toEqual(values.map((v) => Math.fround(v / 65_535)));
    const colours = await opened({
      'a/x.png': png({
        width: 2,
        height: 1,
        bitDepth: 16,
        colourType: 2,
        rows: [[0, 1, 2, 3, 4, 5, 255, 254, 253, 252, 251, 250]],
      }),
    });
    const planes = [0x0001, 0xfffe, 0x0203, 0xfdfc, 0x0405, 0xfbfa];
    expect([...(await colours.read(0)).pixels]).toEqual(planes.map((v) => Math.fround(v / 65_535)));
  });

  it('drops an alpha channel that is opaque everywhere, of 8 and of 16 bits', async () => {
    const data = await opened({
      'a/1.png': png({ width: 1, height: 1, bitDepth: 8, colourType: 6, rows: [[1, 2, 3, 255]] }),
      'a/2.png': png({
        width: 1,
        height: 1,
        bitDepth: 16,
        colourType: 6,
        rows: [[1, 0, 2, 0, 3, 0, 255, 255]],
      }),
    });
    expect([...(await data.read(0)).pixels]).toEqual(unit([1, 2, 3]));
    expect([...(await data.read(1)).pixels]).toEqual([256, 512, 768].map((v) => Math.fround(v / 65_535)));
    const grey2 = await opened({
      'a/x.png': png({ width: 2, height: 1, bitDepth: 8, colourType: 4, rows: [[7, 255, 9, 255]] }),
    });
    expect([...(await grey2.read(0)).pixels]).toEqual(unit([7, 9]));
    const deep = await opened({
      'a/x.png': png({ width: 1, height: 1, bitDepth: 16, colourType: 4, rows: [[1, 2, 255, 255]] }),
    });
    expect([...(await deep.read(0)).pixels]).toEqual([Math.fround(258 / 65_535)]);
  });

  it('turns CMYK into RGB by ink alone: (255 - C)(255 - K) / 255', async () => {
    // Written by Pillow 12.3 with quality 100; its own decoder reads these CMYK values and this RGB from it.
    const jpeg = await readFile(new URL('testing/pillow-cmyk.jpg', import.meta.url));
    const { pixels, shape } = await opened({ 'a/x.jpg': jpeg }).then(async (data) => ({
      pixels: (await data.read(0)).pixels,
      shape: data.shape,
    }));
    expect(shape).toEqual({ channels: 3, height: 4, width: 4 });
    const at = (pixel: number) => [0, 1, 2].map((c) => Math.round(255 * (pixels[c * 16 + pixel] ?? 0)));
    expect(at(0)).toEqual([246, 243, 240]); // C, M, Y, K = 0, 3, 6, 9
    expect(at(11)).toEqual([55, 54, 52]); // 132, 135, 138, 141
  });

  it('ignores EXIF orientation', async () => {
    const upright = sharp(Buffer.alloc(16 * 8 * 3, 90), { raw: { width: 16, height: 8, channels: 3 } });
    const data = await opened({
      'a/x.jpg': await upright.withMetadata({ orientation: 6 }).jpeg().toBuffer(),
    });
    expect(data.shape).toEqual({ channels: 3, height: 8, width: 16 });
  });

  it('ignores an embedded colour profile', async () => {
    const raw = Buffer.from([10, 200, 30, 250, 5, 120]);
    const tagged = await sharp(raw, { raw: { width: 2, height: 1, channels: 3 } })
      .withIccProfile('p3')
      .png()
      .toBuffer();
    // What is stored differs from the raw values: sharp converted them to P3 when it wrote them.
    const stored = await sharp(tagged, { ignoreIcc: true }).raw().toBuffer();
    expect([...stored]).not.toEqual([...raw]);
    const image = await (await opened({ 'a/x.png': tagged })).read(0);
    expect([...image.pixels]).toEqual(unit([0, 3, 1, 4, 2, 5].map((i) => stored[i] ?? 0)));
  });

  it('takes the first picture of an animated PNG', async () => {
    const [start, rest] = [colour.subarray(0, 33), colour.subarray(33)];
    const control = chunk('acTL', uint32s(2, 0));
    const frame = (number: number) =>
      chunk('fcTL', Buffer.concat([uint32s(number, 3, 2, 0, 0), Buffer.from([0, 1, 0, 1, 0, 0])]));
    const second = deflateSync(Buffer.from([0, ...Array(9).fill(255), 0, ...Array(9).fill(255)]));
    const body = rest.subarray(0, -12);
    const apng = Buffer.concat([
      start,
      control,
      frame(0),
      body,
      frame(1),
      chunk('fdAT', Buffer.concat([uint32s(2), second])),
      rest.subarray(-12),
    ]);
    expect([...(await (await opened({ 'a/x.png': apng })).read(0)).pixels]).toEqual(unit(colourPlanes));
  });

  it('follows links', async () => {
    const folder = await folderWith({ 'a/x.png': grey(8) });
    await symlink(join(folder, 'a'), join(folder, 'b'));
    const data = await openDataset(`folder:${folder}`);
    expect(data.classes).toEqual(['a', 'b']);
    await symlink(join(folder, 'nowhere'), join(folder, 'a', 'y.png'));
    expect(await refusalOf(() => openDataset(`folder:${folder}`))).toMatch(/y\.png: no such file/);
  });
});

describe('folder:DIR refuses', () => {
  const alpha = png({ width: 1, height: 1, bitDepth: 8, colourType: 6, rows: [[1, 2, 3, 4]] });

  it.each<[string, Record<string, Uint8Array | string>, RegExp]>([
    ['an empty folder', {}, /has no class folders.*one subfolder for each class/],
    [
      'images outside class folders',
      { 'x.png': grey(1), 'a/x.png': grey(1) },
      /set-\d+\/x\.png: lies in no class folder/,
    ],
    [
      'classes that are all empty',
      { 'a/.keep': '', 'b/.keep': '' },
      /set-\d+: its class folders are all empty/,
    ],
    ['a class like a number', { '1/x.png': grey(1), '-1/x.png': grey(1) }, /"-1" is no class number/],
    ['a folder inside a class', { 'a/x.png': grey(1), 'a/deeper/x.png': grey(1) }, /a\/deeper: is neither/],
    ['a file of another kind', { 'a/x.png': grey(1), 'a/x.gif': 'GIF89a' }, /x\.gif: is neither \.png/],
    [
      'an image of another width',
      { 'a/x.png': grey(1, 2), 'b/y.png': grey(1, 2, 3) },
      /a\/x\.png is 1 x 1 x 2.*b\/y\.png is 1 x 1 x 3/,
    ],
    [
      'grey among colour',
      {
        'a/x.png': colour,
        'a/y.png': png({
          width: 3,
          height: 2,
          bitDepth: 8,
          colourType: 0,
          rows: [
            [1, 2, 3],
            [4, 5, 6],
          ],
        }),
      },
      /x\.png is 3 x 2 x 3.*y\.png is 1 x 2 x 3/,
    ],
    ['transparency', { 'a/x.png': alpha }, /a\/x\.png: has transparency.*Flatten/],
    [
      'grey with transparency',
      { 'a/x.png': png({ width: 1, height: 1, bitDepth: 8, colourType: 4, rows: [[1, 2]] }) },
      /has transparency/,
    ],
    [
      'grey of 16 bits with a little transparency',
      { 'a/x.png': png({ width: 1, height: 1, bitDepth: 16, colourType: 4, rows: [[1, 2, 255, 254]] }) },
      /has transparency \(column 0, row 0\)/,
    ],
    [
      'a transparent palette entry',
      {
        'a/x.png': png({
          width: 1,
          height: 1,
          bitDepth: 8,
          colourType: 3,
          rows: [[0]],
          palette: [1, 2, 3],
          transparency: [0],
        }),
      },
      /has transparency/,
    ],
    [
      'a transparent colour',
      {
        'a/x.png': png({
          width: 1,
          height: 1,
          bitDepth: 8,
          colourType: 2,
          rows: [[1, 2, 3]],
          transparency: [0, 1, 0, 2, 0, 3],
        }),
      },
      /has transparency/,
    ],
    ['a cut PNG', { 'a/x.png': colour.subarray(0, -12) }, /a\/x\.png: ends early/],
    ['a PNG cut in its header', { 'a/x.png': colour.subarray(0, 20) }, /a\/x\.png: ends early/],
    ['an empty file', { 'a/x.png': '' }, /a\/x\.png: is empty/],
    ['text under an image name', { 'a/x.jpg': 'hello there, this is no image' }, /neither a PNG nor a JPEG/],
    ['a PNG that declares billions of pixels', { 'a/x.png': hugePng() }, /more than the 16777216/],
  ])('%s', async (_, files, words) => {
    expect(await refusal(files)).toMatch(words);
  });

  it('a cut JPEG and WebP', async () => {
    const raw = () => sharp(Buffer.alloc(64 * 3, 120), { raw: { width: 8, height: 8, channels: 3 } });
    const jpeg = await raw().jpeg().toBuffer();
    expect(await refusal({ 'a/x.jpg': jpeg.subarray(0, -2) })).toMatch(/x\.jpg: ends early/);
    expect(await refusal({ 'a/x.jpg': await raw().webp().toBuffer() })).toMatch(/neither a PNG nor a JPEG/);
  });

  it('on reading, an image damaged inside or replaced since opening', async () => {
    const folder = await folderWith({ 'a/x.png': colour, 'a/y.png': colour });
    const data = await openDataset(`folder:${folder}`);
    const damaged = Buffer.from(colour);
    damaged[45] = (damaged[45] ?? 0) ^ 0xff;
    await root.write(join(folder.slice(root.path.length), 'a/x.png'), damaged);
    expect(await refusalOf(() => data.read(0))).toMatch(/a\/x\.png: cannot be decoded/);
    await root.write(join(folder.slice(root.path.length), 'a/y.png'), grey(1));
    expect(await refusalOf(() => data.read(1))).toMatch(/x\.png is 3 x 2 x 3.*y\.png is 1 x 1 x 1/);
  });
});

/** A valid header of 60,000 x 60,000 over a handful of bytes. */
function hugePng(): Buffer {
  const bytes = png({ width: 60_000, height: 60_000, bitDepth: 8, colourType: 2, rows: [[1, 2, 3]] });
  expect(bytes.subarray(16, 24)).toEqual(uint32s(60_000, 60_000));
  return bytes;
}
