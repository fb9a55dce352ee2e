/**
 * The real MNIST and CIFAR-10, where they lie beside the repository (or where TURNPROOF_SHARED says).
 * The hashes are Python's: sha256((x / np.float32(255)).astype('<f4').tobytes()) over NumPy's reading of the bytes.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type Dataset, openDataset } from './index.ts';

const shared =
  process.env.TURNPROOF_SHARED ?? fileURLToPath(new URL('../../../../../shared', import.meta.url));
const mnist = join(shared, 'data', 'mnist');
const cifar = join(shared, 'data', 'cifar10', 'test_1000.bin');
const present = existsSync(mnist) && existsSync(cifar);
if (!present) console.log(`skipped: real MNIST and CIFAR-10 are not in ${shared}`);

const firstLabels = (data: Dataset, count: number): Promise<(number | null)[]> =>
  Promise.all(Array.from({ length: count }, async (_, i) => (await data.read(i)).label));

describe.runIf(present)('the real data sets', () => {
  it('MNIST has 10,000 test images that begin with 7, 2, 1, 0, 4', async () => {
    const data = await openDataset(`mnist:${mnist}`);
    expect(data.size).toBe(10_000);
    expect(data.shape).toEqual({ channels: 1, height: 28, width: 28 });
    expect(await firstLabels(data, 5)).toEqual([7, 2, 1, 0, 4]);
    expect((await data.read(0)).sha256).toBe(
      '25c7cba0509b7d1e068a5793c8bbd5cd421f4b92792aae3484e3a8dbb218e73f',
    );
    expect((await data.read(9999)).sha256).toBe(
      'a96664722a5a141010cffd19722be819cef53ca23e16c6bf80e949cb918cdbb9',
    );
  });

  it('MNIST has 60,000 training images that begin with 5, 0, 4, 1, 9', async () => {
    const data = await openDataset(`mnist-train:${mnist}`);
    expect(data.size).toBe(60_000);
    expect(await firstLabels(data, 5)).toEqual([5, 0, 4, 1, 9]);
    expect((await data.read(0)).sha256).toBe(
      '4b58fef43b260294ad9327f994d522c00348f34689f534721ccd7dd23e9f9114',
    );
  });

  it('the CIFAR-10 sample has 1,000 images of the classes in turn, as a file and as a folder', async () => {
    for (const spec of [`cifar10:${cifar}`, `cifar10:${join(shared, 'data', 'cifar10')}`]) {
      const data = await openDataset(spec);
      expect(data.size).toBe(1000);
      expect(await firstLabels(data, 12)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]);
      expect((await data.read(0)).sha256).toBe(
        '4c1ea747353032d9a00af75d56376131c156ff9520284482d40079c3f14811d5',
      );
      expect((await data.read(999)).sha256).toBe(
        '747e74308939a891ec33446914583e99c009373f113f3c2191e21a6a0bb29d3a',
      );
    }
  });
});
