/**
 * One stream of full batches over many β of many images: which β gets the next places in a batch, when it is looked at,
 * when it is done. Knows counts, not images: an {@link Engine} makes the noisy images and asks the classifier.
 *
 * Jobs that run on one engine at the same time share its batches; the oldest is served first, so images are finished
 * in the order in which they were begun, and what it leaves of a batch goes to the next.
 *
 * Results depend neither on the batch size nor on what else runs. The samples of a β are numbered 0, 1, 2, ...; it is
 * looked at only when exactly `look`, 2 `look`, ... or `cap` of its samples are counted, and a segment of a batch never
 * crosses such a point; what was drawn beyond a decision is thrown away.
 */
import { TurnproofError } from '@turnproof/core';
import type { Parameter } from '@turnproof/shaders';
import type { Counted, Engine, EngineRun, Placement, Returned, SampleBatch } from './engine.ts';

/** Words of one sample in `SampleBatch.items`, as the noise kernel has them: slot, image, β word, sample. */
const ITEM = 4;

/** Some of a job's samples are wanted back, for a second look at them. It decides nothing. */
export interface Spotter {
  /** Which of the samples first, first + 1, ... (`length` of them) of β number `beta`. */
  wanted(beta: number, first: number, length: number): readonly number[];
  /** Told of each that is wanted and counted, when it is counted. */
  counted(sample: SpottedSample): void;
}

export interface SpottedSample extends Omit<Returned, 'at'> {
  /** Which β of the job, and which of its samples. */
  readonly beta: number;
  readonly sample: number;
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
  readonly spotter?: Spotter;
}

export interface Tally {
  /** `[betas, classes]`. */
  readonly counts: Uint32Array<ArrayBuffer>;
  /** Samples counted of each β. */
  readonly trials: Uint32Array<ArrayBuffer>;
  /** Samples of this job that the classifier saw, those beyond a decision included. */
  readonly evaluated: number;
}

const streams = new WeakMap<Engine, Stream>();

/** Samples until all β of the job are decided. Jobs on one engine at the same time share its batches. */
export function runJob(engine: Engine, pixels: Float32Array<ArrayBuffer>, job: Job): Promise<Tally> {
  let stream = streams.get(engine);
  if (!stream) {
    stream = new Stream(engine);
    streams.set(engine, stream);
  }
  return stream.add(pixels, job);
}

interface Lane extends SampleBatch {
  readonly number: number;
  sigma: number;
  /** Job, β and length of each segment. */
  readonly tasks: Task[];
  readonly betas: Uint32Array<ArrayBuffer>;
  readonly lengths: Uint32Array<ArrayBuffer>;
  counted: Promise<Counted> | undefined;
}

/** A job under way. */
interface Task extends Job {
  readonly pixels: Float32Array<ArrayBuffer>;
  readonly counts: Uint32Array<ArrayBuffer>;
  /** Samples counted, and samples handed to batches. */
  readonly trials: Uint32Array<ArrayBuffer>;
  readonly drawn: Uint32Array<ArrayBuffer>;
  readonly done: Uint8Array<ArrayBuffer>;
  readonly slotOf: Int32Array<ArrayBuffer>;
  /** β with a slot of which more may be drawn, longest unserved first. */
  queue: number[];
  /** β without a slot yet: all from here on. */
  next: number;
  /** β that are decided. */
  ended: number;
  evaluated: number;
  readonly resolve: (tally: Tally) => void;
  readonly reject: (error: unknown) => void;
}

