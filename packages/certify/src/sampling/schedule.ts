/**
 * One stream of full batches over many β: which β gets the next places in a batch, when it is looked at, when it is
 * done. Knows counts, not images: an {@link Engine} makes the noisy images and asks the classifier.
 *
 * Results do not depend on the batch size. The samples of a β are numbered 0, 1, 2, ...; it is looked at only when
 * exactly `look`, 2 `look`, ... or `cap` of its samples are counted, and a segment of a batch never crosses such a
 * point; what was drawn beyond a decision is thrown away.
 */
import { TurnproofError } from '@turnproof/core';
import type { Parameter } from '@turnproof/shaders';

/** Words of one sample in `SampleBatch.items`, as the noise kernel has them: slot, image, β word, sample. */
const ITEM = 4;

/** Samples for one run of the classifier, in typed arrays that are used again and again. */
export interface SampleBatch {
  /** Samples in it. */
  samples: number;
  /** Runs of neighbouring samples of one β in it. */
  segments: number;
  /** Four words a sample: slot of its β's image, then the counter (image, β word, sample). */
  readonly items: Uint32Array<ArrayBuffer>;
  /** The segment of each sample. */
  readonly rows: Uint32Array<ArrayBuffer>;
}

/** The machinery for one image. Lanes are the batches that may be under way at the same time. */
export interface EngineRun {
  /** Makes pre(T_β x) for slots 0, 1, ...; batches drawn from now on use them. */
  place(betas: readonly Parameter[]): void;
  /** Starts making the noisy images of a batch; returns at once. */
  draw(lane: number, batch: SampleBatch, sigma: number): void;
  /** Class counts `[segments, classes]` of the batch drawn last in the lane. Valid until the lane's next draw. */
  count(lane: number): Promise<Uint32Array>;
  /** Waits for what is under way and gives all memory back. */
  end(): Promise<void>;
}

export interface Engine {
  readonly classes: number;
  /** Samples of a full batch. */
  readonly capacity: number;
  /** Images of β held at the same time. */
  readonly slots: number;
  /** Batches drawn ahead. */
  readonly lanes: number;
  /** Of those, how many may be at the classifier. */
  readonly counting: number;
  /** A batch is filled at least so far, if need be with samples of β whose last ones are not counted yet. */
  readonly fill: number;
  begin(pixels: Float32Array<ArrayBuffer>): EngineRun;
}

export interface Job {
  /** First word of the noise's counter. */
  readonly image: number;
  readonly betas: readonly Parameter[];
  /** Second counter word of β number i. */
  readonly wordOf: (beta: number) => number;
  readonly sigma: number;
  /** Most samples of a β. */
  readonly cap: number;
  /** Samples between two looks at a β. */
  readonly look: number;
  /**
   * Told at each look, in order: class counts of β number `beta` are `counts[at .. at + classes)`, out of `n` samples.
   * True ends the β; at `cap` it ends anyway.
   */
  readonly decided: (beta: number, n: number, counts: Uint32Array, at: number) => boolean;
  readonly onProgress?: (done: number) => void;
}

export interface Tally {
  /** `[betas, classes]`. */
  readonly counts: Uint32Array<ArrayBuffer>;
  /** Samples counted of each β. */
  readonly trials: Uint32Array<ArrayBuffer>;
  /** Samples that the classifier saw, those beyond a decision included. */
  readonly evaluated: number;
}

export async function runJob(engine: Engine, pixels: Float32Array<ArrayBuffer>, job: Job): Promise<Tally> {
  const run = engine.begin(pixels);
  try {
    return await new Schedule(engine, run, job).finish();
  } finally {
    await run.end();
  }
}

interface Lane extends SampleBatch {
  readonly number: number;
  /** β and length of each segment. */
  readonly betas: Uint32Array<ArrayBuffer>;
  readonly lengths: Uint32Array<ArrayBuffer>;
  counts: Promise<Uint32Array> | undefined;
}

class Schedule {
  readonly #engine: Engine;
  readonly #run: EngineRun;
  readonly #job: Job;
  readonly #counts: Uint32Array<ArrayBuffer>;
  /** Samples counted, and samples handed to batches. */
  readonly #trials: Uint32Array<ArrayBuffer>;
  readonly #drawn: Uint32Array<ArrayBuffer>;
  readonly #done: Uint8Array<ArrayBuffer>;
  readonly #slotOf: Int32Array<ArrayBuffer>;
  /** β with a slot that are not decided, longest unserved first. */
  #queue: number[] = [];
  /** β without a slot yet: all from here on. */
  #next = 0;
  #decided = 0;
  #evaluated = 0;

  constructor(engine: Engine, run: EngineRun, job: Job) {
    const { betas, cap, look } = job;
    if (!(cap >= 1 && look >= 1))
      throw new TurnproofError('internal', `a cap of ${cap}, looks every ${look}`);
    this.#engine = engine;
    this.#run = run;
    this.#job = job;
    this.#counts = new Uint32Array(betas.length * engine.classes);
    this.#trials = new Uint32Array(betas.length);
    this.#drawn = new Uint32Array(betas.length);
    this.#done = new Uint8Array(betas.length);
    this.#slotOf = new Int32Array(betas.length).fill(-1);
  }

