import { type Gpu, openDevice } from '@turnproof/core';
import { closeChecked, expectClose, testAdapters } from '@turnproof/core/testing';
import { noiseLawOf, type Parameter, type Preprocess, type Transform } from '@turnproof/shaders';
import { noisyOracle, warpPreOracle } from '@turnproof/shaders/oracle';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Classifier, NO_CLASS, openClassifier, type Provider } from '../classifier/index.ts';
import { inspectModelBytes } from '../classifier/model.ts';
import { linearModel, linearOracle, onnxModel, someFloats } from '../classifier/onnx-writer.test-support.ts';
import { batchCandidates, measureBatch } from './batch-size.ts';
import { GpuEngine } from './gpu-engine.ts';
import { Sampler } from './sampler.ts';
import { runJob, type SpottedSample } from './schedule.ts';
import { counterWord, Streams } from './streams.ts';

const shape = { channels: 2, height: 6, width: 5 };
const FEATURES = 60;
const CLASSES = 4;
const SIGMA = 0.5;
const IMAGE = { index: 5, pixels: someFloats(FEATURES, 9).map((v) => Math.abs(v)) };
const pre: Preprocess = { vignette: { kind: 'rect', offset: 1 }, blur: { size: 3, sigma: 0.8 } };
const streams = (transform: Transform) => new Streams(77n, transform, transform === 'rotation' ? 20 : 1.5);

/** Above this, a number times 1e38 is no float32 any more. */
const LIMIT = 3.4028235;

/** A linear model whose numbers are then multiplied by 1e38: rows with a large number come out with an infinity. */
function overflowingModel() {
  const { w, b } = linearModel({ image: [2, 6, 5], classes: CLASSES });
  const bytes = onnxModel({
    inputs: [{ name: 'x', shape: ['n', 2, 6, 5] }],
    outputs: [{ name: 'logits', shape: ['n', CLASSES] }],
    weights: [
      { name: 'w', shape: [FEATURES, CLASSES], data: w },
      { name: 'b', shape: [CLASSES], data: b },
      { name: 'huge', shape: [1], data: Float32Array.of(1e38) },
    ],
    nodes: [
      { op: 'Flatten', inputs: ['x'], outputs: ['flat'], attributes: { axis: 1 } },
      { op: 'Gemm', inputs: ['flat', 'w', 'b'], outputs: ['lin'] },
      { op: 'Mul', inputs: ['lin', 'huge'], outputs: ['logits'] },
    ],
  });
  return { bytes, w, b };
}

/** Counts [β, classes] in float64, and how many samples are too close to call in float32. */
function oracleCounts(
  transform: Transform,
  betas: readonly Parameter[],
  samples: number,
  model: { w: Float32Array; b: Float32Array; limit: number },
): { counts: number[]; close: number } {
  const counts = new Array<number>(betas.length * CLASSES).fill(0);
  let close = 0;
  const { key } = streams(transform);
  betas.forEach((beta, i) => {
    const clean = warpPreOracle(transform, beta, IMAGE.pixels, shape, pre);
    for (let sample = 0; sample < samples; sample++) {
      const counter = [IMAGE.index, counterWord('certify', i), sample] as const;
      const noisy = noisyOracle(clean, counter, key, noiseLawOf(SIGMA));
      const logits = linearOracle(noisy, model.w, model.b);
      const sorted = logits.toSorted((a, b) => b - a);
      const [first = 0, second = 0] = sorted;
      const largest = Math.max(...logits.map(Math.abs));
      if (first - second < 1e-3 || Math.abs(largest - model.limit) < 1e-3) close += 1;
      if (largest > model.limit) continue;
      const at = i * CLASSES + logits.indexOf(first);
      counts[at] = (counts[at] ?? 0) + 1;
    }
  });
  return { counts, close };
}

const adapters = await testAdapters();

