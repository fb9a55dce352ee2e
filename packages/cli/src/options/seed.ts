/**
 * --seed: 64 bits, decimal or hexadecimal. Where none is given it comes from the system: a seed that anybody knows
 * beforehand lets an attacker try, offline, which image or parameter it is kind to. Commands fill it in before they read
 * anything else, so that what they write names it.
 */
import { randomBytes } from 'node:crypto';
import { badInput, TurnproofError } from '@turnproof/core';
import type { Console } from '../console.ts';
import type { OptionSpec, Values } from './values.ts';

/** @param decides what it decides, in words */
export const seedOption = (decides: string): OptionSpec => ({
  name: 'seed',
  value: 'N',
  help: `decides ${decides}, 64 bits (default: drawn by the system, told and kept)`,
});

export function parseSeed(word: string): bigint {
  const trimmed = word.trim();
  const seed = /^(\d{1,20}|0x[0-9a-f]{1,16})$/i.test(trimmed) ? BigInt(trimmed) : -1n;
  if (seed < 0n || seed >= 1n << 64n) {
    throw badInput(
      `--seed ${word}: no whole number of 64 bits`,
      'Give a number from 0 to 18446744073709551615.',
    );
  }
  return seed;
}

/** One that nobody can know beforehand. */
export function randomSeed(): bigint {
  return randomBytes(8).readBigUInt64LE();
}

/** With a seed in any case. */
export function withSeed(values: Values, seed: () => bigint = randomSeed): Values {
  return values.text('seed') === undefined ? values.over({ seed: String(seed()) }) : values;
}

/** Of values that have one: see {@link withSeed}. */
export function readSeed(values: Values): bigint {
  const word = values.text('seed');
  if (word === undefined) throw new TurnproofError('internal', 'no seed was drawn');
  return parseSeed(word);
}

/** Told once all that was given is known to be right, where nobody gave it. */
export function tellSeed(values: Values, console: Console): void {
  if (!values.isGiven('seed')) console.note(`seed ${readSeed(values)} (--seed repeats the draws)`);
}
