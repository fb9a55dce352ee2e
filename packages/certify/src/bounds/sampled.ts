/**
 * Interpolation errors at given γ, in place of a bound of their maximum over Γ: what is found is a lower bound of the
 * maximum, so **nothing follows for the γ between**. For the paper's sampled variant and for observed maxima, never for
 * a guarantee; that is why this is no `Bounder`.
 */
import type { Gpu } from '@turnproof/core';
import type { ImageShape, Parameter } from '@turnproof/shaders';
import type { Pipeline } from '../pipeline.ts';
import type { Spot } from './spot-check.ts';
import { type WavePoint, WaveRunner } from './wave.ts';

/** Points of one submission. */
const WAVE_SIZE = 20_000;

export class SampledErrors {
  readonly #gpu: Gpu;
  readonly #wave: WaveRunner;

  private constructor(gpu: Gpu, wave: WaveRunner) {
    this.#gpu = gpu;
    this.#wave = wave;
  }

  static async open(
    gpu: Gpu,
    { shape, pipeline: { transform, pre } }: { readonly shape: ImageShape; readonly pipeline: Pipeline },
  ): Promise<SampledErrors> {
    return new SampledErrors(gpu, await WaveRunner.create(gpu, { transform, shape, pre }, 'chord'));
  }

  /**
   * The largest epsilon(β, γ, x) over the γ of each β, float32's budget added.
   *
   * @param image - [channels, height, width] in [0, 1].
   * @throws TurnproofError `parity` where a spot check fails
   */
  async largest(
    image: Float32Array<ArrayBuffer>,
    requests: readonly {
      readonly beta: Parameter;
      readonly gammas: readonly Parameter[];
      /** Given: one of these errors is held against float64. */
      readonly spot?: Spot;
    }[],
  ): Promise<number[]> {
    const stack = this.#gpu.upload('f32', image, 'image with sampled errors');
    try {
      const largest = requests.map(() => 0);
      let points: WavePoint[] = [];
      let owners: number[] = [];
      let spots: number[] = [];
      const flush = async () => {
        const result = await this.#wave.run(stack, points, []);
        for (const i of spots) {
          const point = points[i];
          if (point) this.#wave.checkPoint(image, point, result.points[i] ?? Number.NaN);
        }
        for (const [i, owner] of owners.entries()) {
          largest[owner] = Math.max(largest[owner] ?? 0, result.points[i] ?? Number.POSITIVE_INFINITY);
        }
        points = [];
        owners = [];
        spots = [];
      };
      for (const [owner, { beta, gammas, spot }] of requests.entries()) {
        if (spot) spots.push(points.length + spot.draw(gammas.length));
        for (const gamma of gammas) {
          points.push({ image: 0, beta, gamma });
          owners.push(owner);
        }
        if (points.length >= WAVE_SIZE) await flush();
      }
      if (points.length > 0) await flush();
      return largest;
    } finally {
      stack.release();
    }
  }

  close(): void {
    this.#wave.close();
  }
}