describe.each(
  adapters.flatMap((adapter) =>
    (['wasm', 'webgpu'] as const).map((provider) => [adapter, provider] as const),
  ),
)('the sampler on %s with the %s provider', (adapter, provider: Provider) => {
  let gpu: Gpu;
  beforeAll(async () => {
    gpu = await openDevice({ adapter });
  });
  afterAll(() => closeChecked(gpu));

  const withSampler = <T>(
    transform: Transform,
    model: { bytes: Uint8Array<ArrayBuffer> },
    batch: number,
    work: (sampler: Sampler, classifier: Classifier) => Promise<T>,
  ): Promise<T> =>
    withEngine(transform, model, batch, (engine, classifier) => work(new Sampler(engine), classifier));

  async function withEngine<T>(
    transform: Transform,
    model: { bytes: Uint8Array<ArrayBuffer> },
    batch: number,
    work: (engine: GpuEngine, classifier: Classifier) => Promise<T>,
  ): Promise<T> {
    const inspected = await inspectModelBytes('tiny.onnx', model.bytes);
    const classifier = await openClassifier({ model: inspected, provider, shape, device: gpu.device });
    const { key } = streams(transform);
    const engine = await GpuEngine.open({ gpu, classifier, shape, pre, transform, key, batch });
    try {
      return await work(engine, classifier);
    } finally {
      engine.close();
      await classifier.release();
    }
  }

  it.each(['rotation', 'translation'] as const)(
    'counts the classes that float64 counts, %s',
    async (transform) => {
      const model = linearModel({ image: [2, 6, 5], classes: CLASSES });
      const betas = streams(transform).betas(IMAGE.index, 'certify', 9);
      const { counts, close } = oracleCounts(transform, betas, 70, {
        ...model,
        limit: Number.POSITIVE_INFINITY,
      });
      const got = await withSampler(transform, model, 50, (sampler) =>
        sampler.countClasses(IMAGE, { betas, noise: 'certify', sigma: SIGMA, samples: 70 }),
      );
      const different = counts.reduce((sum, count, i) => sum + Math.abs(count - (got[i] ?? Number.NaN)), 0);
      expect(close).toBeLessThan(10);
      expect(different).toBeLessThanOrEqual(2 * close);
      // More than one class occurs, or the test could not fail.
      expect(new Set(counts.map((count, i) => (count > 5 ? i % CLASSES : -1))).size).toBeGreaterThan(2);
    },
  );

  it('hands samples back as the classifier saw them, with the answers that were counted', async () => {
    const model = overflowingModel();
    const betas = streams('rotation').betas(IMAGE.index, 'certify', 6);
    await withEngine('rotation', model, 64, async (engine) => {
      const seen: SpottedSample[] = [];
      const { counts } = await runJob(engine, IMAGE.pixels, {
        ...{ betas, image: IMAGE.index, sigma: SIGMA, cap: 40, look: 40 },
        wordOf: (beta) => counterWord('certify', beta),
        decided: () => true,
        spotter: {
          wanted: (_, first, length) => Array.from({ length }, (_, i) => first + i),
          counted: (sample) => seen.push(sample),
        },
      });
      const again = new Array<number>(betas.length * CLASSES).fill(0);
      for (const { beta, answer } of seen) {
        if (answer !== NO_CLASS) again[beta * CLASSES + answer] = (again[beta * CLASSES + answer] ?? 0) + 1;
      }
      expect(again).toEqual(Array.from(counts));
      const names = seen.map(({ beta, sample }) => `${beta} ${sample}`);
      expect([names.length, new Set(names).size]).toEqual([240, 240]);
      for (const { beta, sample, noisy, answer } of seen) {
        const clean = warpPreOracle('rotation', betas[beta] ?? [], IMAGE.pixels, shape, pre);
        const counter = [IMAGE.index, counterWord('certify', beta), sample] as const;
        const want = noisyOracle(clean, counter, streams('rotation').key, noiseLawOf(SIGMA));
        // The kernel's clean image may lie in the next cell of the lattice.
        expectClose(`sample ${sample} of β ${beta}`, noisy, want, 1e-4);
        const logits = linearOracle(noisy, model.w, model.b);
        const [first = 0, second = 0] = logits.toSorted((a, b) => b - a);
        const largest = Math.max(...logits.map(Math.abs));
        if (first - second < 1e-3 || Math.abs(largest - LIMIT) < 1e-3) continue;
        expect(answer).toBe(largest > LIMIT ? NO_CLASS : logits.indexOf(first));
      }
    });
  });

  it('counts a row with an infinity for no class', async () => {
    const model = overflowingModel();
    const betas = streams('rotation').betas(IMAGE.index, 'certify', 6);
    const { counts, close } = oracleCounts('rotation', betas, 40, { ...model, limit: LIMIT });
    const got = await withSampler('rotation', model, 64, (sampler) =>
      sampler.countClasses(IMAGE, { betas, noise: 'certify', sigma: SIGMA, samples: 40 }),
    );
    const total = counts.reduce((a, b) => a + b, 0);
    expect(total).toBeGreaterThan(20);
    expect(total).toBeLessThan(220);
    const different = counts.reduce((sum, count, i) => sum + Math.abs(count - (got[i] ?? Number.NaN)), 0);
    expect(different).toBeLessThanOrEqual(2 * close);
  });

  it('decides the same whatever the batch, and leaves no memory behind', async () => {
    const model = linearModel({ image: [2, 6, 5], classes: CLASSES });
    const betas = streams('rotation').betas(IMAGE.index, 'certify', 12);
    const request = {
      betas,
      firstBeta: 0,
      noise: 'certify',
      sigma: SIGMA,
      classIndex: 0,
      p0: 0.4,
      alpha: 0.001,
      kind: 'sequential',
      nEps: 100,
    } as const;
    const results: string[] = [];
    for (const batch of [3, 33, 256]) {
      if (batch === 3 && provider === 'webgpu') continue;
      results.push(
        await withSampler('rotation', model, batch, async (sampler) => {
          const first = JSON.stringify(await sampler.testClass(IMAGE, request));
          const bytes = gpu.pool.bytes;
          const runs = 8;
          for (let i = 0; i < runs; i++)
            expect(JSON.stringify(await sampler.testClass(IMAGE, request))).toBe(first);
          // How many readbacks are under way at once is the scheduler's luck; that each run keeps a lane is not.
          const lane = 4 * FEATURES * batch;
          expect(gpu.pool.bytes - bytes).toBeLessThan(Math.max(4096, (runs / 2) * lane));
          return first;
        }),
      );
    }
    expect(new Set(results).size).toBe(1);
  });

  it('gives everything back when the classifier fails', async () => {
    const model = linearModel({ image: [2, 6, 5], classes: CLASSES });
    const betas = streams('rotation').betas(IMAGE.index, 'certify', 3);
    await withSampler('rotation', model, 32, async (sampler, classifier) => {
      const request = { betas, noise: 'certify', sigma: SIGMA, samples: 100 } as const;
      await sampler.countClasses(IMAGE, request);
      const bytes = gpu.pool.bytes;
      await classifier.release();
      for (let i = 0; i < 8; i++) {
        await expect(sampler.countClasses(IMAGE, request)).rejects.toThrow('release');
      }
      expect(gpu.pool.bytes - bytes).toBeLessThan(4 * 4 * FEATURES * 32);
    });
  });

  it('tries batches that suit provider, adapter, memory and a fixed batch', () => {
    const of = (width: number, fixedBatch: number | null, kind: 'hardware' | 'software') =>
      batchCandidates({
        gpu: { ...gpu, adapter: { ...gpu.adapter, kind } } as Gpu,
        classifier: { provider, fixedBatch } as Classifier,
        shape: { channels: 3, height: width, width },
      });
    expect(of(32, null, 'hardware')).toEqual(
      provider === 'wasm' ? [32, 64, 128, 256] : [128, 256, 512, 1024],
    );
    expect(of(32, null, 'software')).toEqual(provider === 'wasm' ? [32, 64, 128, 256] : [32, 64, 128]);
    expect(of(32, 48, 'software')).toEqual(provider === 'wasm' ? [48, 96, 240] : [48, 96]);
    expect(of(32, 500, 'software')).toEqual([500]);
    // 64 MiB hold 21 images of 3 x 512 x 512 float32.
    expect(of(512, null, 'hardware')).toEqual([21]);
  });

  it('takes the fastest batch by the clock, and no larger one that is hardly faster', async () => {
    const measured = async (each: (size: number) => number) => {
      let clock = 0;
      const call = async (size: number) => {
        clock += size * each(size);
      };
      const now = vi.spyOn(performance, 'now').mockImplementation(() => clock);
      const classifier = {
        provider,
        classes: CLASSES,
        fixedBatch: null,
        ...(provider === 'wasm'
          ? { logits: (_: Float32Array, size: number) => call(size) }
          : { logitsOnGpu: (_: GPUBuffer, size: number) => call(size) }),
      } as unknown as Classifier;
      try {
        return await measureBatch({ gpu, classifier, shape });
      } finally {
        now.mockRestore();
      }
    };
    const { 0: smallest, 1: second } = batchCandidates({
      gpu,
      classifier: { provider, fixedBatch: null } as Classifier,
      shape,
    });
    expect(await measured(() => 0.1)).toBe(smallest);
    expect(await measured((size) => 0.1 * size)).toBe(smallest);
    expect(await measured((size) => (size === second ? 0.05 : 0.1))).toBe(second);
    expect(await measured((size) => (size === smallest ? 0.1 : 0.097))).toBe(smallest);
  });
});
