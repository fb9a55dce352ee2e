/**
 * More than one dispatch or one stack of images holds: each answer is the one that its question has alone, whichever
 * part it was in. Images are tiny or few, so that this takes numbers and not time.
 */
import { type Gpu, openDevice } from '@turnproof/core';
import { closeChecked, testAdapters } from '@turnproof/core/testing';
import type { ImageShape } from '@turnproof/shaders';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Pipeline } from '../pipeline.ts';
import { openBounder, SampledErrors } from './index.ts';
import { SliceWave } from './slice-wave.ts';
import { WaveRunner } from './wave.ts';

const plain = { vignette: { kind: 'none' }, blur: null } as const;
const tiny: ImageShape = { channels: 1, height: 2, width: 3 };
const dots = Float32Array.from([0.1, 0.9, 0.3, 0.8, 0.2, 0.7]);
/** Of one dispatch. */
const ITEMS = 32_768;
/** Looked at: the ends of each part, and some between. */
const PLACES = [0, 1, 20_000, ITEMS - 1, ITEMS, ITEMS + 1, ITEMS + 99];

describe.each((await testAdapters()).slice(-1))('many items on %s', (adapter) => {
  let gpu: Gpu;
  beforeAll(async () => {
    gpu = await openDevice({ adapter });
  });
  afterAll(() => closeChecked(gpu));

  it('points and boxes of more than one dispatch', async () => {
    const wave = await WaveRunner.create(gpu, { transform: 'rotation', shape: tiny, pre: plain }, 'chord');
    const stack = gpu.upload('f32', dots, 'image');
    const points = Array.from({ length: ITEMS + 100 }, (_, i) => ({
      image: 0,
      beta: [(i * 7.31) % 90],
      gamma: [(i % 90) / 3],
    }));
    const boxes = points.map(({ beta, gamma }) => ({
      image: 0,
      beta,
      box: { lower: gamma, upper: gamma.map((g) => g + 0.5) },
    }));
    const all = await wave.run(stack, points, boxes);
    for (const i of PLACES) {
      const alone = await wave.run(stack, points.slice(i, i + 1), boxes.slice(i, i + 1));
      expect([all.points[i], all.boxes[i]], `place ${i}`).toEqual([alone.points[0], alone.boxes[0]]);
    }
    stack.release();
    wave.close();
  });

  it.each(['chord', 'interval'] as const)('more images than one stack holds: %s', async (method) => {
    // 64 MiB hold 16 images of this size (8 with both ends of an interval).
    const large: ImageShape = { channels: 1, height: 1024, width: 1024 };
    const image = Float32Array.from({ length: 1024 * 1024 }, (_, k) => ((k * 7919) % 101) / 100);
    const wave = await WaveRunner.create(gpu, { transform: 'translation', shape: large, pre: plain }, method);
    const stack = gpu.upload('f32', image, 'image');
    const gammas = Array.from({ length: 17 }, (_, i) => [i / 10, -i / 20]);
    const points = gammas.map((gamma) => ({ image: 0, beta: [0.4, 0.3], gamma }));
    const boxes = gammas.slice(0, method === 'chord' ? 17 : 9).map((lower) => ({
      image: 0,
      beta: [0.4, 0.3],
      box: { lower, upper: lower.map((g) => g + 0.05) },
    }));
    const all = await wave.run(stack, method === 'chord' ? points : [], boxes);
    for (const i of [0, 8, 15, 16]) {
      const alone = await wave.run(
        stack,
        method === 'chord' ? points.slice(i, i + 1) : [],
        boxes.slice(i, i + 1),
      );
      expect(all.points[i], `point ${i}`).toEqual(alone.points[0]);
      expect(all.boxes[i], `box ${i}`).toEqual(alone.boxes[0]);
    }
    stack.release();
    wave.close();
  });

  it('distances and remainders of more than one dispatch', async () => {
    const wave = await SliceWave.create(gpu, { transform: 'rotation', shape: tiny, pre: plain });
    const stack = gpu.upload('f32', dots, 'image');
    const points = Array.from({ length: ITEMS + 100 }, (_, i) => ({
      image: 0,
      gamma: [(i * 7.31) % 90],
      center: [(i % 50) / 3],
    }));
    const boxes = points.map(({ gamma }) => ({
      image: 0,
      box: { lower: gamma, upper: gamma.map((g) => g + 0.5) },
    }));
    const all = await wave.run(stack, points, boxes);
    for (const i of PLACES) {
      const alone = await wave.run(stack, points.slice(i, i + 1), boxes.slice(i, i + 1));
      expect([all.distances[i], all.remainders[i]], `place ${i}`).toEqual([
        alone.distances[0],
        alone.remainders[0],
      ]);
    }
    stack.release();
    wave.close();
  });

  it('β of more than one wave: exact bounds and sampled errors', async () => {
    const pipeline: Pipeline = { transform: 'translation', range: 2, pre: plain, quantization: 'none' };
    const bounder = await openBounder(gpu, { shape: tiny, pipeline, method: 'exact' });
    // 81 grid points each: a wave holds 246 of them.
    const betas = Array.from({ length: 500 }, (_, i) => [0.1 + (i % 31) / 40, -0.05 - (i % 17) / 20]);
    const requests = betas.map((beta) => ({ image: 0, beta }));
    const goal = { tolerance: 0.05 };
    const all = await bounder.bound([dots], requests, goal);
    for (const i of [0, 122, 123, 124, 245, 246, 247, 249, 250, 499]) {
      const [alone] = await bounder.bound([dots], requests.slice(i, i + 1), goal);
      expect(all[i], `β ${i}`).toMatchObject({
        beta: betas[i],
        bound: alone?.bound,
        witness: alone?.witness,
      });
    }
    bounder.close();
    const sampled = await SampledErrors.open(gpu, { shape: tiny, pipeline });
    const asked = betas.map((beta, i) => ({
      beta,
      gammas: Array.from({ length: 45 }, (_, k) => [(k - 22) / 11, ((i + k) % 23) / 11 - 1]),
    }));
    const largest = await sampled.largest(dots, asked);
    for (const i of [0, 443, 444, 445, 499]) {
      expect(largest[i], `β ${i}`).toBe((await sampled.largest(dots, asked.slice(i, i + 1)))[0]);
    }
    sampled.close();
  });
});
