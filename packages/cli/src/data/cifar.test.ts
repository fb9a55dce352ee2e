import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDataset } from './index.ts';
import { cifarRecord, refusalOf, type TemporaryFolder, temporaryFolder } from './testing/files.ts';

let root: TemporaryFolder;

beforeAll(async () => {
  root = await temporaryFolder();
});
afterAll(() => root.remove());

describe('cifar10:FILE|DIR', () => {
  it('reads a file as planes of red, green and blue with the ten class names', async () => {
    const record = cifarRecord(8, 0, 51, 255);
    // One pixel of its own: row 1, column 2 of the green plane.
    record[1 + 1024 + 32 + 2] = 102;
    const path = await root.write('one.bin', Buffer.concat([cifarRecord(3, 10, 20, 30), record]));
    const data = await openDataset(`cifar10:${path}`);
    expect(data).toMatchObject({ size: 2, classCount: 10, shape: { channels: 3, height: 32, width: 32 } });
    expect(data.classes?.[3]).toBe('cat');
    expect(data.classes?.[8]).toBe('ship');
    const image = await data.read(1);
    expect(image).toMatchObject({ index: 1, label: 8, name: 'cifar10[1]' });
    expect(image.pixels).toHaveLength(3072);
    expect([image.pixels[0], image.pixels[1023], image.pixels[2048], image.pixels[3071]]).toEqual([
      0, 0, 1, 1,
    ]);
    expect(image.pixels[1024]).toBe(Math.fround(0.2));
    expect(image.pixels[1024 + 34]).toBe(Math.fround(0.4));
    expect((await data.read(0)).label).toBe(3);
  });

  it('reads labels beyond the first piece of a long file', async () => {
    const records = Array.from({ length: 700 }, (_, i) => cifarRecord((i * 7) % 10, i % 256, 0, 0));
    const data = await openDataset(`cifar10:${await root.write('long.bin', Buffer.concat(records))}`);
    expect(data.size).toBe(700);
    expect((await data.read(699)).label).toBe((699 * 7) % 10);
    expect((await data.read(699)).pixels[0]).toBe(Math.fround((699 % 256) / 255));
  });

  it('of a folder takes test_batch.bin alone', async () => {
    await root.write('a/test_batch.bin', cifarRecord(1, 1, 1, 1));
    await root.write('a/test_more.bin', cifarRecord(2, 2, 2, 2));
    await root.write('a/data_batch_1.bin', cifarRecord(3, 3, 3, 3));
    const data = await openDataset(`cifar10:${join(root.path, 'a')}`);
    expect(data.size).toBe(1);
    expect((await data.read(0)).label).toBe(1);
  });

  it('of a folder without it takes every test_*.bin in the order of names', async () => {
    await root.write('b/test_2.bin', cifarRecord(2, 2, 2, 2));
    await root.write('b/test_10.bin', Buffer.concat([cifarRecord(4, 4, 4, 4), cifarRecord(5, 5, 5, 5)]));
    const data = await openDataset(`cifar10:${join(root.path, 'b')}`);
    expect(await Promise.all([0, 1, 2].map(async (i) => (await data.read(i)).label))).toEqual([4, 5, 2]);
    expect((await data.read(2)).pixels[0]).toBe(Math.fround(2 / 255));
  });

  it.each<[string, Buffer, RegExp]>([
    ['an empty file', Buffer.alloc(0), /bad\.bin: 0 bytes are not a whole number of 3073-byte records/],
    ['a truncated file', cifarRecord(1, 0, 0, 0).subarray(1), /3072 bytes are not a whole number/],
    [
      'an over-long file',
      Buffer.concat([cifarRecord(1, 0, 0, 0), Buffer.alloc(1)]),
      /3074 bytes are not a whole/,
    ],
    [
      'a label beyond the classes',
      Buffer.concat([cifarRecord(9, 0, 0, 0), cifarRecord(10, 0, 0, 0)]),
      /label 10 of record 1 \(byte 3073\) is outside the classes 0 to 9/,
    ],
  ])('%s is refused by name', async (_, bytes, words) => {
    const path = await root.write('bad.bin', bytes);
    expect(await refusalOf(() => openDataset(`cifar10:${path}`))).toMatch(words);
  });

  it('a missing file and a folder without test files are refused', async () => {
    await root.write('c/data_batch_1.bin', cifarRecord(3, 3, 3, 3));
    expect(await refusalOf(() => openDataset(`cifar10:${join(root.path, 'none.bin')}`))).toContain(
      'no such file',
    );
    expect(await refusalOf(() => openDataset(`cifar10:${join(root.path, 'c')}`))).toContain(
      'neither test_batch.bin',
    );
  });

  it('what is no regular file is refused without being opened', async () => {
    expect(await refusalOf(() => openDataset('cifar10:/dev/zero'))).toContain('not a regular file');
  });

  it('a file that shrinks after opening is refused on reading', async () => {
    const path = await root.write(
      'shrinks.bin',
      Buffer.concat([cifarRecord(1, 1, 1, 1), cifarRecord(2, 2, 2, 2)]),
    );
    const data = await openDataset(`cifar10:${path}`);
    await root.write('shrinks.bin', cifarRecord(1, 1, 1, 1));
    expect(await refusalOf(() => data.read(1))).toMatch(/shrinks\.bin: ends early/);
  });
});

