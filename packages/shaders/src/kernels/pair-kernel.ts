/**
 * The three kernels that give one squared norm for each item share bindings, tiles and dispatch; only their items
 * differ. Not for kernels that write images: see pixel-kernel.ts.
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
import { imageParams, imageParamValues, type Tiling, tilingFor, workgroupSide } from '../layout.ts';
import { blurTaps, type Preprocess } from '../preprocess.ts';

const bindings = {
  params: imageParams,
  images: storage('f32', 'read'),
  warped: storage('f32', 'read'),
  items: storage('i32', 'read'),
  taps: storage('f32', 'read'),
  output: storage('f32', 'read_write'),
} as const;

export const TILE_OVERRIDES = ['TILE_WIDTH', 'TILE_HEIGHT', 'REGION_SIZE', 'ROWS_SIZE', 'SIDE'] as const;

export type PairKernel = ReturnType<typeof definePairKernel>;

export function definePairKernel(name: string, source: string, overrides: readonly string[] = []) {
  return defineKernel({ name, source, bindings, overrides: [...TILE_OVERRIDES, ...overrides] });
}

/** A pair kernel made ready for one shape and preprocessing. Close it to give its weights back. */
export class PairRunner {
  readonly tiling: Tiling;
  /** Partial sums of one item. */
  readonly partials: number;
  readonly #compiled: CompiledKernel<typeof bindings>;
  readonly #params: ReturnType<typeof imageParamValues>;
  readonly #taps: GpuArray<'f32'>;

  private constructor(
    compiled: CompiledKernel<typeof bindings>,
    tiling: Tiling,
    shape: ImageShape,
    params: ReturnType<typeof imageParamValues>,
    taps: GpuArray<'f32'>,
  ) {
    this.#compiled = compiled;
    this.tiling = tiling;
    this.partials = shape.channels * tiling.tiles;
    this.#params = params;
    this.#taps = taps;
  }

  static async create(
    gpu: Gpu,
    kernel: PairKernel,
    shape: ImageShape,
    pre: Preprocess,
    options: {
      readonly fieldBytes?: 4 | 8;
      readonly constants?: Readonly<Record<string, number>>;
      readonly tiling?: Tiling;
    } = {},
  ): Promise<PairRunner> {
    const memory = gpu.device.limits.maxComputeWorkgroupStorageSize;
    const side = workgroupSide(gpu);
    const tiling = options.tiling ?? tilingFor(shape, pre, options.fieldBytes ?? 4, memory, side);
    const compiled = await gpu.compile(kernel, { ...tiling.overrides, ...options.constants });
    const taps = gpu.upload('f32', Float32Array.from(blurTaps(pre.blur)), 'blur weights');
    return new PairRunner(compiled, tiling, shape, imageParamValues(shape, pre, tiling.tilesX), taps);
  }

  /** Notes the dispatch of `count` items (at most 65,535); output gets `count * partials` sums. */
  dispatch(
    batch: Batch,
    arrays: {
      readonly images: GpuArray<'f32'>;
      readonly warped: GpuArray<'f32'>;
      readonly items: GpuArray<'i32'>;
      readonly output: GpuArray<'f32'>;
    },
    count: number,
  ): void {
    batch.dispatch(this.#compiled, { ...arrays, params: this.#params, taps: this.#taps }, [
      count,
      this.partials,
    ]);
  }

  close(): void {
    this.#taps.release();
  }
}
