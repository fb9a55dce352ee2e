/**
 * From counts to what a certificate claims, and what it takes to claim anything. Pure functions of numbers: methods use
 * them to certify, verification uses them to check.
 */
import type { ParameterBox } from '@turnproof/shaders';
import {
  addUp,
  clopperPearsonLower,
  clopperPearsonUpper,
  fixedThreshold,
  logLowerTail,
  multiplyDown,
  normalQuantileLower,
  paperRadius,
  tightRadius,
} from '../statistics/index.ts';

const DECIMALS = 10_000;

/** The largest number of four decimals that is not above x >= 0. */
export function roundRadiusDown(x: number): number {
  let units = Math.round(x * DECIMALS);
  while (units / DECIMALS > x) units -= 1;
  return units / DECIMALS;
}

export interface Claim {
  /** Lower confidence bound on the share. */
  readonly pABar: number;
  /** Rounded down to four decimals, cut at the range; null when nothing is left. */
  readonly radius: number | null;
  /** Would the radius have gone beyond the range? */
  readonly cutAtRange: boolean;
}

/** Largest ball inside Γ: R for the interval [-R, R] and for the square alike. */
function claim(pABar: number, radius: number | null, range: number): Claim {
  const cutAtRange = radius !== null && radius > range;
  const rounded = radius === null ? 0 : roundRadiusDown(Math.min(radius, range));
  return { pABar, radius: rounded > 0 ? rounded : null, cutAtRange };
}

export interface DistXCounts {
  readonly kGamma: number;
  readonly nGamma: number;
  readonly alphaGamma: number;
  readonly rhoE: number;
  readonly sigmaGamma: number;
  readonly radiusRule: 'tight' | 'paper';
  readonly range: number;
}

/** p by Clopper and Pearson, r by the rule, cut at the largest ball inside Γ, rounded down. */
export function distXClaim(counts: DistXCounts): Claim {
  const { kGamma, nGamma, alphaGamma, rhoE, sigmaGamma, radiusRule, range } = counts;
  const pABar = clopperPearsonLower(kGamma, nGamma, alphaGamma);
  const rule = radiusRule === 'tight' ? tightRadius : paperRadius;
  return claim(pABar, rule(sigmaGamma, pABar, rhoE), range);
}

/** Distance of the farthest corner of a box from 0, rounded up. */
export function farthestOf({ lower, upper }: ParameterBox): number {
  const ends = lower.map((a, axis) => Math.max(Math.abs(a), Math.abs(upper[axis] ?? Number.NaN)));
  // An interval's end is exact; a root of squares is rounded.
  return ends.length === 1 ? (ends[0] ?? Number.NaN) : Math.hypot(...ends) * (1 + 1e-14);
}

export interface IndivCounts extends Omit<DistXCounts, 'radiusRule'> {
  /** Holds every parameter of Γ by which the image at hand can have been made. */
  readonly left: ParameterBox;
}

/**
 * Indiv: r = sigmaGamma Φ⁻¹(p - rhoE). Where that exceeds every γ that is left, the claim holds for all of Γ and the radius
 * is the range (`cutAtRange`); else for γ within r.
 */
export function indivClaim(counts: IndivCounts): Claim {
  const { kGamma, nGamma, alphaGamma, rhoE, sigmaGamma, range, left } = counts;
  const pABar = clopperPearsonLower(kGamma, nGamma, alphaGamma);
  const radius = paperRadius(sigmaGamma, pABar, rhoE);
  const covered = radius !== null && radius > farthestOf(left);
  const rounded = radius === null ? 0 : roundRadiusDown(covered ? range : Math.min(radius, range));
  return { pABar, radius: rounded > 0 ? rounded : null, cutAtRange: covered && rounded > 0 };
}

/** r = sigmaGamma Φ⁻¹(p), as if transformations composed without error. */
export function baseClaim(counts: Omit<DistXCounts, 'rhoE' | 'radiusRule'>): Claim {
  const { kGamma, nGamma, alphaGamma, sigmaGamma, range } = counts;
  const pABar = clopperPearsonLower(kGamma, nGamma, alphaGamma);
  return claim(pABar, pABar > 0.5 ? multiplyDown(sigmaGamma, normalQuantileLower(pABar)) : null, range);
}

/** rho_E: upper confidence bound on the share of β whose error exceeds E, `held` of `tested` having held it. */
export function rhoUpper(held: number, tested: number, alphaE: number): number {
  return clopperPearsonUpper(tested - held, tested, alphaE);
}

/** The fewest successes of n that leave a positive radius; null where not even n do. */
export function fewestSuccesses(n: number, alphaGamma: number, rhoE: number): number | null {
  const p0 = addUp(0.5, rhoE);
  if (p0 >= 1) return null;
  const k = fixedThreshold({ p0, alpha: alphaGamma, n });
  return k <= n ? k : null;
}

/** Below this probability of seeing so few successes a method saves itself the rest and abstains. */
const HOPELESS = 0.01;

/**
 * Would k or fewer successes of n be a rare sight if the share were as large as needed? Deciding when to stop trying
 * needs no confidence: an abstention claims nothing.
 */
export function isHopeless(k: number, n: number, shareNeeded: number): boolean {
  return logLowerTail(k, n, Math.min(1, shareNeeded)).log < Math.log(HOPELESS);
}
