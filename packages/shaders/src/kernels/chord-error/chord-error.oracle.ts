/**
 * Float64 twin of `chord_error`: || pre(T_beta e1 + e2) ||.
 */
import type { ImageShape, Parameter, ParameterBox, Transform } from '../../geometry.ts';
import type { Preprocess } from '../../preprocess.ts';
import { boxRemainderOracle } from '../box-remainder/box-remainder.oracle.ts';
import { l2Norm } from '../point-error/point-error.oracle.ts';
import { type Image, warpOracle } from '../warp/warp.oracle.ts';
import { preOracle } from '../warp-pre/warp-pre.oracle.ts';

/** A box moved by beta: the parameters of T_(beta+gamma). */
export function movedBox({ lower, upper }: ParameterBox, beta: Parameter): ParameterBox {
  const move = (end: Parameter) => end.map((value, axis) => value + (beta[axis] ?? Number.NaN));
  return { lower: move(lower), upper: move(upper) };
}

export function chordErrorOracle(
  transform: Transform,
  beta: Parameter,
  box: ParameterBox,
  image: Image,
  shape: ImageShape,
  pre: Preprocess,
): number {
  const e1 = boxRemainderOracle(transform, box, image, shape);
  const e2 = boxRemainderOracle(transform, movedBox(box, beta), image, shape);
  const moved = warpOracle(transform, beta, e1, shape);
  return l2Norm(
    preOracle(
      moved.map((value, i) => value + (e2[i] ?? Number.NaN)),
      shape,
      pre,
    ),
  );
}
