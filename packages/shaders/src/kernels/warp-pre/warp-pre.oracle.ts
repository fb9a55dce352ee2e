/**
 * Float64 twin of `warp_pre`: the plane's blur is written as the definition has it, weight by weight, not separably.
 */
import type { ImageShape, Parameter, Transform } from '../../geometry.ts';
import type { Preprocess } from '../../preprocess.ts';
import { type Image, warpOracle } from '../warp/warp.oracle.ts';

function vignetted(image: Image, { channels, height, width }: ImageShape, pre: Preprocess): Float64Array {
  const { vignette } = pre;
  const output = Float64Array.from(image);
  if (vignette.kind === 'none') return output;
  const rho = Math.min(height, width) - 1 - 2 * vignette.offset;
  for (let k = 0; k < channels * height * width; k++) {
    const x = 2 * (k % width) - (width - 1);
    const y = 2 * (Math.floor(k / width) % height) - (height - 1);
    const keep =
      vignette.kind === 'circle'
        ? x * x + y * y <= rho * rho
        : Math.abs(x) <= width - 1 - 2 * vignette.offset && Math.abs(y) <= height - 1 - 2 * vignette.offset;
    if (!keep) output[k] = 0;
  }
  return output;
}

/** Weights k(i, j) proportional to exp(-(i^2 + j^2) / (2 sigma^2)), summing to 1; [size, size]. */
function blurWeights({ size, sigma }: { size: number; sigma: number }): Float64Array {
  const r = (size - 1) / 2;
  const weights = Float64Array.from({ length: size * size }, (_, k) =>
    Math.exp(-(((k % size) - r) ** 2 + (Math.floor(k / size) - r) ** 2) / (2 * sigma * sigma)),
  );
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((w) => w / sum);
}

/** pre(image): blur after vignette, zero padding. */
export function preOracle(image: Image, shape: ImageShape, pre: Preprocess): Float64Array {
  const { channels, height, width } = shape;
  const kept = vignetted(image, shape, pre);
  if (!pre.blur) return kept;
  const { size } = pre.blur;
  const r = (size - 1) / 2;
  const weights = blurWeights(pre.blur);
  const output = new Float64Array(kept.length);
  for (let channel = 0; channel < channels; channel++) {
    const start = channel * height * width;
    for (let i = 0; i < height; i++) {
      for (let j = 0; j < width; j++) {
        let sum = 0;
        for (let di = Math.max(-r, -i); di <= Math.min(r, height - 1 - i); di++) {
          for (let dj = Math.max(-r, -j); dj <= Math.min(r, width - 1 - j); dj++) {
            const weight = weights[(di + r) * size + dj + r] ?? Number.NaN;
            sum += weight * (kept[start + (i + di) * width + j + dj] ?? Number.NaN);
          }
        }
        output[start + i * width + j] = sum;
      }
    }
  }
  return output;
}

/** pre(T x). */
export function warpPreOracle(
  transform: Transform,
  parameter: Parameter,
  image: Image,
  shape: ImageShape,
  pre: Preprocess,
): Float64Array {
  return preOracle(warpOracle(transform, parameter, image, shape), shape, pre);
}
