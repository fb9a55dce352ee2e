/**
 * Steps between neighbouring floating-point numbers, and casts to float32 that never move inward.
 */

const f64 = new Float64Array(1);
const bits64 = new BigInt64Array(f64.buffer);
const f32 = new Float32Array(1);
const bits32 = new Int32Array(f32.buffer);

/** The next float64 above x (x finite or -Infinity; NaN and Infinity are returned as they are). */
export function nextUp(x: number): number {
  if (Number.isNaN(x) || x === Number.POSITIVE_INFINITY) return x;
  if (x === 0) return Number.MIN_VALUE;
  f64[0] = x;
  bits64[0] = (bits64[0] ?? 0n) + (x > 0 ? 1n : -1n);
  return f64[0] ?? Number.NaN;
}

/** The next float64 below x. */
export function nextDown(x: number): number {
  return -nextUp(-x);
}

/** The next float32 above the float32 x. */
export function nextUpF32(x: number): number {
  f32[0] = x;
  const y = f32[0] ?? Number.NaN;
  if (Number.isNaN(y) || y === Number.POSITIVE_INFINITY) return y;
  if (y === 0) return 2 ** -149;
  bits32[0] = (bits32[0] ?? 0) + (y > 0 ? 1 : -1);
  return f32[0] ?? Number.NaN;
}

export function nextDownF32(x: number): number {
  return -nextUpF32(-x);
}

/** The smallest float32 that is not below the float64 x. */
export function roundUpF32(x: number): number {
  const y = Math.fround(x);
  return y < x ? nextUpF32(y) : y;
}

/** The largest float32 that is not above the float64 x. */
export function roundDownF32(x: number): number {
  return -roundUpF32(-x);
}
