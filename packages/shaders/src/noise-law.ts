/**
 * Normal noise on a lattice, exactly: the law of J = round(N / q), N ~ N(0, sigma²), q = 2^-k, as whole numbers that a
 * 63-bit random word is compared with. What the noise kernel looks up; computed once for a sigma, in whole numbers only.
 * Not for what the lattice costs a certificate: `latticeBudget` and `noiseVariation` say that.
 */
import { badInput, TurnproofError } from '@turnproof/core';

/** J for a 63-bit word V and a sign: |J| is how many `tails` are above V. */
export interface NoiseLaw {
  /** Standard deviation in pixel values, a float32. */
  readonly sigma: number;
  /** k: J counts steps of 2^-k. */
  readonly latticeBits: number;
  /** P(|J| > j) in units of 2^-63, rounded, for j = 0, 1, ... as long as it is not 0; upper 31 and lower 32 bits. */
  readonly high: Uint32Array<ArrayBuffer>;
  readonly low: Uint32Array<ArrayBuffer>;
}

/** sigma / q lies between 2^this and twice that, but for very small sigma. */
const STEPS_IN_SIGMA = 14;
/** So that pixel + J q stays below 2^24 steps: exact in float32. */
const MOST_BITS = 22;
const LEAST_SIGMA = 2 ** -16;
const MOST_SIGMA = 2 ** STEPS_IN_SIGMA;

/**
 * k for a sigma: fine enough that rounding to the lattice costs next to no radius, coarse enough that the table stays in
 * a cache (some 9 sigma / q thresholds).
 *
 * @throws TurnproofError `bad-input` for a sigma outside [2^-16, 2^14]
 */
export function latticeBitsOf(sigma: number): number {
  if (!(sigma >= LEAST_SIGMA && sigma <= MOST_SIGMA)) {
    throw badInput(
      `noise of standard deviation ${sigma}: it must lie between ${LEAST_SIGMA} and ${MOST_SIGMA} pixel values`,
      'pixels lie in [0, 1], so take 0.25, for instance',
    );
  }
  return Math.min(MOST_BITS, STEPS_IN_SIGMA - Math.floor(Math.log2(sigma)));
}

/**
 * At most this far, in total variation, is the noise of an image of so many values from the normal law rounded to the
 * lattice: a probability that may be missing anywhere.
 *
 * Each threshold is off by at most half a unit of 2^-63 and what the fixed point loses (below 2^-90); a law whose tails
 * P(|J| > j) are off by d_j is off by at most the sum of the d_j, and there are at most 9.2 sigma / q + 1 < 2^18.3 of
 * them. 2^18.3 · 2^-63.9 < 2^-45.
 */
export function noiseVariation(elements: number): number {
  return elements * 2 ** -45;
}

const laws = new Map<number, NoiseLaw>();
/** A run needs one; tests and experiments a few. */
const LAWS_KEPT = 8;

/**
 * The law for a standard deviation (taken as its float32).
 *
 * @throws TurnproofError as {@link latticeBitsOf}
 */
export function noiseLawOf(sigmaEps: number): NoiseLaw {
  const sigma = Math.fround(sigmaEps);
  const known = laws.get(sigma);
  if (known) return known;
  const law = computeLaw(sigma, latticeBitsOf(sigma));
  const [oldest] = laws.keys();
  if (laws.size >= LAWS_KEPT && oldest !== undefined) laws.delete(oldest);
  laws.set(sigma, law);
  return law;
}

/** Fixed point: numbers are whole multiples of 2^-FRACTION. */
const FRACTION = 160n;
const ONE = 1n << FRACTION;
/** pi · 2^256. */
const PI_256 = 0x3243f6a8885a308d313198a2e03707344a4093822299f31d0082efa98ec4e6c89n;

const product = (a: bigint, b: bigint): bigint => (a * b) >> FRACTION;

/**
 * Let h = q / sigma, x_j = j h. The mass of cell j is the integral of φ over [x_j - h/2, x_j + h/2],
 *   m_j = h φ(x_j) Σ_n He_2n(x_j) (h/2)^2n / (2n+1)!
 * (Taylor about the middle; He: Hermite's polynomials), and h φ(x_j) follows from its neighbour by a factor that itself
 * shrinks by exp(-h²) each time. P(|J| > j) = 1 - m_0 - 2 (m_1 + ... + m_j).
 *
 * Errors: with |He_2n(x)| φ(x) <= 0.44 sqrt((2n)!) (Cramér's inequality) the terms that are left out (`seriesLength`)
 * sum to less than 2^-85 over all cells. A step of fixed point loses at most 2 units of 2^-160; a loss in a factor is
 * carried into every later cell and once more into every later sum, so 2^19 cells lose less than 2^(2·19+8) of them.
 * Checked as it is computed: the masses must sum to 1 within 2^-63.
 */
