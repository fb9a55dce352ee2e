/**
 * Do two providers compute the same logits? Wrong results from GPU inference are a known class of faults (a wrong
 * row in batches above one, answers that change from run to run), so nothing is certified before this has passed.
 * Where the reference differs from itself, the model is no function of one image, and is refused itself.
 *
 * It compares what rounding may differ in, not bit by bit: the certified classifier is the provider's own.
 */
import { badInput, TurnproofError } from '@turnproof/core';
import { argmaxRows, NO_CLASS } from './argmax.ts';
import { type Classifier, imageLength } from './classifier.ts';
import type { ModelInfo } from './model.ts';
import { gapWords } from './webgpu-gaps.ts';

/**
 * Largest difference allowed, relative to max(1, largest |logit| of the reference). Different summation orders in
 * float32 stay below 1e-5 for networks of this kind (measured: 8e-6 absolute on logits up to 27); the faults looked
 * for are larger by orders of magnitude.
 */
export const PARITY_TOLERANCE = 1e-4;

/** Images that are also classified one by one. It divides no usual size of blocks: rows swapped by a block show. */
export const PARITY_IMAGES = 7;

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
 * Runs the same images through both classifiers: the first {@link PARITY_IMAGES} one by one, as a batch, and as that batch
 * once more; where there are more of them, all as one batch, and as one in another order. Compares everything with
 * everything.
 *
 * @param a the classifier in question
 * @param b the reference (the wasm provider); `a` itself checks one provider alone
 * @param images `[count, channels, height, width]`, count >= 2, no two of them equal: equal ones hide swapped rows, and
 *   what a model does when it sees different ones beside each other
 * @throws TurnproofError `parity` naming the first check that failed, with image, class and both values; `bad-input` where
 *   the reference fails: then it is the model
 */
export async function checkParity(a: Classifier, b: Classifier, images: Float32Array): Promise<ParityReport> {
  const stride = imageLength(a.shape);
  const count = images.length / stride;
  if (!Number.isInteger(count) || count < 2) {
    throw badInput(
      `${images.length} floats are not two or more images of ${stride} floats for the parity check`,
    );
  }
  if (b.classes !== a.classes || imageLength(b.shape) !== stride) {
    throw new TurnproofError('parity', `${a.provider} and ${b.provider} hold different models`);
  }
  const few = images.subarray(0, Math.min(count, PARITY_IMAGES) * stride);
  const checks: ParityCheck[] = [];
  const reference = await blaming(b, () => checkFew(b, few, checks));
  const own = a === b ? reference : await checkFew(a, few, checks);
  if (images.length > few.length) {
    await checkAll(a, images, own.single, checks).catch(async (error: unknown) => {
      // Is it the provider, or does the model do so anywhere?
      await blaming(b, () => checkAll(b, images, reference.single, []));
      throw error;
    });
  }
  if (a !== b) {
    checks.push(compare(null, `${a.provider} against ${b.provider}`, own.batch, reference.batch, a.classes));
  }
  const repeatable = own.repeatable && reference.repeatable;
  return { images: count, classes: a.classes, checks, repeatable };
}

/** Each image alone, all at once, all at once again. */
async function checkFew(classifier: Classifier, images: Float32Array, checks: ParityCheck[]) {
  const { provider, classes } = classifier;
  const stride = imageLength(classifier.shape);
  const count = images.length / stride;
  const batch = await logitsOf(classifier, images);
  const again = await logitsOf(classifier, images);
  const single = new Float32Array(count * classes);
  for (let i = 0; i < count; i++) {
    const logits = await logitsOf(classifier, images.slice(i * stride, (i + 1) * stride));
    refuseNaN(`${provider}: batch 1`, logits, classes, i);
    single.set(logits, i * classes);
  }
  checks.push(
    compare('again', `${provider}: batch ${count} twice`, again, batch, classes),
    compare('batch', `${provider}: batch 1 against batch ${count}`, batch, single, classes),
  );
  return { batch, single, repeatable: batch.every((value, i) => Object.is(value, again[i])) };
}

/** All images at once, and in another order; the first ones are known alone. */
async function checkAll(
  classifier: Classifier,
  images: Float32Array,
  single: Float32Array,
  checks: ParityCheck[],
): Promise<void> {
  const { provider, classes } = classifier;
  const stride = imageLength(classifier.shape);
  const count = images.length / stride;
  const logits = await logitsOf(classifier, images);
  refuseNaN(`${provider}: batch ${count}`, logits, classes, 0);
  const shuffled = await logitsOf(classifier, reordered(images, stride, shuffling(count)));
  const known = logits.subarray(0, single.length);
  checks.push(
    compare('batch', `${provider}: batch 1 against batch ${count}`, known, single, classes),
    compare(
      'batch',
      `${provider}: batch ${count} in another order`,
      shuffled,
      reordered(logits, classes, shuffling(count)),
      classes,
    ),
  );
}

/**
 * A provider on the CPU holds the thread, and between two calls of it only promises come to their turn: without a pause
 * the process would be deaf to signals until the whole comparison is done.
 */