  async finish(): Promise<Tally> {
    const { lanes, counting, capacity } = this.#engine;
    const free = Array.from({ length: lanes }, (_, number) => newLane(number, capacity));
    /** Batches under way, oldest first. */
    const flying: Lane[] = [];
    for (;;) {
      // The next batch is drawn before the classifier is asked about the oldest one.
      while (free.length > 0) {
        const lane = free[free.length - 1];
        if (!lane || !this.#fill(lane)) break;
        free.pop();
        lane.counts = undefined;
        this.#run.draw(lane.number, lane, this.#job.sigma);
        this.#evaluated += lane.samples;
        flying.push(lane);
      }
      const oldest = flying[0];
      if (!oldest) break;
      for (const lane of flying.slice(0, counting)) lane.counts ??= guarded(this.#run.count(lane.number));
      this.#feed(oldest, await (oldest.counts ?? this.#run.count(oldest.number)));
      flying.shift();
      free.push(oldest);
    }
    return { counts: this.#counts, trials: this.#trials, evaluated: this.#evaluated };
  }

  /** Gives slots to waiting β when enough are free that the images are worth making again. */
  #place(): void {
    const { slots } = this.#engine;
    const { betas } = this.#job;
    const waiting = betas.length - this.#next;
    if (waiting === 0 || (this.#queue.length > 0 && 2 * this.#queue.length > slots)) return;
    const kept = [...this.#queue];
    const added = Math.min(waiting, slots - kept.length);
    for (let i = 0; i < added; i++) {
      this.#queue.push(this.#next);
      kept.push(this.#next++);
    }
    kept.forEach((beta, slot) => {
      this.#slotOf[beta] = slot;
    });
    this.#run.place(kept.map((beta) => betas[beta] ?? []));
  }

  /** Fills a batch; false when there is nothing left to draw. */
  #fill(lane: Lane): boolean {
    this.#place();
    const { capacity, fill } = this.#engine;
    lane.samples = 0;
    lane.segments = 0;
    this.#serve(lane, capacity, false);
    // Only β with samples under way are left: drawing more of them is a bet that they stay open.
    let more = lane.samples < fill;
    while (more) more = this.#serve(lane, fill, true) && lane.samples < fill;
    return lane.samples > 0;
  }

  /** One turn through the queue; true when something was drawn. */
  #serve(lane: Lane, room: number, ahead: boolean): boolean {
    const before = lane.samples;
    const { cap } = this.#job;
    for (let turns = this.#queue.length; turns > 0 && lane.samples < room; turns--) {
      const beta = this.#queue.shift();
      if (beta === undefined) break;
      const drawn = this.#drawn[beta] ?? 0;
      if (drawn < cap && (ahead || !this.#waits(beta, drawn))) this.#append(lane, beta, room);
      this.#queue.push(beta);
    }
    return lane.samples > before;
  }

  /** Has the β been drawn up to its next look, with the look still to come? */
  #waits(beta: number, drawn: number): boolean {
    const { look } = this.#job;
    return drawn >= (Math.floor((this.#trials[beta] ?? 0) / look) + 1) * look;
  }

  /** Draws the β up to its next look, or as far as there is room. */
  #append(lane: Lane, beta: number, room: number): void {
    const { cap, look, image, wordOf } = this.#job;
    const drawn = this.#drawn[beta] ?? 0;
    const length = Math.min(look - (drawn % look), cap - drawn, room - lane.samples);
    const slot = this.#slotOf[beta] ?? 0;
    const word = wordOf(beta);
    for (let i = 0; i < length; i++) {
      const at = lane.samples + i;
      lane.rows[at] = lane.segments;
      lane.items[ITEM * at] = slot;
      lane.items[ITEM * at + 1] = image;
      lane.items[ITEM * at + 2] = word;
      lane.items[ITEM * at + 3] = drawn + i;
    }
    lane.betas[lane.segments] = beta;
    lane.lengths[lane.segments] = length;
    lane.segments += 1;
    lane.samples += length;
    this.#drawn[beta] = drawn + length;
  }

  #feed(lane: Lane, counted: Uint32Array): void {
    const { classes } = this.#engine;
    const { cap, look, decided, onProgress } = this.#job;
    for (let segment = 0; segment < lane.segments; segment++) {
      const beta = lane.betas[segment] ?? 0;
      if (this.#done[beta] === 1) continue;
      const at = beta * classes;
      for (let c = 0; c < classes; c++) {
        this.#counts[at + c] = (this.#counts[at + c] ?? 0) + (counted[segment * classes + c] ?? 0);
      }
      const n = (this.#trials[beta] ?? 0) + (lane.lengths[segment] ?? 0);
      this.#trials[beta] = n;
      if (n % look !== 0 && n !== cap) continue;
      if (decided(beta, n, this.#counts, at) || n === cap) {
        this.#done[beta] = 1;
        this.#decided += 1;
      }
    }
    const open = this.#queue.length;
    this.#queue = this.#queue.filter((beta) => this.#done[beta] === 0);
    if (this.#queue.length < open) onProgress?.(this.#decided);
  }
}

function newLane(number: number, capacity: number): Lane {
  return {
    number,
    samples: 0,
    segments: 0,
    items: new Uint32Array(ITEM * capacity),
    rows: new Uint32Array(capacity),
    betas: new Uint32Array(capacity),
    lengths: new Uint32Array(capacity),
    counts: undefined,
  };
}

/** A promise that is awaited later, or never when an earlier one fails. */
function guarded<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}
