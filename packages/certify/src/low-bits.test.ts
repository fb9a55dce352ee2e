/**
 * Classifiers built to cheat (V. Voráček and M. Hein, «Sound randomized smoothing in floating-point arithmetic», ICLR
 * 2023): they read from the low bits of their input whether the pixel under the noise was exactly 0. Float32 sums of
 * pixel and noise tell them, and no certificate of such noise holds for them. On the lattice all inputs look alike.
 */
import { createHash } from 'node:crypto';
import { type Gpu, openDevice } from '@turnproof/core';
import { closeChecked, testAdapters } from '@turnproof/core/testing';
import { type ImageShape, NO_PREPROCESS, noiseLawOf, type Transform } from '@turnproof/shaders';
import { l2Norm, noisyOracle, philox4x32, warpPreOracle } from '@turnproof/shaders/oracle';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verifyCertificate } from './certificate/index.ts';
import { Certifier, type CertifierImage } from './certifier.ts';
import { type Classifier, openClassifier } from './classifier/index.ts';
import { inspectModelBytes } from './classifier/model.ts';
import { onnxModel } from './classifier/onnx-writer.test-support.ts';
import { normalCdf, normalQuantileLower } from './statistics/index.ts';

const SIGMA = Math.fround(0.3);
const SAMPLES = 60;

interface Cheat {
  readonly transform: Transform;
  readonly shape: ImageShape;
  /** The image: a checkerboard of 0 and this. */
  readonly faint: number;
  /** The classifier looks at pixels below this ... */
  readonly near: number;
  /** ... for those that are no multiple of this: a sum of noise and a pixel that is not 0 is one. */
  readonly grain: number;
  /** Class 0 for more such pixels than this. */
  readonly threshold: number;
  readonly range: number;
}

const FAINT = {
  shape: { channels: 1, height: 128, width: 128 },
  faint: 0.0052,
  near: 2 ** -10,
  grain: 2 ** -33,
  threshold: 6.5,
} as const;
const CHEATS: Cheat[] = [
  { ...FAINT, transform: 'translation', range: 0.25 },
  { ...FAINT, transform: 'rotation', range: 4 },
];

function checkerboard({ shape: { height, width }, faint }: Cheat): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: height * width }, (_, i) =>
    (Math.floor(i / width) + (i % width)) % 2 === 0 ? 0 : faint,
  );
}

/** In ten standard nodes: |x| < near and x / grain is no whole number, counted over the image. */
function lowBitsModel({ shape: { channels, height, width }, near, grain, threshold }: Cheat) {
  const weight = (name: string, value: number) => ({ name, shape: [1], data: Float32Array.of(value) });
  return onnxModel({
    inputs: [{ name: 'image', shape: ['batch', channels, height, width] }],
    outputs: [{ name: 'logits', shape: ['batch', 2] }],
    weights: [
      weight('near', near),
      weight('grains', 1 / grain),
      weight('zero', 0),
      {
        name: 'signs',
        shape: [channels * height * width, 2],
        data: Float32Array.from({ length: 2 * channels * height * width }, (_, i) => (i % 2 === 0 ? 1 : -1)),
      },
      { name: 'offsets', shape: [2], data: Float32Array.of(-threshold, threshold) },
    ],
    nodes: [
      { op: 'Abs', inputs: ['image'], outputs: ['size'] },
      { op: 'Sub', inputs: ['near', 'size'], outputs: ['inside'] },
      { op: 'Sign', inputs: ['inside'], outputs: ['side'] },
      { op: 'Relu', inputs: ['side'], outputs: ['is_near'] },
      { op: 'Mul', inputs: ['image', 'grains'], outputs: ['scaled'] },
      { op: 'Floor', inputs: ['scaled'], outputs: ['whole'] },
      { op: 'Sub', inputs: ['scaled', 'whole'], outputs: ['rest'] },
      { op: 'Sign', inputs: ['rest'], outputs: ['is_fine'] },
      { op: 'Mul', inputs: ['is_near', 'is_fine'], outputs: ['telling'] },
      { op: 'Flatten', inputs: ['telling'], outputs: ['flat'], attributes: { axis: 1 } },
      { op: 'Gemm', inputs: ['flat', 'signs', 'offsets'], outputs: ['logits'] },
    ],
  });
}

