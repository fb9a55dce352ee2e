/** Inputs of kernel cases: made once, given back at the end, several sets that take turns. */
import type { Gpu, GpuArray } from '@turnproof/core';
import type { PreparedKernel } from './case.ts';

/** Sets of buffers that take turns. */
const SETS = 3;

/** One set of a kernel's arrays; everything made through `hold` is given back. */
export class Held {
  readonly #gpu: Gpu;
  readonly #arrays: GpuArray[] = [];

  constructor(gpu: Gpu) {
    this.#gpu = gpu;
  }

  f32(data: Float32Array<ArrayBuffer>) {
    return this.#keep(this.#gpu.upload('f32', data, 'bench input'));
  }
  i32(data: Int32Array<ArrayBuffer>) {
    return this.#keep(this.#gpu.upload('i32', data, 'bench items'));
  }
  u32(data: Uint32Array<ArrayBuffer>) {
    return this.#keep(this.#gpu.upload('u32', data, 'bench items'));
  }
  empty(length: number) {
    return this.#keep(this.#gpu.array('f32', length, 'bench output'));
  }
  release(): void {
    for (const array of this.#arrays) array.release();
  }

  #keep<A extends GpuArray>(array: A): A {
    this.#arrays.push(array);
    return array;
  }
}

/** Rotates through {@link SETS} sets of arrays; `note` dispatches `count` items on one of them. */
export function rotating<A>(
  held: Held,
  work: number,
  make: () => A,
  note: (batch: Parameters<PreparedKernel['dispatch']>[0], arrays: A, count: number) => void,
  close: () => void = () => undefined,
): PreparedKernel {
  const sets = Array.from({ length: SETS }, make);
  return {
    dispatch: (batch, turn, share) => {
      const arrays = sets[turn % SETS];
      if (arrays) note(batch, arrays, Math.max(1, Math.round(share * work)));
    },
    release: () => {
      held.release();
      close();
    },
  };
}

export const angle = (i: number, n: number) => -30 + (60 * i) / n;
/** Degrees: as wide as boxes of a bound are after a few splits. */
export const WIDTH = 60 / 64;
