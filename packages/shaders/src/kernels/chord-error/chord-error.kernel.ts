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

/** || pre(T_beta e1 + e2) ||^2, the chord bound's remainder; e1 ready-made by `box_remainder`. */
export const chordErrorKernel = definePairKernel('chord_error', wgsl.chord_error, ['TRANSLATION']);

export interface PairItem {
  readonly image: number;
  /** Where the box's remainder lies in the second stack. */
  readonly slot: number;
  readonly beta: Parameter;
  readonly box: ParameterBox;
}

/** Items of `chord_error`. */
export function pairItems(
  entries: readonly PairItem[],
  transform: Transform,
  shape: ImageShape,
): Int32Array<ArrayBuffer> {
  const length = 2 + FINE_MAP_LENGTH + BOX_LENGTH;
  const items = new Int32Array(entries.length * length);
  entries.forEach(({ image, slot, beta, box }, i) => {
    const at = i * length;
    items[at] = image;
    items[at + 1] = slot;
    writeMap(items, at + 2, fixedMap(transform, beta, shape));
    writeBox(items, at + 2 + FINE_MAP_LENGTH, transform, box, beta, shape);
  });
  return items;
}
