import { wgsl } from '../../generated/wgsl.ts';
import type { FixedMap } from '../../geometry.ts';
import { definePixelKernel } from '../pixel-kernel.ts';

/** T x for many (image, map) items; output [item, channels, height, width]. */
export const warpKernel = definePixelKernel('warp', wgsl.warp);

export interface MapItem {
  /** Index in the stack of images. */
  readonly image: number;
  readonly map: FixedMap;
}

/** Items of `warp` and `warp_pre`. */
export function mapItems(entries: readonly MapItem[]): Int32Array<ArrayBuffer> {
  return Int32Array.from(entries.flatMap(({ image, map }) => [image, ...map]));
}
