/**
 * Bounds max over gamma in Γ of epsilon(beta, gamma, x) by splitting Γ, worst boxes first, in waves that take all
 * requests together (design: math, section 3). Sound whenever it stops: the answer is the largest bound over boxes
 * that cover Γ.
 */
import { type Gpu, type GpuArray, nextUp } from '@turnproof/core';
import { type ImageShape, type Parameter, type ParameterBox, pointBudget } from '@turnproof/shaders';
import type { Pipeline } from '../pipeline.ts';
import { cornersOf, firstBoxes, splitBox, widestAxis } from './grid.ts';
import { inHalves } from './halves.ts';
import type { BetaBound, Bounder, BoundGoal, BoundRequest } from './types.ts';
import { type WaveBox, type WavePoint, WaveRunner } from './wave.ts';

export interface RefineLimits {
  /** Boxes for one β; beyond it the answer is sound but larger than asked. */
  readonly maxBoxes: number;
  /** Wall time of one call. */
  readonly timeLimitMs: number;
  /** After each wave: sub-boxes bounded so far in the call. */
  readonly onBoxes?: ((boxes: number) => void) | undefined;
}

/** Degrees or pixels: narrower boxes gain nothing over float32's budget. */
const MIN_WIDTH = 1e-5;
/** Points and boxes of one submission: enough to fill a GPU, few enough for a software adapter's patience. */
const WAVE_SIZE = 20_000;

/** One β at work. */
interface Job {
  readonly request: BoundRequest;
  /** Upper bounds on epsilon by the parameter's words. */
  readonly known: Map<string, number>;
  /** Boxes to be bounded in the next wave. */
  open: ParameterBox[];
  /** Largest bound among boxes that will not be split any more. */
  settled: number;
  witness: { gamma: Parameter; error: number };
  boxes: number;
  exceeds: boolean | null;
  complete: boolean;
  done: boolean;
}

interface BoundedBox {
  readonly box: ParameterBox;
  /** As the wave gave it: of the box's remainder (chord) or of its error (interval). */
  readonly norm: number;
  readonly bound: number;
  /** The largest error at its corners. */
  readonly ends: number;
}

const keyOf = (gamma: Parameter): string => gamma.join();

export class RefiningBounder implements Bounder {
  readonly method: 'chord' | 'interval';
  readonly #gpu: Gpu;
  readonly #pipeline: Pipeline;
  readonly #wave: WaveRunner;
  readonly #limits: RefineLimits;
  /** What float32's budgets alone make of an error of 0. */
  readonly #floor: number;

  private constructor(
    gpu: Gpu,
    shape: ImageShape,
    pipeline: Pipeline,
    wave: WaveRunner,
    method: 'chord' | 'interval',
    limits: RefineLimits,
  ) {
    this.#gpu = gpu;
    this.#pipeline = pipeline;
    this.#wave = wave;
    this.method = method;
    this.#limits = limits;
    this.#floor = 4 * pointBudget(shape, pipeline.pre);
  }

  static async create(
    gpu: Gpu,
    shape: ImageShape,
    pipeline: Pipeline,
    method: 'chord' | 'interval',
    limits: RefineLimits,
  ): Promise<RefiningBounder> {
    const { transform, pre } = pipeline;
    const wave = await WaveRunner.create(gpu, { transform, shape, pre }, method);
    return new RefiningBounder(gpu, shape, pipeline, wave, method, limits);
  }

  close(): void {
    this.#wave.close();
  }

  async bound(
    images: readonly Float32Array<ArrayBuffer>[],
    requests: readonly BoundRequest[],
    goal: BoundGoal,
  ): Promise<BetaBound[]> {
    const started = performance.now();
    const { transform, range } = this.#pipeline;
    const jobs = requests.map(
      (request): Job => ({
        request,
        known: new Map(),
        open: firstBoxes(transform, range, request.beta),
        settled: 0,
        witness: { gamma: request.beta.map(() => 0), error: 0 },
        boxes: 0,
        exceeds: null,
        complete: true,
        done: false,
      }),
    );
    const size = images[0]?.length ?? 0;
    const stack = this.#gpu.array('f32', Math.max(1, images.length * size), 'images to bound');
    try {
      images.forEach((image, i) => {
        this.#gpu.write(stack, image, i * size);
      });
      const tell = () => this.#limits.onBoxes?.(jobs.reduce((sum, { boxes }) => sum + boxes, 0));
      await inHalves(jobs, (half) => this.#run(stack, images, half, goal, started, tell));
      const ms = (performance.now() - started) / Math.max(1, requests.length);
      return jobs.map((job) => this.#answer(job, images, goal, ms));
    } finally {
      stack.release();
    }
  }

  /** Waves over some jobs until all are done; `started`: of the whole call. */
  async #run(
    stack: GpuArray<'f32'>,
    images: readonly Float32Array[],
    jobs: readonly Job[],
    goal: BoundGoal,
    started: number,
    tell: () => void,
  ): Promise<readonly Job[]> {
    // Jobs at work at once are limited by the wave's size; the others wait their turn.
    let waiting = jobs;
    while (waiting.length > 0) {
      const now: Job[] = [];
      let load = 0;
      for (const job of waiting) {
        if (now.length > 0 && load + job.open.length > WAVE_SIZE) break;
        now.push(job);
        load += job.open.length;
      }
      const late = performance.now() - started > this.#limits.timeLimitMs;
      await this.#step(stack, images, now, goal, late);
      tell();
      waiting = waiting.filter((job) => !job.done);
    }
    return jobs;
  }

  /** One wave over some jobs: bounds their open boxes, settles what is decided, splits the rest. */
  async #step(
    stack: GpuArray<'f32'>,
    images: readonly Float32Array[],
    jobs: readonly Job[],
    goal: BoundGoal,
    late: boolean,
  ): Promise<void> {
    const points: WavePoint[] = [];
    const owners: Job[] = [];
    const boxes: WaveBox[] = [];
    for (const job of jobs) {
      const { image, beta } = job.request;
      for (const box of job.open) {
        boxes.push({ image, beta, box });
        for (const gamma of cornersOf(box)) {
          if (job.known.has(keyOf(gamma))) continue;
          job.known.set(keyOf(gamma), Number.POSITIVE_INFINITY);
          points.push({ image, beta, gamma });
          owners.push(job);
        }
      }
    }
    const result = await this.#wave.run(stack, points, boxes);
    points.forEach(({ gamma }, i) => {
      const job = owners[i];
      const error = result.points[i] ?? Number.POSITIVE_INFINITY;
      job?.known.set(keyOf(gamma), error);
      if (job && error > job.witness.error) job.witness = { gamma, error };
    });
    let at = 0;
    for (const job of jobs) {
      const bounds = job.open.map((box, k): BoundedBox => {
        const norm = result.boxes[at + k] ?? Number.POSITIVE_INFINITY;
        const ends = Math.max(
          ...cornersOf(box).map((gamma) => job.known.get(keyOf(gamma)) ?? Number.POSITIVE_INFINITY),
        );
        return { box, norm, bound: this.method === 'interval' ? norm : nextUp(ends + norm), ends };
      });
      const image = images[job.request.image] ?? new Float32Array();
      // Of the first wave, which has every part of Γ.
      if (job.boxes === 0) this.#spotCheck(job, bounds, image);
      at += job.open.length;
      job.boxes += job.open.length;
      this.#settle(job, bounds, image, goal, late);
    }
  }

