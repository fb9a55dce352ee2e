/**
 * What a GPU hands back may be nonsense, or somebody else's numbers. Planted in every readback of a whole certification, of
 * every method, none may make a claim that the honest run does not make. (The bounders alone: bounds/readbacks.test.)
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Gpu, openDevice, TurnproofError } from '@turnproof/core';
import {
  closeChecked,
  NONSENSE,
  PLAUSIBLE,
  type Plant,
  plantReadbacks,
  testAdapters,
} from '@turnproof/core/testing';
import type { ImageShape } from '@turnproof/shaders';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Attacker } from './attack.ts';
import { openBounder, SampledErrors, spotFor } from './bounds/index.ts';
import { chooseCalibrationE, type ErrorJudge, testCalibrationE } from './calibration/index.ts';
import { Certifier, type CertifierImage } from './certifier.ts';
import { type Classifier, openClassifier, type Provider } from './classifier/index.ts';
import { linearModel } from './classifier/onnx-writer.test-support.ts';
import type { Pipeline } from './pipeline.ts';
import type { Method, Plan } from './plan.ts';
import { Streams } from './sampling/index.ts';

const shape: ImageShape = { channels: 1, height: 9, width: 8 };
const pre = { vignette: { kind: 'circle', offset: 1 }, blur: { size: 3, sigma: 0.8 } } as const;
const PIPELINE: Pipeline = { transform: 'rotation', range: 2, pre, quantization: 'none' };
const PLAN: Plan = {
  method: 'sweep',
  seed: 11,
  batch: 64,
  sigmaGamma: 2,
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
const { bytes, w } = linearModel({ image: [1, 9, 8], classes: 2 });

/** As much of class 0 as an image can show, in large patches: turning it a little changes little. */
function imageOf(index: number, light = 1): CertifierImage {
  const pixels = Float32Array.from({ length: 72 }, (_, k) => {
    const near = [0, 1, 8, 9].reduce((sum, step) => {
      const at = Math.min(71, k + step);
      return sum + (w[2 * at] ?? 0) - (w[2 * at + 1] ?? 0);
    }, 0);
    return light * (near > 0 ? 0.9 : 0.1);
  });
  const sha256 = createHash('sha256').update(new Uint8Array(pixels.buffer)).digest('hex');
  return { index, pixels, sha256, label: 0 };
}

/** What comes out, by how much it claims: larger claims more; null claims nothing. */
type Claim = { readonly what: number | null; readonly size: number } | null;

interface Asked {
  readonly ask: (gpu: Gpu, image: CertifierImage) => Promise<Claim>;
}

