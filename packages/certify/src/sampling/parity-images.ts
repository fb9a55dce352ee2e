/** Images by which providers are compared (`checkParity`): like those that a run gives its classifier, and never the same. */
import { philox4x32 } from '@turnproof/shaders/oracle';
import { counterWord, keyOf } from './streams.ts';

/** Numbers that the rows of a check share; a power of two. */
const POOL = 2 ** 16;
/** From one row's first number to the next one's: odd, so that no two of POOL rows begin at the same. */
const STEP = 40_503;

export interface ParityImagesOptions {
  /** Deviation of the run's noise. */
  readonly sigma: number;
  readonly seed: bigint;
}

/**
 * @param clean one image or more, [channels, height, width] each
 * @returns `count` images for a check: the clean ones in turn, each with noise of its own. A row's numbers are those of the
 *   check's pool from another place on, so rows differ in every pixel; drawing all of them anew would take longer than
 *   the check.
 */
export function parityImages(
  clean: readonly Float32Array[],
  { sigma, seed }: ParityImagesOptions,
): (count: number, check: number) => Float32Array<ArrayBuffer> {
  // Never without noise: equal images would hide swapped rows.
  const deviation = Math.max(sigma, 0.05);
  const key = keyOf(seed);
  const size = clean[0]?.length ?? 0;
  return (count, check) => {
    const pool = Float64Array.from({ length: POOL }, (_, i) => {
      const words = philox4x32([check, counterWord('parity', i), 0, 0], key);
      return deviation * bell(words);
    });
    const images = new Float32Array(count * size);
    for (let row = 0; row < count; row++) {
      const pixels = clean[row % clean.length] ?? [];
      for (let i = 0; i < size; i++) {
        images[row * size + i] = (pixels[i] ?? Number.NaN) + (pool[(row * STEP + i) % POOL] ?? Number.NaN);
      }
    }
    return images;
  };
}

/** Deviation 1, mean 0, nearly normal: four even numbers added. Nothing is proved by these images. */
function bell(words: readonly number[]): number {
  return Math.sqrt(3) * (words.reduce((sum, word) => sum + word / 2 ** 32, 0) - 2);
}
