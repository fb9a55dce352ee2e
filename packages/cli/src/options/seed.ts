/** --seed: 64 bits, decimal or hexadecimal. */
import { randomBytes } from 'node:crypto';
import { badInput } from '@turnproof/core';

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
