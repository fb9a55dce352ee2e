import { describe, expect, it } from 'vitest';
import { someFloats } from '../classifier/onnx-writer.test-support.ts';
import { parityImages } from './parity-images.ts';

const SIZE = 50;
const clean = [someFloats(SIZE, 1), someFloats(SIZE, 2), someFloats(SIZE, 3)];

/** Pairs of values in the same place that are equal, of all pairs of rows. */
function equalPairs(images: Float32Array): number {
  const rows = Array.from({ length: images.length / SIZE }, (_, i) =>
    images.subarray(i * SIZE, (i + 1) * SIZE),
  );
  let equal = 0;
  for (const [i, row] of rows.entries()) {
    for (const other of rows.slice(i + 1)) equal += row.filter((value, k) => value === other[k]).length;
  }
  return equal;
}

describe('images for a comparison', () => {
  const draw = parityImages(clean, { sigma: 0.3, seed: 5n });

  it('have noise of their own in each row, and other noise in each check', () => {
    const [first, second] = [draw(200, 1), draw(200, 2)];
    expect(first.length).toBe(200 * SIZE);
    expect(equalPairs(first)).toBe(0);
    expect(first.filter((value, i) => value === second[i]).length).toBe(0);
    const other = parityImages(clean, { sigma: 0.3, seed: 6n })(200, 1);
    expect(first.filter((value, i) => value === other[i]).length).toBe(0);
  });

  it('are the same for the same seed and check, and begin the same however many there are', () => {
    expect(draw(30, 4)).toEqual(draw(30, 4));
    expect(draw(7, 4)).toEqual(draw(30, 4).subarray(0, 7 * SIZE));
  });

  it('are the clean ones in turn, with noise of the deviation asked for, and never without', () => {
    for (const [sigma, deviation] of [
      [0.3, 0.3],
      [2, 2],
      [0, 0.05],
    ] as const) {
      const images = parityImages(clean, { sigma, seed: 5n })(900, 1);
      const noise = images.map(
        (value, i) => value - (clean[Math.floor(i / SIZE) % 3]?.[i % SIZE] ?? Number.NaN),
      );
      const mean = noise.reduce((sum, value) => sum + value, 0) / noise.length;
      const square = noise.reduce((sum, value) => sum + (value - mean) ** 2, 0) / noise.length;
      // 45,000 numbers: five deviations of their mean and of their square.
      expect(Math.abs(mean) / deviation).toBeLessThan(5 / Math.sqrt(noise.length));
      expect(Math.abs(square / deviation ** 2 - 1)).toBeLessThan(5 * Math.sqrt(2 / noise.length));
    }
  });
});
