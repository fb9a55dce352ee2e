import { createHash } from 'node:crypto';
import { type Gpu, openDevice } from '@turnproof/core';
import { closeChecked, testAdapters } from '@turnproof/core/testing';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Certifier, type CertifierImage } from './certifier.ts';
import { type Classifier, openClassifier, type Provider } from './classifier/index.ts';
import { inspectModelBytes } from './classifier/model.ts';
import { linearModel, someFloats } from './classifier/onnx-writer.test-support.ts';
import { batchNormalised } from './classifier/unsteady-models.test-support.ts';
import type { Plan } from './plan.ts';
import { AUDIT_EVERY, SampleMismatch } from './sampling/index.ts';
import { SMALL_PLAN } from './signs.test-support.ts';

const shape = { channels: 2, height: 3, width: 4 };
const CLASSES = 5;
const adapters = await testAdapters();
const adapter = adapters.at(-1) ?? 'auto';

function imageAt(index: number): CertifierImage {
  const pixels = someFloats(24, index + 1).map(Math.abs);
  const sha256 = createHash('sha256').update(new Uint8Array(pixels.buffer)).digest('hex');
  return { index, pixels, sha256, label: null };
}

/** Which of a batch's rows are to be wrong, of samples that are numbered as they come. */
type Fault = (first: number, batch: number) => number[];

/** One sample in so many. */
const oneIn =
  (m: number): Fault =>
  (first, batch) =>
    Array.from({ length: batch }, (_, row) => row).filter((row) => (first + row + 1) % m === 0);

/** A classifier whose provider answers class 4 in some rows of its batches; alone an image is answered rightly. */
function erring(real: Classifier, fault: Fault, device: GPUDevice): Classifier & { readonly faults: number } {
  const { info, provider, shape, classes, fixedBatch, logitsOnGpu } = real;
  const wrong = Float32Array.of(0, 0, 0, 0, 50);
  let [seen, faults] = [0, 0];
  const rowsOf = (batch: number) => {
    const rows = fault(seen, batch);
    seen += batch;
    faults += rows.length;
    return rows;
  };
  return {
    ...{ info, provider, shape, classes, fixedBatch },
    get faults() {
      return faults;
    },
    logits: async (images, batch) => {
      const logits = await real.logits(images, batch);
      if (batch > 1) for (const row of rowsOf(batch)) logits.set(wrong, row * CLASSES);
      return logits;
    },
    ...(logitsOnGpu
      ? {
          logitsOnGpu: async (images: GPUBuffer, batch: number, out: GPUBuffer) => {
            await logitsOnGpu.call(real, images, batch, out);
            for (const row of rowsOf(batch)) device.queue.writeBuffer(out, 4 * row * CLASSES, wrong);
          },
        }
      : {}),
    release: () => real.release(),
  };
}

