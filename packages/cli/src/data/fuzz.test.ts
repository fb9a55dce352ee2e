/** Whatever the bytes, a reader gives valid images or one bad-input error. */
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { TurnproofError } from '@turnproof/core';
import { cases } from '@turnproof/core/testing';
import fc from 'fast-check';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDataset } from './index.ts';
import { selectIndices } from './selection.ts';
import { parseDataSpec } from './spec.ts';
import {
  cifarRecord,
  idxImages,
  idxLabels,
  npy,
  png,
  type TemporaryFolder,
  temporaryFolder,
} from './testing/files.ts';

let root: TemporaryFolder;

beforeAll(async () => {
  root = await temporaryFolder();
});
afterAll(() => root.remove());

type Edit =
  | { readonly kind: 'set'; readonly at: number; readonly value: number }
  | { readonly kind: 'cut'; readonly at: number }
  | { readonly kind: 'insert'; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: 'drop'; readonly at: number; readonly length: number };

// Headers are where the branches are, so half of the edits fall on the first 64 bytes.
const place = fc.oneof(fc.nat(63), fc.nat(4000));
const bytes = fc.uint8Array({ minLength: 1, maxLength: 8 });
const edit: fc.Arbitrary<Edit> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('set' as const), at: place, value: fc.nat(255) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cut' as const), at: place }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('insert' as const), at: place, bytes }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('drop' as const), at: place, length: fc.nat(16) }) },
);
const edits = fc.array(edit, { minLength: 1, maxLength: 4 });

function mutate(original: Uint8Array, list: readonly Edit[]): Buffer {
  let now = Buffer.from(original);
  for (const one of list) {
    const at = now.length === 0 ? 0 : one.at % now.length;
    if (one.kind === 'set') now.fill(one.value, at, Math.min(at + 1, now.length));
    else if (one.kind === 'cut') now = now.subarray(0, at);
    else if (one.kind === 'insert') now = Buffer.concat([now.subarray(0, at), one.bytes, now.subarray(at)]);
    else now = Buffer.concat([now.subarray(0, at), now.subarray(at + one.length)]);
  }
  return now;
}

/** Opens and reads all; true when refused. Any other error, and any invalid image, fails the property. */
async function refused(spec: string): Promise<boolean> {
  try {
    const data = await openDataset(spec);
    const { channels, height, width } = data.shape;
    expect(data.size).toBeGreaterThan(0);
    for (let i = 0; i < Math.min(data.size, 8); i++) {
      const { label, pixels } = await data.read(i);
      expect(pixels).toHaveLength(channels * height * width);
      expect(pixels.every((v) => v >= 0 && v <= 1)).toBe(true);
      if (label !== null) expect(Number.isInteger(label) && label >= 0).toBe(true);
      if (label !== null && data.classCount !== null) expect(label).toBeLessThan(data.classCount);
    }
    return false;
  } catch (error) {
    if (error instanceof TurnproofError && error.code === 'bad-input') {
      expect(error.message).not.toBe('');
      expect(error.fix ?? '').not.toBe('');
      return true;
    }
    throw error;
  }
}

/** Runs the property and checks that both ends were reached: a fuzzer that only sees refusals tests little. */
async function fuzz(
  original: Uint8Array,
  numRuns: number,
  specOf: (mutated: Buffer) => Promise<string>,
): Promise<void> {
  expect(await refused(await specOf(Buffer.from(original)))).toBe(false);
  let refusals = 0;
  await fc.assert(
    fc.asyncProperty(edits, async (list) => {
      if (await refused(await specOf(mutate(original, list)))) refusals++;
    }),
    { numRuns: cases(numRuns) },
  );
  expect(refusals).toBeGreaterThan(0);
}

const images = idxImages([2, 2, 2], Buffer.from([0, 1, 2, 3, 252, 253, 254, 255]));
const labels = idxLabels([4, 9]);
const IMAGES = 't10k-images-idx3-ubyte';
const LABELS = 't10k-labels-idx1-ubyte';

