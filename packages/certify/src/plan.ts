/**
 * How a certificate is made: method, noise, confidence, how many samples. A plan that could never certify anything is
 * refused here, with the numbers that would do. Not for what is certified: that is the pipeline.
 */
import { badInput } from '@turnproof/core';
import { latticeBitsOf } from '@turnproof/shaders';
import type { CalibrationSummary } from './calibration/schema.ts';
import { alphaOf } from './methods/sweep-tree.ts';
import type { Pipeline } from './pipeline.ts';
import {
  AlphaLedger,
  addUp,
  clopperPearsonUpper,
  fixedThreshold,
  innerThresholds,
  smallestUsefulN,
} from './statistics/index.ts';

export type Method = 'base' | 'dist-x' | 'dist-d' | 'indiv' | 'sweep';

export interface Plan {
  readonly method: Method;
  /** Standard deviation of β: degrees or pixels. Not used by `sweep`. */
  readonly sigmaGamma: number;
  /** Standard deviation of the pixel noise, used as the nearest float32. Not used by `base`. */
  readonly sigmaEps: number;
  /** 1 - α of each certificate. Default 0.99. */
  readonly confidence: number;
  /** β that bound the share of the class. */
  readonly nGamma: number;
  /** β that choose the class. */
  readonly n0: number;
  /** Most noise samples of one β, or of one slice: the cap of the sequential test, the size of the fixed one. */
  readonly nEps: number;
  readonly inner: 'sequential' | 'fixed';
  /** β that choose E. */
  readonly nChooseE: number;
  /** Other β that bound how often E is exceeded. */
  readonly nTestE: number;
  readonly radiusRule: 'tight' | 'paper';
  /** 64 bits: the key of every random number. */
  readonly seed: bigint | number;
  /** Samples that the classifier gets at once. */
  readonly batch: number | 'auto';
  /** sweep: slices narrower than this are given up; degrees or pixels. Default 0.1 degrees, 0.02 pixels, or a tenth of R. */
  readonly floor?: number;
  /** sweep: most noise samples of an image, for its class, its slices and the search at its ends. Default 40,000. */
  readonly maxSamples?: number;
  /** dist-d: where E and ρ_E come from. */
  readonly calibration?: CalibrationSummary;
  /** indiv: steps of refinement of the inverse. Default 10. */
  readonly refinements?: number;
  /** indiv: sub-boxes of Γ along each axis. Default 512 for rotations, 64 for translations. */
  readonly boxes?: number;
}

/** Sweep: samples at the image as it is that choose the class, and tell how much noise it bears. */
export const SWEEP_CHOICE = 128;
/** Sweep: samples between two looks at a slice. Few, as most slices need no more than five looks. */
export const SWEEP_LOOK = 8;
const FLOOR = { rotation: 0.1, translation: 0.02 } as const;
/** Of the range, where that is so narrow that a slice of the usual floor would be most of it. */
const FLOOR_SHARE = 0.1;
const SWEEP_SAMPLES = 40_000;

/** What bounds the work of sweep, defaults filled in. `cap`: most samples of a slice, whole looks. */
export function sweepLimits(
  { floor, maxSamples, nEps }: Pick<Plan, 'floor' | 'maxSamples' | 'nEps'>,
  { transform, range }: Pick<Pipeline, 'transform' | 'range'>,
): { readonly floor: number; readonly maxSamples: number; readonly cap: number } {
  return {
    floor: floor ?? Math.min(FLOOR[transform], FLOOR_SHARE * range),
    maxSamples: maxSamples ?? SWEEP_SAMPLES,
    cap: Math.max(1, Math.floor(nEps / SWEEP_LOOK)) * SWEEP_LOOK,
  };
}

const REFINEMENTS = 10;
const MAX_REFINEMENTS = 1000;
const BOXES = { rotation: 512, translation: 64 } as const;
const MAX_BOXES = 2 ** 16;

/** How fine Indiv's inverse is, defaults filled in. */
export function indivLimits(
  { refinements, boxes }: Pick<Plan, 'refinements' | 'boxes'>,
  transform: Pipeline['transform'],
): { readonly refinements: number; readonly boxes: number } {
  return { refinements: refinements ?? REFINEMENTS, boxes: boxes ?? BOXES[transform] };
}

/** β of one purpose are numbered with 24 bits of a counter word. */
const MAX_BETAS = 2 ** 24;
/** Thresholds of the sequential test are kept in a table of this length. */
const MAX_SAMPLES = 2 ** 24;
const MAX_BATCH = 65_535;
/** β is rounded by 1e-13 of itself; up to here that moves no pixel by what its coordinates leave open (SOUNDNESS, S23). */
const MAX_SIGMA_GAMMA = 10_000;

