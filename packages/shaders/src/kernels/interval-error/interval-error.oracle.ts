/**
 * Float64 twin of `interval_error`: the paper's interval bound with the exact hull of bilinear patches.
 */
import type { ImageShape, Parameter, ParameterBox, Transform } from '../../geometry.ts';
import type { Preprocess } from '../../preprocess.ts';
import { boxHullOracle } from '../box-hull/box-hull.oracle.ts';
import { movedBox } from '../chord-error/chord-error.oracle.ts';
import { l2Norm } from '../point-error/point-error.oracle.ts';
import { type Image, warpOracle } from '../warp/warp.oracle.ts';
import { preOracle } from '../warp-pre/warp-pre.oracle.ts';

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
  const minus = (a: Float64Array, b: Float64Array) => a.map((value, i) => value - (b[i] ?? Number.NaN));
  const low = preOracle(minus(warpOracle(transform, beta, lower, shape), movedUpper), shape, pre);
  const high = preOracle(minus(warpOracle(transform, beta, upper, shape), movedLower), shape, pre);
  return l2Norm(low.map((value, i) => Math.max(Math.abs(value), Math.abs(high[i] ?? Number.NaN))));
}
