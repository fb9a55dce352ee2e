import { wgsl } from '../../generated/wgsl.ts';
import { definePairKernel } from '../pair-kernel.ts';

/** || pre(e) ||^2, e the departure of T x from its chord over a box; items as for `box_remainder`; one stack only. */
export const sliceRemainderKernel = definePairKernel('slice_remainder', wgsl.slice_remainder, [
  'TRANSLATION',
]);
