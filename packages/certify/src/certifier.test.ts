import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type Gpu, openDevice } from '@turnproof/core';
import { closeChecked, testAdapters } from '@turnproof/core/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Certificate, certificateSchema, verifyCertificate } from './certificate/index.ts';
import { Certifier } from './certifier.ts';
import { type Classifier, openClassifier, type Provider } from './classifier/index.ts';
import type { Progress } from './methods/method.ts';
import type { Pipeline } from './pipeline.ts';
import type { Plan } from './plan.ts';
import { SMALL_PLAN, signsShape as shape, signAt, signsModel } from './signs.test-support.ts';

const PIPELINE: Pipeline = {
  transform: 'rotation',
  range: 4,
  pre: { vignette: { kind: 'circle', offset: 2 }, blur: { size: 5, sigma: 1 } },
  quantization: 'none',
};

const PLAN: Plan = { ...SMALL_PLAN, method: 'dist-x', seed: 12345678901234567890n, batch: 'auto' };

const adapters = await testAdapters();
/** The fastest software adapter, or the GPU: every adapter runs the engine's own tests. */
const adapter = adapters.at(-1) ?? 'auto';

/** A certificate without its times. */
function lasting({ ms: _, ...rest }: Certificate): string {
  return JSON.stringify(rest);
}

