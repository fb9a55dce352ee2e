/**
 * How far float32 can fall from the real-number formula in each kernel, so that bounds stay bounds. The derivations
 * are in SOUNDNESS.md («The float32 budget»); every function returns an upper bound on an absolute error, in units
 * of pixel values, valid for images in [0, 1].
 *
 * WGSL's rules assumed: + - * land on either neighbour (one ULP, 2^-23 relative), may be fused, subnormals may be
 * flushed; integer arithmetic, conversion of integers below 2^24 and scaling by powers of two are exact.
 */
import { nextUp } from '@turnproof/core';
import { fractionBits, type ImageShape, pixelCount, reachOf, type Transform } from './geometry.ts';
import type { Tiling } from './layout.ts';
import { blurTaps, type Preprocess } from './preprocess.ts';

/** One unit in the last place, relative: either neighbour. */
const ULP = 2 ** -23;
/**
 * Two nested lerps of numbers in [0, 1]: 1 - t, two products and a sum each, 3 ULP; second-order terms and flushed
 * subnormals included.
 */
const INTERPOLATION = 6.2 * ULP;

/**
 * Largest error of a source coordinate, in pixels: the correction is computed in float32 (4 roundings of at most half
 * a unit per integer), added to the fraction, and the fraction moved into [0, 1] (a rounding each).
 */
export function coordinateError(shape: ImageShape): number {
  return 2.1 * ULP + 4.2 * ULP * 0.51 * (reachOf(shape) + 1) * 2 ** -fractionBits(shape);
}

/** Relative error of the two passes of the blur, on a field of absolute values. */
function blurError(pre: Preprocess): number {
  if (!pre.blur) return 2.1 * ULP;
  return (2 * blurTaps(pre.blur).length + 1.1) * 1.02 * ULP;
}

/** `warp` against T x: a pixel moves by at most 1 per pixel of displacement on each axis. */
export function warpBudget(shape: ImageShape): number {
  return 2 * coordinateError(shape) + INTERPOLATION;
}

/** Error of one end of `box_hull` at one pixel: its coordinates are enclosed, only the values are rounded. */
export function hullBudget(): number {
  return INTERPOLATION;
}

const overImage = (shape: ImageShape, perPixel: number): number =>
  Math.sqrt(pixelCount(shape)) * perPixel * 1.0001;

/** l2 distance of `warp_pre` from the real pre(T x): what the classifier sees against what is certified. */
export function samplerBudget(shape: ImageShape, pre: Preprocess): number {
  return overImage(shape, warpBudget(shape) + blurError(pre));
}

/** l2 distance of an image from its nearest neighbour on the lattice of 2^-k. */
export function latticeBudget(shape: ImageShape, latticeBits: number): number {
  return overImage(shape, 2 ** -(latticeBits + 1));
}

/** l2 error of `point_error`'s field. */
export function pointBudget(shape: ImageShape, pre: Preprocess): number {
  return overImage(shape, 3 * warpBudget(shape) + ULP + blurError(pre));
}

/** l2 error of `slice_distance`'s field: two warps and a difference. */
export function sliceDistanceBudget(shape: ImageShape, pre: Preprocess): number {
  return overImage(shape, 2 * warpBudget(shape) + ULP + blurError(pre));
}

/** l2 error of `interval_error`'s field. */
export function intervalBudget(shape: ImageShape, pre: Preprocess): number {
  // Two hulls, and T_beta on one of them with its weights multiplied first (`interpolate_pair`): 7 ULP.
  const perPixel = 2 * coordinateError(shape) + 2 * INTERPOLATION + 7.3 * ULP + ULP + blurError(pre);
  return overImage(shape, perPixel);
}

/** Largest speed of a source coordinate: pixels per radian, or per pixel of translation. */
export function maxSpeed(shape: ImageShape, transform: Transform): number {
  return transform === 'rotation' ? 1.4 * (reachOf(shape) / 2) + 2 : 1;
}

/** Error of one pixel of `box_remainder`; `width`: the box's widths added up (radians or pixels). */
export function remainderBudget(shape: ImageShape, transform: Transform, width: number): number {
  return (width / 4) * 33 * ULP * maxSpeed(shape, transform);
}

/** Largest value of `box_remainder`: its slopes differ by at most 2 on each axis. */
function largestRemainder(shape: ImageShape, transform: Transform, width: number): number {
  return (width / 4) * 4 * maxSpeed(shape, transform) * 1.001;
}

/** l2 error of `slice_remainder`'s field: one remainder, blurred. */
export function sliceRemainderBudget(
  shape: ImageShape,
  pre: Preprocess,
  transform: Transform,
  width: number,
): number {
  const perPixel =
    remainderBudget(shape, transform, width) + largestRemainder(shape, transform, width) * blurError(pre);
  return overImage(shape, perPixel);
}

/** l2 error of `chord_error`'s field. */
export function chordBudget(shape: ImageShape, pre: Preprocess, transform: Transform, width: number): number {
  const largest = largestRemainder(shape, transform, width);
  const perPixel =
    2 * remainderBudget(shape, transform, width) +
    largest * (2 * coordinateError(shape) + INTERPOLATION + 2 * ULP + 2 * blurError(pre));
  return overImage(shape, perPixel);
}

/**
 * Relative error of the sum of squares that one workgroup adds up: the squares, each thread's own sum over its pixels,
 * SIDE and SIDE more additions.
 */
function sumError({ tileWidth, tileHeight, side }: Tiling): number {
  const perThread = Math.ceil(tileWidth / side) * Math.ceil(tileHeight / side);
  return (perThread + 2 * side + 2) * 1.01 * ULP;
}

/**
 * Upper bound on the norm whose squares a pair kernel summed up in `partials`, its field's error added. Infinite where one
 * of them is no sum of squares (NaN, below 0, missing): nonsense from a GPU bounds nothing.
 */
export function normUp(
  partials: ArrayLike<number>,
  start: number,
  end: number,
  tiling: Tiling,
  budget: number,
): number {
  let sum = 0;
  for (let i = start; i < end; i++) {
    const part = partials[i] ?? Number.NaN;
    if (!(part >= 0)) return Number.POSITIVE_INFINITY;
    sum += part;
  }
  // Twice what a square root leaves of a sum's error; float64's own rounding drowns in the margin.
  const norm = nextUp(Math.sqrt(sum) * (1 + sumError(tiling)) + budget + 1e-17);
  return Number.isNaN(norm) ? Number.POSITIVE_INFINITY : norm;
}

/**
 * What the norm is at least of which `normUp` gave this with the same tiling and budget: its margin taken back, the
 * sum's error once more, and the budget twice. 0 where that is infinite: then nothing is known.
 */
export function normAtLeast(upper: number, tiling: Tiling, budget: number): number {
  if (!Number.isFinite(upper)) return 0;
  return Math.max(0, upper * (1 - 2 * sumError(tiling) - 1e-12) - 2 * budget - 1e-16);
}
