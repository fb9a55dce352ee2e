/**
 * A target that a limit leaves undecided: neither exceeded nor held. Whoever counts β that hold E must not be told so.
 */
import { type Gpu, openDevice } from '@turnproof/core';
import { closeChecked, testAdapters } from '@turnproof/core/testing';
import type { ImageShape } from '@turnproof/shaders';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Pipeline } from '../pipeline.ts';
import { type BounderOptions, openBounder } from './index.ts';

const shape: ImageShape = { channels: 1, height: 11, width: 12 };
const image = Float32Array.from({ length: 132 }, (_, k) => ((k * 7919) % 101) / 100);
const pre = { vignette: { kind: 'circle', offset: 0 }, blur: null } as const;
const pipeline: Pipeline = { transform: 'rotation', range: 10, pre, quantization: 'none' };
const betas = [[3.3], [-17], [40]];
const requests = betas.map((beta) => ({ image: 0, beta }));

describe.each((await testAdapters()).slice(-1))('a target on %s', (adapter) => {
  let gpu: Gpu;
  beforeAll(async () => {
    gpu = await openDevice({ adapter });
  });
  afterAll(() => closeChecked(gpu));

  const boundsWith = async (
    options: Partial<BounderOptions>,
    goal: { tolerance: number } | { target: number },
  ) => {
    const bounder = await openBounder(gpu, { shape, pipeline, ...options });
    const answers = await bounder.bound([image], requests, goal);
    bounder.close();
    return answers;
  };

  it.each(['chord', 'interval'] as const)(
    'that a limit leaves between witness and bound is undecided: %s',
    async (method) => {
      const fine = await boundsWith({ method }, { tolerance: 0.05 });
      // Above every witness, below what the first boxes say.
      const target = Math.max(...fine.map(({ witness }) => witness.error)) * 1.02;
      for (const limits of [{ maxBoxes: 16 }, { timeLimitMs: 0 }]) {
        const answers = await boundsWith({ method, ...limits }, { target });
        expect(answers.some(({ bound }) => bound > target)).toBe(true);
        for (const { bound, exceeds, complete } of answers) {
          expect(exceeds).toBe(bound <= target ? false : null);
          expect(complete).toBe(bound <= target);
        }
      }
    },
  );

  it.each(['chord', 'interval'] as const)('is held only by a bound at most it: %s', async (method) => {
    const fine = await boundsWith({ method }, { tolerance: 0.05 });
    for (const [i, { bound, witness }] of fine.entries()) {
      for (const target of [
        0.5 * witness.error,
        0.999 * witness.error,
        1.001 * witness.error,
        bound,
        1.2 * bound,
      ]) {
        const answer = (await boundsWith({ method }, { target }))[i];
        if (answer?.exceeds === false) expect(answer.bound).toBeLessThanOrEqual(target);
        if (answer?.exceeds === true) expect(answer.witness.error).toBeGreaterThan(target);
        if (target < witness.error) expect(answer?.exceeds).not.toBe(false);
        if (target > bound) expect(answer?.exceeds).toBe(false);
      }
    }
  });
});
