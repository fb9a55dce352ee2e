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

/** || pre(T_beta T_gamma x - T_(beta+gamma) x) ||^2 at single parameters, T_gamma x ready-made. */
export const pointErrorKernel = definePairKernel('point_error', wgsl.point_error);

export interface PointItem {
  readonly image: number;
  /** Where T_gamma x lies in the second stack. */
  readonly slot: number;
  readonly beta: Parameter;
  readonly gamma: Parameter;
}

export function pointItems(
  entries: readonly PointItem[],
  transform: Transform,
  shape: ImageShape,
): Int32Array<ArrayBuffer> {
  const length = 2 + 2 * FINE_MAP_LENGTH;
  const items = new Int32Array(entries.length * length);
  entries.forEach(({ image, slot, beta, gamma }, i) => {
    items[i * length] = image;
    items[i * length + 1] = slot;
    writeMap(items, i * length + 2, fixedMap(transform, beta, shape));
    const both = beta.map((value, axis) => value + (gamma[axis] ?? Number.NaN));
    writeMap(items, i * length + 2 + FINE_MAP_LENGTH, fixedMap(transform, both, shape));
  });
  return items;
}
