/**
 * What E must hold beside the interpolation error: the attacker's rounding, the sampler's own float32 and its lattice.
 */
import { type ImageShape, type Preprocess, pixelCount } from '@turnproof/shaders';
import { l2Norm, preOracle } from '@turnproof/shaders/oracle';
import { type PixelNoise, samplerError } from '../noise.ts';
import type { Pipeline } from '../pipeline.ts';

/** Margin for the float64 sums themselves. */
const SLACK = 1 + 1e-12;

/**
 * || blur(vignette(T_beta q)) || for |q| <= 0.5/255 everywhere: an attacker who hands over an 8-bit image (design:
 * math, section 6). Weights are not negative, so the constant image is the worst.
 */
export function quantizationError(shape: ImageShape, pre: Preprocess): number {
  const ones = new Float64Array(pixelCount(shape)).fill(1);
  return (0.5 / 255) * l2Norm(preOracle(ones, shape, pre)) * SLACK;
}

/** As `extraError`, for an image that is given as the attacker rounded it: only the sampler's own error is left. */
export function extraErrorOfGiven(
  shape: ImageShape,
  pipeline: Pipeline,
  noise: Pick<PixelNoise, 'latticeBits'>,
): number {
  return extraError(shape, { ...pipeline, quantization: 'none' }, noise);
}

/** To be added to E before it is compared with a radius: an l2 norm in pixel values. */
export function extraError(
  shape: ImageShape,
  { quantization, pre }: Pick<Pipeline, 'quantization' | 'pre'>,
  noise: Pick<PixelNoise, 'latticeBits'>,
): number {
  const attacker = quantization === 'u8' ? quantizationError(shape, pre) : 0;
  return (attacker + samplerError(shape, pre, noise)) * SLACK;
}