/** Weights of the accounts of each method; they sum to 1. */
const WEIGHTS = {
  base: { alphaGamma: 1 },
  'dist-x': { alphaGamma: 0.4, alphaEps: 0.5, alphaE: 0.1 },
  // E first: the last share gives way to rounding, and the calibration's alpha is a decimal number that must fit.
  'dist-d': { alphaE: 0.1, alphaGamma: 0.4, alphaEps: 0.5 },
  indiv: { alphaGamma: 0.4, alphaEps: 0.5, alphaE: 0.1 },
  sweep: { alphaSweep: 1 },
} as const;

/** A full ledger for one image: every certificate has the confidence for itself. */
export function ledgerFor({ method, confidence }: Pick<Plan, 'method' | 'confidence'>): AlphaLedger {
  return AlphaLedger.forConfidence(confidence, WEIGHTS[method]);
}

/** The seed as a number of 64 bits. @throws TurnproofError `bad-input` when it is none. */
export function seedOf({ seed }: Pick<Plan, 'seed'>): bigint {
  const whole = typeof seed === 'bigint' || Number.isSafeInteger(seed) ? BigInt(seed) : -1n;
  if (whole < 0n || whole >= 1n << 64n) {
    throw badInput(
      `seed ${seed} is no whole number of 64 bits`,
      'give --seed from 0 to 18446744073709551615',
    );
  }
  return whole;
}

/** The fewest samples with which the inner test can accept a share above p0; null where no number does. */
export function fewestInnerSamples(
  inner: Plan['inner'],
  test: { readonly p0: number; readonly alpha: number },
): number | null {
  if (inner === 'fixed') return smallestUsefulN(test);
  // All successes: the last look, a fixed test at a quarter of alpha, asks for hardly ever more than betting does.
  let n = smallestUsefulN({ ...test, alpha: test.alpha / 4 });
  if (n === null || n > MAX_SAMPLES) return null;
  while (n > 1 && innerThresholds({ ...test, maxN: n - 1 }).canAccept) n -= 1;
  return n;
}

/** Can the inner test accept at all, if every sample is a success? */
export function innerCanAccept(
  { inner, nEps }: Pick<Plan, 'inner' | 'nEps'>,
  test: { readonly p0: number; readonly alpha: number },
): boolean {
  if (test.p0 >= 1) return false;
  if (inner === 'fixed') return fixedThreshold({ ...test, n: nEps }) <= nEps;
  return innerThresholds({ ...test, maxN: nEps }).canAccept;
}

/**
 * Refuses a plan with which no image can ever be certified, and numbers that are none.
 *
 * @throws TurnproofError `bad-input`; for too few samples it says how many would do.
 */
export function checkPlan(plan: Plan, pipeline: Pick<Pipeline, 'transform' | 'range'>): void {
  checkNumbers(plan, pipeline);
  const ledger = ledgerFor(plan);
  if (plan.method === 'sweep') {
    checkSweep(plan, pipeline, ledger.granted('alphaSweep'));
    return;
  }
  const alphaGamma = ledger.granted('alphaGamma');
  if (plan.method === 'base') {
    const needed = smallestUsefulN({ p0: 0.5, alpha: alphaGamma });
    refuseTooFew('n_gamma', '--n-gamma', plan.nGamma, needed, `alpha_gamma = ${alphaGamma}`);
    return;
  }
  const alphaE = ledger.granted('alphaE');
  const rhoAtBest =
    plan.method === 'dist-d' ? calibratedRho(plan, alphaE) : clopperPearsonUpper(0, plan.nTestE, alphaE);
  if (rhoAtBest >= 0.5) {
    const needed = smallestUsefulN({ p0: 0.5, alpha: alphaE });
    refuseTooFew('n_test_e', '--n-test-e', plan.nTestE, needed, `alpha_e = ${alphaE}`);
  }
  const from = plan.method === 'dist-d' ? 'from the calibration' : `n_test_e = ${plan.nTestE}`;
  const rho = `rho_E >= ${rhoAtBest.toPrecision(3)} (${from})`;
  const outer = smallestUsefulN({ p0: addUp(0.5, rhoAtBest), alpha: alphaGamma });
  refuseTooFew('n_gamma', '--n-gamma', plan.nGamma, outer, `alpha_gamma = ${alphaGamma} and ${rho}`);
  const test = { p0: 0.5, alpha: ledger.share('alphaEps', plan.nGamma) };
  if (!innerCanAccept(plan, test)) {
    const words = `alpha_eps / n_gamma = ${test.alpha.toPrecision(3)}, even for E = 0,`;
    refuseTooFew('n_eps', '--n-eps', plan.nEps, fewestInnerSamples(plan.inner, test), words);
  }
}

/** ρ_E of the calibration, which must be good enough for this confidence. */
function calibratedRho({ calibration, confidence }: Plan, alphaE: number): number {
  if (!calibration)
    throw badInput('dist-d needs a calibration', 'give --calibration FILE, made by calibrate');
  const { alpha, rhoE } = calibration;
  if (alpha > alphaE) {
    throw badInput(
      `the calibration's q_E is wrong with probability ${alpha}, more than confidence ${confidence} leaves for it (${alphaE})`,
      `calibrate with --confidence ${Number((1 - alphaE).toPrecision(12))}, or certify with a lower one`,
    );
  }
  if (rhoE >= 0.5)
    throw badInput(`the calibration's rho_E = ${rhoE} leaves no radius`, 'calibrate with a smaller --rho-e');
  return rhoE;
}

