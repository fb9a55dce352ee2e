/**
 * Everything for certifying images of one shape with one model, one pipeline and one plan. It brings GPU, classifier,
 * bounds and methods together; what is proved and how stands in methods/.
 */
import { badInput, type Gpu, TurnproofError } from '@turnproof/core';
import { type ImageShape, pixelCount, wgslSha256 } from '@turnproof/shaders';
import pLimit, { type LimitFunction } from 'p-limit';
import {
  type Bounder,
  type BoundMethod,
  checkAttacked,
  extraError,
  extraErrorOfGiven,
  GpuInverter,
  GpuSliceBounder,
  type Inverter,
  openBounder,
  type SliceBounder,
  spotFor,
  spottedErrors,
  spottedInverter,
  spottedSlices,
} from './bounds/index.ts';
import { buildCertificate, type Provenance } from './certificate/build.ts';
import type { Certificate, Recovered } from './certificate/schema.ts';
import { currentVersions } from './certificate/versions.ts';
import type { Classifier, ModelInfo } from './classifier/index.ts';
import { certifyBase, predictBase } from './methods/base.ts';
import { certifyDistD } from './methods/dist-d.ts';
import { certifyDistX } from './methods/dist-x.ts';
import { certifyIndiv } from './methods/indiv.ts';
import type { MethodContext, Progress } from './methods/method.ts';
import { predictDistX } from './methods/predict-dist.ts';
import { predictSweep } from './methods/predict-sweep.ts';
import { certifySweep } from './methods/sweep.ts';
import { noiseOf, samplerError } from './noise.ts';
import { checkPipeline, type Pipeline } from './pipeline.ts';
import { checkPlan, indivLimits, type Plan, seedOf } from './plan.ts';
import { type Prediction, predictionOf } from './prediction.ts';
import {
  GpuEngine,
  SampleAudit,
  type SampledImage,
  SampleMismatch,
  Sampler,
  Streams,
  type Usage,
} from './sampling/index.ts';

export interface CertifierOptions {
  readonly gpu: Gpu;
  /** For webgpu: on the same device. Stays the caller's, to be released after `close`. */
  readonly classifier: Classifier;
  /**
   * What samples are audited by (see `sampling/audit.ts`): the same model on the wasm provider. Default `classifier`
   * itself, one image at a time, which shows less. Stays the caller's, to be released after `close`.
   */
  readonly reference?: Classifier;
  readonly shape: ImageShape;
  readonly pipeline: Pipeline;
  readonly plan: Plan;
  /**
   * Images that are worked on at the same time; further calls wait. Default 1 on wasm and software adapters, where a
   * batch costs what its images cost, and 4 on a GPU: what one image leaves of a batch goes to the next, and one is
   * bounded while another is sampled.
   */
  readonly imagesAtOnce?: number;
  /** Told at the start and end of each stage, and while β are sampled. */
  readonly onProgress?: (progress: Progress) => void;
  /** Which bound of the interpolation error, default `auto`. */
  readonly boundMethod?: BoundMethod;
  /** In place of `openBounder`'s bounds. Stays the caller's. */
  readonly bounder?: Bounder;
}

export interface CertifierImage {
  /** Position in the data set: part of every random counter, so images must not share it. */
  readonly index: number;
  /** [channels, height, width] in [0, 1]. */
  readonly pixels: Float32Array;
  /** Of the pixels as little-endian float32, hexadecimal. */
  readonly sha256: string;
  readonly label: number | null;
}

const PREDICT = {
  base: predictBase,
  'dist-x': predictDistX,
  'dist-d': predictDistX,
  // Of the file at hand: the same g.
  indiv: predictDistX,
  sweep: predictSweep,
} as const;

export class Certifier {
  readonly #options: CertifierOptions;
  readonly #engine: GpuEngine;
  readonly #betas: Streams;
  #bounder: Promise<Bounder> | undefined;
  #slices: Promise<SliceBounder> | undefined;
  #inverter: Promise<GpuInverter> | undefined;
  /** Images that are worked on at the same time. */
  readonly imagesAtOnce: number;
  readonly #imageTurn: LimitFunction;
  /** A bounder's waves fill the device: one image at a time. */
  readonly #boundTurn = pLimit(1);
  readonly #underWay = new Set<Promise<unknown>>();
  #evaluated = 0;
  #audited = 0;
  #mismatch: TurnproofError | undefined;
  #closed = false;

  private constructor(options: CertifierOptions, engine: GpuEngine, streams: Streams) {
    this.#options = options;
    this.#engine = engine;
    this.#betas = streams;
    this.imagesAtOnce = options.imagesAtOnce ?? defaultImagesAtOnce(options);
    this.#imageTurn = pLimit(this.imagesAtOnce);
  }

