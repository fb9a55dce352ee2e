/**
 * The kernels that write images, one thread a pixel, share bindings and dispatch; only their items differ.
 */
import {
  type Batch,
  type CompiledKernel,
  defineKernel,
  type Gpu,
  type GpuArray,
  storage,
} from '@turnproof/core';
import type { ImageShape } from '../geometry.ts';
import { imageParams, imageParamValues } from '../layout.ts';

const bindings = {
  params: imageParams,
  images: storage('f32', 'read'),
  items: storage('i32', 'read'),
  output: storage('f32', 'read_write'),
} as const;

export type PixelKernel = ReturnType<typeof definePixelKernel>;

export function definePixelKernel(name: string, source: string, overrides: readonly string[] = []) {
  return defineKernel({ name, source, bindings, overrides });
}

/** A pixel kernel made ready for one shape. */
export class PixelRunner {
  readonly #compiled: CompiledKernel<typeof bindings>;
  readonly #shape: ImageShape;

  private constructor(compiled: CompiledKernel<typeof bindings>, shape: ImageShape) {
    this.#compiled = compiled;
    this.#shape = shape;
  }

  static async create(
    gpu: Gpu,
    kernel: PixelKernel,
    shape: ImageShape,
    constants: Readonly<Record<string, number>> = {},
  ): Promise<PixelRunner> {
    return new PixelRunner(await gpu.compile(kernel, constants), shape);
  }

  /** Notes the dispatch of `count` items (at most 65,535). */
  dispatch(
    batch: Batch,
    arrays: {
      readonly images: GpuArray<'f32'>;
      readonly items: GpuArray<'i32'>;
      readonly output: GpuArray<'f32'>;
    },
    count: number,
  ): void {
    const { channels, height, width } = this.#shape;
    batch.dispatch(this.#compiled, { ...arrays, params: imageParamValues(this.#shape) }, [
      Math.ceil(width / 16),
      Math.ceil((height * channels) / 16),
      count,
    ]);
  }
}
