/**
 * Float64 twin of `inverse`, from its definition (design: math, section 5): every pixel of x' and every cell around every
 * pixel of x, by trigonometry, without windows and outward rounding. Slow.
 */
import type { ImageShape, ParameterBox, Transform } from '../../geometry.ts';
import { coordinateRangeOracle } from '../box-hull/box-hull.oracle.ts';
import type { Image } from '../warp/warp.oracle.ts';

/** Lower and upper ends, [channels, height, width] each. */
export interface IntervalImage {
  readonly lower: Float64Array;
  readonly upper: Float64Array;
}

/** Everything that an image may be. */
export function anyImage({ channels, height, width }: ImageShape): IntervalImage {
  const size = channels * height * width;
  return { lower: new Float64Array(size), upper: new Float64Array(size).fill(1) };
}

/** A pixel of x' nearer than this to the edge of a pixel's four cells says next to nothing of it, and is left out. */
export const INVERSE_REACH = 63 / 64;

/**
 * What pixel q can be when a pixel of x' in [low, high] was interpolated somewhere in `range`, [u0, u1, v0, v1] relative to
 * q, in pixels.
 *
 * @param known - Interval of the pixel (du, dv) pixels from q.
 */
export function impliedInterval(
  [low, high]: readonly [number, number],
  range: readonly [number, number, number, number],
  known: (du: number, dv: number) => readonly [number, number],
): [number, number] {
  const [u0, u1, v0, v1] = range;
  // Somewhere it may have no weight: nothing is said.
  if (Math.min(u0, v0) < -INVERSE_REACH || Math.max(u1, v1) > INVERSE_REACH)
    return [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  let [lower, upper] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const su of [-1, 1]) {
    for (const sv of [-1, 1]) {
      const [nearU, farU] = su > 0 ? [Math.max(0, u0), u1] : [Math.max(0, -u1), -u0];
      const [nearV, farV] = sv > 0 ? [Math.max(0, v0), v1] : [Math.max(0, -v1), -v0];
      if (farU < 0 || farV < 0) continue;
      const others = [known(su, 0), known(0, sv), known(su, sv)] as const;
      for (const du of [nearU, farU]) {
        for (const dv of [nearV, farV]) {
          const weights = [du * (1 - dv), (1 - du) * dv, du * dv];
          const rest = (end: 0 | 1) =>
            others.reduce((sum, other, k) => sum + (weights[k] ?? 0) * other[end], 0);
          const own = (1 - du) * (1 - dv);
          lower = Math.min(lower, (low - rest(1)) / own);
          upper = Math.max(upper, (high - rest(0)) / own);
        }
      }
    }
  }
  return [lower, upper];
}

/** One step of refinement; a pixel with lower > upper refutes the box. */
export function inverseOracle(
  transform: Transform,
  box: ParameterBox,
  image: Image,
  halfStep: number,
  before: IntervalImage,
  shape: ImageShape,
): IntervalImage {
  const { channels, height, width } = shape;
  const [lower, upper] = [Float64Array.from(before.lower), Float64Array.from(before.upper)];
  for (let i = 0; i < height; i++) {
    for (let j = 0; j < width; j++) {
      const [u0, u1, v0, v1] = coordinateRangeOracle(transform, box, shape, i, j);
      for (let row = Math.floor(v0); row <= Math.ceil(v1); row++) {
        for (let column = Math.floor(u0); column <= Math.ceil(u1); column++) {
          if (column < 0 || row < 0 || column >= width || row >= height) continue;
          for (let channel = 0; channel < channels; channel++) {
            const plane = channel * height * width;
            const value = image[plane + i * width + j] ?? Number.NaN;
            const known = (du: number, dv: number): [number, number] => {
              const [c, r] = [column + du, row + dv];
              if (c < 0 || r < 0 || c >= width || r >= height) return [0, 0];
              const at = plane + r * width + c;
              return [before.lower[at] ?? Number.NaN, before.upper[at] ?? Number.NaN];
            };
            const range = [u0 - column, u1 - column, v0 - row, v1 - row] as const;
            const [a, b] = impliedInterval([value - halfStep, value + halfStep], range, known);
            const at = plane + row * width + column;
            lower[at] = Math.max(lower[at] ?? Number.NaN, a);
            upper[at] = Math.min(upper[at] ?? Number.NaN, b);
          }
        }
      }
    }
  }
  return { lower, upper };
}

/** Does a pixel have no value left? */
export function isRefuted({ lower, upper }: IntervalImage): boolean {
  return lower.some((value, i) => value > (upper[i] ?? Number.NaN));
}
