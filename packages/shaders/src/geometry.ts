/**
 * Images' shapes, fixed-point maps and boxes: what the kernels are told, made in float64 on the host.
 *
 * Source: design of shared/affine.wgsl and shared/box.wgsl. Pixel (i, j) has X = 2j - (width-1), Y = 2i - (height-1).
 */
import { badInput } from '@turnproof/core';

export interface ImageShape {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

export function pixelCount({ channels, height, width }: ImageShape): number {
  return channels * height * width;
}

/** A transformation T of images, by its parameter: degrees for rotation, pixels (right, down) for translation. */
export type Transform = 'rotation' | 'translation';

/** One parameter: [degrees] or [dx, dy]. */
export type Parameter = readonly number[];

export function dimensionsOf(transform: Transform): number {
  return transform === 'rotation' ? 1 : 2;
}

/** Largest |X| + |Y| of an image: how far a map's integers are multiplied. */
export function reachOf({ height, width }: ImageShape): number {
  return width - 1 + (height - 1);
}

/** Largest side of an image that the fixed-point maps serve with enough bits. */
export const MAX_SIDE = 4096;

/**
 * Bits behind the point of a coordinate: as many as 31-bit arithmetic and float32's 24-bit fractions allow.
 *
 * @throws TurnproofError `bad-input` for sides of 0 or above {@link MAX_SIDE}.
 */
export function fractionBits(shape: ImageShape): number {
  const { height, width } = shape;
  if (!(width >= 1 && height >= 1 && width <= MAX_SIDE && height <= MAX_SIDE)) {
    throw badInput(`images of ${width} x ${height} pixels: sides of 1 to ${MAX_SIDE} are served`);
  }
  // |m0 X + m1 Y| <= sqrt(2) reach 2^(k-1), the centre and the arc of a 90-degree box beside it (0.31 reach), and
  // translations of up to one image; all below 2^31.
  const halves = 2 * reachOf(shape) + 2 * Math.max(width, height) + 4 + 2 * Math.max(width, height);
  return Math.min(24, 1 + Math.floor(Math.log2(2 ** 31 / halves)));
}

/** A map in fixed point: six integers, and what rounding left over (see shared/affine.wgsl). */
export interface FixedMap {
  /** m0..m5. */
  readonly integers: readonly number[];
  /** r0..r5, each at most half a unit. */
  readonly residuals: readonly number[];
}

/** T for the given parameter as a fixed-point map; float64 leaves it far below a thousandth of a unit uncertain. */
export function fixedMap(transform: Transform, parameter: Parameter, shape: ImageShape): FixedMap {
  const half = 2 ** (fractionBits(shape) - 1);
  const [centerU, centerV] = [(shape.width - 1) * half, (shape.height - 1) * half];
  let exact: number[];
  if (transform === 'rotation') {
    const radians = ((parameter[0] ?? Number.NaN) * Math.PI) / 180;
    const [c, s] = [Math.cos(radians) * half, Math.sin(radians) * half];
    exact = [c, -s, s, c, centerU, centerV];
  } else {
    // A shift beyond the image leaves nothing of it: cutting it there changes no value and keeps the integers small.
    const shift = (pixels: number | undefined, side: number) =>
      Math.max(-side - 1, Math.min(side + 1, pixels ?? Number.NaN)) * 2 * half;
    exact = [
      half,
      0,
      0,
      half,
      centerU - shift(parameter[0], shape.width),
      centerV - shift(parameter[1], shape.height),
    ];
  }
  const integers = exact.map(Math.round);
  return { integers, residuals: exact.map((value, i) => value - (integers[i] ?? Number.NaN)) };
}

/** A box of parameters [lower, upper], axis by axis. Rotation boxes are at most 90 degrees wide. */
export interface ParameterBox {
  readonly lower: Parameter;
  readonly upper: Parameter;
}

export const BOX_LENGTH = 15;
/** Words of a map with its residuals. */
export const FINE_MAP_LENGTH = 12;

const scratch = new DataView(new ArrayBuffer(4));
/** The bits of the float32 next to x, as items carry them. */
export const bitsOfF32 = (x: number): number => {
  scratch.setFloat32(0, x, true);
  return scratch.getInt32(0, true);
};

/** Width of a box in the units of its remainder: radians, or pixels per axis. Rounded up by more than enough. */
export function boxWidths(transform: Transform, { lower, upper }: ParameterBox): number[] {
  const scale = transform === 'rotation' ? Math.PI / 180 : 1;
  return lower.map((a, i) => ((upper[i] ?? Number.NaN) - a) * scale * (1 + 2 ** -20));
}

/** Writes a box, moved by `offset` (the beta of T_(beta+gamma)), into a kernel's items. */
export function writeBox(
  items: Int32Array,
  at: number,
  transform: Transform,
  box: ParameterBox,
  offset: Parameter,
  shape: ImageShape,
): void {
  const moved = (end: Parameter) => end.map((value, i) => value + (offset[i] ?? 0));
  const widths = boxWidths(transform, box);
  items.set(fixedMap(transform, moved(box.lower), shape).integers, at);
  items.set(fixedMap(transform, moved(box.upper), shape).integers, at + 6);
  const half = 2 ** (fractionBits(shape) - 1);
  const width = widths[0] ?? Number.NaN;
  items[at + 12] = transform === 'rotation' ? Math.ceil(((width * width) / 8) * half) + 1 : 0;
  items[at + 13] = bitsOfF32((width / 4) * (1 + 2 ** -20));
  items[at + 14] = bitsOfF32(((widths[1] ?? 0) / 4) * (1 + 2 ** -20));
}

export function writeMap(items: Int32Array, at: number, { integers, residuals }: FixedMap): void {
  items.set(integers, at);
  items.set(residuals.map(bitsOfF32), at + 6);
}
