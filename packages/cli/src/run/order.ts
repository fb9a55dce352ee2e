/** Numbers in an order that a seed decides, so that a data set sorted by class does no harm. */
import { philox4x32 } from '@turnproof/shaders/oracle';

/** 0 to total - 1, shuffled by Philox with the seed as key. */
export function shuffled(total: number, seed: bigint): number[] {
  const key = [Number(seed & 0xffffffffn), Number(seed >> 32n)] as const;
  const ranked = Array.from({ length: total }, (_, at) => {
    const [high, low] = philox4x32([at, 0, 0, 0], key);
    return { at, rank: high * 2 ** 32 + low };
  });
  return ranked.toSorted((a, b) => a.rank - b.rank).map(({ at }) => at);
}