describe('cifar100:FILE|DIR', () => {
  const record = (coarse: number, fine: number, red: number) =>
    Buffer.concat([Buffer.from([coarse]), cifarRecord(fine, red, 0, 255)]);

  it('reads the fine label of each record, in a file and in its folder', async () => {
    const path = await root.write(
      'hundred/test.bin',
      Buffer.concat([record(11, 99, 51), record(3, 20, 102)]),
    );
    for (const spec of [path, join(root.path, 'hundred')]) {
      const data = await openDataset(`cifar100:${spec}`);
      expect(data).toMatchObject({ size: 2, classes: null, shape: { channels: 3, height: 32, width: 32 } });
      const [first, second] = [await data.read(0), await data.read(1)];
      expect([first.label, second.label, second.name]).toEqual([99, 20, 'cifar100[1]']);
      expect([second.pixels[0], second.pixels[1024], second.pixels[3071]]).toEqual([Math.fround(0.4), 0, 1]);
    }
  });

  it('refuses a label beyond the classes, by its byte', async () => {
    const path = await root.write('beyond.bin', Buffer.concat([record(1, 2, 3), record(1, 100, 3)]));
    expect(await refusalOf(() => openDataset(`cifar100:${path}`))).toContain(
      'label 100 of record 1 (byte 3075) is outside the classes 0 to 99',
    );
  });

  it('and cifar10 know each other’s files by their size', async () => {
    const hundred = await root.write('100.bin', Buffer.concat([record(1, 2, 3), record(1, 2, 3)]));
    expect(await refusalOf(() => openDataset(`cifar10:${hundred}`))).toContain(
      'It may be a file of CIFAR-100: --data cifar100:FILE.',
    );
    const ten = await root.write('10.bin', cifarRecord(1, 2, 3, 4));
    expect(await refusalOf(() => openDataset(`cifar100:${ten}`))).toContain(
      'It may be a file of CIFAR-10: --data cifar10:FILE.',
    );
    const neither = await root.write('neither.bin', Buffer.alloc(5));
    expect(await refusalOf(() => openDataset(`cifar100:${neither}`))).toContain('fetch it again');
  });
});

describe('signs', () => {
  it('is found, with the class names of its package', async () => {
    const { signsClasses } = await import('@turnproof/signs');
    const data = await openDataset('signs');
    expect(data.shape).toEqual({ channels: 3, height: 32, width: 32 });
    expect(data.classes).toEqual(signsClasses);
    expect(data.classCount).toBe(signsClasses.length);
    const seen = new Set<number | null>();
    for (let i = 0; i < data.size; i++) seen.add((await data.read(i)).label);
    // A test set that misses a class would make per-class results silently partial.
    expect([...seen].sort()).toEqual([...signsClasses.keys()].sort());
    expect((await data.read(0)).name).toBe('signs[0]');
  });
});
