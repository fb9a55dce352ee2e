/** What the adapter computes is wrong: nothing that was computed on it may be certified. Not for classifiers: guard.ts. */
import { TurnproofError } from '@turnproof/core';

/** @param what - Which number contradicts what, as a sentence without its full stop. */
export function adapterFault(what: string): TurnproofError {
  return new TurnproofError('parity', what, {
    fix: 'do not certify on this adapter: take another one, or another driver; `turnproof doctor` tests its kernels',
  });
}

/**
 * Values that were read back, where each must be a number within these bounds.
 *
 * @param what - What the values are, such as «noisy images».
 * @throws TurnproofError `parity` where one is not
 */
export function checkRange(what: string, values: Float32Array, least: number, most: number): void {
  for (const value of values) {
    if (!(value >= least && value <= most)) throw adapterFault(`${what}: the adapter gave ${value}`);
  }
}