function checkSweep(
  plan: Plan,
  { transform, range }: Pick<Pipeline, 'transform' | 'range'>,
  alpha: number,
): void {
  const { floor, cap, maxSamples } = sweepLimits(plan, { transform, range });
  const unit = transform === 'rotation' ? 'degrees' : 'pixels';
  if (!(floor > 0 && floor <= range)) {
    throw badInput(
      `floor ${floor} ${unit}: the narrowest slice must be above 0 and no wider than the range, ${range}`,
      `give --floor ${Number((range / 100).toPrecision(3))}, for instance`,
    );
  }
  requireCount('max_samples', maxSamples, MAX_SAMPLES);
  const test = { p0: 0.5, alpha: alphaOf(transform, 0, alpha) };
  const fewest = fewestInnerSamples('sequential', test);
  const needed = fewest === null ? null : Math.ceil(fewest / SWEEP_LOOK) * SWEEP_LOOK;
  const words = `alpha = ${alpha}, even for a slice of no width,`;
  if (!innerThresholds({ ...test, maxN: cap }).canAccept)
    refuseTooFew('n_eps', '--n-eps', plan.nEps, needed, words);
  const least = needed === null ? null : SWEEP_CHOICE + needed;
  refuseTooFew(
    'max_samples',
    '--max-samples',
    maxSamples,
    least,
    `${words} and ${SWEEP_CHOICE} for the class`,
  );
}

function refuseTooFew(name: string, flag: string, given: number, needed: number | null, why: string): void {
  if (needed !== null && given >= needed) return;
  const enough = needed === null ? 'no number is enough' : `at least ${needed} are needed`;
  throw badInput(
    `${name} = ${given} can never certify: with ${why} ${enough}`,
    needed === null ? 'lower the confidence' : `give ${flag} ${needed} or more`,
  );
}

function checkNumbers(plan: Plan, { transform }: Pick<Pipeline, 'transform'>): void {
  const { method, inner, radiusRule, batch } = plan;
  if (!Object.hasOwn(WEIGHTS, method)) {
    throw badInput(`method «${String(method)}» is not known`, 'choose sweep, dist-x, dist-d, indiv or base');
  }
  if (inner !== 'sequential' && inner !== 'fixed') {
    throw badInput(`inner test «${String(inner)}» is not known`, 'choose sequential or fixed');
  }
  if (radiusRule !== 'tight' && radiusRule !== 'paper') {
    throw badInput(`radius rule «${String(radiusRule)}» is not known`, 'choose tight or paper');
  }
  if (method !== 'sweep') {
    const unit = transform === 'rotation' ? 'degrees' : 'pixels';
    requireDeviation('sigma_gamma', plan.sigmaGamma, unit);
    if (plan.sigmaGamma > MAX_SIGMA_GAMMA) {
      throw badInput(
        `sigma_gamma = ${plan.sigmaGamma} ${unit}: more than ${MAX_SIGMA_GAMMA} is no transformation that anybody means`,
      );
    }
  }
  if (method !== 'base') {
    requireDeviation('sigma_eps', plan.sigmaEps, 'pixel values');
    latticeBitsOf(Math.fround(plan.sigmaEps));
  }
  if (!(plan.confidence > 0 && plan.confidence < 1)) {
    throw badInput(
      `confidence ${plan.confidence}: it must lie strictly between 0 and 1`,
      'give --confidence 0.99',
    );
  }
  requireCount('n_gamma', plan.nGamma, MAX_BETAS);
  requireCount('n0', plan.n0, MAX_BETAS);
  requireCount('n_eps', plan.nEps, MAX_SAMPLES);
  requireCount('n_choose_e', plan.nChooseE, MAX_BETAS);
  requireCount('n_test_e', plan.nTestE, MAX_BETAS);
  const { refinements, boxes } = indivLimits(plan, transform);
  requireCount('refinements', refinements, MAX_REFINEMENTS);
  requireCount('boxes', boxes, MAX_BOXES);
  if (batch !== 'auto') requireCount('batch', batch, MAX_BATCH);
  seedOf(plan);
}

function requireDeviation(name: string, value: number, unit: string): void {
  if (Number.isFinite(Math.fround(value)) && Math.fround(value) > 0) return;
  throw badInput(`${name} = ${value} ${unit}: a standard deviation must be above 0`);
}

function requireCount(name: string, value: number, most: number): void {
  if (Number.isInteger(value) && value >= 1 && value <= most) return;
  throw badInput(`${name} = ${value}: it must be a whole number from 1 to ${most}`);
}
