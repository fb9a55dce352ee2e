/** Float64 twin of `slice_remainder`. */
import type { ImageShape, ParameterBox, Transform } from '../../geometry.ts';
import type { Preprocess } from '../../preprocess.ts';
import { boxRemainderOracle } from '../box-remainder/box-remainder.oracle.ts';
import { l2Norm } from '../point-error/point-error.oracle.ts';
import type { Image } from '../warp/warp.oracle.ts';
import { preOracle } from '../warp-pre/warp-pre.oracle.ts';

/** || pre(e) ||_2, e the bound on |T x - its chord| over the box, pixel by pixel. */
export function sliceRemainderOracle(
  transform: Transform,
  box: ParameterBox,
  image: Image,
  shape: ImageShape,
  pre: Preprocess,
): number {
  return l2Norm(preOracle(boxRemainderOracle(transform, box, image, shape), shape, pre));
}
