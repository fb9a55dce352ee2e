/** --fit and --labels on folders of images made by hand. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { cases } from '@turnproof/core/testing';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseFit } from './fit.ts';
import { openDataset } from './index.ts';
import { parseLabelsCsv } from './labels-csv.ts';
import { png, refusalOf, type TemporaryFolder, temporaryFolder } from './testing/files.ts';

/** Grey values 10 row + column. */
const numbered = (height: number, width: number): Buffer =>
  png({
    width,
    height,
    bitDepth: 8,
    colourType: 0,
    rows: Array.from({ length: height }, (_, y) => Array.from({ length: width }, (_, x) => 10 * y + x)),
  });
const unit = (values: readonly number[]): number[] => values.map((v) => Math.fround(v / 255));

let root: TemporaryFolder;
let folder: string;
beforeAll(async () => {
  root = await temporaryFolder();
  folder = join(root.path, 'images');
  await root.write('images/a/1.png', numbered(4, 4));
  await root.write('images/a/2.png', numbered(5, 7));
  await root.write('images/b/3.png', numbered(4, 5));
  await root.write('images/b/4.png', numbered(6, 6));
  await mkdir(join(root.path, 'csv'));
});
afterAll(() => root.remove());

const opened = (options: { fit?: string; labels?: string }) => openDataset(`folder:${folder}`, options);
const refusal = (options: { fit?: string; labels?: string }) => refusalOf(() => opened(options));
let count = 0;
const csv = (text: string) => root.write(`csv/${count++}.csv`, text);

describe('--fit', () => {
  it('without it images of unequal size are named, with their sizes, and the way out', async () => {
    const words = await refusal({});
    expect(words).toMatch(
      /1\.png is 1 x 4 x 4 .*2\.png is 1 x 5 x 7.*3\.png is 1 x 4 x 5.*4\.png is 1 x 6 x 6/,
    );
    expect(words).toContain('--fit crop:28');
  });

  it('takes the middle; of an odd rest the smaller half is cut off above and on the left', async () => {
    const data = await opened({ fit: 'crop:4' });
    expect(data.shape).toEqual({ channels: 1, height: 4, width: 4 });
    const rows = (top: number, left: number, height = 4, width = 4) =>
      unit(
        Array.from(
          { length: height * width },
          (_, i) => 10 * (top + Math.floor(i / width)) + left + (i % width),
        ),
      );
    expect([...(await data.read(0)).pixels]).toEqual(rows(0, 0));
    expect([...(await data.read(1)).pixels]).toEqual(rows(0, 1));
    expect([...(await data.read(2)).pixels]).toEqual(rows(0, 0));
    expect([...(await data.read(3)).pixels]).toEqual(rows(1, 1));
    const wide = await opened({ fit: 'crop:3x2' });
    expect([...(await wide.read(1)).pixels]).toEqual(rows(1, 2, 3, 2));
  });

  it('never pads: what is smaller is named', async () => {
    expect(await refusal({ fit: 'crop:5' })).toMatch(
      /1\.png \(4 x 4\).*3\.png \(4 x 5\): smaller than --fit crop:5/,
    );
  });

  it.each(['crop', 'crop:', 'crop:0', 'crop:4x', 'crop:-3', 'crop:99999', 'resize:28', 'pad:32', ''])(
    '«%s» is refused',
    (text) => {
      expect(() => parseFit(text)).toThrow(/--fit/);
    },
  );

  it('is for folders alone', async () => {
    expect(await refusalOf(() => openDataset('signs', { fit: 'crop:8' }))).toContain(
      '--fit is for --data folder',
    );
  });
});

