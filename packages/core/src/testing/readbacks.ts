/**
 * Readbacks as a faulty driver hands them over. Everything that comes back from a GPU passes `Batch.read`, so what is
 * planted there reaches every caller, those of tomorrow included.
 */
import type { Readback } from '../batch.ts';
import { type GpuArray, type HostArray, hostArray } from '../buffers.ts';
import type { Gpu } from '../device.ts';
import type { ScalarType } from '../kernel.ts';

/** The words of a readback, 32 bits each, changed in place; `before`: what was handed over for this label last. */
export type Plant = (words: Uint32Array, before: Uint32Array | undefined) => void;

const NAN = 0x7fc00000;
const INFINITY = 0x7f800000;
const MINUS_ONE = 0xbf800000;

const one =
  (word: number): Plant =>
  (words) => {
    words[Math.floor(words.length / 2)] = word;
  };

/** Nonsense: no kernel ever writes these words. */
export const NONSENSE: Readonly<Record<string, Plant>> = {
  NaN: (words) => words.fill(NAN),
  'one NaN': one(NAN),
  infinity: (words) => words.fill(INFINITY),
  'one infinity': one(INFINITY),
  'one number below 0': one(MINUS_ONE),
};

/** Numbers that a kernel might have written. */
export const PLAUSIBLE: Readonly<Record<'zeros' | 'before', Plant>> = {
  zeros: (words) => words.fill(0),
  /** What was there before. */
  before: (words, before) => {
    if (!before) return;
    for (let i = 0; i < words.length; i++) words[i] = before[i % before.length] ?? 0;
  },
};

/**
 * From now on, readbacks of arrays whose label `concerns` are changed by `plant`.
 *
 * @returns the labels of all arrays that were read back since, changed or not, and what ends it
 */
export function plantReadbacks(
  gpu: Gpu,
  plant: Plant,
  concerns: (label: string) => boolean = () => true,
): { readonly labels: ReadonlySet<string>; readonly end: () => void } {
  const labels = new Set<string>();
  const last = new Map<string, Uint32Array>();
  const open = gpu.batch.bind(gpu);
  gpu.batch = (...args) => {
    const batch = open(...args);
    const read = batch.read.bind(batch);
    batch.read = <T extends ScalarType>(array: GpuArray<T>, ...part: number[]): Readback<T> => {
      const honest = read(array, ...part);
      labels.add(array.label);
      if (!concerns(array.label)) return honest;
      let changed: HostArray<T> | undefined;
      return {
        get data() {
          if (changed) return changed;
          const words = new Uint32Array(honest.data.buffer.slice(0));
          plant(words, last.get(array.label));
          last.set(array.label, words.slice());
          changed = hostArray(array.type, words.buffer);
          return changed;
        },
      };
    };
    return batch;
  };
  return {
    labels,
    end: () => {
      gpu.batch = open;
    },
  };
}
