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
  return defineKernel({ name, source, bindings, overrides: ['ROWS', ...overrides] });
}

/** How the rows of all channels are shared out: workgroups, and rows of threads in each. */
interface RowSharing {
  readonly rows: number;
  readonly groups: number;
}

/**
 * A GPU wants a thread for each pixel. A software adapter runs the threads one after the other: there each reads its
 * item once and makes many pixels of it.
 */
export function sharingFor({ adapter }: Gpu, { channels, height }: ImageShape): RowSharing {
  if (adapter.kind === 'software') return { rows: 1, groups: 1 };
  return { rows: 16, groups: Math.ceil((channels * height) / 16) };
}

/** A pixel kernel made ready for one shape. */
export class PixelRunner {
  readonly #compiled: CompiledKernel<typeof bindings>;
  readonly #shape: ImageShape;
  readonly #rowGroups: number;

  private constructor(compiled: CompiledKernel<typeof bindings>, shape: ImageShape, rowGroups: number) {
    this.#compiled = compiled;
    this.#shape = shape;
    this.#rowGroups = rowGroups;
  }

  /** @param sharing - Default: what suits the adapter. Any serves; with fewer threads than rows each makes several. */
  static async create(
    gpu: Gpu,
    kernel: PixelKernel,
    shape: ImageShape,
    constants: Readonly<Record<string, number>> = {},
    sharing: RowSharing = sharingFor(gpu, shape),
  ): Promise<PixelRunner> {
    const compiled = await gpu.compile(kernel, { ...constants, ROWS: sharing.rows });
    return new PixelRunner(compiled, shape, sharing.groups);
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
    const { width } = this.#shape;
    batch.dispatch(this.#compiled, { ...arrays, params: imageParamValues(this.#shape) }, [
      Math.ceil(width / 16),
      this.#rowGroups,
      count,
    ]);
  }
}
