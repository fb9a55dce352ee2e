/**
 * GPU, classifier and certifier of a run, and what happens when the machine lets them down: a lost device is opened once
 * more, memory that does not suffice halves the batch, and the images in work are done again from their start. Nothing a
 * certificate says depends on it: counters are numbered by image and sample, not by when they are drawn.
 */
import type { Certifier, ParityGuard, Recovered } from '@turnproof/certify';
import { TurnproofError } from '@turnproof/core';
import type { Engine } from '../prepare/engine.ts';
import type { Guard } from './guarded-run.ts';

export interface Machinery {
  readonly engine: Engine;
  readonly certifier: Certifier;
  readonly guard: ParityGuard;
  close(): Promise<void>;
}

/**
 * Opens all of it anew.
 *
 * @param batch null: as the plan says
 * @param unchecked images that no parity check has covered yet
 */
export type OpenMachinery = (batch: number | null, unchecked: readonly number[]) => Promise<Machinery>;

/** A device that is lost again is not going to stay. */
const REOPENINGS = 1;
/** Where the batch is not known, because memory ran out before one was chosen. */
const SMALL_BATCH = 32;
/** How long after another error it may take until the loss behind it is known. */
const LOSS_KNOWN_MS = 10_000;

export class Survivor implements Guard {
  readonly #open: OpenMachinery;
  readonly #planned: number | null;
  readonly #warn: (line: string) => void;
  /** Why there will be no machinery any more. */
  #failure: { readonly error: unknown } | undefined;
  #machinery: Machinery | null = null;
  #opening: Promise<Machinery> | null = null;
  #batch: number | null = null;
  #losses = 0;
  #unchecked: readonly number[] = [];
  /** What each broken machinery broke of: several images may tell of one loss. */
  readonly #broken = new WeakMap<Machinery, Recovered>();
  readonly #recovered: Recovered[] = [];

  /** @param planned samples to a call of the classifier, as the plan has it */
  constructor(open: OpenMachinery, planned: number | 'auto', warn: (line: string) => void) {
    this.#open = open;
    this.#planned = planned === 'auto' ? null : planned;
    this.#warn = warn;
  }

  /** What happened so far. */
  get recovered(): readonly Recovered[] {
    return this.#recovered;
  }

  /** As it is now; opened at the first call. */
  current(): Promise<Machinery> {
    if (this.#failure) return Promise.reject(this.#failure.error);
    if (this.#machinery) return Promise.resolve(this.#machinery);
    this.#opening ??= this.#openFitting().finally(() => {
      this.#opening = null;
    });
    return this.#opening;
  }

  /**
   * Does something with the machinery, again from its start where that breaks under it.
   *
   * @param task told what befell earlier tries
   * @throws TurnproofError `device-lost` at the second loss, `out-of-memory` when not even one image fits; whatever else
   *   `task` throws
   */
  async use<T>(task: (machinery: Machinery, recovered: readonly Recovered[]) => Promise<T>): Promise<T> {
    const recovered: Recovered[] = [];
    for (;;) {
      const machinery = await this.current();
      try {
        return await task(machinery, recovered);
      } catch (error) {
        recovered.push(await this.#recover(machinery, error));
      }
    }
  }

  get suspects(): readonly number[] {
    return this.#machinery?.guard.suspects ?? this.#unchecked;
  }

  async check(): Promise<unknown> {
    return this.use(({ guard }) => guard.check());
  }

  async finished(image: number): Promise<void> {
    let noted = false;
    await this.use(async ({ guard }) => {
      // Noted once: what comes after it, the check, is what may have to be done again.
      if (noted) return guard.check();
      noted = true;
      return guard.finished(image);
    });
  }

  async close(): Promise<void> {
    const machinery = this.#machinery;
    this.#machinery = null;
    await machinery?.close();
  }

  async #recover(machinery: Machinery, error: unknown): Promise<Recovered> {
    const told = this.#broken.get(machinery);
    if (told) return told;
    const what = await causeOf(error, machinery);
    const again = this.#broken.get(machinery);
    if (again) return again;
    if (what === null) throw error;
    const recovered = this.#plan(what, machinery.certifier.batch, error);
    this.#broken.set(machinery, recovered);
    this.#unchecked = machinery.guard.suspects;
    this.#machinery = null;
    this.#opening = closeQuietly(machinery)
      .then(() => this.#openFitting())
      .catch((failed: unknown) => {
        this.#failure = { error: what === 'device-lost' ? notReopened(failed) : failed };
        throw this.#failure.error;
      })
      .finally(() => {
        this.#opening = null;
      });
    // Whoever needs it waits for it and hears of its failure.
    this.#opening.catch(() => undefined);
    return recovered;
  }

  /** What is to be done, said aloud. */
  #plan(what: Recovered['what'], batch: number | null, error: unknown): Recovered {
    const [message] = (error instanceof Error ? error.message : String(error)).split('\n');
    if (what === 'device-lost') {
      this.#losses += 1;
      if (this.#losses > REOPENINGS) {
        throw new TurnproofError('device-lost', `the GPU device was lost for the second time (${message})`, {
          fix: 'run the command again with --resume; finished work is kept',
          cause: error,
        });
      }
      this.#warn(
        `the GPU device was lost (${message}); it is opened again, and the images in work done again`,
      );
    } else {
      const half = Math.floor((batch ?? this.#batch ?? this.#planned ?? 2 * SMALL_BATCH) / 2);
      if (half < 1) throw error;
      this.#batch = half;
      this.#warn(`${message}; on with batches of ${half}, and the images in work done again`);
    }
    const recovered = { what, batch: what === 'out-of-memory' ? this.#batch : null };
    this.#recovered.push(recovered);
    return recovered;
  }

  /** Opens it; with smaller batches where memory does not suffice even for that. */
  async #openFitting(): Promise<Machinery> {
    for (;;) {
      try {
        this.#machinery = await this.#open(this.#batch, this.#unchecked);
        return this.#machinery;
      } catch (error) {
        if (!(error instanceof TurnproofError) || error.code !== 'out-of-memory') throw error;
        this.#plan('out-of-memory', null, error);
      }
    }
  }
}

async function causeOf(error: unknown, { engine }: Machinery): Promise<Recovered['what'] | null> {
  // What JavaScript itself says where an array is too large for it.
  if (error instanceof RangeError && /alloc|array length/i.test(error.message)) return 'out-of-memory';
  if (!(error instanceof TurnproofError)) return null;
  const { code } = error;
  if (code === 'device-lost' || code === 'out-of-memory') return code;
  // A loss also shows as whatever failed for it, before the loss itself is told.
  if (code !== 'gpu' && code !== 'internal') return null;
  const end = performance.now() + LOSS_KNOWN_MS;
  while (!engine.gpu.lost && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 10));
  return engine.gpu.lost ? 'device-lost' : null;
}

function notReopened(error: unknown): TurnproofError {
  const words = error instanceof Error ? error.message : String(error);
  return new TurnproofError('device-lost', `the device was lost and cannot be opened again: ${words}`, {
    fix: 'run the command again with --resume; finished work is kept',
    cause: error,
  });
}

/** What is broken may fail to close: that changes nothing. */
async function closeQuietly(machinery: Machinery): Promise<void> {
  await machinery.close().catch(() => undefined);
}
