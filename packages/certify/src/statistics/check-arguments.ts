/**
 * Argument checks that every function of this folder shares: a probability or a count out of range is the
 * caller's mistake and is named as such, never turned into NaN.
 */
import { badInput } from '@turnproof/core';

/** Throws unless 0 <= successes <= trials, both whole numbers, trials >= 1. */
export function requireCounts(successes: number, trials: number): void {
  if (!Number.isSafeInteger(trials) || trials < 1) {
    throw badInput(`the number of trials must be a whole number of at least 1, not ${trials}`);
  }
  if (!Number.isSafeInteger(successes) || successes < 0 || successes > trials) {
    throw badInput(`the number of successes must be a whole number from 0 to ${trials}, not ${successes}`);
  }
}

/** Throws unless 0 < level < 1. */
export function requireLevel(level: number, name: string): void {
  if (!(level > 0 && level < 1)) {
    throw badInput(`${name} must lie strictly between 0 and 1, not be ${level}`);
  }
}

/** Throws unless 0 <= probability <= 1. */
export function requireProbability(probability: number, name: string): void {
  if (!(probability >= 0 && probability <= 1)) {
    throw badInput(`${name} must be a probability from 0 to 1, not ${probability}`);
  }
}

/** Throws unless value is finite and positive. */
export function requirePositive(value: number, name: string): void {
  if (!(value > 0 && Number.isFinite(value))) {
    throw badInput(`${name} must be a positive number, not ${value}`);
  }
}

/** Throws unless value is finite and not negative. */
export function requireNotNegative(value: number, name: string): void {
  if (!(value >= 0 && Number.isFinite(value))) {
    throw badInput(`${name} must be a number of at least 0, not ${value}`);
  }
}
