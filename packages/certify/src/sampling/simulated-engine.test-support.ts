/**
 * A classifier that is a known distribution: its answer to a noisy image is a function of β and of the sample's counter,
 * so the truth about every β is known, and the real schedule, sampler and methods run on it. Test support only.
 */
import type { Parameter } from '@turnproof/shaders';
import type { Counted, Engine, EngineRun, Placement, Returned, SampleBatch } from './engine.ts';

/** Uniform in [0, 1) from a sample's counter (a 32-bit finalizer; good enough to play dice). */
export function uniformOf(image: number, word: number, sample: number): number {
  let h = Math.imul(image ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(word + 0x7f4a7c15, 0xc2b2ae35);
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d) ^ Math.imul(sample + 0x165667b1, 0x297a2d39);
  h = Math.imul(h ^ (h >>> 16), 0x21f0aaad);
  h = Math.imul(h ^ (h >>> 15), 0x735a2d97);
  return ((h ^ (h >>> 15)) >>> 0) / 2 ** 32;
}

/** The class of one sample, or -1 for none. */
export type Answer = (beta: Parameter, image: number, word: number, sample: number) => number;

/** Class 0 for a share of the samples of each β, class 1 for the rest. */
export function shareOf(share: (beta: Parameter) => number): Answer {
  return (beta, image, word, sample) => (uniformOf(image, word, sample) < share(beta) ? 0 : 1);
}

export interface SimulationOptions {
  readonly answer: Answer;
  readonly classes?: number;
  readonly capacity?: number;
  readonly slots?: number;
  readonly lanes?: number;
  readonly counting?: number;
  readonly fill?: number;
}

export interface DrawnSample {
  readonly beta: Parameter;
  readonly pixels: Float32Array;
  readonly image: number;
  readonly word: number;
  readonly sample: number;
}

export class SimulatedEngine implements Engine {
  readonly classes: number;
  readonly capacity: number;
  readonly slots: number;
  readonly lanes: number;
  readonly counting: number;
  readonly fill: number;
  readonly #answer: Answer;
  /** Every sample drawn, in order, while `recording`. */
  readonly drawn: DrawnSample[] = [];
  /** Samples of each batch. */
  readonly batches: number[] = [];
  /** The noise of each batch. */
  readonly sigmas: number[] = [];
  recording = false;
  /** Runs begun and ended. */
  begun = 0;
  ended = 0;
  /** Batches after which the classifier fails. */
  failAfter = Number.POSITIVE_INFINITY;

  constructor(options: SimulationOptions) {
    this.#answer = options.answer;
    this.classes = options.classes ?? 2;
    this.capacity = options.capacity ?? 128;
    this.slots = options.slots ?? 1000;
    this.lanes = options.lanes ?? 2;
    this.counting = options.counting ?? 1;
    this.fill = options.fill ?? Math.min(32, this.capacity);
  }

  begin(): EngineRun {
    this.begun += 1;
    let placed: readonly Placement[] = [];
    const results: Counted[] = [];
    return {
      place: (placements) => {
        if (placements.length > this.slots) throw new Error(`${placements.length} β for ${this.slots} slots`);
        placed = [...placements];
      },
      draw: (lane, batch, sigma) => {
        this.sigmas.push(sigma);
        results[lane] = this.#classify(placed, batch);
      },
      count: async (lane) => {
        await Promise.resolve();
        if (this.batches.length > this.failAfter) throw new Error('the classifier failed');
        return results[lane] ?? { counts: new Uint32Array(0), returned: [] };
      },
      end: async () => {
        this.ended += 1;
      },
    };
  }

  #classify(placed: readonly Placement[], batch: SampleBatch): Counted {
    const { samples, segments, items, rows, wanted } = batch;
    const returned: Returned[] = [];
    this.batches.push(samples);
    const counts = new Uint32Array(segments * this.classes);
    for (let i = 0; i < samples; i++) {
      const place = placed[items[4 * i] ?? -1];
      if (!place) throw new Error(`sample ${i} names an empty slot`);
      const { beta, pixels } = place;
      const [image = 0, word = 0, sample = 0] = items.subarray(4 * i + 1, 4 * i + 4);
      if (this.recording) this.drawn.push({ beta, pixels, image, word, sample });
      const answer = this.#answer(beta, image, word, sample);
      // In place of a noisy image what makes it, bit by bit.
      const noisy = () => new Float32Array(Uint32Array.of(image, word, sample, beta[0] ?? 0).buffer);
      if (wanted.includes(i)) returned.push({ at: i, noisy: noisy(), answer });
      if (answer < 0) continue;
      const at = (rows[i] ?? 0) * this.classes + answer;
      counts[at] = (counts[at] ?? 0) + 1;
    }
    return { counts, returned };
  }
}