describe('--labels', () => {
  it('gives numbers, in the order of the file', async () => {
    const labels = await csv('\ufefflabel,file\r\n7,a/1.png\r\n0,"b/4.png"\r\n\r\n');
    const data = await opened({ labels, fit: 'crop:4' });
    expect([data.size, data.classes]).toEqual([2, null]);
    const [first, second] = [await data.read(0), await data.read(1)];
    expect([first.name, first.label, second.name, second.label]).toEqual(['a/1.png', 7, 'b/4.png', 0]);
  });

  it.each([';', '\t'])('may be separated by «%s»', async (delimiter) => {
    const text = 'file,label\r\n"a/1.png",7\r\nb/4.png,0\r\n'.replaceAll(',', delimiter);
    const data = await opened({ labels: await csv(`\ufeff${text}`), fit: 'crop:4' });
    expect(data.size).toBe(2);
    expect([(await data.read(0)).name, (await data.read(0)).label]).toEqual(['a/1.png', 7]);
  });

  it('are the numbers that pandas writes of a column with gaps', async () => {
    const labels = await csv('file,label\na/1.png,7.0\nb/4.png,0.0\na/2.png,12.0\n');
    const data = await opened({ labels, fit: 'crop:4' });
    expect(data.classes).toBeNull();
    expect(await Promise.all([0, 1, 2].map(async (i) => (await data.read(i)).label))).toEqual([7, 0, 12]);
  });

  it('gives names numbers by their code points', async () => {
    const labels = await csv('file,label\na/1.png,dog\nb/3.png,Cat\nb/4.png,dog\n');
    const data = await opened({ labels, fit: 'crop:4' });
    expect(data.classes).toEqual(['Cat', 'dog']);
    expect(await Promise.all([0, 1, 2].map(async (i) => (await data.read(i)).label))).toEqual([1, 0, 1]);
  });

  it.each<[string, string, RegExp]>([
    ['missing files', 'file,label\na/1.png,1\na/9.png,1\nx.png,2\n', /a\/9\.png, .*x\.png: no such file/],
    [
      'a doubled file',
      'file,label\na/1.png,1\nb/3.png,1\na/1.png,2\n',
      /line 4 names "a\/1\.png" again, after line 2/,
    ],
    [
      'a way upwards',
      'file,label\n../secret.png,1\n',
      /line 2 names "\.\.\/secret\.png", which is no plain path/,
    ],
    ['an absolute path', 'file,label\n/etc/x.png,1\n', /no plain path/],
    ['a drive', 'file,label\nC:/x.png,1\n', /no plain path/],
    ['no images', 'file,label\n', /names no images/],
    ['no header', 'a/1.png,1\n', /names no columns/],
    [
      'numbers and names',
      'file,label\na/1.png,1\nb/3.png,cat\n',
      /class numbers and names are mixed: "1" \(line 2\), "cat" \(line 3\)/,
    ],
    ['a missing label', 'file,label\na/1.png,1\nb/3.png,\n', /a label is missing \(line 3\)/],
    ['a huge label', 'file,label\na/1.png,99999999999\n', /"99999999999" \(line 2\) is no class number/],
    ['a fraction', 'file,label\na/1.png,7.5\n', /"7\.5" \(line 2\) is no class number/],
    ['a gap of pandas', 'file,label\na/1.png,7.0\nb/3.png,nan\n', /"nan" \(line 3\) is no class number/],
    ['a line of another length', 'file,label\na/1.png,1,2\n', /no CSV/],
    ['an open quote', 'file,label\n"a/1.png,1\n', /no CSV/],
    ['another kind of file', 'file,label\na/1.gif,1\n', /neither \.png/],
    ['nothing at all', '', /names no columns/],
  ])('%s is refused', async (_, text, words) => {
    expect(await refusal({ labels: await csv(text), fit: 'crop:4' })).toMatch(words);
  });

  it('any bytes end in labels or in a refusal', async () => {
    const line = fc.constantFrom(
      'file,label\n',
      'a/1.png,3\n',
      '"b/3.png",cat\n',
      '"',
      ',',
      '\n',
      '\0',
      '../x.png,1\n',
    );
    const bytes = fc.oneof(
      fc.array(line, { maxLength: 12 }).map((parts) => Buffer.from(parts.join(''))),
      // Mostly well formed, so that some are always read: bytes at random all but never are.
      fc
        .array(fc.constantFrom('a/1.png,3\n', 'b/3.png,4\n', '\n'), { minLength: 1, maxLength: 4 })
        .map((rows) => Buffer.from(`file,label\n${rows.join('')}`)),
      fc.uint8Array({ maxLength: 200 }).map((raw) => Buffer.from(raw)),
      fc
        .tuple(fc.constant('file,label\n'), fc.string({ unit: 'binary' }))
        .map((p) => Buffer.from(p.join(''))),
    );
    let [read, refused] = [0, 0];
    await fc.assert(
      fc.asyncProperty(bytes, async (raw) => {
        try {
          const { files, classes } = parseLabelsCsv('x.csv', raw);
          read += 1;
          expect(files.length).toBeGreaterThan(0);
          expect(files.every(({ name }) => !name.split('/').includes('..') && !name.startsWith('/'))).toBe(
            true,
          );
          expect(files.every(({ label }) => Number.isInteger(label) && label >= 0)).toBe(true);
          if (classes) expect(files.every(({ label }) => label < classes.length)).toBe(true);
        } catch (error) {
          refused += 1;
          expect(error).toMatchObject({ code: 'bad-input', fix: expect.any(String) });
        }
      }),
      { numRuns: cases(1000) },
    );
    expect(read).toBeGreaterThan(0);
    expect(refused).toBeGreaterThan(0);
  });
});
