/**
 * The exact maximum of the interpolation error for translation: no splitting, no slack (design: math, section 4).
 *
 * For fixed β, T_β T_γ x - T_(β+γ) x is affine in each coordinate of γ as long as no pixel changes cell, so the
 * largest norm is at a corner of a finite grid. The GPU finds the candidates; those within its error budget of the
 * largest are evaluated again in float64, which gives the answer.
 */
import { type Gpu, type GpuArray, nextUp } from '@turnproof/core';
import type { ImageShape, Parameter } from '@turnproof/shaders';
import type { Pipeline } from '../pipeline.ts';
import { exactGrid } from './grid.ts';
import { inHalves } from './halves.ts';
import type { BetaBound, Bounder, BoundGoal, BoundRequest } from './types.ts';
import { type WavePoint, WaveRunner } from './wave.ts';

/** Float64's own error in one evaluation, and in where a grid line lies: far below this. */
const SLACK = 1e-11;
const WAVE_SIZE = 20_000;

export class ExactBounder implements Bounder {
  readonly method = 'exact';
  readonly #gpu: Gpu;
  readonly #pipeline: Pipeline;
  readonly #wave: WaveRunner;

  private constructor(gpu: Gpu, pipeline: Pipeline, wave: WaveRunner) {
    this.#gpu = gpu;
    this.#pipeline = pipeline;
    this.#wave = wave;
  }

  static async create(gpu: Gpu, shape: ImageShape, pipeline: Pipeline): Promise<ExactBounder> {
    const { transform, pre } = pipeline;
    return new ExactBounder(gpu, pipeline, await WaveRunner.create(gpu, { transform, shape, pre }, 'chord'));
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
    const size = images[0]?.length ?? 0;
    const stack = this.#gpu.array('f32', Math.max(1, images.length * size), 'images to bound');
    try {
      images.forEach((image, i) => {
        this.#gpu.write(stack, image, i * size);
      });
      const answers = await inHalves(requests, (half) => this.#run(stack, images, half, goal));
      const ms = (performance.now() - started) / Math.max(1, requests.length);
      return answers.map((answer) => ({ ...answer, ms }));
    } finally {
      stack.release();
    }
  }

  /** As few waves as hold the requests' grids. */
  async #run(
    stack: GpuArray<'f32'>,
    images: readonly Float32Array<ArrayBuffer>[],
    requests: readonly BoundRequest[],
    goal: BoundGoal,
  ): Promise<BetaBound[]> {
    const grids = requests.map(({ beta }) => exactGrid(this.#pipeline.range, beta));
    const answers: BetaBound[] = [];
    while (answers.length < requests.length) {
      const from = answers.length;
      const points: WavePoint[] = [];
      let to = from;
      while (to < requests.length && (to === from || points.length + (grids[to]?.length ?? 0) <= WAVE_SIZE)) {
        const request = requests[to];
        if (request) for (const gamma of grids[to] ?? []) points.push({ ...request, gamma });
        to += 1;
      }
      const result = await this.#wave.run(stack, points, []);
      let at = 0;
      for (const [k, request] of requests.slice(from, to).entries()) {
        const grid = grids[from + k] ?? [];
        const errors = result.points.subarray(at, at + grid.length);
        at += grid.length;
        answers.push(this.#answer(images[request.image] ?? new Float32Array(), request, grid, errors, goal));
      }
    }
    return answers;
  }

  #answer(
    image: Float32Array,
    { beta, spot }: BoundRequest,
    grid: readonly Parameter[],
    errors: Float64Array,
    goal: BoundGoal,
  ): BetaBound {
    const evaluate = (i: number) =>
      this.#wave.checkPoint(image, { beta, gamma: grid[i] ?? [] }, errors[i] ?? Number.NaN);
    if (spot) evaluate(spot.draw(grid.length));
    // Each GPU number lies above its truth, and the largest one's truth is at least this.
    const largest = errors.reduce((a, b) => Math.max(a, b), 0);
    if (!Number.isFinite(largest)) return unknownBound(beta, grid.length);
    const threshold = this.#wave.pointAtLeast(largest);
    let witness: BetaBound['witness'] = { gamma: beta.map(() => 0), error: 0 };
    grid.forEach((gamma, i) => {
      if (!((errors[i] ?? Number.POSITIVE_INFINITY) >= threshold)) return;
      const error = evaluate(i);
      if (error >= witness.error) witness = { gamma, error };
    });
    const bound = nextUp(witness.error * (1 + SLACK) + SLACK);
    return {
      beta,
      bound,
      witness,
      boxes: grid.length,
      method: 'exact',
      exceeds: 'target' in goal ? bound > goal.target : null,
      complete: true,
      ms: 0,
    };
  }
}

/** Where one number of the GPU is none, the largest may be behind it. */
function unknownBound(beta: Parameter, points: number): BetaBound {
  const witness = { gamma: beta.map(() => 0), error: 0 };
  const bound = Number.POSITIVE_INFINITY;
  return { beta, bound, witness, boxes: points, method: 'exact', exceeds: null, complete: false, ms: 0 };
}
