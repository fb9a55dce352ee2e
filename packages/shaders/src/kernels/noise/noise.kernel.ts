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
  params: uniform({ elements: 'u32', key0: 'u32', key1: 'u32', sigma: 'f32' }),
  base: storage('f32', 'read'),
  items: storage('u32', 'read'),
  output: storage('f32', 'read_write'),
} as const;

/** base image + sigma n for many samples; output [sample, elements]. */
export const noiseKernel = defineKernel({ name: 'noise', source: wgsl.noise, bindings });

/** Words of one sample's item: slot of its base image, then the counter (image, beta index, sample). */
export const NOISE_ITEM_LENGTH = 4;

export type CompiledNoise = CompiledKernel<typeof bindings>;

export function compileNoise(gpu: Gpu, kernel = noiseKernel): Promise<CompiledNoise> {
  return gpu.compile(kernel);
}

/**
 * Notes the dispatch of `samples` noisy images (at most 65,535).
 *
 * @param key - The run's seed as two words.
 * @param sigma - Standard deviation, in pixel values.
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
    readonly sigma: number;
  },
): void {
  const { elements, samples, key, sigma } = options;
  const params = { elements, key0: key[0], key1: key[1], sigma };
  batch.dispatch(compiled, { ...arrays, params }, [Math.ceil(elements / 4 / 64), samples]);
}
