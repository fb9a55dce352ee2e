/**
 * What E must hold beside the interpolation error: the attacker's rounding and the sampler's own float32.
 */
import { type ImageShape, type Preprocess, pixelCount, samplerBudget } from '@turnproof/shaders';
import { l2Norm, preOracle } from '@turnproof/shaders/oracle';
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

/** As `extraError`, for an image that is given as the attacker rounded it: only the sampler's float32 is left. */
export function extraErrorOfGiven(shape: ImageShape, pipeline: Pipeline): number {
  return extraError(shape, { ...pipeline, quantization: 'none' });
}

/** To be added to E before it is compared with a radius: an l2 norm in pixel values. */
export function extraError(shape: ImageShape, pipeline: Pipeline): number {
  const quantization = pipeline.quantization === 'u8' ? quantizationError(shape, pipeline.pre) : 0;
  return (quantization + samplerBudget(shape, pipeline.pre)) * SLACK;
}
