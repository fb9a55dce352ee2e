/**
 * How far the transforms of a slice of Γ lie from the one at its centre: M >= max over γ in the slice of
 * || pre(T_γ x) - pre(T_center x) ||₂ (design: math, section 10). Many slices of many images at once.
 *
 * Rotation: over a sub-box T_γ x departs from its chord by at most e, pixel by pixel, and the chord's distance from
 * anything that stays is largest at an end, so max <= larger distance at the ends + || pre(e) ||. Sub-boxes are
 * split, all in one wave, until that is near the largest distance found.
 *
 * Translation: T_γ x is affine in each coordinate of γ as long as no pixel changes cell, so the norm is convex in each,
 * and its maximum lies on the finite grid of whole numbers and the slice's own edges: no splitting, no slack.
 */
import { type Gpu, nextUp } from '@turnproof/core';
import { type ImageShape, type Parameter, type ParameterBox, sliceDistanceBudget } from '@turnproof/shaders';
import type { Pipeline } from '../pipeline.ts';
import { cornersOf, splitBox, widestAxis } from './grid.ts';
import { type DistancePoint, type RemainderBox, SliceWave } from './slice-wave.ts';
import type { Spot } from './spot-check.ts';

export interface SliceRequest {
  /** Index among the images handed over with the requests. */
  readonly image: number;
  readonly box: ParameterBox;
  /** Inside the box. */
  readonly center: Parameter;
  /** Given: one of the numbers that this bound comes from is held against float64. */
  readonly spot?: Spot;
}

export interface SliceBound {
  /** M: never below the maximum over the slice, float32 accounted for; the sampler's own error is not in it. */
  readonly bound: number;
  /** The largest distance found, as the GPU gives it (rounded up): M is within the tolerance of it. */
  readonly found: number;
  /** Sub-boxes (translation: grid points). */
  readonly boxes: number;
}

export interface SliceBounder {
  /**
   * @param images - Each [channels, height, width] in [0, 1].
   * @returns a bound for each request, in order
   * @throws TurnproofError `parity` where a spot check fails
   */
  bound(
    images: readonly Float32Array<ArrayBuffer>[],
    requests: readonly SliceRequest[],
  ): Promise<SliceBound[]>;
  /** Upper bounds on || pre(T_γ x) - pre(T_center x) || at single points; to plan with. */
  distances(
    images: readonly Float32Array<ArrayBuffer>[],
    points: readonly DistancePoint[],
  ): Promise<Float64Array>;
  close(): void;
}

/** Refine until M <= (1 + this) · the largest distance found: a smaller one costs boxes, a larger one samples. */
const TOLERANCE = 0.05;
/** Sub-boxes of one slice; beyond it M is sound, but larger than it could be. */
const MAX_BOXES = 1024;
/** Degrees: narrower boxes gain nothing over float32's budget. */
const MIN_WIDTH = 1e-5;
/** Degrees: first sub-boxes are at most this wide, and never above the kernels' limit of 90. */
const FIRST_WIDTH = 2;

interface Job {
  readonly request: SliceRequest;
  open: ParameterBox[];
  readonly known: Map<number, number>;
  found: number;
  settled: number;
  boxes: number;
}

interface Call {
  readonly images: readonly Float32Array<ArrayBuffer>[];
  readonly requests: readonly SliceRequest[];
  readonly resolve: (bounds: SliceBound[]) => void;
  readonly reject: (error: unknown) => void;
}

export class GpuSliceBounder implements SliceBounder {
  readonly #gpu: Gpu;
  readonly #transform: Pipeline['transform'];
  readonly #wave: SliceWave;
  readonly #tolerance: number;
  /** What float32's budget alone makes of a distance of 0. */
  readonly #floor: number;
  /** Waiting for the next wave. */
  readonly #calls: Call[] = [];
  #working = false;

  private constructor(
    gpu: Gpu,
    { transform, pre }: Pipeline,
    shape: ImageShape,
    wave: SliceWave,
    tolerance: number,
  ) {
    this.#gpu = gpu;
    this.#transform = transform;
    this.#wave = wave;
    this.#tolerance = tolerance;
    this.#floor = 4 * sliceDistanceBudget(shape, pre);
  }

