import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  defaultSeed,
  drawRecords,
  drawSign,
  type Hardship,
  recordBytes,
  signsClasses,
  streamOf,
  testCount,
} from './index.ts';

const committed = readFileSync(new URL('../data/test.bin', import.meta.url));
const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

function messageOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return error instanceof Error ? error.message : 'thrown, but no error';
  }
  return 'nothing thrown';
}

describe('the committed test set', () => {
  it('is drawn again byte for byte', () => {
    const drawn = drawRecords(defaultSeed, 'test', testCount);
    expect(drawn.length).toBe(committed.length);
    const firstDifference = drawn.findIndex((byte, k) => byte !== committed[k]);
    expect(firstDifference, 'first differing byte').toBe(-1);
  });

  it('has the SHA-256 that its README states', () => {
    const readme = readFileSync(new URL('../data/README.md', import.meta.url), 'utf8');
    expect(readme).toContain(hashOf(committed));
  });

  it('holds 200 records of 3073 bytes, in under 700 kB', () => {
    expect(recordBytes).toBe(3073);
    expect(committed.length).toBe(200 * 3073);
    expect(committed.length).toBeLessThan(700_000);
  });

  it('has every class equally often', () => {
    const counts = signsClasses.map(() => 0);
    for (let k = 0; k < testCount; k += 1) {
      const label = committed[k * recordBytes] ?? 255;
      expect(label).toBeLessThan(counts.length);
      counts[label] = (counts[label] ?? 0) + 1;
    }
    expect(counts).toEqual(signsClasses.map(() => 20));
  });

  it('has no blank image: an ordinary one spans 64 levels at least, even a dark or foggy one 12', () => {
    for (let k = 0; k < testCount; k += 1) {
      const planes = committed.subarray(k * recordBytes + 1, (k + 1) * recordBytes);
      const { hardship } = drawSign({ seed: defaultSeed, split: 'test', index: k });
      const sorted = planes.slice().sort();
      // The 2nd and 98th hundredths, so that a few grains of noise do not pass for a picture.
      const span = (sorted[Math.floor(0.98 * 3072)] ?? 0) - (sorted[Math.floor(0.02 * 3072)] ?? 0);
      expect(span, `image ${k} (${hardship})`).toBeGreaterThanOrEqual(hardship === 'none' ? 64 : 12);
    }
  });

  it('shares no picture with the first 2,000 training images, nor repeats one', () => {
    const seen = new Set<string>();
    for (let k = 0; k < testCount; k += 1) {
      seen.add(hashOf(committed.subarray(k * recordBytes + 1, (k + 1) * recordBytes)));
    }
    expect(seen.size).toBe(testCount);
    for (let index = 0; index < 2000; index += 1) {
      const { pixels } = drawSign({ seed: defaultSeed, split: 'train', index });
      expect(seen.has(hashOf(pixels)), `training image ${index}`).toBe(false);
    }
  });
});

describe('drawSign', () => {
  it('draws the splits from streams that cannot meet', () => {
    const last = 0x7fff_ffff;
    expect(streamOf('train', 0)).toBe(0);
    expect(streamOf('train', last)).toBeLessThan(streamOf('test', 0));
    expect(streamOf('test', last)).toBe(0xffff_ffff);
  });

  it('gives the same picture for the same request and another for another seed', () => {
    const request = { seed: 5, split: 'test', index: 17 } as const;
    expect(drawSign(request)).toEqual(drawSign(request));
    expect(drawSign({ ...request, seed: 6 }).pixels).not.toEqual(drawSign(request).pixels);
  });

  it('makes one image in nine hard, equally often in each of the four ways', () => {
    const kinds = new Map<Hardship, number>();
    for (let index = 0; index < 900; index += 1) {
      const { hardship } = drawSign({ seed: 1, split: 'train', index });
      kinds.set(hardship, (kinds.get(hardship) ?? 0) + 1);
    }
    expect(kinds.get('none')).toBe(800);
    for (const kind of ['dark', 'fog', 'small', 'covered'] as const) {
      expect(kinds.get(kind), kind).toBe(25);
    }
  });

  it.each([
    ['index', { seed: 1, split: 'train', index: -1 } as const],
    ['index', { seed: 1, split: 'test', index: 2 ** 31 } as const],
    ['index', { seed: 1, split: 'test', index: 1.5 } as const],
    ['seed', { seed: 2 ** 32, split: 'test', index: 0 } as const],
    ['seed', { seed: Number.NaN, split: 'test', index: 0 } as const],
  ])('refuses an %s that is no integer in its range, by name', (name, request) => {
    expect(messageOf(() => drawSign(request))).toMatch(new RegExp(`sign ${name} .* is not an integer`));
  });
});
