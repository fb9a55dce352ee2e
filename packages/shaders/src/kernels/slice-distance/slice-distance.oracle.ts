/** Float64 twin of `slice_distance`. */
import type { ImageShape, Parameter, Transform } from '../../geometry.ts';
import type { Preprocess } from '../../preprocess.ts';
import { l2Norm } from '../point-error/point-error.oracle.ts';
import { type Image, warpOracle } from '../warp/warp.oracle.ts';
import { preOracle } from '../warp-pre/warp-pre.oracle.ts';

/** || pre(T_gamma x) - pre(T_center x) ||_2. */
export function sliceDistance(
  transform: Transform,
  gamma: Parameter,
  center: Parameter,
  image: Image,
  shape: ImageShape,
  pre: Preprocess,
): number {
  const there = warpOracle(transform, center, image, shape);
  const difference = warpOracle(transform, gamma, image, shape).map(
    (value, i) => value - (there[i] ?? Number.NaN),
  );
  return l2Norm(preOracle(difference, shape, pre));
}
