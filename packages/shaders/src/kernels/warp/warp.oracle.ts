/**
 * Float64 twin of `warp`, from the paper's definition: angles in degrees, trigonometry in float64, no fixed point.
 */
import type { ImageShape, Parameter, Transform } from '../../geometry.ts';

export type Image = ArrayLike<number>;

/** I(column, row) of one plane: bilinear, 0 outside. */
export function interpolateAt(
  plane: Image,
  start: number,
  shape: ImageShape,
  column: number,
  row: number,
): number {
  const { height, width } = shape;
  const at = (c: number, r: number) =>
    c >= 0 && r >= 0 && c < width && r < height ? (plane[start + r * width + c] ?? Number.NaN) : 0;
  const [c, r] = [Math.floor(column), Math.floor(row)];
  const [fc, fr] = [column - c, row - r];
  const top = at(c, r) * (1 - fc) + at(c + 1, r) * fc;
  const bottom = at(c, r + 1) * (1 - fc) + at(c + 1, r + 1) * fc;
  return top * (1 - fr) + bottom * fr;
}

/** Source column and row of output pixel (i, j) under T. */
export function sourceOf(
  transform: Transform,
  parameter: Parameter,
  { height, width }: ImageShape,
  i: number,
  j: number,
): [column: number, row: number] {
  if (transform === 'translation')
    return [j - (parameter[0] ?? Number.NaN), i - (parameter[1] ?? Number.NaN)];
  const [x, y] = [2 * j - (width - 1), 2 * i - (height - 1)];
  const radians = ((parameter[0] ?? Number.NaN) * Math.PI) / 180;
  const [c, s] = [Math.cos(radians), Math.sin(radians)];
  return [(x * c - y * s + width - 1) / 2, (x * s + y * c + height - 1) / 2];
}

/** T x; image and result [channels, height, width]. */
export function warpOracle(
  transform: Transform,
  parameter: Parameter,
  image: Image,
  shape: ImageShape,
): Float64Array {
  const { channels, height, width } = shape;
  const output = new Float64Array(channels * height * width);
  for (let i = 0; i < height; i++) {
    for (let j = 0; j < width; j++) {
      const [column, row] = sourceOf(transform, parameter, shape, i, j);
      for (let channel = 0; channel < channels; channel++) {
        const start = channel * height * width;
        output[start + i * width + j] = interpolateAt(image, start, shape, column, row);
      }
    }
  }
  return output;
}
