/**
 * Float64 twin of `box_hull`: exact coordinate ranges by trigonometry (extremes where the arc passes an axis), the
 * hull at cell corners. Tight, so that a kernel which is too wide shows as well.
 */
import { dimensionsOf, type ImageShape, type ParameterBox, type Transform } from '../../geometry.ts';
import { type Image, interpolateAt, sourceOf } from '../warp/warp.oracle.ts';

/** Range of R cos(gamma + phase) over [a, b] in radians. */
function cosineRange(radius: number, phase: number, a: number, b: number): [number, number] {
  const ends = [radius * Math.cos(a + phase), radius * Math.cos(b + phase)];
  // Multiples of pi inside the interval: even ones are maxima, odd ones minima.
  for (let k = Math.ceil((a + phase) / Math.PI); k * Math.PI <= b + phase; k++)
    ends.push(k % 2 === 0 ? radius : -radius);
  return [Math.min(...ends), Math.max(...ends)];
}

/** [u0, u1, v0, v1]: source columns and rows of output pixel (i, j) over the box. */
export function coordinateRangeOracle(
  transform: Transform,
  box: ParameterBox,
  shape: ImageShape,
  i: number,
  j: number,
): [number, number, number, number] {
  if (dimensionsOf(transform) === 2) {
    const [ua, va] = sourceOf(transform, box.lower, shape, i, j);
    const [ub, vb] = sourceOf(transform, box.upper, shape, i, j);
    return [Math.min(ua, ub), Math.max(ua, ub), Math.min(va, vb), Math.max(va, vb)];
  }
  const { height, width } = shape;
  const [x, y] = [2 * j - (width - 1), 2 * i - (height - 1)];
  const radius = Math.hypot(x, y);
  const phase = Math.atan2(y, x);
  const radians = (end: readonly number[]) => ((end[0] ?? Number.NaN) * Math.PI) / 180;
  const [a, b] = [radians(box.lower), radians(box.upper)];
  // x cos - y sin = R cos(gamma + phase); x sin + y cos = R cos(gamma + phase - pi/2).
  const [x0, x1] = cosineRange(radius, phase, a, b);
  const [y0, y1] = cosineRange(radius, phase - Math.PI / 2, a, b);
  return [(x0 + width - 1) / 2, (x1 + width - 1) / 2, (y0 + height - 1) / 2, (y1 + height - 1) / 2];
}

/** The ends of [low, high] and the whole numbers between. */
export function breakpoints(low: number, high: number): number[] {
  const points = [low, high];
  for (let k = Math.ceil(low); k <= high; k++) points.push(k);
  return points;
}

/** Lower and upper ends [2][channels, height, width] of T_[a,b] x. */
export function boxHullOracle(
  transform: Transform,
  box: ParameterBox,
  image: Image,
  shape: ImageShape,
): [lower: Float64Array, upper: Float64Array] {
  const { channels, height, width } = shape;
  const lower = new Float64Array(channels * height * width);
  const upper = new Float64Array(channels * height * width);
  for (let i = 0; i < height; i++) {
    for (let j = 0; j < width; j++) {
      const [u0, u1, v0, v1] = coordinateRangeOracle(transform, box, shape, i, j);
      for (let channel = 0; channel < channels; channel++) {
        const start = channel * height * width;
        const values = breakpoints(u0, u1).flatMap((u) =>
          breakpoints(v0, v1).map((v) => interpolateAt(image, start, shape, u, v)),
        );
        lower[start + i * width + j] = Math.min(...values);
        upper[start + i * width + j] = Math.max(...values);
      }
    }
  }
  return [lower, upper];
}
