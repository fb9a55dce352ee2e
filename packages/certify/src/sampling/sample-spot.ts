/**
 * A noisy image that was counted, held against what it must be: pre(T_β x) as float64 has it, and on the lattice the noise of
 * its counter, bit for bit. The self-test has seen the two kernels make images of its own; this is one of the run's. Taken
 * from those that are wanted back anyway (audit.ts), of each image one of each kind of noise.
 */
import type { Batch, GpuArray, Readback } from '@turnproof/core';
import {
  type ImageShape,
  noiseLawOf,
  type Preprocess,
  pixelCount,
  samplerBudget,
  type Transform,
} from '@turnproof/shaders';
import { l2Norm, noisyOracle, warpPreOracle } from '@turnproof/shaders/oracle';
import { adapterFault } from '../adapter-fault.ts';
import type { Placement, Returned, SampleBatch } from './engine.ts';
import { purposeOf } from './streams.ts';

/** What all images of a run have in common. */
export interface SampleOrigin {
  readonly shape: ImageShape;
  readonly pre: Preprocess;
  readonly transform: Transform;
  /** The seed's two words. */
  readonly key: readonly [number, number];
}

/** A sample that is drawn and will be looked at. */
export interface OpenSpot {
  /** Its place in the batch. */
  readonly at: number;
  readonly placement: Placement;
  readonly counter: readonly [image: number, word: number, sample: number];
  /** Of the noise, in pixel values; 0: none. */
  readonly sigma: number;
  /** pre(T_β x) as the noise kernel was given it. */
  readonly base: Readback<'f32'>;
}

/** Words of one sample in `SampleBatch.items`. */
const ITEM = 4;

export class SampleSpots {
  readonly #origin: SampleOrigin;
  readonly #done = new Set<string>();

  constructor(origin: SampleOrigin) {
    this.#origin = origin;
  }

  /** Notes, in the commands that draw the batch, the readbacks for those of its samples that are to be checked. */
  begin(
    commands: Batch,
    { items, wanted }: SampleBatch,
    base: GpuArray<'f32'>,
    placements: readonly Placement[],
    sigma: number,
  ): OpenSpot[] {
    const size = pixelCount(this.#origin.shape);
    return wanted.flatMap((at) => {
      const [slot = 0, image = 0, word = 0, sample = 0] = items.subarray(ITEM * at, ITEM * (at + 1));
      const placement = placements[slot];
      const kind = `${image} ${purposeOf(word)}`;
      if (!placement || this.#done.has(kind)) return [];
      this.#done.add(kind);
      const read = commands.read(base, slot * size, size);
      return [{ at, placement, counter: [image, word, sample] as const, sigma, base: read }];
    });
  }

  /** @throws TurnproofError `parity` where one of them is another than it must be */
  check(spots: readonly OpenSpot[], returned: readonly Returned[]): void {
    for (const spot of spots) {
      const sample = returned.find(({ at }) => at === spot.at);
      if (sample) this.#hold(sample.noisy, spot);
    }
  }

  #hold(noisy: Float32Array, { placement, counter, sigma, base: { data: base } }: OpenSpot): void {
    const { shape, pre, transform, key } = this.#origin;
    const where = `image ${counter[0]} at β = ${placement.beta.join(':')}`;
    const exact = warpPreOracle(transform, placement.beta, placement.pixels, shape, pre);
    const distance = l2Norm(exact.map((value, i) => value - (base[i] ?? Number.NaN)));
    const budget = samplerBudget(shape, pre);
    if (!(distance <= budget)) {
      throw adapterFault(`spot check: ${where} is ${distance} from float64's, at most ${budget} is allowed`);
    }
    const wanted = sigma === 0 ? base : noisyOracle(base, counter, key, noiseLawOf(sigma));
    const wrong = wanted.findIndex((value, i) => value !== noisy[i]);
    if (wrong < 0) return;
    throw adapterFault(
      `spot check: value ${wrong} of a noisy sample of ${where} is ${noisy[wrong]}, its counter makes it ${wanted[wrong]}`,
    );
  }
}
