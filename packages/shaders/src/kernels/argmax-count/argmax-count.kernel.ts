import {
  type Batch,
  type CompiledKernel,
  defineKernel,
  type Gpu,
  type GpuArray,
  storage,
  uniform,
} from '@turnproof/core';
import { wgsl } from '../../generated/wgsl.ts';

const bindings = {
  params: uniform({ rows: 'u32', classes: 'u32' }),
  logits: storage('f32', 'read'),
  slots: storage('u32', 'read'),
  counts: storage('u32', 'atomic'),
} as const;

/** counts[slot, class] += 1 for each row's argmax. */
export const argmaxCountKernel = defineKernel({ name: 'argmax_count', source: wgsl.argmax_count, bindings });

/** A row with this slot is padding and counts for nothing. */
export const PADDING_SLOT = 0xffffffff;

export type CompiledArgmaxCount = CompiledKernel<typeof bindings>;

export function compileArgmaxCount(gpu: Gpu, kernel = argmaxCountKernel): Promise<CompiledArgmaxCount> {
  return gpu.compile(kernel);
}

/** Notes the dispatch over `rows` rows of logits [row, classes]; `counts` keeps what it had. */
export function dispatchArgmaxCount(
  batch: Batch,
  compiled: CompiledArgmaxCount,
  arrays: {
    readonly logits: GpuArray<'f32'>;
    readonly slots: GpuArray<'u32'>;
    readonly counts: GpuArray<'u32'>;
  },
  rows: number,
  classes: number,
): void {
  batch.dispatch(compiled, { ...arrays, params: { rows, classes } }, [Math.ceil(rows / 64)]);
}
