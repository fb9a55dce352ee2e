import { wgsl } from '../../generated/wgsl.ts';
import { fixedMap, type ImageShape, MAP_LENGTH, type Parameter, type Transform } from '../../geometry.ts';
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
  const length = 2 + 2 * MAP_LENGTH;
  const items = new Int32Array(entries.length * length);
  entries.forEach(({ image, slot, beta, gamma }, i) => {
    items[i * length] = image;
    items[i * length + 1] = slot;
    items.set(fixedMap(transform, beta, shape), i * length + 2);
    const both = beta.map((value, axis) => value + (gamma[axis] ?? Number.NaN));
    items.set(fixedMap(transform, both, shape), i * length + 2 + MAP_LENGTH);
  });
  return items;
}