function computeLaw(sigma: number, latticeBits: number): NoiseLaw {
  const h = stepOf(sigma, latticeBits);
  const h2 = product(h, h);
  const series = massSeries(h2);
  const shrink = exponential(-h2);
  let factor = exponential(-h2 / 2n);
  let density = product(h, inverseRootOfTwoPi());
  let square = 0n;
  let tail = ONE;
  const tails: bigint[] = [];
  for (let j = 0n; ; j++) {
    const mass = product(density, polynomial(series, square));
    tail -= j === 0n ? mass : 2n * mass;
    const rounded = (tail + (1n << (FRACTION - 64n))) >> (FRACTION - 63n);
    if (rounded <= 0n) break;
    tails.push(rounded);
    square += (2n * j + 1n) * h2;
    density = product(density, factor);
    factor = product(factor, shrink);
  }
  // What is left beyond the last cell is less than half a unit, or the sum was wrong.
  if (tail < -(1n << (FRACTION - 90n)) || tails.length > 2 ** 19) {
    throw new TurnproofError('internal', `the masses of the noise law for sigma ${sigma} do not sum to 1`);
  }
  return {
    sigma,
    latticeBits,
    high: Uint32Array.from(tails, (t) => Number(t >> 32n)),
    low: Uint32Array.from(tails, (t) => Number(t & 0xffffffffn)),
  };
}

/** q / sigma, from the bits of the float32. */
function stepOf(sigma: number, latticeBits: number): bigint {
  // 24 bits from 2^-16 on: whole.
  const whole = BigInt(sigma * 2 ** 60);
  return (ONE << BigInt(60 - latticeBits)) / whole;
}

/** Coefficients of Σ_n He_2n(x) (h/2)^2n / (2n+1)! in powers of x². */
function massSeries(h2: bigint): bigint[] {
  const terms = seriesLength(h2);
  const coefficients = Array.from({ length: terms }, () => 0n);
  let weight = ONE;
  let [previous, hermite] = [[0n], [1n]];
  for (let n = 0; n < terms; n++) {
    for (let m = 0; m <= n; m++) {
      coefficients[m] = (coefficients[m] ?? 0n) + weight * (hermite[2 * m] ?? 0n);
    }
    weight = product(weight, h2) / BigInt(4 * (2 * n + 2) * (2 * n + 3));
    for (const order of [2 * n, 2 * n + 1]) {
      // He_(order+1) = x He_order - order He_(order-1).
      const next = [0n, ...hermite].map((c, i) => c - BigInt(order) * (previous[i] ?? 0n));
      [previous, hermite] = [hermite, next];
    }
  }
  return coefficients;
}

/** So many terms that what is left out is below 2^-85 over all cells: 9.2 · 0.44 · Σ sqrt((2n)!) / (2n+1)! (h/2)^2n. */
function seriesLength(h2: bigint): number {
  const quarter = Number(h2) / Number(ONE) / 4;
  let [terms, left] = [0, 8];
  // Each further term is less than half of the one before, so twice the first one bounds their sum.
  for (; left > 2 ** -86; terms++) left *= quarter / Math.sqrt((2 * terms + 1) * (2 * terms + 2));
  return terms;
}

function polynomial(coefficients: readonly bigint[], at: bigint): bigint {
  return coefficients.reduceRight((value, coefficient) => product(value, at) + coefficient);
}

/** exp(x) for -1/2 <= x <= 0. */
function exponential(x: bigint): bigint {
  let [term, sum] = [ONE, ONE];
  for (let n = 1n; term !== 0n && term !== -1n; n++) {
    term = product(term, x) / n;
    sum += term;
  }
  return sum;
}

/** 1 / sqrt(2 pi), by Newton's iteration for the whole square root. */
function inverseRootOfTwoPi(): bigint {
  const target = (1n << (2n * FRACTION + 255n)) / PI_256;
  let root = ONE;
  for (;;) {
    const next = (root + target / root) / 2n;
    if (next >= root) return root;
    root = next;
  }
}