class Stream {
  readonly #engine: Engine;
  /** Oldest first. */
  #tasks: Task[] = [];
  #working = false;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  add(pixels: Float32Array<ArrayBuffer>, job: Job): Promise<Tally> {
    return new Promise((resolve, reject) => {
      const { betas, cap, look } = job;
      if (!(cap >= 1 && look >= 1))
        throw new TurnproofError('internal', `a cap of ${cap}, looks every ${look}`);
      const task: Task = {
        ...job,
        pixels,
        counts: new Uint32Array(betas.length * this.#engine.classes),
        trials: new Uint32Array(betas.length),
        drawn: new Uint32Array(betas.length),
        done: new Uint8Array(betas.length),
        slotOf: new Int32Array(betas.length).fill(-1),
        queue: [],
        next: 0,
        ended: 0,
        evaluated: 0,
        resolve,
        reject,
      };
      if (betas.length === 0) {
        resolve(tallyOf(task));
        return;
      }
      this.#tasks.push(task);
      if (!this.#working) void this.#work();
    });
  }

  /** Runs until no job is left. Memory is held only meanwhile. */
  async #work(): Promise<void> {
    this.#working = true;
    while (this.#tasks.length > 0) {
      let finished: Task[] = [];
      let failure: { readonly error: unknown } | undefined;
      try {
        const run = this.#engine.begin();
        try {
          finished = await this.#drain(run);
        } finally {
          await run.end();
        }
      } catch (error) {
        failure = { error };
      }
      // Told last: who waits for the last job finds all memory given back.
      for (const task of finished) task.resolve(tallyOf(task));
      if (failure) for (const task of this.#tasks.splice(0)) task.reject(failure.error);
    }
    this.#working = false;
  }

  /** Until no job is open. Returns those that ended last, the others are told at once. */
  async #drain(run: EngineRun): Promise<Task[]> {
    const { lanes, counting, capacity } = this.#engine;
    const free = Array.from({ length: lanes }, (_, number) => newLane(number, capacity));
    /** Batches under way, oldest first. */
    const flying: Lane[] = [];
    for (;;) {
      // The next batch is drawn before the classifier is asked about the oldest one.
      while (free.length > 0) {
        const lane = free[free.length - 1];
        if (!lane || !this.#fill(run, lane)) break;
        free.pop();
        lane.counted = undefined;
        run.draw(lane.number, lane, lane.sigma);
        flying.push(lane);
      }
      for (const lane of flying.slice(0, counting)) lane.counted ??= this.#count(run, lane);
      const oldest = flying.shift();
      if (!oldest?.counted) throw new TurnproofError('internal', 'β are open, but no batch can be drawn');
      const counted = await oldest.counted;
      for (let segment = 0; segment < oldest.segments; segment++) this.#feed(oldest, segment, counted);
      free.push(oldest);
      const finished = this.#sweep();
      if (this.#tasks.length === 0) return finished;
      for (const task of finished) task.resolve(tallyOf(task));
    }
  }

  #count(run: EngineRun, lane: Lane): Promise<Counted> {
    for (let segment = 0; segment < lane.segments; segment++) {
      const task = lane.tasks[segment];
      if (task) task.evaluated += lane.lengths[segment] ?? 0;
    }
    return guarded(run.count(lane.number));
  }

  /** Takes decided β and finished jobs out. */
  #sweep(): Task[] {
    const finished: Task[] = [];
    for (const task of this.#tasks) {
      const before = task.ended;
      task.ended = task.done.reduce((sum, done) => sum + done, 0);
      if (task.ended === before) continue;
      task.queue = task.queue.filter((beta) => task.done[beta] === 0);
      task.onProgress?.(task.ended);
      if (task.ended === task.betas.length) finished.push(task);
    }
    if (finished.length > 0) this.#tasks = this.#tasks.filter((task) => !finished.includes(task));
    return finished;
  }

  /** Gives slots to waiting β when enough are free that the images are worth making again. */
  #place(run: EngineRun): void {
    const { slots } = this.#engine;
    const open = this.#tasks.reduce((sum, { queue }) => sum + queue.length, 0);
    if (this.#tasks.every(({ next, betas }) => next === betas.length)) return;
    if (open > 0 && 2 * open > slots) return;
    const placements: Placement[] = [];
    let room = slots - open;
    for (const task of this.#tasks) {
      const { betas, pixels } = task;
      for (; room > 0 && task.next < betas.length; room--) task.queue.push(task.next++);
      for (const beta of task.queue) {
        task.slotOf[beta] = placements.length;
        placements.push({ pixels, beta: betas[beta] ?? [] });
      }
    }
    run.place(placements);
  }

