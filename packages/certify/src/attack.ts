/**
 * The attack that certificates are measured against: random transformations of an image, and what b answers to each.
 * Not a search with gradients, and no proof of anything: not finding a wrong answer means nothing.
 */
import { badInput, type Gpu } from '@turnproof/core';
import {
  fixedMap,
  type ImageShape,
  mapItems,
  type Parameter,
  type Preprocess,
  pixelCount,
  samplerBudget,
  WarpPreRunner,
} from '@turnproof/shaders';
import { l2Norm, warpPreOracle } from '@turnproof/shaders/oracle';
import { adapterFault, checkRange } from './adapter-fault.ts';
import { argmaxRows, type Classifier, NO_CLASS } from './classifier/index.ts';
import type { Scores } from './classifier/scores.ts';
import { checkPipeline, type Pipeline } from './pipeline.ts';
import { Streams } from './sampling/index.ts';

export interface AttackerOptions {
  readonly gpu: Gpu;
  /** Stays the caller's. */
  readonly classifier: Classifier;
  readonly shape: ImageShape;
  readonly pipeline: Pipeline;
  readonly seed: bigint;
}

export interface AttackedImage {
  /** Position in the data set: part of every counter. */
  readonly index: number;
  /** [channels, height, width] in [0, 1]. */
  readonly pixels: Float32Array;
  readonly label: number | null;
}

/** What b makes of one image. */
export interface Answer {
  /** null: logits that are no numbers. */
  readonly answer: number | null;
  /**
   * Cross entropy with the target: ln(sum of exp logits) - logit, which for probabilities is -ln p. Infinite where there
   * is no answer, and where a probability is too small for float32 (logits that are more than 103 apart).
   */
  readonly loss: number;
}

export interface Attempt extends Answer {
  /** Degrees, or [dx, dy] in pixels. */
  readonly gamma: Parameter;
  /** T_γ x as it is handed over: [channels, height, width] in [0, 1], whole 255ths where it is rounded to 8 bits. */
  readonly pixels: Float32Array<ArrayBuffer>;
}

export interface AttackOutcome {
  /** The class whose loss is raised: the label, or b's answer to the clean image where there is none. */
  readonly target: number | null;
  readonly clean: Answer;
  /** In the order in which they were drawn. */
  readonly attempts: readonly Attempt[];
  /** Position of the attempt with the largest loss; the first among equals. */
  readonly worst: number;
  /** Attempts that b does not answer with the target. */
  readonly wrong: number;
}

/** Values of one stack of images; more attempts than fit share several dispatches and runs. */
const STACK_VALUES = 2 ** 25;
type Draw = ReturnType<Streams['wholes']>;
const NO_PRE: Preprocess = { vignette: { kind: 'none' }, blur: null };

export class Attacker {
  readonly #options: AttackerOptions;
  readonly #streams: Streams;
  readonly #warp: WarpPreRunner;
  readonly #pre: WarpPreRunner;

  private constructor(options: AttackerOptions, warp: WarpPreRunner, pre: WarpPreRunner) {
    this.#options = options;
    this.#streams = new Streams(options.seed, options.pipeline.transform, 1);
    this.#warp = warp;
    this.#pre = pre;
  }

  static async open(options: AttackerOptions): Promise<Attacker> {
    const { gpu, shape, pipeline } = options;
    checkPipeline(pipeline, shape);
    const warp = await WarpPreRunner.create(gpu, shape, NO_PRE);
    return new Attacker(options, warp, await WarpPreRunner.create(gpu, shape, pipeline.pre));
  }

