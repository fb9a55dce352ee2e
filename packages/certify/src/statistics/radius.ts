/**
 * From probabilities to radii, every rounding towards the smaller radius. A radius that is not positive is null:
 * the method abstains. Not for cutting a radius at the attacker's range: the methods do that.
 *
 * The probabilities handed in must already be on their safe side: p a lower confidence bound, rhoE an upper one.
 */
import { requireNotNegative, requirePositive, requireProbability } from './check-arguments.ts';
import { addUp, divideUp, multiplyDown, subtractDown } from './directed.ts';
import { normalCdfUpper, normalQuantileLower, normalQuantileUpper } from './normal.ts';

/**
 * The paper's radius r = sigmaGamma Φ⁻¹(p - rhoE), in the unit of sigmaGamma (degrees or pixels).
 * Source: Fischer, Baader, Vechev, NeurIPS 2020, theorem on distributional guarantees.
 */
export function paperRadius(sigmaGamma: number, p: number, rhoE: number): number | null {
  requirePositive(sigmaGamma, 'sigmaGamma');
  requireProbability(p, 'p');
  requireProbability(rhoE, 'rhoE');
  const share = subtractDown(p, rhoE);
  if (share <= 0.5) return null;
  return positiveOrNull(multiplyDown(sigmaGamma, normalQuantileLower(share)));
}

/**
 * A radius never smaller than the paper's from the same counts: r = sigmaGamma (Φ⁻¹(p) - Φ⁻¹(1/2 + rhoE)).
 *
 * Let F(θ) = 1 where h answers the class with radius above E at T_θ x, and P_β(F) >= p. Shifting the Gaussian by
 * γ leaves P_β(F(β + γ) = 1) >= Φ(Φ⁻¹(p) - ||γ|| / sigmaGamma); at most rhoE of the β have an interpolation error
 * above E; the rest must exceed one half.
 */
export function tightRadius(sigmaGamma: number, p: number, rhoE: number): number | null {
  requirePositive(sigmaGamma, 'sigmaGamma');
  requireProbability(p, 'p');
  requireProbability(rhoE, 'rhoE');
  const needed = addUp(0.5, rhoE);
  if (needed >= 1 || p <= needed) return null;
  const margin = subtractDown(normalQuantileLower(p), normalQuantileUpper(needed));
  return margin > 0 ? positiveOrNull(multiplyDown(sigmaGamma, margin)) : null;
}

/** The l2 radius sigmaEps Φ⁻¹(pA) of a Gaussian-smoothed classifier (Cohen, Rosenfeld, Kolter, ICML 2019). */
export function l2Radius(sigmaEps: number, pA: number): number | null {
  requirePositive(sigmaEps, 'sigmaEps');
  requireProbability(pA, 'pA');
  if (pA <= 0.5) return null;
  return positiveOrNull(multiplyDown(sigmaEps, normalQuantileLower(pA)));
}

/**
 * p0 = Φ(E / sigmaEps) + variation, rounded up: the share that the class must exceed under l2 noise for its radius to
 * exceed E, where the noise that is drawn differs from the normal by `variation` in total variation. E = 0 without any
 * gives 1/2 exactly.
 */
export function shareNeededFor(E: number, sigmaEps: number, variation = 0): number {
  requireNotNegative(E, 'E');
  requirePositive(sigmaEps, 'sigmaEps');
  requireNotNegative(variation, 'variation');
  return Math.min(1, addUp(E === 0 ? 0.5 : normalCdfUpper(divideUp(E, sigmaEps)), variation));
}

function positiveOrNull(radius: number): number | null {
  return radius > 0 ? radius : null;
}
