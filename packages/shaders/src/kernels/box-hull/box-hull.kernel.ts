import { wgsl } from '../../generated/wgsl.ts';
import { BOX_LENGTH, type ImageShape, type ParameterBox, type Transform, writeBox } from '../../geometry.ts';
import { definePixelKernel } from '../pixel-kernel.ts';

/** Hull of T_[a,b] x; output [item, 2 (lower, upper), channels, height, width]. */
export const boxHullKernel = definePixelKernel('box_hull', wgsl.box_hull);

export interface BoxItem {
  /** Index in the stack of images. */
  readonly image: number;
  readonly box: ParameterBox;
}

/** Items of `box_hull` and `box_remainder`. */
export function boxItems(
  entries: readonly BoxItem[],
  transform: Transform,
  shape: ImageShape,
): Int32Array<ArrayBuffer> {
  const items = new Int32Array(entries.length * (1 + BOX_LENGTH));
  entries.forEach(({ image, box }, i) => {
    const at = i * (1 + BOX_LENGTH);
    items[at] = image;
    writeBox(items, at + 1, transform, box, [], shape);
  });
  return items;
}
