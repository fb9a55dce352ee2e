/**
 * Work declared for the kernels: arithmetic of their formulas, and bytes that must move at least (each input once,
 * each output once). Addresses, loads and branches are not counted, and of a box's cells only one (boxes of the suite
 * are narrow): so operations a second are lower ends.
 */
import { blurTaps, type ImageShape, type Preprocess, pixelCount } from '@turnproof/shaders';

/** `lerp`: 1 - t, two products, a sum. */
const LERP = 4;
/** Two fixed-point coordinates with their corrections and fractions (shared/affine.wgsl). */
const COORDINATES = 24;
const INTERPOLATE = COORDINATES + 3 * LERP;
/** Both ends' coordinates and the arc (shared/box.wgsl). */
const RANGE = 24;
/** Four corners of one cell by bilinear interpolation, and their least and greatest. */
const HULL = RANGE + 8 + 4 * 3 * LERP + 8;
/** Slopes of one cell, and two products of intervals (shared/remainder.wgsl). */
const REMAINDER = RANGE + 12 + 4 * LERP + 8 + 32;
/** Philox's ten rounds for four values; for each its bucket, two steps of the search, and the sum on the lattice. */
const NOISE_OF_FOUR = 10 * 36 + 4 * (10 + 2 * 6 + 6);

/** Four cells that hold a pixel at four corners of a rectangle: odds, and a sum of four terms for both ends. */
const INVERSE = RANGE + 4 * (8 + 4 * (4 + 2 * 12));

/** Operations a pixel. */
export function operations(pre: Preprocess) {
  const blur = 4 * blurTaps(pre.blur).length;
  const norm = 2;
  return {
    warp: INTERPOLATE,
    box_hull: HULL,
    box_remainder: REMAINDER,
    warp_pre: INTERPOLATE + blur,
    noise: NOISE_OF_FOUR / 4,
    point_error: 2 * INTERPOLATE + 1 + blur + norm,
    chord_error: INTERPOLATE + REMAINDER + 1 + blur + norm,
    interval_error: COORDINATES + 28 + HULL + 2 + 2 * blur + 3 + norm,
    inverse: INVERSE,
    slice_distance: 2 * INTERPOLATE + 1 + blur + norm,
    slice_remainder: REMAINDER + blur + norm,
    /** A logit, not a pixel. */
    argmax_count: 3,
  } as const;
}

/** Bytes of `count` float32 images. */
export const imageBytes = (shape: ImageShape, count: number): number => 4 * pixelCount(shape) * count;
