/**
 * What remains of ln n! after Stirling's formula, and the logarithms built from it. Binomial probabilities are
 * formed from these remainders (each below 0.09) and a deviance, never from differences of ln Γ values of size
 * n ln n, which at n = 10^6 would cost nine digits (C. Loader, «Fast and accurate computation of binomial
 * probabilities», 2000).
 */

// ln n! - (ln(2πn)/2 + n ln n - n) for n = 1..15, to the nearest double (from 40 digits; see the golden vectors).
const SMALL: readonly number[] = [
  0, 0.08106146679532726, 0.0413406959554093, 0.02767792568499834, 0.020790672103765093, 0.016644691189821193,
  0.013876128823070748, 0.01189670994589177, 0.010411265261972096, 0.009255462182712733, 0.00833056343336287,
  0.007573675487951841, 0.00694284010720953, 0.006408994188004207, 0.0059513701127588475,
  0.005554733551962801,
];

/**
 * δ(n) = ln n! - (½ ln(2πn) + n ln n - n) for a whole n >= 0 (δ(0) is given as 0 and has no meaning).
 * Absolute error below 2e-17: a table up to 15, then the alternating series in 1/n, whose remainder is below its
 * first dropped term, 1/(156 n^13).
 */
export function stirlingRemainder(n: number): number {
  if (n < SMALL.length) return SMALL[n] ?? 0;
  const inverse = 1 / n;
  const s = inverse * inverse;
  return (
    inverse * (1 / 12 - s * (1 / 360 - s * (1 / 1260 - s * (1 / 1680 - s * (1 / 1188 - s * (691 / 360360))))))
  );
}

/** ln Γ(n + 1) = ln n!, relative error below 1e-14 for n >= 2; for display, not for tails. */
export function logFactorial(n: number): number {
  if (n < 2) return 0;
  return (n + 0.5) * Math.log(n) - n + 0.5 * Math.log(2 * Math.PI) + stirlingRemainder(n);
}

/**
 * ln(C(2j, j) / 4^j) = ln of Γ(j + ½) / (Γ(½) j!), for a whole j >= 0. Absolute error below 16 units of roundoff
 * plus 4 relative.
 */
export function logCentralBinomial(j: number): number {
  if (j === 0) return 0;
  return stirlingRemainder(2 * j) - 2 * stirlingRemainder(j) - 0.5 * Math.log(Math.PI * j);
}
