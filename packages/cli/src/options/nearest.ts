/** The candidate that a mistyped word most likely meant. */
import { editDistance } from '../data/spec.ts';

/** Beyond this many letters nobody mistypes; the distance takes time by the product of the lengths. */
const LONGEST = 64;

export function nearest(word: string, candidates: readonly string[]): string {
  const typed = word.toLowerCase().slice(0, LONGEST);
  let best = '';
  let distance = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const here = editDistance(typed, candidate);
    if (here < distance) [best, distance] = [candidate, here];
  }
  return best;
}
