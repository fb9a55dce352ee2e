/**
 * Float64 twins of `interval_error`: the paper's interval bounds with the exact hull of bilinear patches, for an image that
 * is known (Dist-x) and for one that is known by intervals (Indiv).
 */
import type { ImageShape, Parameter, ParameterBox, Transform } from '../../geometry.ts';
import type { Preprocess } from '../../preprocess.ts';
import { boxHullOracle } from '../box-hull/box-hull.oracle.ts';
import { movedBox } from '../chord-error/chord-error.oracle.ts';
import type { IntervalImage } from '../inverse/inverse.oracle.ts';
import { l2Norm } from '../point-error/point-error.oracle.ts';
import { type Image, warpOracle } from '../warp/warp.oracle.ts';
import { preOracle } from '../warp-pre/warp-pre.oracle.ts';

/** || pre(Y - Z) || at most, over interval images Y and Z. */
function largestDistance(y: IntervalImage, z: IntervalImage, shape: ImageShape, pre: Preprocess): number {
  const minus = (a: Float64Array, b: Float64Array) => a.map((value, i) => value - (b[i] ?? Number.NaN));
  const low = preOracle(minus(y.lower, z.upper), shape, pre);
  const high = preOracle(minus(y.upper, z.lower), shape, pre);
  return l2Norm(low.map((value, i) => Math.max(Math.abs(value), Math.abs(high[i] ?? Number.NaN))));
}

/** || pre(T_beta Y) - pre(Z) || at most, over Y in the hull of T_box x and Z in the hull of T_(box+beta) x. */
export function intervalErrorOracle(
  transform: Transform,
  beta: Parameter,
  box: ParameterBox,
  image: Image,
  shape: ImageShape,
  pre: Preprocess,
): number {
  const [lower, upper] = boxHullOracle(transform, box, image, shape);
  const [movedLower, movedUpper] = boxHullOracle(transform, movedBox(box, beta), image, shape);
  const warped = {
    lower: warpOracle(transform, beta, lower, shape),
    upper: warpOracle(transform, beta, upper, shape),
  };
  return largestDistance(warped, { lower: movedLower, upper: movedUpper }, shape, pre);
}

/** || pre(T_beta x') - pre(Z) || at most, over Z in the hull of T_(box+beta) X, X an interval image. */
export function indivErrorOracle(
  transform: Transform,
  beta: Parameter,
  box: ParameterBox,
  image: Image,
  { lower, upper }: IntervalImage,
  shape: ImageShape,
  pre: Preprocess,
): number {
  const moved = movedBox(box, beta);
  const warped = warpOracle(transform, beta, image, shape);
  const [least] = boxHullOracle(transform, moved, lower, shape);
  const [, largest] = boxHullOracle(transform, moved, upper, shape);
  return largestDistance({ lower: warped, upper: warped }, { lower: least, upper: largest }, shape, pre);
}
