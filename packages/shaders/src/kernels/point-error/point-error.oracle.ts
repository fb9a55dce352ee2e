/**
 * Float64 twin of `point_error`: the interpolation error of the paper (equation 6) with one `pre` for both sides.
 */
import type { ImageShape, Parameter, Transform } from '../../geometry.ts';
import type { Preprocess } from '../../preprocess.ts';
import { type Image, warpOracle } from '../warp/warp.oracle.ts';
import { preOracle } from '../warp-pre/warp-pre.oracle.ts';

export function l2Norm(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += (values[i] ?? Number.NaN) ** 2;
  return Math.sqrt(sum);
}

/** epsilon(beta, gamma, x) = || pre(T_beta T_gamma x) - pre(T_(beta+gamma) x) ||_2. */
export function interpolationError(
  transform: Transform,
  beta: Parameter,
  gamma: Parameter,
  image: Image,
  shape: ImageShape,
  pre: Preprocess,
): number {
  const twice = warpOracle(transform, beta, warpOracle(transform, gamma, image, shape), shape);
  const both = beta.map((b, axis) => b + (gamma[axis] ?? Number.NaN));
  const once = warpOracle(transform, both, image, shape);
  // pre is linear: the difference may go through it at once.
  const difference = twice.map((value, i) => value - (once[i] ?? Number.NaN));
  return l2Norm(preOracle(difference, shape, pre));
}
