/**
 * The parity check, again and again while a run goes on: a classifier that was sound at the start need not stay so. What
 * is certified between two checks stands only when the second one has passed.
 */
import { TurnproofError } from '@turnproof/core';
import type { Classifier } from './classifier.ts';
import { checkParity, PARITY_IMAGES, type ParityReport } from './parity.ts';

export interface ParityGuardOptions {
  /** The one that certifies. */
  readonly classifier: Classifier;
  /** What it is held against: the wasm provider, or `classifier` itself. Both stay the caller's. */
  readonly reference: Classifier;
  /** Makes `[count, channels, height, width]`, no two images equal, and others for each number of a check (from 1 on). */
  readonly images: (count: number, check: number) => Float32Array;
  /** Samples that the run gives the classifier at once: a batch of this size is compared, too. */
  readonly batch: number;
  /** Images after which it is checked again (default 25) ... */
  readonly everyImages?: number;
  /** ... or milliseconds since the last check (default 60,000), whichever comes first. */
  readonly everyMs?: number;
  /** Images of an earlier guard that no check has covered yet. */
  readonly unchecked?: readonly number[];
}

export class ParityGuard {
  readonly #options: ParityGuardOptions;
  #suspects: number[] = [];
  #lastMs = performance.now();
  #passed = 0;
  #begun = 0;

  constructor(options: ParityGuardOptions) {
    this.#options = options;
    this.#suspects = [...(options.unchecked ?? [])];
  }

  /** Images that were finished since the last check that passed. */
  get suspects(): readonly number[] {
    return this.#suspects;
  }

  /** Checks that passed. */
  get passed(): number {
    return this.#passed;
  }

  /**
   * @throws TurnproofError `parity` naming the check that failed and the images since the last one that passed; where
   *   there are none yet, what `checkParity` throws
   */
  async check(): Promise<ParityReport> {
    const { classifier, reference, images, batch } = this.#options;
    const covered = this.#suspects.length;
    this.#begun += 1;
    try {
      const rows = images(Math.max(PARITY_IMAGES, batch), this.#begun);
      const report = await checkParity(classifier, reference, rows);
      // Images that were finished meanwhile wait for the next check.
      this.#suspects = this.#suspects.slice(covered);
      this.#lastMs = performance.now();
      this.#passed += 1;
      return report;
    } catch (error) {
      const isModel = error instanceof TurnproofError && error.code === 'bad-input';
      const differs = isModel || (error instanceof TurnproofError && error.code === 'parity');
      if (!differs || this.#suspects.length === 0) throw error;
      const names = this.#suspects.join(', ');
      const again = isModel
        ? error.fix
        : 'run them again with the wasm provider, or another adapter or driver';
      throw new TurnproofError('parity', `${error.message}; finished since the last check: images ${names}`, {
        fix: `do not use what was computed for these images; ${again}`,
        cause: error,
      });
    }
  }

  /** Notes that an image is finished, and checks when it is time. @throws as {@link check} */
  async finished(image: number): Promise<void> {
    const { everyImages = 25, everyMs = 60_000 } = this.#options;
    this.#suspects.push(image);
    const due = this.#suspects.length >= everyImages || performance.now() - this.#lastMs >= everyMs;
    if (due) await this.check();
  }
}
