/**
 * Float64 arithmetic that knows which way it was rounded: error-free sums and products, and operations
 * rounded towards one side. Not a fast path: used a few times per bound, never per sample.
 *
 * JavaScript numbers are IEEE 754 binary64, rounded to nearest, with no fused operations and no flushing; the
 * error-free transformations below (Dekker, Knuth) are exact under exactly these rules.
 */
import { nextDown, nextUp } from '@turnproof/core';

/** Unit roundoff of binary64: one rounding is off by at most this, relative. */
export const UNIT_ROUNDOFF = 2 ** -53;

/** a + b = high + low exactly, high the rounded sum (Knuth). */
export function exactSum(a: number, b: number): { high: number; low: number } {
  const high = a + b;
  const bPart = high - a;
  const low = a - (high - bPart) + (b - bPart);
  return { high, low };
}

const SPLITTER = 2 ** 27 + 1;

/** a · b = high + low exactly, high the rounded product (Dekker); for |a|, |b| < 2^480 and no underflow. */
export function exactProduct(a: number, b: number): { high: number; low: number } {
  const high = a * b;
  const aWide = SPLITTER * a;
  const aHigh = aWide - (aWide - a);
  const aLow = a - aHigh;
  const bWide = SPLITTER * b;
  const bHigh = bWide - (bWide - b);
  const bLow = b - bHigh;
  const low = aLow * bLow - (high - aHigh * bHigh - aLow * bHigh - aHigh * bLow);
  return { high, low };
}

/** The greatest double that is not above a - b; infinities pass through. */
export function subtractDown(a: number, b: number): number {
  const { high, low } = exactSum(a, -b);
  return low < 0 ? nextDown(high) : high;
}

/** The least double that is not below a + b; infinities pass through. */
export function addUp(a: number, b: number): number {
  const { high, low } = exactSum(a, b);
  return low > 0 ? nextUp(high) : high;
}

/** Not above a · b, and within one step of it; for a, b >= 0. Where the product underflows it may give 0. */
export function multiplyDown(a: number, b: number): number {
  const product = a * b;
  // Below 2^-960 Dekker's low part may itself underflow, so its sign says nothing.
  if (!Number.isFinite(product)) return product;
  if (product < 2 ** -960) return Math.max(0, nextDown(product));
  return exactProduct(a, b).low < 0 ? nextDown(product) : product;
}

/** Not below a / b, and within one step of it; for a >= 0, b > 0. */
export function divideUp(a: number, b: number): number {
  if (a === 0) return 0;
  return nextUp(a / b);
}
