/**
 * Whole pipelines as people run them (the sampling loop with a real classifier, waves of bounds), and float64 in
 * TypeScript on one thread for scale.
 */

import { GpuInverter, GpuSliceBounder, openBounder } from '@turnproof/certify/bounds';
import { type Classifier, type InspectedModel, openClassifier } from '@turnproof/certify/classifier';
import { GpuEngine, Sampler } from '@turnproof/certify/sampling';
import type { Gpu } from '@turnproof/core';
import { type ImageShape, noiseLawOf, type Parameter, type Transform } from '@turnproof/shaders';
import { interpolationError, noisyOracle, warpOracle, warpPreOracle } from '@turnproof/shaders/oracle';
import { drawSign } from '@turnproof/signs';
import type { RunCase } from './case.ts';
import { type Knobs, nameOf, PRE, picture } from './knobs.ts';
import type { Recorder } from './recorder.ts';

/** What only the host can get: files. */
export interface Assets {
  /** The classifier of traffic signs, made ready for its first use. */
  model(): Promise<InspectedModel>;
  /** Where the classifier runs, beside wasm: `webgpu` too. */
  readonly providers: readonly ('wasm' | 'webgpu')[];
  /** Threads of the wasm provider; absent: its own choice. */
  readonly threads?: number;
}

const SIGNS: ImageShape = { channels: 3, height: 32, width: 32 };
const SIGMA = 0.3;
/** Noisy samples of one run of the sampling loop, in calls of the classifier. */
const CALLS = 4;

function signImage(): Float32Array<ArrayBuffer> {
  const { pixels } = drawSign({ seed: 1, split: 'test', index: 0 });
  return Float32Array.from(pixels, (v) => v / 255);
}

/** The classifier with each of its calls noted in the lane of onnxruntime. */
function recorded(classifier: Classifier, gpu: Gpu, recorder: Recorder): Classifier {
  const onGpu = classifier.logitsOnGpu?.bind(classifier);
  const label = (batch: number) => `${batch} images, ${classifier.provider}`;
  return {
    info: classifier.info,
    provider: classifier.provider,
    shape: classifier.shape,
    classes: classifier.classes,
    fixedBatch: classifier.fixedBatch,
    logits: (images, batch) => recorder.ort(label(batch), () => classifier.logits(images, batch)),
    ...(onGpu
      ? {
          logitsOnGpu: (images: GPUBuffer, batch: number, out: GPUBuffer) =>
            recorder.ortOnGpu(label(batch), gpu, () => onGpu(images, batch, out)),
        }
      : {}),
    release: () => classifier.release(),
  };
}

function samplingCase(provider: 'wasm' | 'webgpu', assets: Assets, { batch, betas }: Knobs): RunCase {
  return {
    kind: 'pipeline',
    name: `sampling loop ${nameOf(SIGNS)}, ORT ${provider}`,
    about: `${CALLS * batch} noisy samples of ${betas} rotations of one traffic sign: warp_pre, noise, classifier, counts`,
    unit: 'samples',
    prepare: async (gpu, recorder) => {
      const classifier = await openClassifier({
        model: await assets.model(),
        provider,
        shape: SIGNS,
        device: gpu.device,
        ...(assets.threads === undefined ? {} : { threads: assets.threads }),
      });
      const engine = await GpuEngine.open({
        gpu,
        classifier: recorded(classifier, gpu, recorder),
        shape: SIGNS,
        pre: PRE,
        transform: 'rotation',
        key: [1, 2],
        batch,
      });
      const sampler = new Sampler(engine);
      const image = { index: 0, pixels: signImage() };
      const samples = Math.max(1, Math.round((CALLS * batch) / betas));
      const request = {
        betas: betasOf(betas, 'rotation'),
        noise: 'certify',
        sigma: SIGMA,
        samples,
      } as const;
      return {
        run: async () => {
          await sampler.countClasses(image, request);
          return samples * betas;
        },
        release: async () => {
          engine.close();
          await classifier.release();
        },
      };
    },
  };
}

function betasOf(count: number, transform: Transform): Parameter[] {
  return Array.from({ length: count }, (_, i) => {
    const t = -1 + (2 * (i + 0.37)) / count;
    return transform === 'rotation' ? [28 * t] : [1.7 * t, -0.9 * t];
  });
}

const RANGES = { rotation: 15, translation: 2 } as const;

