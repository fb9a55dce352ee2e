/**
 * How many cases a property test tries: `npm run fuzz` asks for more of them than `npm test`, and counts them.
 */
import { appendFileSync } from 'node:fs';

/** @param usual - for a plain run of the tests */
export function cases(usual: number): number {
  const count = usual * Number(process.env.TURNPROOF_FUZZ_TIMES ?? 1);
  const file = process.env.TURNPROOF_FUZZ_COUNT;
  if (file !== undefined) appendFileSync(file, `${count}\n`);
  return count;
}
