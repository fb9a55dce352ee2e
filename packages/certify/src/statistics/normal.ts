/// <reference path="./jstat.d.ts" />
/**
 * The standard normal distribution and its inverse, each in a version that is never too low and one that is
 * never too high. jstat guesses the inverse; our own tails judge it. Not for drawing Gaussians.
 *
 * Two representations, each a sum or a fraction of positive terms only, so nothing cancels:
 *   |x| <  5/4: Φ(x) - 1/2 = φ(x) (x + x³/3 + x⁵/(3·5) + ...)
 *   |x| >= 5/4: 1 - Φ(x)   = φ(x) / (x + 1/(x + 2/(x + 3/(x + ...))))   (Laplace)
 * Relative error of either below 16u, u = 2^-53: at most 5u from φ (its exponent is formed without error), the
 * rest from the sum (mean term index below 0.6, three roundings a step) or the fraction (each level shrinks the
 * error of the one below).
 */
import { nextDown, nextUp } from '@turnproof/core';
import jstat from 'jstat';
import { requireProbability } from './check-arguments.ts';
import { addUp, exactProduct, subtractDown, UNIT_ROUNDOFF } from './directed.ts';

const RELATIVE_ERROR = 16 * UNIT_ROUNDOFF;
/** Where the series hands over to the continued fraction. */
const SWITCH = 1.25;
/** 1 - Φ(SWITCH), to four digits: only chooses a branch. */
const TAIL_AT_SWITCH = 0.1056;
const INVERSE_SQRT_2PI = 0.3989422804014327;
const LOG_SQRT_2PI = 0.9189385332046728;
/** Beyond it the tail is no normal double any more. */
const FAR = 37.5;

function density(x: number): number {
  const { high, low } = exactProduct(x, x);
  return INVERSE_SQRT_2PI * Math.exp(-0.5 * high) * (1 - 0.5 * low);
}

/** Φ(x) - 1/2 for 0 <= x < SWITCH (and a little beyond). */
function centralMass(x: number): number {
  const square = x * x;
  let term = x;
  let sum = x;
  for (let odd = 3; odd < 80; odd += 2) {
    term *= square / odd;
    const next = sum + term;
    if (next === sum) break;
    sum = next;
  }
  return density(x) * sum;
}

/** φ(x) / (1 - Φ(x)) for x >= 1: Laplace's fraction, from below upward. */
function hazard(x: number): number {
  // The relative effect of cutting at level N falls as exp(-2x sqrt(2N)); the tail beyond is estimated, too.
  const levels = 20 + Math.ceil(220 / (x * x));
  let value = 0.5 * (x + Math.sqrt(x * x + 4 * levels));
  for (let j = levels; j >= 1; j--) value = x + j / value;
  return value;
}

/** Φ(x) as base + signed, with base exact and |signed| known to RELATIVE_ERROR. */
function parts(x: number): { base: number; signed: number } {
  if (Number.isNaN(x)) return { base: 0, signed: Number.NaN };
  const size = Math.abs(x);
  if (size < SWITCH) {
    const mass = centralMass(size);
    return { base: 0.5, signed: x < 0 ? -mass : mass };
  }
  const tail = size > 40 ? 0 : density(size) / hazard(size);
  return x < 0 ? { base: 0, signed: tail } : { base: 1, signed: -tail };
}

/** Φ(x), relative error below 64u = 7.2e-15 for x >= -37.5 (near -5/4 the half cancels to a fifth; measured: 17u). */
export function normalCdf(x: number): number {
  const { base, signed } = parts(x);
  return base + signed;
}

/** Not below Φ(x), and above it by at most 128u = 1.5e-14 relative (x >= -37.5). NaN stays NaN. */
export function normalCdfUpper(x: number): number {
  const { base, signed } = parts(x);
  if (x < -FAR) return nextUp(density(FAR) / hazard(FAR));
  if (x > FAR) return 1;
  return Math.min(1, addUp(base, signed * (1 + Math.sign(signed) * 1.25 * RELATIVE_ERROR)));
}

