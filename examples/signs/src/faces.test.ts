import { describe, expect, it } from 'vitest';
import { faces, type Ink, signsClasses } from './faces.ts';

/** Inks on a 48x48 lattice over [-1.2, 1.2]², after a counter-clockwise turn of the face. */
function inksOf(label: number, variant: number, degrees: number): (Ink | undefined)[] {
  const cos = Math.cos((degrees * Math.PI) / 180);
  const sin = Math.sin((degrees * Math.PI) / 180);
  return Array.from({ length: 48 * 48 }, (_, k) => {
    const x = ((k % 48) + 0.5) / 20 - 1.2;
    const y = (Math.floor(k / 48) + 0.5) / 20 - 1.2;
    return faces[label]?.(x * cos - y * sin, x * sin + y * cos, variant);
  });
}

/** Places with different inks, as a share of the places that either sign covers. */
function difference(a: readonly (Ink | undefined)[], b: readonly (Ink | undefined)[]): number {
  let covered = 0;
  let unequal = 0;
  for (const [k, ink] of a.entries()) {
    if (ink !== undefined || b[k] !== undefined) covered += 1;
    if (ink !== b[k]) unequal += 1;
  }
  return unequal / covered;
}

describe('faces', () => {
  it('there are ten classes with distinct names and one face each', () => {
    expect(new Set(signsClasses).size).toBe(10);
    expect(faces).toHaveLength(10);
  });

  it.each([
    ['stop', 0, -0.6, 'red'],
    ['stop', 0, -0.9, 'white'],
    ['give-way', 0, 0, 'white'],
    ['give-way', 0, 1.1, 'red'],
    ['give-way', 0, -0.7, undefined],
    ['no-entry', 0.5, 0, 'white'],
    ['no-entry', 0, 0.6, 'red'],
    ['speed-limit', 0.9, 0, 'red'],
    ['speed-limit', 0, 0.55, 'white'],
    ['priority-road', 0, 0, 'yellow'],
    ['priority-road', 0, 1, 'white'],
    ['priority-road', 0.9, 0.9, undefined],
    ['ahead-only', 0, -0.6, 'white'],
    ['ahead-only', 0.5, 0.5, 'blue'],
    ['parking', -0.3, 0.5, 'white'],
    ['parking', 0.5, 0.5, 'blue'],
    ['danger', 0, -0.3, 'black'],
    ['danger', 0.3, 0.3, 'yellow'],
    ['danger', 0, 0.7, undefined],
    ['no-waiting', 0.4, 0.4, 'red'],
    ['no-waiting', 0.4, -0.4, 'blue'],
    ['end-of-limits', 0.4, -0.4, 'black'],
    ['end-of-limits', 0.4, 0.4, 'white'],
  ])('%s at (%d, %d) is %s, as the highway code paints it', (name, u, v, ink) => {
    expect(faces[signsClasses.indexOf(name)]?.(u, v, 0)).toBe(ink);
  });

  it('no sign turned by up to 60° either way comes near another: a quarter of the paint differs at least', () => {
    let least = { share: 1, pair: '' };
    for (const [a, nameA] of signsClasses.entries()) {
      const upright = inksOf(a, 0, 0);
      for (const [b, nameB] of signsClasses.entries()) {
        if (a === b) continue;
        for (let degrees = -60; degrees <= 60; degrees += 5) {
          const share = difference(upright, inksOf(b, 0, degrees));
          if (share < least.share) least = { share, pair: `${nameA} and ${nameB} turned by ${degrees}°` };
        }
      }
    }
    expect(least.share, least.pair).toBeGreaterThan(0.25);
  });

  it('the measure above notices a turned copy of the same sign', () => {
    expect(difference(inksOf(2, 0, 0), inksOf(2, 0, 0))).toBe(0);
    expect(difference(inksOf(5, 0, 0), inksOf(5, 0, 60))).toBeGreaterThan(0.05);
  });
});