/** A standard normal number by Box and Muller, in float32 as noise kernels usually make it. */
function float32Noise(elements: number, sample: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: elements }, (_, k) => {
    const [u = 0, v = 0] = philox4x32([1, 2, sample, k], [3, 4]);
    return Math.fround(Math.sqrt(-2 * Math.log((u + 1) / 2 ** 32)) * Math.cos((2 * Math.PI * v) / 2 ** 32));
  });
}

const adapters = await testAdapters();
const adapter = adapters.at(-1) ?? 'auto';

describe.each(CHEATS)('a classifier that reads low bits, against $transform', (cheat) => {
  const { transform, shape, range } = cheat;
  const elements = shape.channels * shape.height * shape.width;
  const image = checkerboard(cheat);
  const axes = transform === 'rotation' ? 1 : 2;
  const gammaAt = (value: number) => Array.from({ length: axes }, () => value);
  const at = (value: number) => warpPreOracle(transform, gammaAt(value), image, shape, NO_PREPROCESS);
  let gpu: Gpu;
  let classifier: Classifier;

  beforeAll(async () => {
    gpu = await openDevice({ adapter });
    const model = await inspectModelBytes('low-bits.onnx', lowBitsModel(cheat));
    classifier = await openClassifier({ model, provider: 'wasm', shape });
  });
  afterAll(async () => {
    await classifier.release();
    closeChecked(gpu);
  });

  /** How often class 0 comes out of some noisy images. */
  async function shareOf(noisy: (sample: number) => Float32Array): Promise<number> {
    let zeros = 0;
    for (let sample = 0; sample < SAMPLES; sample++) {
      const [zero = 0, one = 0] = await classifier.logits(noisy(sample), 1);
      if (zero > one) zeros += 1;
    }
    return zeros / SAMPLES;
  }

  it('breaks the theorem where float32 noise is added to float32 pixels', async () => {
    const [there, here] = [at(0), at(range)];
    const sum = (clean: ArrayLike<number>) => (sample: number) =>
      float32Noise(elements, sample).map((n, k) => Math.fround(clean[k] ?? 0) + Math.fround(SIGMA * n));
    const [atRest, moved] = [await shareOf(sum(there)), await shareOf(sum(here))];
    // What any classifier under normal noise must still answer at this distance (Cohen et al., theorem 1), had it
    // answered with a share of 0.9.
    const distance = l2Norm(Float64Array.from(there, (v, k) => v - (here[k] ?? 0)));
    const promised = normalCdf(normalQuantileLower(0.9) - distance / SIGMA);
    expect(atRest).toBeGreaterThan(0.95);
    expect(promised).toBeGreaterThan(0.5);
    expect(moved).toBeLessThan(0.2);
  });

  it('sees nothing on the lattice', async () => {
    const law = noiseLawOf(SIGMA);
    const noisy = (clean: ArrayLike<number>) => (sample: number) =>
      noisyOracle(clean, [1, 2, sample], [3, 4], law);
    expect(await shareOf(noisy(at(0)))).toBe(0);
    expect(await shareOf(noisy(at(range)))).toBe(0);
  });

  it('gets a certificate that its own predictions never contradict', async () => {
    const certifier = await Certifier.open({
      gpu,
      classifier,
      shape,
      pipeline: { transform, range, pre: NO_PREPROCESS, quantization: 'none' },
      plan: {
        method: 'sweep',
        sigmaGamma: 1,
        sigmaEps: 0.3,
        confidence: 0.999,
        nGamma: 1,
        n0: 1,
        nEps: 1000,
        inner: 'sequential',
        nChooseE: 1,
        nTestE: 1,
        radiusRule: 'tight',
        seed: 5,
        batch: 16,
      },
    });
    const given = (pixels: Float32Array, index: number): CertifierImage => ({
      index,
      pixels,
      sha256: createHash('sha256').update(pixels).digest('hex'),
      label: null,
    });
    try {
      const certificate = await certifier.certify(given(image, 0));
      expect(verifyCertificate(certificate).problems).toEqual([]);
      expect([certificate.predicted, certificate.radius]).toEqual([1, range]);
      for (const [i, share] of [0, 0.5, 0.9, 0.98, 1].entries()) {
        const moved = Float32Array.from(at(share * range), (v) => Math.min(1, Math.max(0, v)));
        const { predicted } = await certifier.predict(given(moved, i + 1));
        expect([share, predicted]).toEqual([share, 1]);
      }
    } finally {
      await certifier.close();
    }
  });
});
