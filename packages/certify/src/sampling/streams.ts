/**
 * Which random numbers belong to what. Philox4x32-10 is counter-based: key = the run's seed, counter =
 * (image, purpose · 2^24 + β index, sample, block), 32 bits each. Different counters give independent numbers, so two
 * things are independent exactly when their purposes differ. Not for generating noise: the noise kernel does that
 * from the same counters.
 */
import { TurnproofError } from '@turnproof/core';
import { dimensionsOf, type Parameter, type Transform } from '@turnproof/shaders';
import { philox4x32 } from '@turnproof/shaders/oracle';
import { normalQuantileLower } from '../statistics/index.ts';

/**
 * The upper 8 bits of a counter's second word. A number is never reused for another meaning, nor changed: certificates
 * name them. β of a purpose are drawn at sample 0, one block for each axis; noise of a purpose has one sample number per
 * noisy image and one block per four of its values, and, with 2^31 added, another for the lower halves of their words.
 */
export const PURPOSES = {
  /** Pixel noise of the β that bound the share. */
  noise: 0,
  /** β that choose E. */
  chooseE: 1,
  /** β that test E. */
  testE: 2,
  /** β that choose the class (n0). */
  chooseClass: 3,
  /** β that bound the share of the class (nGamma). */
  certify: 4,
  /** Pixel noise of the β that choose the class. */
  chooseClassNoise: 5,
  /** The same for PREDICT, so that a prediction and a certificate of one image share nothing. */
  predictChooseClass: 6,
  predictChooseClassNoise: 7,
  predict: 8,
  predictNoise: 9,
  /** Sweep: noise at the image as it is, that chooses the class. */
  sweepChoose: 10,
  /** Sweep: noise at the centre of each slice; the index is the slice's number in the tree. */
  sweep: 11,
  /** Sweep: noise of the search for a counterexample, and of its confirmation. */
  sweepAttack: 12,
  sweepConfirm: 13,
  /** PREDICT of sweep. */
  sweepPredictChoose: 14,
  sweepPredict: 15,
  /** γ of an attack, uniform in Γ; one index, a sample number for each. */
  attack: 24,
  /** Dist-D's calibration: β that choose E, β that test it, and for sampled errors the γ of each of them. */
  calibrateChoose: 25,
  calibrateTest: 26,
  calibrateGamma: 27,
  /** Which counted samples are audited: see `audit.ts`. */
  audit: 28,
  /** Noise of the images by which providers are compared; the image is the number of the comparison. */
  parity: 29,
  /** Which of an image's numbers are held against float64; the index counts the draws. */
  spotCheck: 30,
} as const;

export type Purpose = keyof typeof PURPOSES;

const BETA_BITS = 24;
const MAX_BETAS = 2 ** BETA_BITS;
const MAX_WORD = 2 ** 32;

/** Second counter word of a purpose's β with this index. */
export function counterWord(purpose: Purpose, beta: number): number {
  if (!(Number.isInteger(beta) && beta >= 0 && beta < MAX_BETAS)) {
    throw new TurnproofError('internal', `β number ${beta} of «${purpose}» does not fit into a counter`);
  }
  return PURPOSES[purpose] * MAX_BETAS + beta;
}

/** Philox's key: lower and upper half of the seed. */
export function keyOf(seed: bigint): readonly [number, number] {
  return [Number(seed & 0xffffffffn), Number(seed >> 32n)];
}

/** The number of the purpose that a second counter word belongs to. */
export function purposeOf(word: number): number {
  return Math.floor(word / MAX_BETAS);
}

/** Where a method gets its β from. Tests give a faulty one, to show that a fault would be noticed. */
export interface BetaSource {
  /** The first `count` β of a purpose for an image: N(0, sigmaGamma² I), degrees or [dx, dy] in pixels. */
  betas(image: number, purpose: Purpose, count: number): Parameter[];
}

/**
 * A standard normal number from 128 bits: a sign and a tail's probability t, whose quantile it is. With all further
 * bits that such a word could have it would be normal exactly; those, the rounding of t and that of the quantile move it by
 * less than 1e-13 of itself and 1e-15, except with probability 2^-86 (t below 2^-87). Such steps are within what
 * `fixedMap` leaves open.
 */
export function normalOf([first, ...others]: readonly [number, number, number, number]): number {
  const below = others.reduceRight((rest, word) => (word + rest) / MAX_WORD, 0.5);
  const tail = ((first & 0x7fffffff) + below) / MAX_WORD;
  // At most 1/2, and at most rounded to it.
  const size = -normalQuantileLower(tail);
  return first >>> 31 === 1 ? -size : size;
}

export class Streams implements BetaSource {
  readonly key: readonly [number, number];
  readonly #transform: Transform;
  readonly #sigmaGamma: number;

  constructor(seed: bigint, transform: Transform, sigmaGamma: number) {
    this.key = keyOf(seed);
    this.#transform = transform;
    this.#sigmaGamma = sigmaGamma;
  }

  betas(image: number, purpose: Purpose, count: number): Parameter[] {
    if (!(Number.isInteger(image) && image >= 0 && image < MAX_WORD)) {
      throw new TurnproofError('internal', `image number ${image} does not fit into a counter`);
    }
    const dimensions = dimensionsOf(this.#transform);
    return Array.from({ length: count }, (_, beta) =>
      Array.from({ length: dimensions }, (_, axis) => {
        const words = philox4x32([image, counterWord(purpose, beta), 0, axis], this.key);
        return this.#sigmaGamma * normalOf(words);
      }),
    );
  }

  /** Whole numbers of a purpose for an image, one after the other: each from 0 on, below the number given. */
  wholes(image: number, purpose: Purpose): (below: number) => number {
    let drawn = 0;
    return (below) => {
      const [word] = philox4x32([image, counterWord(purpose, drawn++), 0, 0], this.key);
      return Math.floor((below * word) / MAX_WORD);
    };
  }

  /** The first `count` parameters of a purpose and index for an image, uniform in Γ of this range. */
  uniform(image: number, purpose: Purpose, index: number, count: number, range: number): Parameter[] {
    const dimensions = dimensionsOf(this.#transform);
    return Array.from({ length: count }, (_, sample) => {
      const words = philox4x32([image, counterWord(purpose, index), sample, 0], this.key);
      return Array.from(words.slice(0, dimensions), (word) => range * ((2 * word + 1) / MAX_WORD - 1));
    });
  }
}
