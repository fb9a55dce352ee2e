/**
 * Float64 twin of `box_remainder`: gradients cell by cell over the exact coordinate range.
 */
import { boxWidths, type ImageShape, type ParameterBox, type Transform } from '../../geometry.ts';
import { coordinateRangeOracle } from '../box-hull/box-hull.oracle.ts';
import { type Image, interpolateAt } from '../warp/warp.oracle.ts';

type Interval = [number, number];

const hullOf = (values: readonly number[]): Interval => [Math.min(...values), Math.max(...values)];
const product = (a: Interval, b: Interval): Interval =>
  hullOf([a[0] * b[0], a[0] * b[1], a[1] * b[0], a[1] * b[1]]);

/** Ranges of I_u and I_v over the cells that [u0, u1] x [v0, v1] meets. */
function slopes(
  image: Image,
  start: number,
  shape: ImageShape,
  range: readonly number[],
): [Interval, Interval] {
  const [u0 = 0, u1 = 0, v0 = 0, v1 = 0] = range;
  const [du, dv]: [number[], number[]] = [[], []];
  for (let r = Math.floor(v0); r <= v1; r++) {
    for (let c = Math.floor(u0); c <= u1; c++) {
      const at = (column: number, row: number) => interpolateAt(image, start, shape, column, row);
      for (const v of [Math.max(v0, r), Math.min(v1, r + 1)]) {
        const t = v - r;
        du.push((at(c + 1, r) - at(c, r)) * (1 - t) + (at(c + 1, r + 1) - at(c, r + 1)) * t);
      }
      for (const u of [Math.max(u0, c), Math.min(u1, c + 1)]) {
        const t = u - c;
        dv.push((at(c, r + 1) - at(c, r)) * (1 - t) + (at(c + 1, r + 1) - at(c + 1, r)) * t);
      }
    }
  }
  return [hullOf(du), hullOf(dv)];
}

/** Bound on |T x - its chord| over the box, pixel by pixel; [channels, height, width]. */
export function boxRemainderOracle(
  transform: Transform,
  box: ParameterBox,
  image: Image,
  shape: ImageShape,
): Float64Array {
  const { channels, height, width } = shape;
  const output = new Float64Array(channels * height * width);
  const [wx = 0, wy = 0] = boxWidths(transform, box);
  const [cu, cv] = [(width - 1) / 2, (height - 1) / 2];
  for (let i = 0; i < height; i++) {
    for (let j = 0; j < width; j++) {
      const range = coordinateRangeOracle(transform, box, shape, i, j);
      const [u0, u1, v0, v1] = range;
      for (let channel = 0; channel < channels; channel++) {
        const start = channel * height * width;
        const [du, dv] = slopes(image, start, shape, range);
        let value: number;
        if (transform === 'translation') {
          value = (wx * (du[1] - du[0]) + wy * (dv[1] - dv[0])) / 4;
        } else {
          const a = product(du, [cv - v1, cv - v0]);
          const b = product(dv, [u0 - cu, u1 - cu]);
          value = (wx * (a[1] + b[1] - a[0] - b[0])) / 4;
        }
        output[start + i * width + j] = value;
      }
    }
  }
  return output;
}
