/**
 * `pre`: blur after vignette, in one definition for the classifier and for every bound.
 */
import { badInput } from '@turnproof/core';
import type { ImageShape } from './geometry.ts';

export type Vignette =
  | { readonly kind: 'none' }
  /** Keeps X^2 + Y^2 <= rho^2, rho = min(height, width) - 1 - 2 offset. */
  | { readonly kind: 'circle'; readonly offset: number }
  /** Keeps |X| <= width - 1 - 2 offset and |Y| <= height - 1 - 2 offset. */
  | { readonly kind: 'rect'; readonly offset: number };

/** size: odd number of taps; sigma in pixels: weights proportional to exp(-d^2 / (2 sigma^2)), summing to 1. */
export interface Blur {
  readonly size: number;
  readonly sigma: number;
}

export interface Preprocess {
  readonly vignette: Vignette;
  readonly blur: Blur | null;
}

/** A pixel is kept where X^2 + Y^2 <= r2 and |X| <= x and |Y| <= y. */
export interface KeepLimits {
  readonly r2: number;
  readonly x: number;
  readonly y: number;
}

const EVERYTHING = 2 ** 30;

/** @throws TurnproofError `bad-input` when nothing would be kept. */
export function keepLimits({ height, width }: ImageShape, vignette: Vignette): KeepLimits {
  if (vignette.kind === 'none') return { r2: EVERYTHING, x: EVERYTHING, y: EVERYTHING };
  const { offset } = vignette;
  const words = `vignette ${vignette.kind}:${offset} on images of ${width} x ${height} pixels`;
  if (!Number.isInteger(offset) || offset < 0)
    throw badInput(`${words}: the offset must be a whole number >= 0`);
  const [x, y] = [width - 1 - 2 * offset, height - 1 - 2 * offset];
  if (x < 0 || y < 0) throw badInput(`${words} leaves nothing`, 'choose a smaller offset');
  if (vignette.kind === 'rect') return { r2: EVERYTHING, x, y };
  return { r2: Math.min(x, y) ** 2, x: EVERYTHING, y: EVERYTHING };
}

/** Largest blur that the kernels serve: its halo must leave room for a tile. */
export const MAX_BLUR_SIZE = 31;

/** The 2 r + 1 weights of one axis in float64; the plane's weights are their products. */
export function blurTaps(blur: Blur | null): Float64Array {
  if (!blur) return Float64Array.of(1);
  const { size, sigma } = blur;
  if (!Number.isInteger(size) || size < 1 || size % 2 === 0 || size > MAX_BLUR_SIZE) {
    throw badInput(`blur of ${size} taps: the size must be odd, 1 to ${MAX_BLUR_SIZE}`);
  }
  if (!(sigma > 0 && Number.isFinite(sigma))) throw badInput(`blur with sigma ${sigma}: it must be above 0`);
  const r = (size - 1) / 2;
  const weights = Float64Array.from({ length: size }, (_, i) =>
    Math.exp(-((i - r) ** 2) / (2 * sigma * sigma)),
  );
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((w) => w / sum);
}