/** Not above Φ(x), and below it by at most 128u = 1.5e-14 relative (x >= -37.5). NaN stays NaN. */
export function normalCdfLower(x: number): number {
  const { base, signed } = parts(x);
  if (x < -FAR) return 0;
  if (x > FAR) return nextDown(1);
  return subtractDown(base, -signed * (1 - Math.sign(signed) * 1.25 * RELATIVE_ERROR));
}

/** ln(1 - Φ(x)) for x >= 1, absolute error below (8 + 4 |log|) u. */
function logTail(x: number): number {
  return -0.5 * x * x - Math.log(hazard(x)) - LOG_SQRT_2PI;
}

/**
 * z > 0 with 1 - Φ(z) = tail, for 0 < tail < 1/2, off to one side: `towards` = -1 gives z not above the truth,
 * +1 not below. Within 2e-14 relative of it.
 */
function safeMagnitude(tail: number, towards: -1 | 1): number {
  return tail > TAIL_AT_SWITCH ? safeCentral(tail, towards) : safeFar(tail, towards);
}

function firstGuess(tail: number): number {
  const guess = -jstat.jStat.normal.inv(tail, 0, 1);
  // For far tails a library may give an infinity or NaN: sqrt(-2 ln tail) is right to leading order.
  return guess > 0 && guess < 40 ? guess : Math.sqrt(-2 * Math.log(tail));
}

function safeCentral(tail: number, towards: -1 | 1): number {
  // Exact for tail >= 1/4; below that one rounding, which the 1.25 covers.
  const mass = 0.5 - tail;
  const target = mass * (1 + towards * 1.5 * RELATIVE_ERROR);
  let z = firstGuess(tail);
  for (let i = 0; i < 40; i++) {
    const change = (target - centralMass(z)) / density(z);
    z = Math.min(2, Math.max(z + change, 0.5 * z));
    if (Math.abs(change) <= 2 ** -52 * z) break;
  }
  const bound = mass * (1 + towards * 1.25 * RELATIVE_ERROR);
  const holds = (x: number) => towards * (centralMass(x) - bound) >= 0;
  return stepUntil(holds, z, towards);
}

function safeFar(tail: number, towards: -1 | 1): number {
  const target = Math.log(tail);
  const margin = UNIT_ROUNDOFF * (12 + 6 * Math.abs(target));
  const aim = target - towards * 1.1 * margin;
  let z = Math.max(1, firstGuess(tail));
  for (let i = 0; i < 40; i++) {
    // d ln(1 - Φ) / dz = -hazard, and the log tail is concave: Newton settles from one side.
    const change = (logTail(z) - aim) / hazard(z);
    z = Math.min(40, Math.max(z + change, 1));
    if (Math.abs(change) <= 2 ** -52 * z) break;
  }
  const holds = (x: number) => towards * (target - logTail(x)) >= margin;
  return stepUntil(holds, z, towards);
}

function stepUntil(holds: (x: number) => boolean, start: number, towards: -1 | 1): number {
  let z = start;
  for (let step = 2 ** -52; !holds(z); step *= 2) {
    z = towards < 0 ? Math.min(z * (1 - step), nextDown(z)) : Math.max(z * (1 + step), nextUp(z));
  }
  return z;
}

/**
 * Not above Φ⁻¹(p), and below it by at most 2e-14 relative. Exactly 0 at 1/2, -Infinity at 0, Infinity at 1.
 * Throws bad-input unless 0 <= p <= 1.
 */
export function normalQuantileLower(p: number): number {
  return quantile(p, -1);
}

/** Not below Φ⁻¹(p), and above it by at most 2e-14 relative; otherwise as `normalQuantileLower`. */
export function normalQuantileUpper(p: number): number {
  return quantile(p, 1);
}

function quantile(p: number, towards: -1 | 1): number {
  requireProbability(p, 'p');
  if (p === 0.5) return 0;
  if (p === 0) return -Infinity;
  if (p === 1) return Infinity;
  // 1 - p is exact for p > 1/2.
  if (p > 0.5) return safeMagnitude(1 - p, towards);
  return -safeMagnitude(p, towards < 0 ? 1 : -1);
}
