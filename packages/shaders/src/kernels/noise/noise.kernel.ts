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
import { type NoiseLaw, noiseLawOf } from '../../noise-law.ts';

const bindings = {
  params: uniform({ elements: 'u32', key0: 'u32', key1: 'u32', cells: 'u32', per_unit: 'f32', step: 'f32' }),
  base: storage('f32', 'read'),
  items: storage('u32', 'read'),
  law: storage('u32', 'read'),
  output: storage('f32', 'read_write'),
} as const;

/** The base image on the lattice plus noise on the lattice, for many samples; output [sample, elements]. */
export const noiseKernel = defineKernel({ name: 'noise', source: wgsl.noise, bindings });

/** Words of one sample's item: slot of its base image, then the counter (image, beta index, sample). */
export const NOISE_ITEM_LENGTH = 4;

export type CompiledNoise = CompiledKernel<typeof bindings>;

export function compileNoise(gpu: Gpu, kernel = noiseKernel): Promise<CompiledNoise> {
  return gpu.compile(kernel);
}

/** The WGSL's constants of these names. */
const BUCKET_BITS = 8;
const BUCKETS = (32 - BUCKET_BITS) << BUCKET_BITS;

/**
 * A law as the kernel reads it: for each bucket of a word's upper 31 bits |J| at its lower end (one more for the end of
 * the last), then the upper and the lower words of the tails.
 */
export function packNoiseLaw({ high, low }: NoiseLaw): Uint32Array<ArrayBuffer> {
  const cells = high.length;
  const packed = new Uint32Array(BUCKETS + 1 + 2 * cells);
  packed.set(high, BUCKETS + 1);
  packed.set(low, BUCKETS + 1 + cells);
  // Tails fall with j and buckets rise, so the count only falls.
  let above = cells;
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    const shift = Math.max(0, (bucket >> BUCKET_BITS) - 1);
    const v = (bucket - (shift << BUCKET_BITS)) * 2 ** shift;
    const isAbove = (j: number) => (high[j] ?? 0) > v || (high[j] === v && (low[j] ?? 0) > 0);
    while (above > 0 && !isAbove(above - 1)) above -= 1;
    packed[bucket] = above;
  }
  return packed;
}

/** A law on the device; of no noise: null, and images come out as they are. */
export interface NoiseTable {
  readonly law: NoiseLaw | null;
  readonly words: GpuArray<'u32'>;
  release(): void;
}

export function uploadNoiseLaw(gpu: Gpu, law: NoiseLaw | null): NoiseTable {
  const packed = law ? packNoiseLaw(law) : new Uint32Array(1);
  const words = gpu.upload('u32', packed, 'law of the noise');
  return { law, words, release: () => words.release() };
}

/**
 * @param sigma - Standard deviation in pixel values, used as its float32; 0: no noise, no lattice.
 * @throws TurnproofError `bad-input` for a sigma that no lattice serves
 */
export function uploadNoise(gpu: Gpu, sigma: number): NoiseTable {
  return uploadNoiseLaw(gpu, sigma === 0 ? null : noiseLawOf(sigma));
}

/**
 * Notes the dispatch of `samples` noisy images (at most 65,535).
 *
 * @param key - The run's seed as two words.
 */
export function dispatchNoise(
  batch: Batch,
  compiled: CompiledNoise,
  arrays: {
    readonly base: GpuArray<'f32'>;
    readonly items: GpuArray<'u32'>;
    readonly output: GpuArray<'f32'>;
  },
  options: {
    readonly elements: number;
    readonly samples: number;
    readonly key: readonly [number, number];
    readonly noise: NoiseTable;
  },
): void {
  const { elements, samples, key, noise } = options;
  const { law, words } = noise;
  const bits = law?.latticeBits ?? 0;
  const params = {
    elements,
    key0: key[0],
    key1: key[1],
    cells: law?.high.length ?? 0,
    per_unit: 2 ** bits,
    step: 2 ** -bits,
  };
  batch.dispatch(compiled, { ...arrays, law: words, params }, [Math.ceil(elements / 4 / 64), samples]);
}