  /** @param tolerance - M is refined to within this share of the largest distance found. */
  static async open(
    gpu: Gpu,
    { shape, pipeline, tolerance = TOLERANCE }: { shape: ImageShape; pipeline: Pipeline; tolerance?: number },
  ): Promise<GpuSliceBounder> {
    const { transform, pre } = pipeline;
    const wave = await SliceWave.create(gpu, { transform, shape, pre });
    return new GpuSliceBounder(gpu, pipeline, shape, wave, tolerance);
  }

  close(): void {
    this.#wave.close();
  }

  bound(
    images: readonly Float32Array<ArrayBuffer>[],
    requests: readonly SliceRequest[],
  ): Promise<SliceBound[]> {
    return new Promise((resolve, reject) => {
      this.#calls.push({ images, requests, resolve, reject });
      if (this.#calls.length === 1 && !this.#working) void this.#serve();
    });
  }

  /** What is asked for while a wave is under way goes into the next one together: one dispatch for several images. */
  async #serve(): Promise<void> {
    this.#working = true;
    // Calls of the same turn join in.
    await Promise.resolve();
    while (this.#calls.length > 0) {
      const calls = this.#calls.splice(0);
      try {
        const results = await this.#boundAll(calls);
        let at = 0;
        for (const { requests, resolve } of calls) {
          resolve(results.slice(at, at + requests.length));
          at += requests.length;
        }
      } catch (error) {
        for (const { reject } of calls) reject(error);
      }
    }
    this.#working = false;
  }

  #boundAll(calls: readonly Call[]): Promise<SliceBound[]> {
    const images = calls.flatMap((call) => call.images);
    let first = 0;
    const requests = calls.flatMap((call) => {
      const offset = first;
      first += call.images.length;
      return call.requests.map((request) => ({ ...request, image: request.image + offset }));
    });
    return this.#withStack(images, async (stack) =>
      this.#transform === 'translation'
        ? this.#exact(stack, images, requests)
        : this.#refine(stack, images, requests),
    );
  }

  distances(
    images: readonly Float32Array<ArrayBuffer>[],
    points: readonly DistancePoint[],
  ): Promise<Float64Array> {
    return this.#withStack(images, async (stack) => (await this.#wave.run(stack, points, [])).distances);
  }

  async #withStack<T>(
    images: readonly Float32Array<ArrayBuffer>[],
    work: (stack: Parameters<SliceWave['run']>[0]) => Promise<T>,
  ): Promise<T> {
    const size = images[0]?.length ?? 0;
    const stack = this.#gpu.array('f32', Math.max(1, images.length * size), 'images of slices');
    try {
      images.forEach((image, i) => {
        this.#gpu.write(stack, image, i * size);
      });
      return await work(stack);
    } finally {
      stack.release();
    }
  }

  async #exact(
    stack: Parameters<SliceWave['run']>[0],
    images: readonly Float32Array[],
    requests: readonly SliceRequest[],
  ): Promise<SliceBound[]> {
    const grids = requests.map(({ box }) => wholeGrid(box));
    const points = requests.flatMap(({ image, center }, i) =>
      (grids[i] ?? []).map((gamma) => ({ image, gamma, center })),
    );
    const { distances } = await this.#wave.run(stack, points, []);
    let at = 0;
    return grids.map((grid, i) => {
      const own = distances.subarray(at, at + grid.length);
      at += grid.length;
      const { spot, center, image } = requests[i] ?? {};
      if (spot && center) {
        const chosen = spot.draw(grid.length);
        const point = { gamma: grid[chosen] ?? [], center };
        this.#wave.checkPoint(imageAt(images, image), point, own[chosen] ?? Number.NaN);
      }
      const largest = own.reduce((a, b) => Math.max(a, b), 0);
      return { bound: largest, found: largest, boxes: grid.length };
    });
  }

  async #refine(
    stack: Parameters<SliceWave['run']>[0],
    images: readonly Float32Array[],
    requests: readonly SliceRequest[],
  ): Promise<SliceBound[]> {
    const jobs = requests.map(
      (request): Job => ({
        request,
        open: firstSubBoxes(request),
        known: new Map([[request.center[0] ?? Number.NaN, 0]]),
        found: 0,
        settled: 0,
        boxes: 0,
      }),
    );
    for (let working = jobs; working.length > 0; working = working.filter(({ open }) => open.length > 0)) {
      const points: DistancePoint[] = [];
      const owners: Job[] = [];
      const boxes: RemainderBox[] = [];
      for (const job of working) {
        const { image, center } = job.request;
        for (const box of job.open) {
          boxes.push({ image, box });
          for (const gamma of cornersOf(box)) {
            const key = gamma[0] ?? Number.NaN;
            if (job.known.has(key)) continue;
            job.known.set(key, Number.POSITIVE_INFINITY);
            points.push({ image, gamma, center });
            owners.push(job);
          }
        }
      }
      const { distances, remainders } = await this.#wave.run(stack, points, boxes);
      points.forEach(({ gamma }, i) => {
        const job = owners[i];
        const distance = distances[i] ?? Number.POSITIVE_INFINITY;
        job?.known.set(gamma[0] ?? Number.NaN, distance);
        if (job && distance > job.found) job.found = distance;
      });
      let at = 0;
      for (const job of working) {
        if (job.boxes === 0) this.#spotCheck(job, images, remainders.subarray(at));
        at = this.#settle(job, remainders, at);
      }
    }
    return jobs.map(({ settled, found, boxes }) => ({ bound: settled, found, boxes }));
  }

  /** One sub-box of the first wave, and one of its ends. */
  #spotCheck(job: Job, images: readonly Float32Array[], remainders: Float64Array): void {
    const { spot, center, image } = job.request;
    if (!spot) return;
    const chosen = spot.draw(job.open.length);
    const box = job.open[chosen];
    if (!box) return;
    const pixels = imageAt(images, image);
    // The centre itself was never asked about.
    const ends = cornersOf(box).filter(([end]) => end !== center[0]);
    const gamma = ends[spot.draw(ends.length)] ?? [];
    this.#wave.checkPoint(pixels, { gamma, center }, job.known.get(gamma[0] ?? Number.NaN) ?? Number.NaN);
    if (spot.boxes) this.#wave.checkBox(pixels, box, remainders[chosen] ?? Number.NaN);
  }

  /** Settles the boxes that are near enough, splits the others; returns where the next job's remainders start. */
  #settle(job: Job, remainders: Float64Array, start: number): number {
    const limit = Math.max((1 + this.#tolerance) * job.found, this.#floor);
    const next: ParameterBox[] = [];
    job.boxes += job.open.length;
    job.open.forEach((box, i) => {
      const ends = Math.max(
        ...cornersOf(box).map((gamma) => job.known.get(gamma[0] ?? Number.NaN) ?? Number.POSITIVE_INFINITY),
      );
      const bound = nextUp(ends + (remainders[start + i] ?? Number.POSITIVE_INFINITY));
      if (bound <= limit || widestAxis(box) < MIN_WIDTH || job.boxes + next.length >= MAX_BOXES) {
        job.settled = Math.max(job.settled, bound);
      } else {
        next.push(...splitBox(box, bound > ends + 2 * (limit - ends) ? 4 : 2));
      }
    });
    const used = job.open.length;
    job.open = next;
    return start + used;
  }
}

