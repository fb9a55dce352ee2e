/**
 * Distances that are largest between the ends of a sub-box. On small images a degree moves no pixel far, distances
 * are nearly convex, and a bound that looks at ends alone is forgiven; at the ends of a long strip a degree is a pixel.
 */
import { type Gpu, openDevice } from '@turnproof/core';
import { closeChecked, testAdapters } from '@turnproof/core/testing';
import type { ImageShape, Preprocess } from '@turnproof/shaders';
import { sliceDistance } from '@turnproof/shaders/oracle';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Pipeline } from '../pipeline.ts';
import { GpuSliceBounder } from './slices.ts';

const shape: ImageShape = { channels: 1, height: 61, width: 5 };
const { height, width } = shape;
const pre: Preprocess = { vignette: { kind: 'none' }, blur: null };
const pipeline: Pipeline = { transform: 'rotation', range: 10, pre, quantization: 'none' };
/** Dots at the top end of the middle line: sharp where pixels fall on pixels, faint between. */
const images = [1, 4].map((dots) =>
  Float32Array.from({ length: height * width }, (_, k) => (k % width === 2 && k < dots * width ? 1 : 0)),
);

describe.each((await testAdapters()).slice(-1))('wide steps on %s', (adapter) => {
  let gpu: Gpu;
  beforeAll(async () => {
    gpu = await openDevice({ adapter });
  });
  afterAll(() => closeChecked(gpu));

  it('M is no less than any distance between the ends of its sub-boxes', async () => {
    const bounder = await GpuSliceBounder.open(gpu, { shape, pipeline });
    const requests = [
      [-1, 3, -1],
      [-0.95, 2.9, -0.95],
      [1, 5, 1.05],
      [0.5, 2.5, 0.9],
      [0.9, 2.9, 0.95],
      [-4, -0.9, -1],
    ].flatMap(([a = 0, b = 0, c = 0]) =>
      images.map((_, dots) => ({ image: dots, box: { lower: [a], upper: [b] }, center: [c] })),
    );
    const bounds = await bounder.bound(images, requests);
    bounder.close();
    let between = 0;
    requests.forEach(({ image, box, center }, i) => {
      const pixels = images[image] ?? new Float32Array();
      const [a = 0, b = 0] = [box.lower[0], box.upper[0]];
      const at = (gamma: number) => sliceDistance('rotation', [gamma], center, pixels, shape, pre);
      const distances = Array.from({ length: 161 }, (_, k) => at(a + ((b - a) * k) / 160));
      const largest = Math.max(...distances);
      expect(bounds[i]?.bound).toBeGreaterThanOrEqual(largest);
      if (largest > 1.02 * Math.max(at(a), at((a + b) / 2), at(b))) between += 1;
    });
    // What this file is about: for several the largest distance is neither at the ends nor in the middle.
    expect(between).toBeGreaterThan(4);
  });
});
