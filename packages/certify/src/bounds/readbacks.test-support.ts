/**
 * Sums that come back from the GPU changed on their way: numbers that a test knows, in place of a kernel's. What the
 * host makes of them (budgets, maxima, NaN) can then be told to the last bit. Kernels have tests of their own.
 */
import type { Gpu } from '@turnproof/core';

/**
 * Runs `work` while every float32 readback whose array is labelled `label` passes through `change` (in place). One call
 * at a time.
 *
 * @returns what `work` gave, and how many readbacks were changed
 */
export async function withReadbacks<T>(
  gpu: Gpu,
  label: string,
  change: (data: Float32Array) => void,
  work: () => Promise<T>,
): Promise<{ result: T; changed: number }> {
  const open = gpu.batch;
  let changed = 0;
  gpu.batch = (...args) => {
    const batch = open.apply(gpu, args);
    const read = batch.read;
    batch.read = (array) => {
      const readback = read.call(batch, array);
      if (array.label !== label) return readback as never;
      changed += 1;
      let seen = false;
      return {
        get data() {
          if (!seen && readback.data instanceof Float32Array) change(readback.data);
          seen = true;
          return readback.data;
        },
      } as never;
    };
    return batch;
  };
  try {
    return { result: await work(), changed };
  } finally {
    gpu.batch = open;
  }
}
