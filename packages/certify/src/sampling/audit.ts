/**
 * Live samples, looked at again: of each image some noisy images that were counted are classified once more, each alone,
 * by a reference, and must get the class that they were counted for. Images made for a comparison (the parity check)
 * cannot show what happens to the samples themselves: a fault in one of a thousand, a model that looks at the others in
 * its batch.
 *
 * No count and no certificate depends on it. Which samples are taken follows from the seed alone, by a stream that
 * nothing else uses; a mismatch ends the work, and where there is none it goes on as if nobody had looked.
 */
import { TurnproofError } from '@turnproof/core';
import { philox4x32 } from '@turnproof/shaders/oracle';
import { type Classifier, isAnswerOf, NO_CLASS } from '../classifier/index.ts';
import type { NumberedJob } from './sampler.ts';
import type { SpottedSample, Spotter } from './schedule.ts';
import { counterWord, PURPOSES, type Purpose } from './streams.ts';

/** One of so many samples of a β is audited, and one of each kind of noise in any case. */
export const AUDIT_EVERY = 1000;
const WORDS = 2 ** 32;

/** A sample was counted for a class that its noisy image does not have. */
export class SampleMismatch extends TurnproofError {
  readonly image: number;

  constructor(image: number, message: string) {
    super('parity', message, {
      fix: 'do not use what this classifier computed; take the wasm provider, or another adapter or driver, and check that the model answers for each image alone (PyTorch: export after model.eval())',
    });
    this.image = image;
  }
}

export interface AuditOptions {
  /** The seed's two words. */
  readonly key: readonly [number, number];
  /** The one whose samples are counted. */
  readonly classifier: Classifier;
  /** What they are held against; `classifier` itself shows only what depends on the batch, or comes and goes. */
  readonly reference: Classifier;
}

type Audited = Pick<NumberedJob, 'noise' | 'numberOf' | 'look' | 'cap'>;

/** The audit of one image. */
export class SampleAudit {
  readonly #options: AuditOptions;
  readonly #begun = new Set<Purpose>();
  #checks: Promise<void> = Promise.resolve();
  #audited = 0;

  constructor(options: AuditOptions) {
    this.#options = options;
  }

  /** Samples that were classified again. */
  get audited(): number {
    return this.#audited;
  }

  /**
   * Chooses samples of a job: of each {@link AUDIT_EVERY} of a β the one that a word of the stream points at, wherever the
   * β ends, so each sample is chosen with probability 1 / AUDIT_EVERY; and one of the first of each purpose.
   */
  spotter(image: number, { look, cap, noise, numberOf }: Audited): Spotter {
    const isFirst = !this.#begun.has(noise);
    this.#begun.add(noise);
    const { key } = this.#options;
    const placeIn = (beta: number, window: number): number => {
      const [word] = philox4x32([image, counterWord('audit', numberOf(beta)), window, PURPOSES[noise]], key);
      // The first samples of a purpose are drawn and counted in any case.
      const width = isFirst && beta === 0 && window === 0 ? Math.min(AUDIT_EVERY, look, cap) : AUDIT_EVERY;
      return window * AUDIT_EVERY + Math.floor((word * width) / WORDS);
    };
    /** Of each β, in the window that it has come to. */
    const places: { readonly window: number; readonly sample: number }[] = [];
    return {
      wanted: (beta, first, length) => {
        const samples: number[] = [];
        for (let window = Math.floor(first / AUDIT_EVERY); window * AUDIT_EVERY < first + length; window++) {
          if (places[beta]?.window !== window) places[beta] = { window, sample: placeIn(beta, window) };
          const { sample } = places[beta];
          if (sample >= first && sample < first + length) samples.push(sample);
        }
        return samples;
      },
      counted: (sample) => {
        this.#checks = this.#checks.then(() => this.#check(image, sample));
        // Told when the work is done.
        this.#checks.catch(() => undefined);
      },
    };
  }

  /**
   * Does the work, waits for the audit of what was counted meanwhile, and only then lets go of the result.
   *
   * @throws SampleMismatch whatever else went wrong; what the work or the reference throws
   */
  async covering<T>(work: () => Promise<T>): Promise<T> {
    try {
      const result = await work();
      await this.#checks;
      return result;
    } catch (error) {
      await this.#checks.catch((found: unknown) => {
        if (found instanceof SampleMismatch) throw found;
      });
      throw error;
    }
  }

  async #check(image: number, { noisy, answer }: SpottedSample): Promise<void> {
    const { classifier, reference } = this.#options;
    const logits = await reference.logits(noisy, 1);
    this.#audited += 1;
    if (isAnswerOf(logits, answer)) return;
    const words = answer === NO_CLASS ? 'no class' : `class ${answer}`;
    throw new SampleMismatch(
      image,
      `a noisy sample of image ${image} was counted for ${words} (${classifier.provider}, in a batch), but alone ` +
        `${reference.provider} gives the logits ${shown(logits)}; image ${image} is not certified`,
    );
  }
}

function shown(logits: Float32Array): string {
  const some = Array.from(logits.subarray(0, 10), (logit) => logit.toPrecision(4)).join(', ');
  return logits.length > 10 ? `${some}, ...` : some;
}
