/**
 * Do two providers compute the same logits? Wrong results from GPU inference are a known class of faults (a wrong
 * row in batches above one, answers that change from run to run), so nothing is certified before this has passed.
 *
 * It compares what rounding may differ in, not bit by bit: the certified classifier is the provider's own.
 */
import { badInput, TurnproofError } from '@turnproof/core';
import { type Classifier, imageLength } from './classifier.ts';

/**
 * Largest difference allowed, relative to max(1, largest |logit| of the reference). Different summation orders in
 * float32 stay below 1e-5 for networks of this kind (measured: 8e-6 absolute on logits up to 27); the faults looked
 * for are larger by orders of magnitude.
 */
export const PARITY_TOLERANCE = 1e-4;

export interface ParityCheck {
  /** Such as «webgpu: batch 1 against batch 8». */
  readonly name: string;
  /** Largest absolute difference of two logits. */
  readonly difference: number;
  /** What {@link difference} may be. */
  readonly limit: number;
}

export interface ParityReport {
  readonly images: number;
  readonly classes: number;
  readonly checks: readonly ParityCheck[];
  /** Were repeated runs equal bit by bit, on either side? Only then can a certificate be replayed exactly. */
  readonly repeatable: boolean;
}

/**
 * Runs the same images through both classifiers, one by one and as a batch and the batch twice, and compares
 * everything with everything. Give different images, at least two: equal ones hide swapped rows.
 *
 * @param a the classifier in question
 * @param b the reference (the wasm provider); `a` itself checks one provider alone
 * @param images `[count, channels, height, width]`, count >= 2
 * @param full where larger than count: `a` is also given a batch of this size, the images in turn
 * @throws TurnproofError `parity` naming the first check that failed, with image, class and both values
 */
export async function checkParity(
  a: Classifier,
  b: Classifier,
  images: Float32Array,
  full = 0,
): Promise<ParityReport> {
  const stride = imageLength(a.shape);
  const count = images.length / stride;
  if (!Number.isInteger(count) || count < 2) {
    throw badInput(
      `${images.length} floats are not two or more images of ${stride} floats for the parity check`,
    );
  }
  const checks: ParityCheck[] = [];
  const first = await checkAlone(a, images, count, checks);
  let repeatable = first.repeatable;
  if (full > count) checks.push(await checkFull(a, images, full, first.single));
  if (b !== a) {
    if (b.classes !== a.classes || imageLength(b.shape) !== stride) {
      throw new TurnproofError('parity', `${a.provider} and ${b.provider} hold different models`);
    }
    const second = await checkAlone(b, images, count, checks);
    repeatable &&= second.repeatable;
    checks.push(compare(`${a.provider} against ${b.provider}`, first.batch, second.batch, a.classes));
  }
  return { images: count, classes: a.classes, checks, repeatable };
}

async function checkAlone(
  classifier: Classifier,
  images: Float32Array,
  count: number,
  checks: ParityCheck[],
) {
  const { provider, classes } = classifier;
  const stride = imageLength(classifier.shape);
  const batch = await logitsOf(classifier, images, count);
  if (batch.length !== count * classes) {
    throw new TurnproofError('parity', `${provider}: ${count} images gave ${batch.length} logits`);
  }
  const again = await logitsOf(classifier, images, count);
  const single = new Float32Array(count * classes);
  for (let i = 0; i < count; i++) {
    single.set(await logitsOf(classifier, images.slice(i * stride, (i + 1) * stride), 1), i * classes);
  }
  checks.push(compare(`${provider}: batch ${count} twice`, again, batch, classes));
  checks.push(compare(`${provider}: batch 1 against batch ${count}`, batch, single, classes));
  return { batch, single, repeatable: batch.every((value, i) => Object.is(value, again[i])) };
}

/**
 * A provider on the CPU holds the thread, and between two calls of it only promises come to their turn: without a pause
 * the process would be deaf to signals until the whole comparison is done.
 */
async function logitsOf(classifier: Classifier, images: Float32Array, count: number): Promise<Float32Array> {
  const logits = await classifier.logits(images, count);
  await new Promise<void>((resolve) => setTimeout(resolve));
  return logits;
}

/** Every row of a batch as large as the run's against its image alone. */
async function checkFull(
  classifier: Classifier,
  images: Float32Array,
  size: number,
  single: Float32Array,
): Promise<ParityCheck> {
  const { provider, classes } = classifier;
  const logits = await logitsOf(classifier, inTurn(images, size * imageLength(classifier.shape)), size);
  const name = `${provider}: batch 1 against batch ${size}`;
  return compare(name, logits, inTurn(single, size * classes), classes);
}

/** The array over and over, until it has this length. */
function inTurn(array: Float32Array, length: number): Float32Array {
  const result = new Float32Array(length);
  for (let at = 0; at < length; at += array.length) {
    result.set(array.subarray(0, Math.min(array.length, length - at)), at);
  }
  return result;
}

function compare(name: string, got: Float32Array, reference: Float32Array, classes: number): ParityCheck {
  const scale = reference.reduce((m, x) => (Number.isFinite(x) ? Math.max(m, Math.abs(x)) : m), 1);
  const limit = PARITY_TOLERANCE * scale;
  let worst = 0;
  reference.forEach((want, i) => {
    const value = got[i] ?? Number.NaN;
    // Equal infinities are equal; a NaN is never fine.
    const difference = value === want ? 0 : Math.abs(value - want);
    if (!(difference <= limit)) {
      throw new TurnproofError(
        'parity',
        `logits differ (${name}): image ${Math.floor(i / classes)}, class ${i % classes}: ${value} against ${want}, ` +
          `allowed ${limit.toExponential(1)}`,
        { fix: 'take --provider wasm, or another adapter or driver; nothing was certified' },
      );
    }
    worst = Math.max(worst, difference);
  });
  return { name, difference: worst, limit };
}
