import {
  type Batch,
  type CompiledKernel,
  defineKernel,
  type Gpu,
  type GpuArray,
  storage,
} from '@turnproof/core';
import { wgsl } from '../../generated/wgsl.ts';
import {
  BOX_LENGTH,
  bitsOfF32,
  type ImageShape,
  type ParameterBox,
  type Transform,
  writeBox,
} from '../../geometry.ts';
import { imageParams, imageParamValues } from '../../layout.ts';
import { sharingFor } from '../pixel-kernel.ts';

const bindings = {
  params: imageParams,
  images: storage('f32', 'read'),
  items: storage('i32', 'read'),
  output: storage('f32', 'read_write'),
  warped: storage('f32', 'read'),
  refuted: storage('u32', 'atomic'),
} as const;

/** One step of the inverse: intervals of x from x' = T x, for many boxes; output [item, 2 (lower, upper), ...shape]. */
export const inverseKernel = defineKernel({
  name: 'inverse',
  source: wgsl.inverse,
  bindings,
  overrides: ['ROWS'],
});

export type InverseKernel = typeof inverseKernel;

export interface InverseItem {
  /** x' in the stack of images. */
  readonly image: number;
  /** Where the intervals known before lie in the second stack; null: [0, 1] everywhere. */
  readonly slot: number | null;
  readonly box: ParameterBox;
}

/** @param halfStep - By how much a pixel of x' may differ from T x: rounded up to a float32. */
export function inverseItems(
  entries: readonly InverseItem[],
  halfStep: number,
  transform: Transform,
  shape: ImageShape,
): Int32Array<ArrayBuffer> {
  const length = 3 + BOX_LENGTH;
  const items = new Int32Array(entries.length * length);
  const bits = bitsOfF32(halfStep * (1 + 2 ** -20));
  entries.forEach(({ image, slot, box }, i) => {
    items.set([image, slot ?? -1, bits], i * length);
    writeBox(items, i * length + 3, transform, box, [], shape);
  });
  return items;
}

/** The kernel made ready for one shape. */
export class InverseRunner {
  readonly #compiled: CompiledKernel<typeof bindings>;
  readonly #shape: ImageShape;
  readonly #rowGroups: number;

  private constructor(compiled: CompiledKernel<typeof bindings>, shape: ImageShape, rowGroups: number) {
    this.#compiled = compiled;
    this.#shape = shape;
    this.#rowGroups = rowGroups;
  }

  static async create(
    gpu: Gpu,
    shape: ImageShape,
    kernel: InverseKernel = inverseKernel,
  ): Promise<InverseRunner> {
    const { rows, groups } = sharingFor(gpu, shape);
    return new InverseRunner(await gpu.compile(kernel, { ROWS: rows }), shape, groups);
  }

  /** Notes one step for `count` items (at most 65,535). `refuted` must be 0 before the first. */
  dispatch(
    batch: Batch,
    arrays: {
      readonly images: GpuArray<'f32'>;
      readonly items: GpuArray<'i32'>;
      readonly output: GpuArray<'f32'>;
      readonly warped: GpuArray<'f32'>;
      readonly refuted: GpuArray<'u32'>;
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
