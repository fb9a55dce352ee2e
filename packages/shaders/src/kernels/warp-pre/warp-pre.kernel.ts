import {
  type Batch,
  type CompiledKernel,
  defineKernel,
  type Gpu,
  type GpuArray,
  storage,
} from '@turnproof/core';
import { wgsl } from '../../generated/wgsl.ts';
import type { ImageShape } from '../../geometry.ts';
import { imageParams, imageParamValues, type Tiling, tilingFor, workgroupSide } from '../../layout.ts';
import { blurTaps, type Preprocess } from '../../preprocess.ts';
import { TILE_OVERRIDES } from '../pair-kernel.ts';

const bindings = {
  params: imageParams,
  images: storage('f32', 'read'),
  items: storage('i32', 'read'),
  taps: storage('f32', 'read'),
  output: storage('f32', 'read_write'),
} as const;

/** pre(T x) for many (image, map) items (made by `mapItems`); output [item, channels, height, width]. */
export const warpPreKernel = defineKernel({
  name: 'warp_pre',
  source: wgsl.warp_pre,
  bindings,
  overrides: TILE_OVERRIDES,
});

/** `warp_pre` made ready for one shape and preprocessing. Close it to give its weights back. */
export class WarpPreRunner {
  readonly #compiled: CompiledKernel<typeof bindings>;
  readonly #params: ReturnType<typeof imageParamValues>;
  readonly #taps: GpuArray<'f32'>;
  readonly #groups: number;

  private constructor(
    compiled: CompiledKernel<typeof bindings>,
    params: ReturnType<typeof imageParamValues>,
    taps: GpuArray<'f32'>,
    groups: number,
  ) {
    this.#compiled = compiled;
    this.#params = params;
    this.#taps = taps;
    this.#groups = groups;
  }

  static async create(
    gpu: Gpu,
    shape: ImageShape,
    pre: Preprocess,
    options: { readonly kernel?: typeof warpPreKernel; readonly tiling?: Tiling } = {},
  ): Promise<WarpPreRunner> {
    const memory = gpu.device.limits.maxComputeWorkgroupStorageSize;
    const tiling = options.tiling ?? tilingFor(shape, pre, 4, memory, workgroupSide(gpu));
    const compiled = await gpu.compile(options.kernel ?? warpPreKernel, tiling.overrides);
    const taps = gpu.upload('f32', Float32Array.from(blurTaps(pre.blur)), 'blur weights');
    const params = imageParamValues(shape, pre, tiling.tilesX);
    return new WarpPreRunner(compiled, params, taps, shape.channels * tiling.tiles);
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
    batch.dispatch(this.#compiled, { ...arrays, params: this.#params, taps: this.#taps }, [
      count,
      this.#groups,
    ]);
  }

  close(): void {
    this.#taps.release();
  }
}