async function logitsOf(classifier: Classifier, images: Float32Array): Promise<Float32Array> {
  const { provider, classes } = classifier;
  const count = images.length / imageLength(classifier.shape);
  const logits = await classifier.logits(images, count);
  await new Promise<void>((resolve) => setTimeout(resolve));
  if (logits.length === count * classes) return logits;
  throw new TurnproofError('parity', `${provider}: ${count} images gave ${logits.length} logits`);
}

/** Where each row comes from: neighbours part, and pairs at one distance get another. */
function shuffling(count: number): (row: number) => number {
  let step = Math.max(1, Math.round(0.618 * count));
  const divisor = (a: number, b: number): number => (b === 0 ? a : divisor(b, a % b));
  while (divisor(step, count) !== 1) step += 1;
  return (row) => (row * step + 1) % count;
}

function reordered(rows: Float32Array, length: number, from: (row: number) => number): Float32Array {
  const result = new Float32Array(rows.length);
  for (let row = 0; row * length < rows.length; row++) {
    const at = from(row) * length;
    result.set(rows.subarray(at, at + length), row * length);
  }
  return result;
}

/** What may be wrong with a model that the reference runs. */
const FAULTS = {
  nan: {
    words: 'the model gives logits that are no numbers',
    kind: null,
    fix: 'check its weights, and that it was trained on images in [0, 1] or its mean and deviation are given',
  },
  again: {
    words: 'the model answers differently each time it is asked',
    kind: 'random',
    fix: 'export it for inference, without random numbers (PyTorch: model.eval() before torch.onnx.export)',
  },
  batch: {
    words: "the model's answer to an image depends on the other images of its batch",
    kind: 'batch',
    fix: 'export it for inference (PyTorch: model.eval() before torch.onnx.export), normalise over classes, not over images, and quantise statically',
  },
} as const;

class LogitsDiffer extends TurnproofError {
  /** What would be wrong with the model; null: two providers differ. */
  readonly fault: keyof typeof FAULTS | null;
  /** Where, and by how much. */
  readonly found: string;

  constructor(fault: keyof typeof FAULTS | null, found: string) {
    super('parity', `logits differ (${found}`, {
      fix: 'take the wasm provider, or another adapter or driver; nothing was certified',
    });
    this.fault = fault;
    this.found = found;
  }
}

function compare(
  fault: keyof typeof FAULTS | null,
  name: string,
  got: Float32Array,
  reference: Float32Array,
  classes: number,
): ParityCheck {
  const limit = toleranceOf(reference);
  let worst = 0;
  reference.forEach((want, i) => {
    const value = got[i] ?? Number.NaN;
    // Equal infinities are equal.
    const difference = Object.is(value, want) ? 0 : Math.abs(value - want);
    if (!(difference <= limit)) {
      throw new LogitsDiffer(
        fault,
        `${name}): image ${Math.floor(i / classes)}, class ${i % classes}: ${value} against ${want}, ` +
          `allowed ${limit.toExponential(1)}`,
      );
    }
    worst = Math.max(worst, difference);
  });
  return { name, difference: worst, limit };
}

/** @param first number of the first image */
function refuseNaN(name: string, logits: Float32Array, classes: number, first: number): void {
  const at = logits.findIndex(Number.isNaN);
  if (at < 0) return;
  const image = first + Math.floor(at / classes);
  throw new LogitsDiffer('nan', `${name}): image ${image}, class ${at % classes}: NaN`);
}

function toleranceOf(logits: Float32Array): number {
  const scale = logits.reduce((m, x) => (Number.isFinite(x) ? Math.max(m, Math.abs(x)) : m), 1);
  return PARITY_TOLERANCE * scale;
}

/**
 * May a sound provider answer this class (or NO_CLASS), where another one's logits are these? Each of two logits may be off
 * by the tolerance, so two classes that are nearer than twice that are as good as equal.
 *
 * @param logits of one image
 */
export function isAnswerOf(logits: Float32Array, answer: number): boolean {
  const own = argmaxRows(logits, logits.length)[0] ?? NO_CLASS;
  if (answer === own) return true;
  if (answer === NO_CLASS || own === NO_CLASS) return false;
  const behind = (logits[own] ?? Number.NaN) - (logits[answer] ?? Number.NaN);
  return behind <= 2 * toleranceOf(logits);
}

/** A check of the reference: where it fails, the model is to blame. */
async function blaming<T>({ info }: Classifier, check: () => Promise<T>): Promise<T> {
  try {
    return await check();
  } catch (error) {
    throw error instanceof LogitsDiffer && error.fault ? modelFault(info, error.fault, error.found) : error;
  }
}

function modelFault(
  { file, unsteady = [] }: ModelInfo,
  fault: keyof typeof FAULTS,
  found: string,
): TurnproofError {
  const { words, kind, fix } = FAULTS[fault];
  const nodes = unsteady.filter((node) => node.kind === kind);
  const named = nodes.length > 0 ? `: ${gapWords(nodes)}` : '';
  return badInput(`${file}: ${words}${named} (${found}`, fix);
}