describe('mutated bytes end in valid images or in bad-input', () => {
  it.each([
    ['IDX images', images, 'i1', IMAGES, LABELS, labels],
    ['IDX labels', labels, 'i2', LABELS, IMAGES, images],
    ['gzipped IDX images', gzipSync(images), 'i3', `${IMAGES}.gz`, LABELS, labels],
    ['gzipped IDX labels', gzipSync(labels), 'i4', `${LABELS}.gz`, IMAGES, images],
  ])('%s', async (_, original, folder, name, otherName, other) => {
    await root.write(join(folder, otherName), other);
    await fuzz(original, 300, async (mutated) => {
      await root.write(join(folder, name), mutated);
      return `mnist:${join(root.path, folder)}`;
    });
  });

  it('IDX images inside an intact gzip file', async () => {
    await root.write(join('i5', LABELS), labels);
    await fuzz(images, 200, async (mutated) => {
      await root.write(join('i5', `${IMAGES}.gz`), gzipSync(mutated));
      return `mnist:${join(root.path, 'i5')}`;
    });
  });

  it('CIFAR records', async () => {
    const original = Buffer.concat([cifarRecord(1, 2, 3, 4), cifarRecord(9, 8, 7, 6)]);
    await fuzz(original, 300, async (mutated) => `cifar10:${await root.write('cifar.bin', mutated)}`);
    const hundred = Buffer.concat([Buffer.from([1]), cifarRecord(99, 3, 4, 5)]);
    await fuzz(hundred, 300, async (mutated) => `cifar100:${await root.write('cifar100.bin', mutated)}`);
  });

  const floats = Buffer.from(Float32Array.of(0, 0.25, 0.5, 1).buffer);
  const array = npy(`{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1, 2), }`, floats);
  const numbers = npy(
    `{'descr': '<i4', 'fortran_order': False, 'shape': (2,), }`,
    Buffer.from(Int32Array.of(3, 1).buffer),
  );

  it('npy images', async () => {
    await fuzz(array, 500, async (mutated) => `npy:${await root.write('images.npy', mutated)}`);
  });

  it('npy labels', async () => {
    const path = await root.write('whole.npy', array);
    await fuzz(numbers, 500, async (mutated) => `npy:${path},${await root.write('labels.npy', mutated)}`);
  });

  it('npy headers put together from likely parts', async () => {
    const part = fc.constantFrom(
      '{',
      '}',
      "'descr'",
      "'fortran_order'",
      "'shape'",
      ':',
      ',',
      "'<f4'",
      "'|u1'",
      "'>f8'",
      'False',
      'True',
      '(',
      ')',
      '(1, 1, 4)',
      '(4,)',
      '()',
      '1',
      '99999999999999999999',
      ' ',
      '"',
      "'",
      '\n',
      '[',
      ']',
    );
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 24 }), async (parts) => {
        await refused(`npy:${await root.write('parts.npy', npy(parts.join(''), floats))}`);
      }),
      { numRuns: cases(300) },
    );
  });

  const picture = png({
    width: 2,
    height: 2,
    bitDepth: 8,
    colourType: 2,
    rows: [
      [1, 2, 3, 4, 5, 6],
      [7, 8, 9, 10, 11, 12],
    ],
  });

  it('PNG files', async () => {
    await fuzz(picture, 200, async (mutated) => {
      await root.write('png/a/x.png', mutated);
      return `folder:${join(root.path, 'png')}`;
    });
  });

  it('PNG headers with right checksums over too few bytes', async () => {
    const side = fc.oneof(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 0xffffffff }));
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          width: side,
          height: side,
          bitDepth: fc.constantFrom(0, 1, 2, 4, 8, 16, 255),
          colourType: fc.nat(7),
          rows: fc.array(fc.array(fc.nat(255), { maxLength: 9 }), { maxLength: 4 }),
          palette: fc.array(fc.nat(255), { maxLength: 9 }),
        }),
        async (parts) => {
          await root.write('ihdr/a/x.png', png(parts));
          await refused(`folder:${join(root.path, 'ihdr')}`);
        },
      ),
      { numRuns: cases(200) },
    );
  });

  it('JPEG files', async () => {
    const noise = Buffer.from(Array.from({ length: 192 }, (_, i) => (i * 89) % 256));
    const jpeg = await sharp(noise, { raw: { width: 8, height: 8, channels: 3 } })
      .jpeg()
      .toBuffer();
    await fuzz(jpeg, 200, async (mutated) => {
      await root.write('jpeg/a/x.jpg', mutated);
      return `folder:${join(root.path, 'jpeg')}`;
    });
  });
});

describe('any words end in a value or in bad-input', () => {
  const isBadInput = (error: unknown): boolean =>
    error instanceof TurnproofError && error.code === 'bad-input';

  it('specs', async () => {
    const kind = fc.constantFrom('', 'signs', 'mnist:', 'cifar10:', 'cifar100:', 'folder:', 'idx:', 'npy:');
    await fc.assert(
      fc.asyncProperty(kind, fc.string({ unit: 'binary', maxLength: 20 }), async (start, rest) => {
        const spec = `${start}${rest}`;
        try {
          parseDataSpec(spec);
        } catch (error) {
          expect(isBadInput(error)).toBe(true);
        }
        // "nowhere/" keeps random words from naming real files.
        if (start.endsWith(':')) expect(await refused(`${start}nowhere/${rest}`)).toBe(true);
      }),
    );
  });

  it('selections take distinct indices within the size', () => {
    const option = fc.option(fc.oneof(fc.integer({ min: -2, max: 20 }), fc.double()), { nil: undefined });
    const part = fc.oneof(
      fc.nat(20).map(String),
      fc.tuple(fc.nat(20), fc.nat(20)).map((p) => p.join('-')),
      fc.string(),
    );
    const list = fc.option(
      fc.array(part, { maxLength: 4 }).map((parts) => parts.join(',')),
      { nil: undefined },
    );
    fc.assert(
      fc.property(fc.nat(25), list, option, option, option, (size, index, skip, limit, stride) => {
        let taken: number[];
        try {
          taken = selectIndices(size, { index, skip, limit, stride });
        } catch (error) {
          expect(isBadInput(error)).toBe(true);
          return;
        }
        expect(taken.length).toBeGreaterThan(0);
        expect(new Set(taken).size).toBe(taken.length);
        expect(taken.every((i) => Number.isInteger(i) && i >= 0 && i < size)).toBe(true);
      }),
      { numRuns: cases(2000) },
    );
  });
});