describe(`live samples on ${adapter}`, () => {
  let gpu: Gpu;
  const classifiers = new Map<Provider, Classifier>();
  const of = (provider: Provider): Classifier => {
    const classifier = classifiers.get(provider);
    if (!classifier) throw new Error('not opened');
    return classifier;
  };

  beforeAll(async () => {
    gpu = await openDevice({ adapter });
    const model = await inspectModelBytes(
      'm.onnx',
      linearModel({ image: [2, 3, 4], classes: CLASSES }).bytes,
    );
    for (const provider of ['wasm', 'webgpu'] as const) {
      classifiers.set(provider, await openClassifier({ model, provider, shape, device: gpu.device }));
    }
  });
  afterAll(async () => {
    for (const classifier of classifiers.values()) await classifier.release();
    closeChecked(gpu);
  });

  const openWith = (classifier: Classifier, plan: Partial<Plan> = {}, reference?: Classifier, on = gpu) =>
    Certifier.open({
      gpu: on,
      ...{ classifier, shape, ...(reference ? { reference } : {}) },
      pipeline: {
        transform: 'rotation',
        range: 5,
        pre: { vignette: { kind: 'none' }, blur: null },
        quantization: 'none',
      },
      plan: { ...SMALL_PLAN, method: 'base', nGamma: 20_000, seed: 3, batch: 256, ...plan },
    });

  /** Certifies images until one is refused. */
  async function untilCaught(certifier: Certifier, most: number): Promise<{ done: number; error: unknown }> {
    for (let done = 0; done < most; done++) {
      try {
        await certifier.certify(imageAt(done));
      } catch (error) {
        return { done, error };
      }
    }
    return { done: most, error: null };
  }

  it('show a provider that errs in 1 of 1,000 samples, sooner or later', async () => {
    const classifier = erring(of('wasm'), oneIn(1000), gpu.device);
    const certifier = await openWith(classifier);
    try {
      const { done, error } = await untilCaught(certifier, 300);
      expect(error).toBeInstanceOf(SampleMismatch);
      expect(error).toMatchObject({ code: 'parity', image: done });
      const { evaluated, audited } = certifier.usage;
      // 20,000 samples an image, of which about 21 are audited: each image shows it with 2 %. With this seed it is the second.
      expect(done).toBeLessThan(300);
      expect(Math.abs(audited / (evaluated / AUDIT_EVERY) - 1)).toBeLessThan(0.5);
      expect(classifier.faults).toBeGreaterThan(20);
      // It is not trusted any more.
      await expect(certifier.certify(imageAt(500))).rejects.toBe(error);
      await expect(certifier.predict(imageAt(500))).rejects.toBe(error);
    } finally {
      await certifier.close();
    }
  });

  it('show the same fault on the GPU, where logits never come to the host', async () => {
    const certifier = await openWith(
      erring(of('webgpu'), oneIn(50), gpu.device),
      { nGamma: 4000 },
      of('wasm'),
    );
    try {
      const { done, error } = await untilCaught(certifier, 100);
      expect(error).toMatchObject({
        code: 'parity',
        image: done,
        message: expect.stringMatching(/counted for class 4 \(webgpu, in a batch\), but alone wasm gives/),
      });
    } finally {
      await certifier.close();
    }
  });

  it('show a model whose answer depends on its batch, though no comparison was made before', async () => {
    const model = await inspectModelBytes('bn.onnx', batchNormalised(true));
    const classifier = await openClassifier({ model, provider: 'wasm', shape });
    const certifier = await openWith(classifier);
    try {
      const { done, error } = await untilCaught(certifier, 3);
      expect(error).toBeInstanceOf(SampleMismatch);
      expect(done).toBe(0);
    } finally {
      await certifier.close();
      await classifier.release();
    }
  });

  it('show counts that are not those of their logits', async () => {
    const faulty = await openDevice({ adapter });
    const { device } = faulty;
    const create = device.createShaderModule.bind(device);
    // As a driver may translate it: the smallest logit wins.
    vi.spyOn(device, 'createShaderModule').mockImplementation((descriptor) => {
      const { code } = descriptor;
      const changed = code.includes('argmax_count')
        ? code.replace('value > best_value', 'value < best_value')
        : code;
      return create({ ...descriptor, code: changed });
    });
    const model = await inspectModelBytes(
      'm.onnx',
      linearModel({ image: [2, 3, 4], classes: CLASSES }).bytes,
    );
    const classifier = await openClassifier({ model, provider: 'webgpu', shape, device });
    const certifier = await openWith(classifier, { nGamma: 1000 }, of('wasm'), faulty);
    try {
      await expect(certifier.certify(imageAt(0))).rejects.toMatchObject({
        code: 'parity',
        message: expect.stringContaining('its logits say'),
      });
    } finally {
      await certifier.close();
      await classifier.release();
      faulty.close();
    }
  });

  it.each(['wasm', 'webgpu'] as const)(
    'of %s are found sound, whatever they are held against',
    async (provider) => {
      const lines: string[] = [];
      for (const reference of [of('wasm'), undefined]) {
        const certifier = await openWith(of(provider), { nGamma: 3000, n0: 40 }, reference);
        const { ms: _, ...certificate } = await certifier.certify(imageAt(7));
        lines.push(JSON.stringify(certificate));
        expect(certifier.usage.audited).toBeGreaterThan(1);
        await certifier.close();
      }
      expect(lines[1]).toBe(lines[0]);
    },
  );

  it('are held against the same model only', async () => {
    const other = await inspectModelBytes('o.onnx', linearModel({ image: [2, 3, 4], classes: 6 }).bytes);
    const reference = await openClassifier({ model: other, provider: 'wasm', shape });
    await expect(openWith(of('wasm'), {}, reference)).rejects.toThrow('are not the same model');
    await reference.release();
  });
});
