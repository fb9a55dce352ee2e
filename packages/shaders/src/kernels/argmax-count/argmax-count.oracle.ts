/**
 * Twin of `argmax_count`.
 */
import { PADDING_SLOT } from './argmax-count.kernel.ts';

/** counts [slots, classes] from logits [rows, classes]. */
export function argmaxCountOracle(
  logits: ArrayLike<number>,
  slots: ArrayLike<number>,
  classes: number,
  slotCount: number,
): Uint32Array {
  const counts = new Uint32Array(slotCount * classes);
  for (let row = 0; row < slots.length; row++) {
    const slot = slots[row] ?? PADDING_SLOT;
    const values = Array.from({ length: classes }, (_, c) => logits[row * classes + c] ?? Number.NaN);
    if (slot === PADDING_SLOT || !values.every(Number.isFinite)) continue;
    const at = slot * classes + values.indexOf(Math.max(...values));
    counts[at] = (counts[at] ?? 0) + 1;
  }
  return counts;
}