describe('readbacks of a certification', () => {
  let gpu: Gpu;
  let folder: string;
  const classifiers = new Map<Provider, Classifier>();

  beforeAll(async () => {
    gpu = await openDevice({ adapter: (await testAdapters()).at(-1) ?? 'auto' });
    folder = mkdtempSync(join(tmpdir(), 'turnproof-readbacks-'));
    const model = join(folder, 'linear.onnx');
    writeFileSync(model, bytes);
    for (const provider of ['wasm', 'webgpu'] as const) {
      classifiers.set(provider, await openClassifier({ model, provider, shape, device: gpu.device }));
    }
  });
  afterAll(async () => {
    for (const classifier of classifiers.values()) await classifier.release();
    rmSync(folder, { recursive: true, force: true });
    closeChecked(gpu);
  });

  const classifierOf = (provider: Provider): Classifier => {
    const classifier = classifiers.get(provider);
    if (!classifier) throw new Error(`no classifier on ${provider}`);
    return classifier;
  };

  const certifying = (
    method: Method,
    provider: Provider,
    work: (certifier: Certifier, image: CertifierImage) => Promise<Claim>,
    change: { plan?: Partial<Plan>; pipeline?: Partial<Pipeline> } = {},
  ): Asked => ({
    ask: async (on, image) => {
      const certifier = await Certifier.open({
        gpu: on,
        classifier: classifierOf(provider),
        shape,
        pipeline: { ...PIPELINE, ...change.pipeline },
        plan: { ...PLAN, method, ...change.plan },
      });
      try {
        return await work(certifier, image);
      } finally {
        await certifier.close();
      }
    },
  });

  const radius = async (certifier: Certifier, image: CertifierImage): Promise<Claim> => {
    const { predicted, radius: size } = await certifier.certify(image);
    return predicted === null || size === null ? null : { what: predicted, size };
  };
  const answer = async (certifier: Certifier, image: CertifierImage): Promise<Claim> => {
    const { predicted } = await certifier.predict(image);
    return predicted === null ? null : { what: predicted, size: 1 };
  };

  const calibrating = (errors: ErrorJudge['errors']): Asked => ({
    ask: async (on, image) => {
      const betas = new Streams(3n, 'rotation', 2);
      const spotOf = (index: number) => spotFor(shape, betas.wholes(index, 'spotCheck'));
      const own =
        errors === 'bounded'
          ? { errors, bounder: await openBounder(on, { shape, pipeline: PIPELINE }) }
          : {
              errors,
              sampled: await SampledErrors.open(on, { shape, pipeline: PIPELINE }),
              nGammas: 4,
              range: 2,
            };
      try {
        const judge: ErrorJudge = { betas, spotOf, ...own };
        const pixels = Float32Array.from(image.pixels);
        const images = [1, 2, 3].map((index) => Promise.resolve({ index, pixels }));
        const options = { margin: 1.3, nBetas: 50, rhoE: 0.2, alphaInner: 0.1, alpha: 0.1, total: 3 };
        const { E } = await chooseCalibrationE(judge, images, options);
        // What is claimed: more images by the same E, or a smaller E.
        const { passed } = await testCalibrationE(judge, images, CALIBRATED, options);
        return { what: null, size: passed - E };
      } finally {
        if (own.errors === 'bounded') own.bounder.close();
        else own.sampled.close();
      }
    },
  });
  /** Between the errors of these β: some images pass, not all β do. */
  const CALIBRATED = 0.04;

  const attacking: Asked = {
    ask: async (on, image) => {
      const classifier = classifierOf('wasm');
      const pipeline = { ...PIPELINE, range: 180 };
      const attacker = await Attacker.open({ gpu: on, classifier, shape, pipeline, seed: 4n });
      try {
        const { wrong, attempts } = await attacker.attack(image, 20);
        // What an attack claims is that b withstood.
        return { what: null, size: attempts.length - wrong };
      } finally {
        attacker.close();
      }
    },
  };

  /** Each with an image of which the honest run claims less than it could: there is room for a false claim. */
  const ASKED: readonly (readonly [string, number, Asked])[] = [
    ['sweep', 0.1, certifying('sweep', 'wasm', radius, { pipeline: { range: 10 } })],
    ['sweep on webgpu', 0.1, certifying('sweep', 'webgpu', radius, { pipeline: { range: 10 } })],
    ['base', 0.1, certifying('base', 'wasm', radius)],
    ['base on webgpu', 0.1, certifying('base', 'webgpu', radius)],
    [
      'dist-x',
      1,
      certifying('dist-x', 'wasm', radius, { plan: { sigmaGamma: 30 }, pipeline: { range: 30 } }),
    ],
    ['indiv', 1, certifying('indiv', 'wasm', radius, { plan: { boxes: 16, refinements: 3 } })],
    [
      'sweep of translations',
      0.1,
      certifying('sweep', 'wasm', radius, { pipeline: { transform: 'translation', range: 2 } }),
    ],
    [
      'dist-x of translations',
      1,
      certifying('dist-x', 'wasm', radius, {
        plan: { sigmaGamma: 0.3 },
        pipeline: { transform: 'translation', range: 0.3 },
      }),
    ],
    ['predict of sweep', 0.1, certifying('sweep', 'wasm', answer)],
    ['predict of dist-x', 0.1, certifying('dist-x', 'webgpu', answer)],
    ['calibrate', 1, calibrating('bounded')],
    ['calibrate, sampled', 1, calibrating('sampled')],
    ['attack', 0.1, attacking],
  ];

  describe.each(ASKED)('%s', (_, light, { ask }) => {
    const image = imageOf(0, light);
    let honest: Claim;
    let labels: readonly string[];

    beforeAll(async () => {
      const listening = plantReadbacks(gpu, () => undefined);
      honest = await ask(gpu, image);
      listening.end();
      labels = [...listening.labels];
    });

    /** What comes of it when this is planted; what was there before is that of a lighter image. */
    async function planted(plant: Plant, concerns: (label: string) => boolean): Promise<Claim | 'refused'> {
      let armed = false;
      const { end } = plantReadbacks(gpu, (...words) => (armed ? plant(...words) : undefined), concerns);
      try {
        if (plant === PLAUSIBLE.before) await ask(gpu, imageOf(1, 1 - light / 2));
        armed = true;
        return await ask(gpu, image);
      } catch (error) {
        if (error instanceof TurnproofError && (error.code === 'parity' || error.code === 'internal')) {
          return 'refused';
        }
        throw error;
      } finally {
        end();
      }
    }

    it.each(Object.entries({ ...NONSENSE, ...PLAUSIBLE }))(
      'claims no more with %s in all of its readbacks, or in those of one array',
      async (_, plant) => {
        expect(labels.length).toBeGreaterThan(0);
        for (const one of [null, ...labels]) {
          const claim = await planted(plant, (label) => one === null || label === one);
          if (claim === null || claim === 'refused') continue;
          expect(claim.what, `${one}`).toBe(honest?.what);
          expect(claim.size, `${one}`).toBeLessThanOrEqual(honest?.size ?? Number.NEGATIVE_INFINITY);
        }
      },
    );
  });
});
