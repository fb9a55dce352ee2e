/**
 * One wave of slice bounds on the GPU: distances from slices' centres and norms of boxes' remainders, for many slices
 * of many images, in one submission with one small readback. What is asked for and why: slices.ts.
 */
import type { Gpu, GpuArray } from '@turnproof/core';
import {
  boxItems,
  boxWidths,
  distanceItems,
  type ImageShape,
  normAtLeast,
  normUp,
  PairRunner,
  type Parameter,
  type ParameterBox,
  type Preprocess,
  sliceDistanceBudget,
  sliceDistanceKernel,
  sliceRemainderBudget,
  sliceRemainderKernel,
  type Transform,
} from '@turnproof/shaders';
import { sliceDistance, sliceRemainderOracle } from '@turnproof/shaders/oracle';
import { holdAgainstFloat64 } from './spot-check.ts';

export interface DistancePoint {
  readonly image: number;
  readonly gamma: Parameter;
  readonly center: Parameter;
}

export interface RemainderBox {
  readonly image: number;
  readonly box: ParameterBox;
}

/** Items of one dispatch. */
const MAX_ITEMS = 32_768;

export class SliceWave {
  readonly #gpu: Gpu;
  readonly #problem: SliceProblem;
  readonly #distances: PairRunner;
  readonly #remainders: PairRunner;

  private constructor(gpu: Gpu, problem: SliceProblem, distances: PairRunner, remainders: PairRunner) {
    this.#gpu = gpu;
    this.#problem = problem;
    this.#distances = distances;
    this.#remainders = remainders;
  }

  static async create(gpu: Gpu, problem: SliceProblem): Promise<SliceWave> {
    const { transform, shape, pre } = problem;
    const constants = { TRANSLATION: transform === 'translation' ? 1 : 0 };
    const [distances, remainders] = await Promise.all([
      PairRunner.create(gpu, sliceDistanceKernel, shape, pre),
      PairRunner.create(gpu, sliceRemainderKernel, shape, pre, { constants }),
    ]);
    return new SliceWave(gpu, problem, distances, remainders);
  }

  /**
   * Upper bounds on || pre(T_gamma x) - pre(T_center x) || at the points, and on the norm of each box's remainder.
   *
   * @param images - The stack [image, channels, height, width] on the GPU.
   */
  async run(
    images: GpuArray<'f32'>,
    points: readonly DistancePoint[],
    boxes: readonly RemainderBox[],
  ): Promise<{ distances: Float64Array; remainders: Float64Array }> {
    const { transform, shape, pre } = this.#problem;
    const held: GpuArray[] = [];
    try {
      const batch = this.#gpu.batch(`${points.length} distances and ${boxes.length} remainders`);
      const dispatch = (runner: PairRunner, data: Int32Array<ArrayBuffer>, count: number) => {
        const items = this.#gpu.upload('i32', data, 'slice items');
        const output = this.#gpu.array('f32', count * runner.partials, 'slice sums');
        held.push(items, output);
        // These kernels read one stack only.
        runner.dispatch(batch, { images, warped: images, items, output }, count);
        return batch.read(output);
      };
      const near = chunked(points).map((chunk) =>
        dispatch(this.#distances, distanceItems(chunk, transform, shape), chunk.length),
      );
      const rest = chunked(boxes).map((chunk) =>
        dispatch(this.#remainders, boxItems(chunk, transform, shape), chunk.length),
      );
      await batch.submit();
      const budget = sliceDistanceBudget(shape, pre);
      const norm = (runner: PairRunner, reads: typeof near, i: number, error: number) => {
        const at = (i % MAX_ITEMS) * runner.partials;
        const data = reads[Math.floor(i / MAX_ITEMS)]?.data ?? new Float32Array(0);
        return normUp(data, at, at + runner.partials, runner.tiling, error);
      };
      return {
        distances: Float64Array.from(points, (_, i) => norm(this.#distances, near, i, budget)),
        remainders: Float64Array.from(boxes, ({ box }, i) => {
          const width = boxWidths(transform, box).reduce((a, b) => a + b, 0);
          return norm(this.#remainders, rest, i, sliceRemainderBudget(shape, pre, transform, width));
        }),
      };
    } finally {
      for (const array of held) array.release();
    }
  }

  /**
   * Holds a run's distance at a point against float64.
   *
   * @throws TurnproofError `parity` where the two contradict each other
   */
  checkPoint(image: Float32Array, { gamma, center }: Omit<DistancePoint, 'image'>, upper: number): void {
    const { transform, shape, pre } = this.#problem;
    const exact = sliceDistance(transform, gamma, center, image, shape, pre);
    const atLeast = normAtLeast(upper, this.#distances.tiling, sliceDistanceBudget(shape, pre));
    holdAgainstFloat64(
      `the distance of γ = ${gamma.join(':')} from ${center.join(':')}`,
      exact,
      upper,
      atLeast,
    );
  }

  /** The same for the norm of a box's remainder, whose reference is far dearer. */
  checkBox(image: Float32Array, box: ParameterBox, upper: number): void {
    const { transform, shape, pre } = this.#problem;
    const exact = sliceRemainderOracle(transform, box, image, shape, pre);
    holdAgainstFloat64(
      `the remainder over γ from ${box.lower.join(':')} to ${box.upper.join(':')}`,
      exact,
      upper,
    );
  }

  close(): void {
    this.#distances.close();
    this.#remainders.close();
  }
}

export interface SliceProblem {
  readonly transform: Transform;
  readonly shape: ImageShape;
  readonly pre: Preprocess;
}

function chunked<T>(list: readonly T[]): T[][] {
  const chunks: T[][] = [];
  for (let at = 0; at < list.length; at += MAX_ITEMS) chunks.push(list.slice(at, at + MAX_ITEMS));
  return chunks;
}