  /**
   * k transformations, γ uniform in Γ from a stream of their own, by one dispatch; rounded to 8 bits where the pipeline
   * says so; b's logits of them and of the clean image by one run. What b is asked about is what is handed over: the loss
   * is that of exactly these pixels.
   *
   * @throws TurnproofError `parity` where an image is not what float64 makes of it
   */
  async attack(image: AttackedImage, k: number): Promise<AttackOutcome> {
    const { shape, pipeline, classifier } = this.#options;
    const size = pixelCount(shape);
    if (image.pixels.length !== size) {
      throw badInput(`image ${image.index} has ${image.pixels.length} values, not ${size}`);
    }
    const gammas = this.#streams.uniform(image.index, 'attack', 0, k, pipeline.range);
    const draw = this.#streams.wholes(image.index, 'spotCheck');
    const original = Float32Array.from(image.pixels);
    const answers: { attempt: Float32Array<ArrayBuffer> | null; logits: Float32Array }[] = [];
    const atOnce = Math.max(1, Math.min(65_534, Math.floor(STACK_VALUES / size) - 1));
    for (let start = 0; start < k; start += atOnce) {
      const some = gammas.slice(start, start + atOnce);
      const moved = await this.#transformed(original, some, draw);
      const first = start === 0 ? 1 : 0;
      const stack = new Float32Array((some.length + first) * size);
      if (first) stack.set(original);
      stack.set(moved, first * size);
      const logits = await classifier.logits(await this.#preprocessed(stack, draw), some.length + first);
      for (let i = 0; i < some.length + first; i++) {
        answers.push({
          attempt: i < first ? null : moved.slice((i - first) * size, (i - first + 1) * size),
          logits: logits.slice(i * classifier.classes, (i + 1) * classifier.classes),
        });
      }
    }
    const cleanLogits = answers[0]?.logits ?? new Float32Array();
    const target = image.label ?? answerOf(cleanLogits);
    const { scores } = classifier.info;
    const attempts = answers.flatMap(({ attempt, logits }, i) =>
      attempt === null
        ? []
        : [{ gamma: gammas[i - 1] ?? [], pixels: attempt, ...judge(logits, target, scores) }],
    );
    let worst = 0;
    for (const [i, { loss }] of attempts.entries()) if (loss > (attempts[worst]?.loss ?? 0)) worst = i;
    return {
      target,
      clean: judge(cleanLogits, target, scores),
      attempts,
      worst,
      wrong: attempts.filter(({ answer }) => answer !== target || answer === null).length,
    };
  }

  close(): void {
    this.#warp.close();
    this.#pre.close();
  }

  /** T_γ x of every γ, as float32 images in [0, 1]. */
  async #transformed(
    image: Float32Array<ArrayBuffer>,
    gammas: readonly Parameter[],
    draw: Draw,
  ): Promise<Float32Array> {
    const places = gammas.map((gamma) => ({ image: 0, gamma }));
    const moved = await this.#dispatch(this.#warp, NO_PRE, image, places, draw);
    if (this.#options.pipeline.quantization === 'none') {
      return moved.map((value) => Math.min(1, Math.max(0, value)));
    }
    return moved.map((value) => Math.min(255, Math.max(0, Math.round(255 * value))) / 255);
  }

  #preprocessed(images: Float32Array<ArrayBuffer>, draw: Draw): Promise<Float32Array> {
    const { shape, pipeline } = this.#options;
    const gamma = pipeline.transform === 'rotation' ? [0] : [0, 0];
    const places = Array.from({ length: images.length / pixelCount(shape) }, (_, image) => ({
      image,
      gamma,
    }));
    return this.#dispatch(this.#pre, pipeline.pre, images, places, draw);
  }

  /** pre(T_γ x) of each place; one of them is held against float64. */
  async #dispatch(
    runner: WarpPreRunner,
    pre: Preprocess,
    images: Float32Array<ArrayBuffer>,
    places: readonly { readonly image: number; readonly gamma: Parameter }[],
    draw: Draw,
  ): Promise<Float32Array> {
    const { gpu, shape, pipeline } = this.#options;
    const { transform } = pipeline;
    const maps = places.map(({ image, gamma }) => ({ image, map: fixedMap(transform, gamma, shape) }));
    const held = {
      images: gpu.upload('f32', images, 'images to attack'),
      items: gpu.upload('i32', mapItems(maps), 'maps of the attack'),
      output: gpu.array('f32', maps.length * pixelCount(shape), 'attacked images'),
    };
    try {
      const batch = gpu.batch('attack');
      runner.dispatch(batch, held, maps.length);
      const read = batch.read(held.output);
      await batch.submit();
      // A weighted mean of values in [0, 1] leaves it by float32's rounding at most.
      const loss = samplerBudget(shape, pre);
      checkRange('attacked images', read.data, -loss, 1 + loss);
      const spot = draw(places.length);
      const { image = 0, gamma = [] } = places[spot] ?? {};
      const size = pixelCount(shape);
      const exact = warpPreOracle(
        transform,
        gamma,
        images.subarray(image * size, (image + 1) * size),
        shape,
        pre,
      );
      const distance = l2Norm(exact.map((value, i) => value - (read.data[spot * size + i] ?? Number.NaN)));
      if (!(distance <= loss)) {
        throw adapterFault(
          `spot check: the image at γ = ${gamma.join(':')} is ${distance} from that in float64`,
        );
      }
      return read.data;
    } finally {
      for (const array of Object.values(held)) array.release();
    }
  }
}

function answerOf(logits: Float32Array): number | null {
  const answer = argmaxRows(logits, Math.max(1, logits.length))[0] ?? NO_CLASS;
  return answer === NO_CLASS ? null : answer;
}

function judge(row: Float32Array, target: number | null, scores: Scores): Answer {
  const answer = answerOf(row);
  if (answer === null || target === null) return { answer, loss: Number.POSITIVE_INFINITY };
  // Logarithms of probabilities are logits of the same probabilities.
  const logits = scores === 'probabilities' ? Float64Array.from(row, Math.log) : Float64Array.from(row);
  const most = logits[answer] ?? 0;
  // Without the largest: a loss near 0 would be rounded away beside its 1.
  const others = logits.reduce((sum, logit, c) => (c === answer ? sum : sum + Math.exp(logit - most)), 0);
  return { answer, loss: Math.log1p(others) + most - (logits[target] ?? Number.NEGATIVE_INFINITY) };
}
