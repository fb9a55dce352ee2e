/**
 * Bounds on the interpolation error: the one door to E.
 */
import { badInput, type Gpu } from '@turnproof/core';
import type { ImageShape } from '@turnproof/shaders';
import type { Pipeline } from '../pipeline.ts';
import { ExactBounder } from './exact.ts';
import { RefiningBounder } from './refine.ts';
import type { Bounder, BoundMethod } from './types.ts';

export * from './attack-error.ts';
export * from './extra-error.ts';
export { GpuInverter, type Inverter, type Preimages } from './inverse.ts';
export { SampledErrors } from './sampled.ts';
export {
  GpuSliceBounder,
  type SliceBound,
  type SliceBounder,
  type SliceRequest,
} from './slices.ts';
export { marked, type Spot, spotFor } from './spot-check.ts';
export { spottedErrors, spottedInverter, spottedSlices } from './spotted.ts';
export * from './types.ts';
export { type WaveBox, type WavePoint, type WaveResult, WaveRunner } from './wave.ts';

export interface BounderOptions {
  readonly shape: ImageShape;
  readonly pipeline: Pipeline;
  /** Default `auto`: exact for translation, chord for rotation. */
  readonly method?: BoundMethod;
  /** Sub-boxes for one β (default 16,384). */
  readonly maxBoxes?: number;
  /** Wall time of one call in milliseconds (default: none). */
  readonly timeLimitMs?: number;
  /** Refinement: told again and again how many sub-boxes of the call are bounded. */
  readonly onBoxes?: (boxes: number) => void;
}

/** The bound that a choice comes to. */
export function boundMethodFor(
  choice: BoundMethod,
  transform: Pipeline['transform'],
): Exclude<BoundMethod, 'auto'> {
  if (choice !== 'auto') return choice;
  return transform === 'translation' ? 'exact' : 'chord';
}

/** @throws TurnproofError `bad-input` for `exact` with rotation. */
export async function openBounder(gpu: Gpu, options: BounderOptions): Promise<Bounder> {
  const { shape, pipeline } = options;
  const method = boundMethodFor(options.method ?? 'auto', pipeline.transform);
  if (method === 'exact') {
    if (pipeline.transform !== 'translation') {
      throw badInput('--bound exact works for translation only', 'take --bound chord or auto for rotation');
    }
    return ExactBounder.create(gpu, shape, pipeline);
  }
  const limits = {
    maxBoxes: options.maxBoxes ?? 16_384,
    timeLimitMs: options.timeLimitMs ?? Number.POSITIVE_INFINITY,
    onBoxes: options.onBoxes,
  };
  return RefiningBounder.create(gpu, shape, pipeline, method, limits);
}
