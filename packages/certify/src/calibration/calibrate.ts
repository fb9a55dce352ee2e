/**
 * Dist-D's calibration: one E for a distribution of images, and how large a share of them it serves. Not for
 * certifying: `certifyDistD` does that with what comes out of here.
 */
import { badInput, TurnproofError } from '@turnproof/core';
import type { Parameter } from '@turnproof/shaders';
import { adapterFault } from '../adapter-fault.ts';
import { type Bounder, type BoundRequest, marked, type SampledErrors, type Spot } from '../bounds/index.ts';
import type { Pipeline } from '../pipeline.ts';
import type { BetaSource, SampledImage, Streams } from '../sampling/index.ts';
import { type InnerLevel, mostExceeding, qLower } from './claims.ts';
import type { Calibration } from './schema.ts';

/** How a β's error is judged. `bounded` over all of Γ; `sampled` at some γ, which guarantees nothing between. */
export type ErrorJudge = {
  /** An image's spot: with it, one number of each wave of β is held against float64. */
  readonly spotOf?: (image: number) => Spot;
} & (
  | { readonly errors: 'bounded'; readonly bounder: Bounder; readonly betas: BetaSource }
  | {
      readonly errors: 'sampled';
      readonly sampled: SampledErrors;
      readonly betas: Streams;
      readonly nGammas: number;
      readonly range: Pipeline['range'];
    }
);

export interface CalibrateOptions extends InnerLevel {
  /** 1 - confidence of q_E. */
  readonly alpha: number;
  /** E is this times the largest error of the choosing images. */
  readonly margin: number;
  readonly onProgress?: (progress: CalibrateProgress) => void;
}

export interface CalibrateProgress {
  readonly stage: 'choose-E' | 'test-E';
  /** Images. */
  readonly done: number;
  readonly total: number;
  readonly passed: number;
}

export interface TestedImage {
  readonly index: number;
  /** β that were tested, and those that exceeded E (undecided ones included). */
  readonly tested: number;
  readonly exceeded: number;
  readonly passed: boolean;
}

/** β of an image that are judged together: many share its warps; few are wasted once it has failed. */
const WAVE = 500;
/** The bounds that choose E come this close to the errors found. */
const CHOOSING_TOLERANCE = 0.05;

/** An E from one β of each of these images: `margin` times the largest error. */
export async function chooseCalibrationE(
  judge: ErrorJudge,
  images: Iterable<Promise<SampledImage>> | AsyncIterable<SampledImage>,
  { margin, onProgress, total }: Pick<CalibrateOptions, 'margin' | 'onProgress'> & { readonly total: number },
): Promise<{ E: number; largest: number; errors: { index: number; error: number }[] }> {
  const errors: { index: number; error: number }[] = [];
  for await (const image of images) {
    errors.push({ index: image.index, error: await choosingError(judge, image) });
    onProgress?.({ stage: 'choose-E', done: errors.length, total, passed: 0 });
  }
  const largest = errors.reduce((most, { error }) => Math.max(most, error), 0);
  if (!(largest > 0)) throw badInput('no image chose an E', 'give at least one image that is not blank');
  return { E: margin * largest, largest, errors };
}

/** The error of the one β by which an image has its say in E. */
export async function choosingError(judge: ErrorJudge, image: SampledImage): Promise<number> {
  const betas = judge.betas.betas(image.index, 'calibrateChoose', 1);
  const [error = Number.NaN] = await errorsOf(judge, image, betas);
  if (Number.isFinite(error)) return error;
  throw adapterFault(`the error of image ${image.index} is ${error}`);
}

/**
 * Tests E on images that did not choose it.
 *
 * **Theorem.** Let D be the distribution of images, good(x): P_β(max over γ in Γ of ε(β, γ, x) > E) <= ρ_E, and
 * q = P_x(good(x)). E is fixed; the images are independent draws from D, each with nBetas β of its own. With
 * probability at least 1 - alpha, q >= q_E:
 *   1. An image passes where the Clopper-Pearson upper bound of its share of exceeding β is at most ρ_E, at alphaInner.
 *      (A β counts as exceeding unless its bound proves the contrary.) An image that is not good passes with
 *      probability at most alphaInner.
 *   2. So each image passes, independently of the others, with one probability π <= q + (1 - q) alphaInner.
 *   3. L, the Clopper-Pearson lower bound of π at alpha, gives q_E = (L - alphaInner) / (1 - alphaInner).
 * No image is claimed to be good: the inner tests may err as often as they like to at alphaInner, and their errors are
 * taken off in step 3. (The published script takes the expected number of false passes off the count of those that
 * passed, in place of step 3.)
 *
 * With `sampled` errors good(x) speaks of some random γ for each β only, and nothing follows for Γ.
 */