  #spotCheck({ request, known }: Job, bounds: readonly BoundedBox[], image: Float32Array): void {
    const { beta, spot } = request;
    const chosen = bounds[spot?.draw(bounds.length) ?? -1];
    if (!spot || !chosen) return;
    const corners = cornersOf(chosen.box);
    const gamma = corners[spot.draw(corners.length)] ?? [];
    this.#wave.checkPoint(image, { beta, gamma }, known.get(keyOf(gamma)) ?? Number.NaN);
    if (spot.boxes) this.#wave.checkBox(image, { beta, box: chosen.box }, chosen.norm);
  }

  #settle(
    job: Job,
    bounds: readonly BoundedBox[],
    image: Float32Array,
    goal: BoundGoal,
    late: boolean,
  ): void {
    if ('target' in goal && job.witness.error > goal.target) {
      // Only a float64 evaluation may say that the target is exceeded: the GPU's numbers are upper bounds.
      const error = this.#exactWitness(job, image);
      if (error > goal.target) {
        job.witness = { gamma: job.witness.gamma, error };
        job.exceeds = true;
        job.done = true;
        job.settled = Math.max(job.settled, ...bounds.map(({ bound }) => bound));
        job.open = [];
        return;
      }
    }
    if (!bounds.every(({ bound }) => Number.isFinite(bound))) {
      // No part of Γ may go unbounded, and no refinement mends a number that is none.
      job.settled = Number.POSITIVE_INFINITY;
      job.complete = false;
      job.done = true;
      job.open = [];
      return;
    }
    // An error near 0 (a blank image) is bounded to within float32's budget, not to within a share of itself.
    const near = Math.max(
      (1 + ('tolerance' in goal ? goal.tolerance : 0)) * this.#wave.pointAtLeast(job.witness.error),
      this.#floor,
    );
    const limit = 'target' in goal ? goal.target : near;
    const next: ParameterBox[] = [];
    for (const { box, bound, ends } of bounds) {
      if (bound <= limit) {
        job.settled = Math.max(job.settled, bound);
        continue;
      }
      const stuck = late || widestAxis(box) < MIN_WIDTH || job.boxes + next.length >= this.#limits.maxBoxes;
      if (stuck) {
        job.settled = Math.max(job.settled, bound);
        job.complete = false;
        continue;
      }
      next.push(...splitBox(box, this.#parts(bound, ends, limit)));
    }
    job.open = next;
    job.done = next.length === 0;
    if (job.done && 'target' in goal && job.settled <= goal.target) job.exceeds = false;
  }

  /**
   * How many parts a box needs: its remainder falls with its width, quadratically where the image is smooth,
   * linearly where cell lines are crossed. Powers of two, so that boxes of different β coincide.
   */
  #parts(bound: number, ends: number, limit: number): number {
    if (this.method === 'interval') return bound > 2 * limit ? 4 : 2;
    const room = limit - ends;
    if (room <= 0) return 2;
    const ratio = (bound - ends) / room;
    return ratio > 8 ? 8 : ratio > 3 ? 4 : 2;
  }

  /** The error at the witness as float64 sees it: never above the truth. */
  #exactWitness({ request, witness }: Job, image: Float32Array): number {
    return this.#wave.checkPoint(image, { beta: request.beta, gamma: witness.gamma }, witness.error);
  }

  #answer(job: Job, images: readonly Float32Array[], goal: BoundGoal, ms: number): BetaBound {
    const image = images[job.request.image] ?? new Float32Array();
    const exact = job.exceeds === true ? job.witness.error : this.#exactWitness(job, image);
    const witness = { gamma: job.witness.gamma, error: exact };
    return {
      beta: job.request.beta,
      bound: job.settled,
      witness,
      boxes: job.boxes,
      method: this.method,
      exceeds: 'target' in goal ? job.exceeds : null,
      complete: job.complete,
      ms,
    };
  }
}