  /**
   * @throws TurnproofError `bad-input` for a pipeline or plan that cannot certify anything, or a classifier for other
   *   images; `gpu` when a kernel is refused
   */
  static async open(options: CertifierOptions): Promise<Certifier> {
    const { gpu, classifier, reference = classifier, shape, pipeline, plan } = options;
    checkPipeline(pipeline, shape);
    checkPlan(plan, pipeline);
    if (pixelCount(classifier.shape) !== pixelCount(shape)) {
      const words = (s: ImageShape) => `${s.channels} x ${s.height} x ${s.width}`;
      throw badInput(
        `${classifier.info.file} was opened for images of ${words(classifier.shape)}, not ${words(shape)}`,
      );
    }
    if (
      reference.info.sha256 !== classifier.info.sha256 ||
      pixelCount(reference.shape) !== pixelCount(shape)
    ) {
      throw badInput('the classifier and its reference are not the same model for the same images');
    }
    const { imagesAtOnce = 1 } = options;
    if (!(Number.isInteger(imagesAtOnce) && imagesAtOnce >= 1)) {
      throw badInput(`${imagesAtOnce} images at once`, 'give a whole number from 1 on');
    }
    const streams = new Streams(seedOf(plan), pipeline.transform, plan.sigmaGamma);
    const engine = await GpuEngine.open({
      gpu,
      classifier,
      shape,
      pre: pipeline.pre,
      transform: pipeline.transform,
      key: streams.key,
      batch: plan.batch,
    });
    return new Certifier(options, engine, streams);
  }

  /** Samples that the classifier gets at once. */
  get batch(): number {
    return this.#engine.capacity;
  }

