/**
 * A second opinion on binomial tails, for tests only: about 30 digits from double-double arithmetic and a table
 * of factorials, sharing neither formula nor code with src/statistics. Slow, and not for production.
 *
 * A double-double is an unevaluated sum high + low of two doubles; here scaled by 2^exponent where a factorial or
 * a power would leave the range of doubles.
 */

interface Scaled {
  high: number;
  low: number;
  exponent: number;
}

const SPLITTER = 2 ** 27 + 1;

function productLow(a: number, b: number, product: number): number {
  const aWide = SPLITTER * a;
  const aHigh = aWide - (aWide - a);
  const aLow = a - aHigh;
  const bWide = SPLITTER * b;
  const bHigh = bWide - (bWide - b);
  const bLow = b - bHigh;
  return aLow * bLow - (product - aHigh * bHigh - aLow * bHigh - aHigh * bLow);
}

/** high brought into [1, 2). */
function normalised(high: number, low: number, exponent: number): Scaled {
  if (high === 0) return { high: 0, low: 0, exponent: 0 };
  const shift = Math.floor(Math.log2(high));
  const scale = 2 ** -shift;
  return { high: high * scale, low: low * scale, exponent: exponent + shift };
}

function multiply(a: Scaled, b: Scaled): Scaled {
  const product = a.high * b.high;
  const rest = productLow(a.high, b.high, product) + (a.high * b.low + a.low * b.high);
  const high = product + rest;
  return normalised(high, rest - (high - product), a.exponent + b.exponent);
}

function divide(a: Scaled, b: Scaled): Scaled {
  const first = a.high / b.high;
  const back = first * b.high;
  const rest = (a.high - back - productLow(first, b.high, back) + a.low - first * b.low) / b.high;
  const high = first + rest;
  return normalised(high, rest - (high - first), a.exponent - b.exponent);
}

function power(base: Scaled, times: number): Scaled {
  let result: Scaled = { high: 1, low: 0, exponent: 0 };
  let square = base;
  for (let left = times; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) result = multiply(result, square);
    square = multiply(square, square);
  }
  return result;
}

const factorials: Scaled[] = [{ high: 1, low: 0, exponent: 0 }];

function factorial(n: number): Scaled {
  for (let i = factorials.length; i <= n; i++) {
    const last = factorials[i - 1] ?? { high: Number.NaN, low: 0, exponent: 0 };
    factorials.push(multiply(last, normalised(i, 0, 0)));
  }
  return factorials[n] ?? { high: Number.NaN, low: 0, exponent: 0 };
}

/** A positive double-double in the range of doubles. */
export interface DoubleDouble {
  readonly high: number;
  readonly low: number;
}

/** P[Bin(n, p) = k] for 0 < p < 1, about 29 digits; for values above 1e-280. */
export function exactPmf(k: number, n: number, p: number): DoubleDouble {
  const complement = 1 - p;
  // 1 - p = complement + what the subtraction lost, exactly.
  const lost = 1 - complement - p;
  const ways = divide(factorial(n), multiply(factorial(k), factorial(n - k)));
  const chance = multiply(power(normalised(p, 0, 0), k), power(normalised(complement, lost, 0), n - k));
  const { high, low, exponent } = multiply(ways, chance);
  const half = Math.trunc(exponent / 2);
  return { high: high * 2 ** half * 2 ** (exponent - half), low: low * 2 ** half * 2 ** (exponent - half) };
}

/** P[Bin(n, p) >= k], about 28 digits, by adding its terms from k upward; for values above 1e-280. */
export function exactUpperTail(k: number, n: number, p: number): DoubleDouble {
  const start = exactPmf(k, n, p);
  const complement = 1 - p;
  const odds = divide(normalised(p, 0, 0), normalised(complement, 1 - complement - p, 0));
  const scale = 2 ** odds.exponent;
  return sumTerms(start, n - k, k, odds.high * scale, odds.low * scale);
}

/** P[Bin(n, p) <= k], likewise downward. */
export function exactLowerTail(k: number, n: number, p: number): DoubleDouble {
  const start = exactPmf(k, n, p);
  const complement = 1 - p;
  const odds = divide(normalised(complement, 1 - complement - p, 0), normalised(p, 0, 0));
  const scale = 2 ** odds.exponent;
  return sumTerms(start, k, n - k, odds.high * scale, odds.low * scale);
}

/** Sum of start · prod (m - i + 1) / (c + i) · odds. Written out in place: this is the loop that costs time. */
function sumTerms(
  start: DoubleDouble,
  m: number,
  c: number,
  oddsHigh: number,
  oddsLow: number,
): DoubleDouble {
  let high = start.high;
  let low = start.low;
  let sumHigh = high;
  let sumLow = low;
  for (let i = 1; i <= m; i++) {
    // times odds
    let product = high * oddsHigh;
    let rest = productLow(high, oddsHigh, product) + (high * oddsLow + low * oddsHigh);
    high = product + rest;
    low = rest - (high - product);
    // times m - i + 1
    product = high * (m - i + 1);
    rest = productLow(high, m - i + 1, product) + low * (m - i + 1);
    high = product + rest;
    low = rest - (high - product);
    // by c + i
    const quotient = high / (c + i);
    const back = quotient * (c + i);
    rest = (high - back - productLow(quotient, c + i, back) + low) / (c + i);
    high = quotient + rest;
    low = rest - (high - quotient);
    const total = sumHigh + high;
    const part = total - sumHigh;
    const error = sumHigh - (total - part) + (high - part) + sumLow + low;
    sumHigh = total + error;
    sumLow = error - (sumHigh - total);
    if (high < sumHigh * 2 ** -98 && (m - i) * oddsHigh < (c + i + 1) * 0.999) break;
  }
  return { high: sumHigh, low: sumLow };
}

/** Whether a double-double is at most a double. */
export function atMost(a: DoubleDouble, b: number): boolean {
  return a.high < b || (a.high === b && a.low <= 0);
}

/** P[Bin(n, p) >= k] as an exact fraction over 2^(1074 n): for small n only. */
export function rationalUpperTail(
  k: number,
  n: number,
  p: number,
): { numerator: bigint; denominator: bigint } {
  let whole = p;
  let scale = 0;
  while (!Number.isInteger(whole)) {
    whole *= 2;
    scale++;
  }
  const one = 1n << BigInt(scale);
  const up = BigInt(whole);
  const down = one - up;
  let numerator = 0n;
  let ways = 1n;
  for (let j = 0; j <= n; j++) {
    if (j >= k) numerator += ways * up ** BigInt(j) * down ** BigInt(n - j);
    ways = (ways * BigInt(n - j)) / BigInt(j + 1);
  }
  return { numerator, denominator: one ** BigInt(n) };
}