  /** Fills a batch; false when there is nothing left to draw. */
  #fill(run: EngineRun, lane: Lane): boolean {
    this.#place(run);
    const { capacity, fill } = this.#engine;
    lane.samples = 0;
    lane.segments = 0;
    lane.wanted.length = 0;
    for (const task of this.#tasks) serve(lane, task, capacity, false);
    // Only β with samples under way are left: drawing more of them is a bet that they stay open.
    let more = lane.samples < fill;
    while (more) {
      const before = lane.samples;
      for (const task of this.#tasks) serve(lane, task, fill, true);
      more = lane.samples > before && lane.samples < fill;
    }
    return lane.samples > 0;
  }

  #feed(lane: Lane, segment: number, { counts: counted, returned }: Counted): void {
    const { classes } = this.#engine;
    const task = lane.tasks[segment];
    const beta = lane.betas[segment] ?? 0;
    if (!task || task.done[beta] === 1) return;
    const { counts, trials, cap, look } = task;
    const length = lane.lengths[segment] ?? 0;
    const at = beta * classes;
    let answers = 0;
    for (let c = 0; c < classes; c++) {
      const answered = counted[segment * classes + c] ?? 0;
      answers += answered;
      counts[at + c] = (counts[at + c] ?? 0) + answered;
    }
    if (answers > length) {
      throw new TurnproofError('parity', `${answers} answers were counted of ${length} samples`, {
        fix: 'take another adapter or driver: this one counts wrongly',
      });
    }
    const n = (trials[beta] ?? 0) + length;
    trials[beta] = n;
    for (const { at: place, noisy, answer } of returned) {
      if (lane.rows[place] !== segment) continue;
      task.spotter?.counted({ beta, sample: lane.items[ITEM * place + 3] ?? 0, noisy, answer });
    }
    if (n % look !== 0 && n !== cap) return;
    if (task.decided(beta, n, counts, at) || n === cap) task.done[beta] = 1;
  }
}

function tallyOf({ counts, trials, evaluated }: Task): Tally {
  return { counts, trials, evaluated };
}

/** One turn through a job's queue. */
function serve(lane: Lane, task: Task, room: number, ahead: boolean): void {
  const { cap, drawn, queue } = task;
  // One dispatch has one deviation.
  if (lane.samples > 0 && lane.sigma !== task.sigma) return;
  lane.sigma = task.sigma;
  for (let turns = queue.length; turns > 0 && lane.samples < room; turns--) {
    const beta = queue.shift();
    if (beta === undefined) break;
    if (ahead || !waits(task, beta)) append(lane, task, beta, room);
    // What is drawn to its end needs no slot any more.
    if ((drawn[beta] ?? 0) < cap) queue.push(beta);
  }
}

/** Has the β been drawn up to its next look, with the look still to come? */
function waits({ look, trials, drawn }: Task, beta: number): boolean {
  return (drawn[beta] ?? 0) >= (Math.floor((trials[beta] ?? 0) / look) + 1) * look;
}

/** Draws the β up to its next look, or as far as there is room. */
function append(lane: Lane, task: Task, beta: number, room: number): void {
  const { cap, look, image, wordOf, slotOf, spotter } = task;
  const drawn = task.drawn[beta] ?? 0;
  const length = Math.min(look - (drawn % look), cap - drawn, room - lane.samples);
  const slot = slotOf[beta] ?? 0;
  const word = wordOf(beta);
  for (const sample of spotter?.wanted(beta, drawn, length) ?? []) {
    lane.wanted.push(lane.samples + sample - drawn);
  }
  for (let i = 0; i < length; i++) {
    const at = lane.samples + i;
    lane.rows[at] = lane.segments;
    lane.items[ITEM * at] = slot;
    lane.items[ITEM * at + 1] = image;
    lane.items[ITEM * at + 2] = word;
    lane.items[ITEM * at + 3] = drawn + i;
  }
  lane.tasks[lane.segments] = task;
  lane.betas[lane.segments] = beta;
  lane.lengths[lane.segments] = length;
  lane.segments += 1;
  lane.samples += length;
  task.drawn[beta] = drawn + length;
}

function newLane(number: number, capacity: number): Lane {
  return {
    number,
    samples: 0,
    segments: 0,
    sigma: 0,
    items: new Uint32Array(ITEM * capacity),
    rows: new Uint32Array(capacity),
    wanted: [],
    tasks: [],
    betas: new Uint32Array(capacity),
    lengths: new Uint32Array(capacity),
    counted: undefined,
  };
}

/** A promise that is awaited later, or never when an earlier one fails. */
function guarded<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}