function imageAt(images: readonly Float32Array[], index: number | undefined): Float32Array {
  return images[index ?? -1] ?? new Float32Array(0);
}

/** A rotation slice cut at its centre, at 0 (where all pixels cross cell lines at once), and evenly between. */
function firstSubBoxes({ box, center }: SliceRequest): ParameterBox[] {
  const [a = Number.NaN, b = Number.NaN, c = Number.NaN] = [box.lower[0], box.upper[0], center[0]];
  const cuts = [a, ...[c, 0].filter((cut) => cut > a && cut < b).sort((p, q) => p - q), b];
  return [...new Set(cuts)].slice(1).flatMap((end, i, ends) => {
    const start = i === 0 ? a : (ends[i - 1] ?? a);
    const parts = Math.max(2, Math.ceil((end - start) / FIRST_WIDTH));
    return splitBox({ lower: [start], upper: [end] }, parts);
  });
}

/** The points of a translation slice at which the distance can be largest: its edges and the whole numbers within. */
export function wholeGrid({ lower, upper }: ParameterBox): Parameter[] {
  const axes = lower.map((a, axis) => {
    const b = upper[axis] ?? a;
    const lines = [a, b];
    for (let k = Math.floor(a) + 1; k < b; k++) lines.push(k);
    return lines;
  });
  return axes.reduce<number[][]>(
    (points, lines) => points.flatMap((point) => lines.map((line) => [...point, line])),
    [[]],
  );
}