export async function testCalibrationE(
  judge: ErrorJudge,
  images: Iterable<Promise<SampledImage>> | AsyncIterable<SampledImage>,
  E: number,
  options: CalibrateOptions & { readonly total: number },
): Promise<{ qE: number; mostExceeding: number; passed: number; images: TestedImage[] }> {
  const { nBetas, alpha, alphaInner, onProgress, total } = options;
  const allowed = mostExceeding(options);
  const results: TestedImage[] = [];
  let passed = 0;
  for await (const image of images) {
    const result = await testImage(judge, image, E, { nBetas, mostExceeding: allowed });
    if (result.passed) passed += 1;
    results.push(result);
    onProgress?.({ stage: 'test-E', done: results.length, total, passed });
  }
  if (results.length === 0) throw badInput('no image tests E', 'give at least one more image');
  const qE = qLower(passed, results.length, alpha, alphaInner);
  return { qE, mostExceeding: allowed, passed, images: results };
}

/** Step 1 of {@link testCalibrationE}: β of one image, all of them or until it has failed. */
export async function testImage(
  judge: ErrorJudge,
  image: SampledImage,
  E: number,
  { nBetas, mostExceeding: allowed }: Pick<Calibration, 'nBetas' | 'mostExceeding'>,
): Promise<TestedImage> {
  const betas = judge.betas.betas(image.index, 'calibrateTest', nBetas);
  let [tested, exceeded] = [0, 0];
  while (tested < nBetas && exceeded <= allowed) {
    const wave = betas.slice(tested, tested + WAVE);
    const held = await heldOf(judge, image, wave, tested, E);
    exceeded += held.filter((one) => !one).length;
    tested += wave.length;
  }
  return { index: image.index, tested, exceeded, passed: exceeded <= allowed };
}

/** Upper bounds of the errors (sampled: the largest ones found). */
async function errorsOf(
  judge: ErrorJudge,
  image: SampledImage,
  betas: readonly Parameter[],
): Promise<number[]> {
  if (judge.errors === 'sampled') return sampledErrors(judge, image, betas, 0);
  const requests = requestsOf(judge, image, betas);
  const bounds = await judge.bounder.bound([image.pixels], requests, { tolerance: CHOOSING_TOLERANCE });
  return bounds.map(({ bound }) => bound);
}

/** For each β: is its error at most E? Undecided is no, and so is a bound that says otherwise than its verdict. */
async function heldOf(
  judge: ErrorJudge,
  image: SampledImage,
  betas: readonly Parameter[],
  first: number,
  E: number,
): Promise<boolean[]> {
  if (judge.errors === 'sampled') {
    return (await sampledErrors(judge, image, betas, first)).map((error) => error <= E);
  }
  const requests = requestsOf(judge, image, betas);
  const bounds = await judge.bounder.bound([image.pixels], requests, { target: E });
  if (bounds.length !== betas.length) {
    throw new TurnproofError('internal', `${betas.length} β were to be bounded, ${bounds.length} came back`);
  }
  return bounds.map(({ exceeds, bound }) => exceeds === false && bound <= E);
}

function requestsOf(
  { spotOf }: ErrorJudge,
  { index }: SampledImage,
  betas: readonly Parameter[],
): BoundRequest[] {
  return marked(
    betas.map((beta) => ({ image: 0, beta })),
    spotOf?.(index),
  );
}

function sampledErrors(
  { sampled, betas: streams, nGammas, range, spotOf }: Extract<ErrorJudge, { errors: 'sampled' }>,
  { index, pixels }: SampledImage,
  betas: readonly Parameter[],
  first: number,
): Promise<number[]> {
  const requests = betas.map((beta, i) => ({
    beta,
    gammas: streams.uniform(index, 'calibrateGamma', first + i, nGammas, range),
  }));
  return sampled.largest(pixels, marked(requests, spotOf?.(index)));
}
