import { wgsl } from '../../generated/wgsl.ts';
import { definePixelKernel } from '../pixel-kernel.ts';

/** How far each pixel of T x departs from its chord over a box; items as for `box_hull`. */
export const boxRemainderKernel = definePixelKernel('box_remainder', wgsl.box_remainder, ['TRANSLATION']);
