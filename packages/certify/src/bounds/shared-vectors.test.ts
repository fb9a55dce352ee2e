import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { type Gpu, openDevice } from '@turnproof/core';
import { closeChecked, testAdapters } from '@turnproof/core/testing';
import type { Preprocess, Vignette } from '@turnproof/shaders';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBounder } from './index.ts';

const shared = process.env.TURNPROOF_SHARED ?? join(import.meta.dirname, '../../../../../shared');
const file = join(shared, 'vectors/transforms.json');
const present = existsSync(file);
// One name even where the vectors are absent: a file without any suite fails.
const adapters = present ? await testAdapters() : ['no adapter'];
if (!present)
  console.log('skipped: maxima of an independent implementation are not here (set TURNPROOF_SHARED)');

interface Maximum {
  index: number;
  range: [number, number];
  vignette: [Exclude<Vignette['kind'], 'none'>, number];
  blur: [number, number];
}
interface Vectors {
  rotation_max: (Maximum & { beta: number; sampled_max: number })[];
  translation_max: (Maximum & { beta: number[]; exact_max: number })[];
}

const shape = { channels: 1, height: 28, width: 28 };
const preOf = ({ vignette, blur }: Maximum): Preprocess => ({
  vignette: { kind: vignette[0], offset: vignette[1] },
  blur: { size: blur[0], sigma: blur[1] },
});

describe.runIf(present).each(adapters)(
  'against the maxima of an independent float64 implementation, on %s',
  (adapter) => {
    const vectors = JSON.parse(present ? readFileSync(file, 'utf8') : '{}') as Vectors;
    const digits = present
      ? gunzipSync(readFileSync(join(shared, 'data/mnist/t10k-images-idx3-ubyte.gz'))).subarray(16)
      : new Uint8Array();
    const digit = (index: number) =>
      Float32Array.from(digits.subarray(index * 784, (index + 1) * 784), (v) => v / 255);
    let gpu: Gpu;
    beforeAll(async () => {
      gpu = await openDevice({ adapter });
    });
    afterAll(() => closeChecked(gpu));

    it('rotation: both bounds lie between the sampled maximum and 1.02 times it', async () => {
      for (const vector of vectors.rotation_max) {
        for (const method of ['chord', 'interval'] as const) {
          const pipeline = {
            transform: 'rotation',
            range: vector.range[1],
            pre: preOf(vector),
            quantization: 'none',
          } as const;
          const bounder = await openBounder(gpu, { shape, pipeline, method });
          const requests = [{ image: 0, beta: [vector.beta] }];
          const [answer] = await bounder.bound([digit(vector.index)], requests, { tolerance: 0.02 });
          bounder.close();
          expect(answer?.bound).toBeGreaterThanOrEqual(vector.sampled_max);
          expect(answer?.bound).toBeLessThanOrEqual(1.0201 * vector.sampled_max);
        }
      }
    });

    it('translation: the bound is the exact maximum to 1e-6', async () => {
      for (const vector of vectors.translation_max) {
        const pipeline = {
          transform: 'translation',
          range: vector.range[1],
          pre: preOf(vector),
          quantization: 'none',
        } as const;
        const bounder = await openBounder(gpu, { shape, pipeline });
        const requests = [{ image: 0, beta: vector.beta }];
        const [answer] = await bounder.bound([digit(vector.index)], requests, { tolerance: 0.02 });
        bounder.close();
        // Pixels are rounded to float32 here, and are not there: 6e-8 each.
        expect(Math.abs(Number(answer?.bound) / vector.exact_max - 1)).toBeLessThan(1e-6);
      }
    });
  },
);