function boundCase(shape: ImageShape, method: 'chord' | 'interval' | 'exact', knobs: Knobs): RunCase {
  const transform = method === 'exact' ? 'translation' : 'rotation';
  return {
    kind: 'pipeline',
    name: `bound waves, ${method} ${nameOf(shape)}`,
    about: `the interpolation error of ${knobs.betas} β over a ${transform} of ±${RANGES[transform]}, refined to within 2 %`,
    unit: method === 'exact' ? 'points' : 'boxes',
    prepare: async (gpu) => {
      const pipeline = { transform, range: RANGES[transform], pre: PRE, quantization: 'none' } as const;
      const bounder = await openBounder(gpu, { shape, pipeline, method });
      const image = picture(shape);
      const requests = betasOf(knobs.betas, transform).map((beta) => ({ image: 0, beta }));
      return {
        run: async () => {
          const bounds = await bounder.bound([image], requests, { tolerance: 0.02 });
          return bounds.reduce((sum, { boxes }) => sum + boxes, 0);
        },
        release: async () => bounder.close(),
      };
    },
  };
}

function sliceCase(shape: ImageShape, knobs: Knobs): RunCase {
  return {
    kind: 'pipeline',
    name: `bound waves, slices ${nameOf(shape)}`,
    about: `M of ${knobs.boxes} slices that cover a rotation of ±30`,
    unit: 'boxes',
    prepare: async (gpu) => {
      const pipeline = { transform: 'rotation', range: 30, pre: PRE, quantization: 'none' } as const;
      const bounder = await GpuSliceBounder.open(gpu, { shape, pipeline });
      const image = picture(shape);
      const width = 60 / knobs.boxes;
      const requests = Array.from({ length: knobs.boxes }, (_, i) => {
        const lower = -30 + i * width;
        return { image: 0, box: { lower: [lower], upper: [lower + width] }, center: [lower + width / 2] };
      });
      return {
        run: async () => {
          const bounds = await bounder.bound([image], requests);
          return bounds.reduce((sum, { boxes }) => sum + boxes, 0);
        },
        release: async () => bounder.close(),
      };
    },
  };
}

/** Steps of refinement, and sub-boxes at the end for each of the knobs': 10 and 512 by default, as Indiv takes. */
const REFINEMENTS = 10;
const BOXES = 8;

function inverseCase(shape: ImageShape, knobs: Knobs): RunCase {
  return {
    kind: 'pipeline',
    name: `inverse and its bounds ${nameOf(shape)}`,
    about: `from an image turned by 6.3, the sub-boxes of ±10 that can hold the angle; E of ${knobs.betas} β over those`,
    unit: 'boxes',
    prepare: async (gpu) => {
      const pipeline = { transform: 'rotation', range: 10, pre: PRE, quantization: 'none' } as const;
      const boxes = BOXES * knobs.boxes;
      const inverter = await GpuInverter.open(gpu, { shape, pipeline, refinements: REFINEMENTS, boxes });
      const image = Float32Array.from(warpOracle('rotation', [6.3], picture(shape), shape));
      const requests = betasOf(knobs.betas, 'rotation').map((beta) => ({ image: 0, beta }));
      return {
        run: async () => {
          const preimages = await inverter.narrow(image);
          await inverter.over(preimages).bound([image], requests, { tolerance: 0.02 });
          return preimages.tried;
        },
        release: async () => inverter.close(),
      };
    },
  };
}

/** Items of one run in float64: enough for the clock. */
const BASELINE = 16;

function baselineCases(shape: ImageShape): RunCase[] {
  const image = picture(shape);
  const prepared = (once: (i: number) => void) => async () => ({
    run: async () => {
      for (let i = 0; i < BASELINE; i++) once(i);
      return BASELINE;
    },
    release: async () => undefined,
  });
  return [
    {
      kind: 'baseline',
      name: `float64, one thread: point error ${nameOf(shape)}`,
      about: 'what point_error and warp compute, by the oracle in TypeScript',
      unit: 'points',
      prepare: prepared((i) => interpolationError('rotation', [12.3], [i - 8], image, shape, PRE)),
    },
    {
      kind: 'baseline',
      name: `float64, one thread: noisy sample ${nameOf(shape)}`,
      about: 'what warp_pre and noise compute, by the oracle in TypeScript',
      unit: 'samples',
      prepare: prepared((i) => {
        const clean = warpPreOracle('rotation', [i], image, shape, PRE);
        noisyOracle(clean, [0, 0, i], [1, 2], noiseLawOf(0.3));
      }),
    },
  ];
}

/** `assets` null: without the classifier. */
export function runCases(knobs: Knobs, assets: Assets | null): RunCase[] {
  return [
    ...(assets ? assets.providers.map((provider) => samplingCase(provider, assets, knobs)) : []),
    ...knobs.shapes.flatMap((shape) => [
      boundCase(shape, 'chord', knobs),
      boundCase(shape, 'interval', knobs),
      boundCase(shape, 'exact', knobs),
      sliceCase(shape, knobs),
      inverseCase(shape, knobs),
      ...baselineCases(shape),
    ]),
  ];
}
