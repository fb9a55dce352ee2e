/** From the counts of a calibration to q_E. Pure functions: calibrating uses them, checking uses them again. */
import { badInput, nextDown } from '@turnproof/core';
import {
  addUp,
  clopperPearsonLower,
  clopperPearsonUpper,
  smallestUsefulN,
  subtractDown,
} from '../statistics/index.ts';

export interface InnerLevel {
  /** β tested for each image. */
  readonly nBetas: number;
  /** The share of β that may exceed E. */
  readonly rhoE: number;
  /** Most probable for a bad image to pass. */
  readonly alphaInner: number;
}

/**
 * How many of nBetas may exceed E so that the Clopper-Pearson upper bound of their share is still at most rhoE.
 *
 * @throws TurnproofError `bad-input` where not even none of them would do; it says how many β would.
 */
export function mostExceeding({ nBetas, rhoE, alphaInner }: InnerLevel): number {
  const passes = (k: number) => clopperPearsonUpper(k, nBetas, alphaInner) <= rhoE;
  if (!passes(0)) {
    const needed = smallestUsefulN({ p0: 1 - rhoE, alpha: alphaInner });
    throw badInput(
      `${nBetas} β can never show rho_E = ${rhoE} at alpha_inner = ${alphaInner}${needed === null ? '' : `: at least ${needed} are needed`}`,
      needed === null ? 'give a larger --rho-e' : `give --n-betas ${needed}, or a larger --rho-e`,
    );
  }
  let k = 0;
  while (k < nBetas && passes(k + 1)) k += 1;
  return k;
}

/**
 * q_E from `passed` of `n` images. Each image is drawn by itself and passes by its own β, so passed ~ Bin(n, π); an
 * image that is not good passes with probability at most alphaInner, hence π <= q + (1 - q) alphaInner. With
 * probability at least 1 - alpha, π >= L (Clopper-Pearson), and then q >= (L - alphaInner) / (1 - alphaInner). Rounded
 * down.
 */
export function qLower(passed: number, n: number, alpha: number, alphaInner: number): number {
  const numerator = subtractDown(clopperPearsonLower(passed, n, alpha), alphaInner);
  if (!(numerator > 0)) return 0;
  return Math.max(0, nextDown(numerator / addUp(1, -alphaInner)));
}
