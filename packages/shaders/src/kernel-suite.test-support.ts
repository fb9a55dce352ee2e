/**
 * What every kernel's test does: the same check on each adapter, and again on each mutant, which it must reject.
 */
import { type Bindings, type Gpu, type Kernel, openDevice } from '@turnproof/core';
import { closeChecked, type Mutant, mutate, rejectionOf, testAdapters } from '@turnproof/core/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ImageShape } from './geometry.ts';

const adapters = await testAdapters();

export function describeKernel<B extends Bindings>(suite: {
  readonly kernel: Kernel<B>;
  /** The proposition that the check tests. */
  readonly proposition: string;
  readonly check: (gpu: Gpu, kernel: Kernel<B>) => Promise<void>;
  readonly mutants: readonly Mutant[];
}): void {
  describe.each(adapters)(`${suite.kernel.name} on %s`, (adapter) => {
    let gpu: Gpu;
    beforeAll(async () => {
      gpu = await openDevice({ adapter });
    });
    afterAll(() => closeChecked(gpu));
    it(suite.proposition, () => suite.check(gpu, suite.kernel));
    it.each(suite.mutants.map((mutant) => [mutant.fault, mutant] as const))(
      'rejects its mutant: %s',
      async (_, mutant) => {
        const mutated = mutate(suite.kernel, mutant);
        expect(await rejectionOf(mutant.fault, () => suite.check(gpu, mutated))).not.toBe('');
      },
    );
  });
}

/** Uniform numbers in [0, 1) from a seed (mulberry32's recurrence, good enough to scatter test inputs). */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 15), z | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return ((z ^ (z >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Images that bring out different faults: smooth noise, hard edges, a checkerboard, one lit pixel. */
export function testImages(shape: ImageShape, random: () => number): Float32Array<ArrayBuffer>[] {
  const { channels, height, width } = shape;
  const make = (value: (channel: number, row: number, column: number) => number) =>
    Float32Array.from({ length: channels * height * width }, (_, k) =>
      value(Math.floor(k / (height * width)), Math.floor(k / width) % height, k % width),
    );
  const lit = Math.floor(random() * height * width);
  return [
    make(() => random()),
    make(() => (random() < 0.5 ? 0 : 1)),
    make((_, row, column) => (row + column) % 2),
    make((channel, row, column) => (channel === 0 && row * width + column === lit ? 1 : 0)),
  ];
}

/** Odd, even, oblong, tiny; grey and colour. */
export const TEST_SHAPES: readonly ImageShape[] = [
  { channels: 1, height: 7, width: 7 },
  { channels: 3, height: 5, width: 8 },
  { channels: 1, height: 28, width: 28 },
  { channels: 2, height: 19, width: 33 },
];

export function concatenated(arrays: readonly Float32Array[]): Float32Array<ArrayBuffer> {
  const output = new Float32Array(arrays.reduce((n, a) => n + a.length, 0));
  let at = 0;
  for (const array of arrays) {
    output.set(array, at);
    at += array.length;
  }
  return output;
}
