/**
 * A driver that miscompiles a kernel, for every kernel in turn: what notices it. First the self-test; and where a verdict of
 * better days lets it through, the checks that go on while images are certified.
 */
import {
  Certifier,
  type CertifierImage,
  type Classifier,
  type Pipeline,
  type Plan,
} from '@turnproof/certify';
import { openClassifier, type Provider } from '@turnproof/certify/classifier';
import { type Gpu, openDevice } from '@turnproof/core';
import { closeChecked, testAdapters } from '@turnproof/core/testing';
import type { ImageShape } from '@turnproof/shaders';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDataset } from '../data/index.ts';
import { resolveModel } from '../options/model.ts';
import { DRIVER_FAULTS, type DriverFault, plantFault } from './driver-faults.test-support.ts';
import { checkKernels } from './kernels.ts';

const adapter = (await testAdapters()).at(-1) ?? 'auto';

const PIPELINE: Pipeline = {
  transform: 'rotation',
  range: 4,
  pre: { vignette: { kind: 'circle', offset: 2 }, blur: { size: 5, sigma: 1 } },
  quantization: 'none',
};
const PLAN: Plan = {
  method: 'sweep',
  seed: 5,
  batch: 64,
  sigmaGamma: 8,
  sigmaEps: 0.3,
  confidence: 0.9,
  nGamma: 10,
  n0: 5,
  nEps: 600,
  inner: 'sequential',
  nChooseE: 10,
  nTestE: 40,
  radiusRule: 'tight',
};

interface Course {
  readonly plan?: Partial<Plan>;
  readonly pipeline?: Partial<Pipeline>;
  readonly boundMethod?: 'interval';
  readonly provider?: Provider;
}

const SWEEP: Course = {};
const DIST_X: Course = { plan: { method: 'dist-x' } };

/** A way to certify that the kernel has a part in, and what stops it. */
const STOPPED_BY: Readonly<Record<string, readonly [course: Course, words: RegExp]>> = {
  warp: [DIST_X, /spot check: the error at/],
  box_remainder: [DIST_X, /spot check: the bound over/],
  point_error: [DIST_X, /spot check: the error at/],
  chord_error: [DIST_X, /spot check: the bound over/],
  box_hull: [{ ...DIST_X, boundMethod: 'interval' }, /spot check: the bound over/],
  interval_error: [{ ...DIST_X, boundMethod: 'interval' }, /spot check: the bound over/],
  inverse: [{ plan: { method: 'indiv' } }, /spot check|refuted γ = 0/],
  slice_distance: [SWEEP, /spot check: the distance of/],
  slice_remainder: [SWEEP, /spot check: the remainder over/],
  warp_pre: [SWEEP, /spot check: image 0 at β = 0 is .* from float64's/],
  noise: [SWEEP, /spot check: value \d+ of a noisy sample of image 0/],
  argmax_count: [{ provider: 'webgpu' }, /class \d was counted \d+ times, its logits say \d+/],
};

describe(`a driver that errs, on ${adapter}`, () => {
  let shape: ImageShape;
  let host: Classifier;
  let image: CertifierImage;

  const openModel = (provider: Provider, gpu?: Gpu) =>
    openClassifier({
      model: resolveModel('signs'),
      provider,
      shape,
      ...(gpu ? { device: gpu.device } : {}),
    });

  beforeAll(async () => {
    const data = await openDataset('signs');
    ({ shape } = data);
    image = await data.read(0);
    host = await openModel('wasm');
  });
  afterAll(() => host.release());

  async function withFault<T>(fault: DriverFault | null, work: (gpu: Gpu) => Promise<T>): Promise<T> {
    const gpu = await openDevice({ adapter });
    if (fault) plantFault(gpu.device, fault);
    try {
      return await work(gpu);
    } finally {
      closeChecked(gpu);
    }
  }

  async function certify(gpu: Gpu, { plan, pipeline, boundMethod, provider = 'wasm' }: Course) {
    const classifier = provider === 'wasm' ? host : await openModel(provider, gpu);
    try {
      const certifier = await Certifier.open({
        ...{ gpu, classifier, reference: host, shape },
        pipeline: { ...PIPELINE, ...pipeline },
        plan: { ...PLAN, ...plan },
        ...(boundMethod ? { boundMethod } : {}),
      });
      try {
        return await certifier.certify(image);
      } finally {
        await certifier.close();
      }
    } finally {
      if (classifier !== host) await classifier.release();
    }
  }

  it('has a fault for every kernel, and each comes to the self-test by its name', async () => {
    const names = await withFault(null, async (gpu) => (await checkKernels(gpu)).map(({ name }) => name));
    expect(DRIVER_FAULTS.map(({ kernel }) => kernel).sort()).toEqual(names.sort());
  });

  it.each(DRIVER_FAULTS)('is found by the self-test: $kernel, $fault', async (fault) => {
    const [check] = await withFault(fault, (gpu) => checkKernels(gpu, [fault.kernel]));
    expect(check).toMatchObject({ name: fault.kernel, passed: false, failure: null });
  });

  it.each(DRIVER_FAULTS)('is stopped while an image is certified: $kernel, $fault', async (fault) => {
    const [course, words] = STOPPED_BY[fault.kernel] ?? [SWEEP, /nothing/];
    await expect(withFault(fault, (gpu) => certify(gpu, course))).rejects.toThrow(words);
  });

  it.each([
    ['sweep', SWEEP],
    ['dist-x', DIST_X],
    ['dist-x by intervals', { ...DIST_X, boundMethod: 'interval' }],
    ['indiv', { plan: { method: 'indiv' } }],
    ['sweep of translations', { pipeline: { transform: 'translation', range: 0.3 } }],
    [
      'dist-x of translations',
      {
        ...DIST_X,
        plan: { method: 'dist-x', sigmaGamma: 0.5 },
        pipeline: { transform: 'translation', range: 0.5 },
      },
    ],
  ] as const)('is no complaint about one that does not: %s', async (_, course) => {
    const certificate = await withFault(null, (gpu) => certify(gpu, course));
    expect(certificate.index).toBe(0);
  });
});
