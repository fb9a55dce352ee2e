import { wgsl } from '../../generated/wgsl.ts';
import {
  BOX_LENGTH,
  FINE_MAP_LENGTH,
  fixedMap,
  type ImageShape,
  type Parameter,
  type ParameterBox,
  type Transform,
  writeBox,
  writeMap,
} from '../../geometry.ts';
import { definePairKernel } from '../pair-kernel.ts';

/** sup || pre(T_beta Y - hull of T_(box+beta) X) ||^2 over the interval images Y and X. */
export const intervalErrorKernel = definePairKernel('interval_error', wgsl.interval_error);

export interface IntervalItem {
  /** X: where its lower and upper ends lie among the images; twice the same for one image. */
  readonly images: readonly [lower: number, upper: number];
  /** Y: the same, in the second stack. */
  readonly moved: readonly [lower: number, upper: number];
  readonly beta: Parameter;
  readonly box: ParameterBox;
}

/** Where an interval image lies whose ends alternate in a stack, as `box_hull` and `inverse` write them. */
export function endsOf(slot: number): readonly [lower: number, upper: number] {
  return [2 * slot, 2 * slot + 1];
}

export function intervalItems(
  entries: readonly IntervalItem[],
  transform: Transform,
  shape: ImageShape,
): Int32Array<ArrayBuffer> {
  const length = 4 + FINE_MAP_LENGTH + BOX_LENGTH;
  const items = new Int32Array(entries.length * length);
  entries.forEach(({ images, moved, beta, box }, i) => {
    const at = i * length;
    items.set([...images, ...moved], at);
    writeMap(items, at + 4, fixedMap(transform, beta, shape));
    writeBox(items, at + 4 + FINE_MAP_LENGTH, transform, box, beta, shape);
  });
  return items;
}
