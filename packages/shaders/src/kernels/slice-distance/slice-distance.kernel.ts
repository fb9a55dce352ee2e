import { wgsl } from '../../generated/wgsl.ts';
import {
  FINE_MAP_LENGTH,
  fixedMap,
  type ImageShape,
  type Parameter,
  type Transform,
  writeMap,
} from '../../geometry.ts';
import { definePairKernel } from '../pair-kernel.ts';

/** || pre(T_gamma x - T_center x) ||^2; the second stack is not read. */
export const sliceDistanceKernel = definePairKernel('slice_distance', wgsl.slice_distance);

export interface DistanceItem {
  /** Index in the stack of images. */
  readonly image: number;
  readonly gamma: Parameter;
  readonly center: Parameter;
}

export function distanceItems(
  entries: readonly DistanceItem[],
  transform: Transform,
  shape: ImageShape,
): Int32Array<ArrayBuffer> {
  const length = 1 + 2 * FINE_MAP_LENGTH;
  const items = new Int32Array(entries.length * length);
  entries.forEach(({ image, gamma, center }, i) => {
    items[i * length] = image;
    writeMap(items, i * length + 1, fixedMap(transform, gamma, shape));
    writeMap(items, i * length + 1 + FINE_MAP_LENGTH, fixedMap(transform, center, shape));
  });
  return items;
}
