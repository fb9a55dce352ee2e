import { type Gpu, openDevice } from '@turnproof/core';
import { closeChecked, testAdapters } from '@turnproof/core/testing';
import { preOracle, warpOracle } from '@turnproof/shaders/oracle';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AttackedImage, Attacker } from './attack.ts';
import { type Classifier, openClassifier } from './classifier/index.ts';
import type { Pipeline } from './pipeline.ts';
import { signsShape as shape, signAt, signsModel } from './signs.test-support.ts';

const PIPELINE: Pipeline = {
  transform: 'rotation',
  range: 60,
  pre: { vignette: { kind: 'circle', offset: 2 }, blur: { size: 5, sigma: 1 } },
  quantization: 'none',
};
const K = 12;

describe('the attack', () => {
  let gpu: Gpu;
  let classifier: Classifier;

  beforeAll(async () => {
    gpu = await openDevice({ adapter: (await testAdapters()).at(-1) ?? 'auto' });
    classifier = await openClassifier({ model: signsModel, provider: 'wasm', shape });
  });
  afterAll(async () => {
    await classifier.release();
    closeChecked(gpu);
  });

  async function attacked(image: AttackedImage, pipeline: Partial<Pipeline> = {}, seed = 5n, k = K) {
    const whole = { ...PIPELINE, ...pipeline };
    const attacker = await Attacker.open({ gpu, classifier, shape, pipeline: whole, seed });
    try {
      return await attacker.attack(image, k);
    } finally {
      attacker.close();
    }
  }

  /** ln(sum exp) - logit of the target, from float64 transformations and preprocessing. */
  async function lossAt(image: AttackedImage, gamma: readonly number[], target: number): Promise<number> {
    const moved = warpOracle('rotation', gamma, image.pixels, shape);
    const logits = await classifier.logits(Float32Array.from(preOracle(moved, shape, PIPELINE.pre)), 1);
    return Math.log([...logits].reduce((sum, logit) => sum + Math.exp(logit), 0)) - (logits[target] ?? 0);
  }

  it('hands over T_γ x, reports the cross entropy there, and names the largest', async () => {
    const image = signAt(3);
    const { attempts, worst, clean, target } = await attacked(image);
    expect(target).toBe(image.label);
    expect(attempts.length).toBe(K);
    for (const { gamma, pixels, loss } of attempts) {
      expect(Math.abs(gamma[0] ?? 99)).toBeLessThanOrEqual(60);
      const moved = warpOracle('rotation', gamma, image.pixels, shape);
      expect(Math.max(...pixels.map((p, i) => Math.abs(p - (moved[i] ?? 9))))).toBeLessThan(1e-5);
      expect(loss).toBeCloseTo(await lossAt(image, gamma, target ?? 0), 3);
    }
    expect(clean.loss).toBeCloseTo(await lossAt(image, [0], target ?? 0), 3);
    const losses = attempts.map(({ loss }) => loss);
    expect(losses[worst]).toBe(Math.max(...losses));
    expect(new Set(losses).size).toBe(K);
  });

  it('counts the attempts that are answered wrongly', async () => {
    const image = signAt(3);
    // No answer of b is this class often, so nearly all are wrong.
    const label = ((image.label ?? 0) + 1) % 4;
    const { attempts, wrong, target } = await attacked({ ...image, label });
    expect(target).toBe(label);
    expect(wrong).toBe(attempts.filter(({ answer }) => answer !== label).length);
    expect(wrong).toBeGreaterThan(0);
  });

  it('rounds what it hands over to 8 bits when the pipeline says so, and nothing otherwise', async () => {
    const offGrid = (pixels: Float32Array) =>
      pixels.filter((p) => Math.fround(Math.round(255 * p) / 255) !== p).length;
    const rounded = await attacked(signAt(2), { quantization: 'u8' });
    const plain = await attacked(signAt(2));
    for (const [i, { pixels }] of rounded.attempts.entries()) {
      expect(offGrid(pixels)).toBe(0);
      const other = plain.attempts[i]?.pixels ?? new Float32Array();
      expect(offGrid(other)).toBeGreaterThan(100);
      expect(Math.max(...pixels.map((p, j) => Math.abs(p - (other[j] ?? 9))))).toBeLessThan(0.5 / 255 + 1e-6);
    }
  });

  it("raises the loss of b's own answer where there is no label", async () => {
    const { target, clean } = await attacked({ ...signAt(1), label: null });
    expect(target).toBe(clean.answer);
  });

  it('draws the same again, other ones for other images and seeds, and more after fewer', async () => {
    const gammas = async (...what: Parameters<typeof attacked>) =>
      (await attacked(...what)).attempts.map(({ gamma }) => gamma);
    const first = await gammas(signAt(0));
    expect(await gammas(signAt(0))).toEqual(first);
    expect(await gammas(signAt(0), {}, 5n, 4)).toEqual(first.slice(0, 4));
    expect(await gammas(signAt(1))).not.toEqual(first);
    expect(await gammas(signAt(0), {}, 6n)).not.toEqual(first);
  });

  it('shifts by both axes for translations', async () => {
    const image = signAt(4);
    const { attempts } = await attacked(image, {
      transform: 'translation',
      range: 3,
      pre: { vignette: { kind: 'rect', offset: 4 }, blur: null },
    });
    for (const { gamma, pixels } of attempts) {
      const moved = warpOracle('translation', gamma, image.pixels, shape);
      expect(Math.max(...pixels.map((p, i) => Math.abs(p - (moved[i] ?? 9))))).toBeLessThan(1e-5);
    }
  });
});
