import { wgsl } from '../../generated/wgsl.ts';
import { FINE_MAP_LENGTH, type FixedMap, writeMap } from '../../geometry.ts';
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
  const items = new Int32Array(entries.length * (1 + FINE_MAP_LENGTH));
  entries.forEach(({ image, map }, i) => {
    items[i * (1 + FINE_MAP_LENGTH)] = image;
    writeMap(items, i * (1 + FINE_MAP_LENGTH) + 1, map);
  });
  return items;
}
