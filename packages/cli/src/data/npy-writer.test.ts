import { mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openDataset } from './index.ts';
import { NpyWriter, npyHeader } from './npy-writer.ts';

const folder = () => mkdtempSync(join(tmpdir(), 'turnproof-npy-'));
const IMAGES = [
  [0, 0.2, 1, 0.1],
  [1 / 3, 0, 0, 1],
];

describe('arrays that are written', () => {
  it.each([
    ['<f4', (value: number) => Math.fround(value)],
    ['|u1', (value: number) => Math.fround(Math.round(255 * value) / 255)],
  ] as const)('are read back as --data npy (%s)', async (type, rounded) => {
    const at = folder();
    const images = new NpyWriter(join(at, 'images.npy'), type, [2, 1, 2, 2]);
    const labels = new NpyWriter(join(at, 'labels.npy'), '<i8', [2]);
    for (const [label, image] of IMAGES.entries()) {
      images.add(image);
      labels.add([7 + label]);
    }
    images.close();
    labels.close();
    const data = await openDataset(`npy:${join(at, 'images.npy')},${join(at, 'labels.npy')}`);
    expect(data.size).toBe(2);
    expect(data.shape).toEqual({ channels: 1, height: 2, width: 2 });
    for (const [index, image] of IMAGES.entries()) {
      const { pixels, label } = await data.read(index);
      expect([...pixels]).toEqual(image.map(rounded));
      expect(label).toBe(7 + index);
    }
  });

  it('are not there under their name before they are whole', () => {
    const at = folder();
    const writer = new NpyWriter(join(at, 'images.npy'), '<f4', [2, 1, 2, 2]);
    writer.add(IMAGES[0] ?? []);
    expect(() => writer.close()).toThrow('1 entries are missing');
    expect(readdirSync(at)).toEqual(['images.npy.part']);
  });

  it('refuse an entry of another size', () => {
    const writer = new NpyWriter(join(folder(), 'images.npy'), '<f4', [2, 1, 2, 2]);
    expect(() => writer.add([1])).toThrow('an entry of 1 values');
  });

  it("begin with NumPy's header, its length a multiple of 64", () => {
    const header = npyHeader('<f4', [2, 1, 2, 2]);
    expect(header.length % 64).toBe(0);
    expect(header.subarray(0, 8)).toEqual(Buffer.from('\x93NUMPY\x01\x00', 'latin1'));
    expect(header.subarray(10).toString('latin1')).toMatch(
      /^\{'descr': '<f4', 'fortran_order': False, 'shape': \(2, 1, 2, 2\), \} *\n$/,
    );
    expect(npyHeader('<i8', [5]).toString('latin1')).toContain("'shape': (5,)");
  });
});