describe(`the certifier on ${adapter}, with the signs of the example`, () => {
  let gpu: Gpu;
  const classifiers = new Map<Provider, Classifier>();

  beforeAll(async () => {
    gpu = await openDevice({ adapter });
    for (const provider of ['wasm', 'webgpu'] as const) {
      classifiers.set(
        provider,
        await openClassifier({ model: signsModel, provider, shape, device: gpu.device }),
      );
    }
  });
  afterAll(async () => {
    for (const classifier of classifiers.values()) await classifier.release();
    closeChecked(gpu);
  });

  async function withCertifier<T>(
    change: {
      plan?: Partial<Plan>;
      pipeline?: Partial<Pipeline>;
      provider?: Provider;
      seen?: Progress[];
      imagesAtOnce?: number;
    },
    work: (certifier: Certifier) => Promise<T>,
  ): Promise<T> {
    const classifier = classifiers.get(change.provider ?? 'wasm');
    if (!classifier) throw new Error('no classifier');
    const certifier = await Certifier.open({
      gpu,
      classifier,
      shape,
      pipeline: { ...PIPELINE, ...change.pipeline },
      plan: { ...PLAN, ...change.plan },
      onProgress: (progress) => change.seen?.push(progress),
      ...(change.imagesAtOnce === undefined ? {} : { imagesAtOnce: change.imagesAtOnce }),
    });
    try {
      return await work(certifier);
    } finally {
      await certifier.close();
    }
  }

  /** By a method that draws β. */
  async function certifyOne(change: Parameters<typeof withCertifier>[0], index = 0) {
    const certificate = await withCertifier(change, (certifier) => certifier.certify(signAt(index)));
    if (certificate.method === 'sweep') throw new Error('sweep was not asked for');
    return certificate;
  }

  let reference: Awaited<ReturnType<typeof certifyOne>>;
  beforeAll(async () => {
    reference = await certifyOne({});
  });

  it('certifies a sign, and the certificate passes verification as it comes out of a file', () => {
    expect([reference.predicted, reference.correct]).toEqual([0, true]);
    expect(reference.radius).toBeGreaterThan(1);
    expect(reference.radius).toBeLessThanOrEqual(4);
    const line = JSON.parse(JSON.stringify(reference));
    expect(certificateSchema.parse(line)).toEqual(reference);
    expect(verifyCertificate(line)).toEqual({ ok: true, problems: [] });
  });

  it('names what it was made with', () => {
    const sha = createHash('sha256').update(readFileSync(signsModel)).digest('hex');
    expect(reference.model).toEqual({ sha256: sha, file: 'signs_rot.onnx' });
    expect(reference.image).toEqual({ sha256: signAt(0).sha256, shape });
    expect(reference.seed).toBe('12345678901234567890');
    expect([reference.provider, reference.adapter.name]).toEqual(['wasm', gpu.adapter.name]);
    expect(reference.ms.sampling).toBeGreaterThan(0);
    expect(reference.ms.bound).toBeGreaterThan(0);
  });

  it('gives the same bytes with another batch size, but for times', async () => {
    await withCertifier({ plan: { batch: 37 } }, async (certifier) => {
      expect(certifier.batch).toBe(37);
      expect(lasting(await certifier.certify(signAt(0)))).toBe(lasting(reference));
      const { evaluated, streamMs, classifierMs } = certifier.usage;
      expect(evaluated).toBeGreaterThanOrEqual(reference.samples);
      expect(classifierMs).toBeGreaterThan(0);
      expect(classifierMs).toBeLessThanOrEqual(streamMs);
    });
  });

  it('gives other samples with another seed', async () => {
    const other = await certifyOne({ plan: { seed: 7 } });
    expect(other.counts.inner).not.toEqual(reference.counts.inner);
    expect(other.bound?.E).not.toBe(reference.bound?.E);
  });

  it('certifies the same with logits and counts on the GPU', async () => {
    const other = await certifyOne({ provider: 'webgpu', plan: { batch: 64 } });
    expect([other.predicted, other.radius, other.provider]).toEqual([0, reference.radius, 'webgpu']);
    expect(other.bound).toEqual(reference.bound);
    // The two providers round differently: a sample may change sides, not more.
    other.counts.inner.forEach(({ k, n, accepted }, i) => {
      const { k: wanted = 0, n: of = 0, accepted: verdict } = reference.counts.inner[i] ?? {};
      expect(accepted).toBe(verdict);
      if (n === of) expect(Math.abs(k - wanted)).toBeLessThanOrEqual(1);
    });
    expect(verifyCertificate(other).ok).toBe(true);
  });

  it.each([
    ['wasm', 1],
    ['wasm', 3],
    ['webgpu', 3],
  ] as const)('gives calls at the same time what they get alone: %s, %d at once', async (provider, at) => {
    const options = { provider, plan: { batch: 64 } };
    const alone = provider === 'wasm' ? reference : await certifyOne(options);
    const together = await withCertifier({ ...options, imagesAtOnce: at }, (certifier) =>
      Promise.all([certifier.certify(signAt(1)), certifier.certify(signAt(0)), certifier.predict(signAt(2))]),
    );
    expect(lasting(together[1])).toBe(lasting(alone));
    expect([together[0].index, together[0].predicted, together[2].index, together[2].predicted]).toEqual([
      1, 1, 2, 2,
    ]);
  });

  it('refuses to work on half an image at once', async () => {
    await expect(withCertifier({ imagesAtOnce: 0.5 }, async () => 0)).rejects.toThrow('0.5 images at once');
  });

  it('certifies by base without a guarantee, and says so', async () => {
    const certificate = await certifyOne({ plan: { method: 'base', nGamma: 60 } });
    expect([certificate.predicted, certificate.bound, certificate.samples]).toEqual([0, null, 65]);
    expect(certificate.guarantee).toMatch(/^No guarantee/);
    expect(verifyCertificate(certificate)).toEqual({ ok: true, problems: [] });
  });

  it('certifies by sweep, the same bytes with another batch size', async () => {
    const sweep = (batch: Plan['batch']) =>
      withCertifier({ plan: { method: 'sweep', batch } }, (certifier) => certifier.certify(signAt(0)));
    const certificate = await sweep('auto');
    if (certificate.method !== 'sweep') throw new Error('another method answered');
    expect([certificate.predicted, certificate.radius, certificate.interval]).toEqual([
      0,
      4,
      { lower: [-4], upper: [4] },
    ]);
    expect(certificate.guarantee).toMatch(
      /noise-smoothed classifier h, which sees pixels in steps of 2\^-\d+, answers class 0 for every rotation/,
    );
    expect(certificateSchema.parse(JSON.parse(JSON.stringify(certificate)))).toEqual(certificate);
    expect(verifyCertificate(certificate)).toEqual({ ok: true, problems: [] });
    expect(lasting(await sweep(37))).toBe(lasting(certificate));
  });

  it('sweeps translations over a square', async () => {
    const change = { plan: { method: 'sweep' }, pipeline: { transform: 'translation', range: 0.4 } } as const;
    const certificate = await withCertifier(change, (certifier) => certifier.certify(signAt(0)));
    expect(certificate.radius).toBe(0.4);
    expect(certificate.guarantee).toMatch(/by up to 0\.4 pixels on each axis/);
    expect(verifyCertificate(certificate)).toEqual({ ok: true, problems: [] });
  });

  it('predicts, saying that this is no guarantee', async () => {
    for (const method of ['base', 'dist-x', 'sweep'] as const) {
      const prediction = await withCertifier({ plan: { method } }, (certifier) =>
        certifier.predict(signAt(3)),
      );
      expect([prediction.predicted, prediction.correct, prediction.method]).toEqual([3, true, method]);
      expect(prediction.guarantee).toMatch(/^No guarantee.* answers class 3 for this image as it is\.$/);
      expect(prediction.pValue).toBeLessThan(0.1);
    }
  });

  it('certifies translations in pixels', async () => {
    const certificate = await certifyOne({
      plan: { sigmaGamma: 0.5 },
      pipeline: { transform: 'translation', range: 0.5 },
    });
    expect(certificate.unit).toBe('pixels');
    expect(certificate.bound).toMatchObject({ method: 'exact' });
    expect(verifyCertificate(certificate)).toEqual({ ok: true, problems: [] });
  });

  it('reports each stage with its image', async () => {
    const seen: Progress[] = [];
    await certifyOne({ seen });
    expect([...new Set(seen.map(({ stage }) => stage))]).toEqual([
      'choose-class',
      'choose-E',
      'test-E',
      'sample',
    ]);
    expect(seen.every(({ image, done, total }) => image === 0 && done <= total)).toBe(true);
  });

  it('refuses images that are none', async () => {
    await withCertifier({}, async (certifier) => {
      const good = signAt(0);
      const bright = new Float32Array(good.pixels);
      bright[17] = 1.5;
      await expect(certifier.certify({ ...good, pixels: bright })).rejects.toThrow(
        'image 0: value 17 is 1.5, outside [0, 1]',
      );
      const broken = new Float32Array(good.pixels);
      broken[3] = Number.NaN;
      await expect(certifier.certify({ ...good, pixels: broken })).rejects.toThrow('value 3 is NaN');
      await expect(certifier.certify({ ...good, pixels: new Float32Array(5) })).rejects.toThrow(
        'has 5 values, not 3072',
      );
      await expect(certifier.certify({ ...good, index: -1 })).rejects.toThrow('image index -1');
      await expect(certifier.certify({ ...good, sha256: 'none' })).rejects.toThrow('is no SHA-256');
    });
  });

  it('refuses a plan, a pipeline or a classifier that cannot serve, before anything is computed', async () => {
    const nothing = async () => 0;
    await expect(withCertifier({ plan: { nGamma: 3 } }, nothing)).rejects.toThrow(
      'n_gamma = 3 can never certify',
    );
    await expect(withCertifier({ pipeline: { range: 270 } }, nothing)).rejects.toThrow('range 270');
    const classifier = classifiers.get('wasm');
    if (!classifier) throw new Error('no classifier');
    const other = { channels: 1, height: 28, width: 28 };
    const opening = Certifier.open({ gpu, classifier, shape: other, pipeline: PIPELINE, plan: PLAN });
    await expect(opening).rejects.toThrow('was opened for images of 3 x 32 x 32, not 1 x 28 x 28');
  });

  it('refuses to be used after it was closed, and closes once', async () => {
    const closed = await withCertifier({}, async (certifier) => certifier);
    await closed.close();
    await expect(closed.certify(signAt(0))).rejects.toThrow('used after it was closed');
  });
});