  /**
   * What sampling took so far: images that the classifier saw, those drawn beyond a decision included, images of them that
   * were audited, and time.
   */
  get usage(): Readonly<Usage> & { readonly evaluated: number; readonly audited: number } {
    return { ...this.#engine.usage, evaluated: this.#evaluated, audited: this.#audited };
  }

  /**
   * Certifies one image by the plan's method. Calls at the same time share batches, or wait for
   * each other (`imagesAtOnce`); each gets the certificate that it would get alone.
   *
   * @param recovered what befell earlier tries of this image; its certificate says so
   * @returns also when the method abstains: then radius and predicted are null, and `abstention` says why.
   * @throws TurnproofError `bad-input` for pixels that are no image; `parity` where a number of the adapter's contradicts
   *   float64; `SampleMismatch` where the audit found a sample that was counted wrongly, and for every image from then on;
   *   what GPU and classifier throw
   */
  certify(image: CertifierImage, recovered: readonly Recovered[] = []): Promise<Certificate> {
    return this.#inTurn(image, async (sampled, context) => {
      const { plan, pipeline } = this.#options;
      const outcome = await this.#outcome(sampled, context);
      return buildCertificate(outcome, plan, pipeline, {
        ...this.#provenance(image),
        recovered: [...recovered],
      });
    });
  }

  async #outcome(
    image: SampledImage,
    context: MethodContext,
  ): Promise<Parameters<typeof buildCertificate>[0]> {
    const { plan, pipeline, shape } = this.#options;
    const spot = spotFor(shape, this.#betas.wholes(image.index, 'spotCheck'));
    if (plan.method === 'base') return certifyBase(context, image);
    if (plan.method === 'indiv') {
      checkAttacked(image, pipeline);
      const given = { extraError: extraErrorOfGiven(shape, pipeline, context.noise) };
      return certifyIndiv(
        { ...context, ...given, inverter: spottedInverter(await this.#openInverter(), spot) },
        image,
      );
    }
    const error = { extraError: extraError(shape, pipeline, context.noise) };
    if (plan.method === 'sweep') {
      return certifySweep(
        { ...context, ...error, slices: spottedSlices(await this.#openSlices(), spot) },
        image,
      );
    }
    if (plan.method === 'dist-d') return certifyDistD({ ...context, ...error }, image);
    return certifyDistX(
      { ...context, ...error, bounder: spottedErrors(await this.#openBounder(), spot) },
      image,
    );
  }

  /** The class of the smoothed classifier at this image, or an abstention. */
  predict(image: CertifierImage): Promise<Prediction> {
    return this.#inTurn(image, async (sampled, context) => {
      const { plan } = this.#options;
      const outcome = await PREDICT[plan.method](context, sampled);
      return predictionOf(outcome, image, plan, context.noise.latticeBits);
    });
  }

  /** Gives memory and kernels back, after the images under way. Classifier and GPU stay open. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.allSettled(this.#underWay);
    this.#engine.close();
    (await this.#bounder)?.close();
    (await this.#slices)?.close();
    (await this.#inverter)?.close();
  }

  async #openInverter(): Promise<Inverter> {
    const { gpu, shape, pipeline, plan } = this.#options;
    this.#inverter ??= GpuInverter.open(gpu, { shape, pipeline, ...indivLimits(plan, pipeline.transform) });
    const opened = await this.#inverter;
    return {
      narrow: (...request) => this.#boundTurn(() => opened.narrow(...request)),
      over: (preimages) => {
        const { method, bound } = opened.over(preimages);
        return { method, bound: (...request) => this.#boundTurn(() => bound(...request)) };
      },
    };
  }

  #openSlices(): Promise<SliceBounder> {
    const { gpu, shape, pipeline } = this.#options;
    this.#slices ??= GpuSliceBounder.open(gpu, { shape, pipeline });
    return this.#slices;
  }

  #openBounder(): Promise<Bounder> {
    const { gpu, shape, pipeline, bounder, boundMethod = 'auto' } = this.#options;
    this.#bounder ??= (
      bounder ? Promise.resolve(bounder) : openBounder(gpu, { shape, pipeline, method: boundMethod })
    ).then((opened) => ({
      method: opened.method,
      bound: (...request) => this.#boundTurn(() => opened.bound(...request)),
      close: () => (bounder ? undefined : opened.close()),
    }));
    return this.#bounder;
  }

  async #inTurn<T>(
    image: CertifierImage,
    work: (image: SampledImage, context: MethodContext) => Promise<T>,
  ): Promise<T> {
    if (this.#closed) throw new TurnproofError('internal', 'the certifier is used after it was closed');
    if (this.#mismatch) throw this.#mismatch;
    const { shape, pipeline, plan, onProgress } = this.#options;
    const sampled = checkImage(image, shape);
    const audit = this.#newAudit();
    const sampler = new Sampler(this.#engine, audit);
    const progress = onProgress ? { onProgress } : {};
    const noise = noiseOf(plan, shape);
    const drawn = { noise, samplerError: samplerError(shape, pipeline.pre, noise) };
    const context = { sampler, betas: this.#betas, pipeline, plan, ...drawn, ...progress };
    const result = this.#imageTurn(() => audit.covering(() => work(sampled, context)));
    this.#underWay.add(result);
    try {
      const made = await result;
      // Another image may have shown meanwhile that nothing made here is to be trusted.
      if (this.#mismatch) throw this.#mismatch;
      return made;
    } catch (error) {
      if (!(error instanceof TurnproofError && error.code === 'parity')) throw error;
      this.#mismatch ??= error;
      throw error instanceof SampleMismatch ? error : ofImage(error, image.index);
    } finally {
      this.#evaluated += sampler.evaluated;
      this.#audited += audit.audited;
      this.#underWay.delete(result);
    }
  }

  #newAudit(): SampleAudit {
    const { classifier, reference = classifier } = this.#options;
    return new SampleAudit({ key: this.#betas.key, classifier, reference });
  }

  #provenance(image: CertifierImage): Provenance {
    const { gpu, classifier, shape } = this.#options;
    const { channels, height, width } = shape;
    const { name, kind, adapterClass } = gpu.adapter;
    return {
      index: image.index,
      label: image.label,
      model: modelOf(classifier.info),
      image: { sha256: image.sha256, shape: { channels, height, width } },
      shaders: { sha256: wgslSha256 },
      adapter: { name, kind, adapterClass },
      provider: classifier.provider,
      versions: currentVersions(),
    };
  }
}

/** A spot check knows the numbers, not whose they are. */
function ofImage({ message, fix }: TurnproofError, index: number): TurnproofError {
  const options = fix === undefined ? {} : { fix };
  return new TurnproofError('parity', `${message}; image ${index} is not certified`, options);
}

/** What certificates say of the model. */
function modelOf({ sha256, file, externalData, adapted }: ModelInfo): Provenance['model'] {
  const { mean, std, reshaped, ...rest } = adapted ?? {};
  const copied = {
    ...(mean ? { mean: [...mean] } : {}),
    ...(std ? { std: [...std] } : {}),
    ...(reshaped ? { reshaped: [...reshaped] } : {}),
    ...rest,
  };
  return {
    sha256,
    file: baseName(file),
    ...(externalData ? { externalData: externalData.map((part) => ({ ...part })) } : {}),
    ...(adapted ? { adapted: copied } : {}),
  };
}

function defaultImagesAtOnce({ classifier, gpu }: CertifierOptions): number {
  return classifier.provider === 'webgpu' && gpu.adapter.kind === 'hardware' ? 4 : 1;
}

/** Certificates name files, not places: the same run elsewhere must give the same bytes. */
function baseName(file: string): string {
  return file.slice(Math.max(file.lastIndexOf('/'), file.lastIndexOf('\\')) + 1) || file;
}

/** Bounds hold for images in [0, 1] only, so nothing else is let in. */
function checkImage({ index, pixels, sha256 }: CertifierImage, shape: ImageShape): SampledImage {
  if (!(Number.isInteger(index) && index >= 0 && index < 2 ** 32)) {
    throw badInput(`image index ${index}: it must be a whole number of 32 bits`);
  }
  if (pixels.length !== pixelCount(shape)) {
    throw badInput(`image ${index} has ${pixels.length} values, not ${pixelCount(shape)}`);
  }
  const wrong = pixels.findIndex((value) => !(value >= 0 && value <= 1));
  if (wrong >= 0) {
    throw badInput(
      `image ${index}: value ${wrong} is ${pixels[wrong]}, outside [0, 1]`,
      'scale pixels to [0, 1] before certifying',
    );
  }
  if (!/^[0-9a-f]{64}$/.test(sha256)) throw badInput(`image ${index}: «${sha256}» is no SHA-256`);
  // A copy: what the caller does to its pixels meanwhile must not reach a certificate.
  return { index, pixels: new Float32Array(pixels) };
}
