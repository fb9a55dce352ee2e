import { type Gpu, openDevice } from '@turnproof/core';
import { closeChecked, testAdapters } from '@turnproof/core/testing';
import { interpolationError } from '@turnproof/shaders/oracle';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chooseCalibrationE, testCalibrationE } from '../calibration/index.ts';
import type { Pipeline } from '../pipeline.ts';
import { Streams } from '../sampling/index.ts';
import { SampledErrors } from './index.ts';

const shape = { channels: 2, height: 9, width: 12 };
const RANGE = 25;
const pipeline: Pipeline = {
  transform: 'rotation',
  range: RANGE,
  pre: { vignette: { kind: 'circle', offset: 1 }, blur: { size: 3, sigma: 0.8 } },
  quantization: 'none',
};
const image = Float32Array.from({ length: 2 * 9 * 12 }, (_, k) => ((k * 7919) % 101) / 100);
const streams = new Streams(9n, 'rotation', 20);

describe('sampled errors', () => {
  let gpu: Gpu;
  let sampled: SampledErrors;
  beforeAll(async () => {
    gpu = await openDevice({ adapter: (await testAdapters()).at(-1) ?? 'auto' });
    sampled = await SampledErrors.open(gpu, { shape, pipeline });
  });
  afterAll(() => {
    sampled.close();
    closeChecked(gpu);
  });

  const errorAt = (beta: readonly number[], gamma: readonly number[]) =>
    interpolationError('rotation', beta, gamma, image, shape, pipeline.pre);

  it("are the largest at the γ of each β: never below float64's, and next to it", async () => {
    const requests = streams.betas(3, 'chooseE', 30).map((beta, i) => ({
      beta,
      gammas: streams.uniform(3, 'calibrateGamma', i, 1 + (i % 4), RANGE),
    }));
    const found = await sampled.largest(image, requests);
    for (const [i, { beta, gammas }] of requests.entries()) {
      const truth = Math.max(...gammas.map((gamma) => errorAt(beta, gamma)));
      expect(found[i]).toBeGreaterThanOrEqual(truth);
      expect(found[i]).toBeLessThan(truth + 1e-3);
    }
  });

  it('calibrate with γ of its own for every β, the waves of an image included', async () => {
    const nBetas = 520;
    const judge = { errors: 'sampled', sampled, betas: streams, nGammas: 2, range: RANGE } as const;
    async function* only(index: number) {
      yield { index, pixels: image };
    }
    const truths = streams
      .betas(5, 'calibrateTest', nBetas)
      .map((beta, i) =>
        Math.max(...streams.uniform(5, 'calibrateGamma', i, 2, RANGE).map((gamma) => errorAt(beta, gamma))),
      );
    // An E that splits them evenly: most β far from it, so float32 turns none.
    const E = [...truths].sort((a, b) => a - b)[nBetas / 2] ?? 0;
    const options = { nBetas, rhoE: 0.9, alphaInner: 0.01, alpha: 0.05, margin: 1, total: 1 };
    const { images } = await testCalibrationE(judge, only(5), E + 2e-4, options);
    const expected = truths.filter((truth) => truth > E + 2e-4).length;
    expect(images[0]?.tested).toBe(nBetas);
    expect(Math.abs((images[0]?.exceeded ?? -9) - expected)).toBeLessThanOrEqual(2);
    const { largest } = await chooseCalibrationE(judge, only(6), { margin: 1, total: 1 });
    const [beta = []] = streams.betas(6, 'calibrateChoose', 1);
    const gammas = streams.uniform(6, 'calibrateGamma', 0, 2, RANGE);
    expect(largest).toBeCloseTo(Math.max(...gammas.map((gamma) => errorAt(beta, gamma))), 3);
  });
});
