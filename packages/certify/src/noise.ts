/**
 * The pixel noise that a method samples with, and how far it is from the theorem's. Not for drawing it: the noise kernel
 * does that.
 */
import {
  type ImageShape,
  latticeBitsOf,
  latticeBudget,
  noiseVariation,
  type Preprocess,
  pixelCount,
  samplerBudget,
} from '@turnproof/shaders';
import type { Plan } from './plan.ts';

/**
 * What h and g are smoothed with. b sees pixels rounded to multiples of 2^-k (F = b ∘ round), and h is F under real noise
 * N(0, sigma²): for z' on the lattice round(z' + N) = z' + round(N), so drawing round(N) by its own law samples F exactly,
 * where float32 sums z' + N would tell the classifier by their low bits where z' was (V. Voráček and M. Hein, ICLR 2023).
 */
export interface PixelNoise {
  /** Standard deviation in pixel values, a float32; 0: none. */
  readonly sigma: number;
  /** k; null where pixels are not rounded. */
  readonly latticeBits: number | null;
  /** Total variation of one image's noise from round(N)'s law: any share that is measured may be off by it. */
  readonly variation: number;
}

/** None: b itself, pixels as they are. */
export const NO_NOISE: PixelNoise = { sigma: 0, latticeBits: null, variation: 0 };

/** @throws TurnproofError `bad-input` for a deviation that no lattice serves */
export function latticeNoise(sigmaEps: number, shape: ImageShape): PixelNoise {
  const sigma = Math.fround(sigmaEps);
  return { sigma, latticeBits: latticeBitsOf(sigma), variation: noiseVariation(pixelCount(shape)) };
}

/** What a plan draws. @throws as {@link latticeNoise} */
export function noiseOf(
  { method, sigmaEps }: Pick<Plan, 'method' | 'sigmaEps'>,
  shape: ImageShape,
): PixelNoise {
  return method === 'base' ? NO_NOISE : latticeNoise(sigmaEps, shape);
}

/** As if real numbers were added: what certificates without a lattice supposed, and simulated worlds are. */
export function realNoise(sigmaEps: number): PixelNoise {
  return { sigma: Math.fround(sigmaEps), latticeBits: null, variation: 0 };
}

/** l2 distance of what noise is added to from the real pre(T x): the sampler's float32, then the lattice. */
export function samplerError(
  shape: ImageShape,
  pre: Preprocess,
  { latticeBits }: Pick<PixelNoise, 'latticeBits'>,
): number {
  return samplerBudget(shape, pre) + (latticeBits === null ? 0 : latticeBudget(shape, latticeBits));
}
