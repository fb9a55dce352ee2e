/**
 * Whole tests played out with seeded randomness: how often do they accept a share that is just not there?
 */
import { describe, expect, it } from 'vitest';
import { seededUniform } from '../../scripts/statistics-vectors.ts';
import { clopperPearsonLower } from './clopper-pearson.ts';
import { fixedThreshold } from './fixed-test.ts';
import { SequentialTest, SequentialThresholds } from './sequential-test.ts';

const RUNS = 20_000;
const p0 = 0.8;
const share = p0 * (1 - 1e-9);
const alpha = 0.01;

/** False acceptances are too many for level alpha if even a 1e-6 lower bound on their rate is above it. */
function tooMany(accepted: number): boolean {
  return clopperPearsonLower(accepted, RUNS, 1e-6) > alpha;
}

function draw(uniform: () => number, n: number): number {
  let successes = 0;
  for (let i = 0; i < n; i++) if (uniform() < share) successes++;
  return successes;
}

describe('20,000 certifications just below p0', () => {
  it('the fixed test accepts no more than alpha allows', () => {
    const uniform = seededUniform(60);
    const threshold = fixedThreshold({ p0, alpha, n: 200 });
    let accepted = 0;
    let mutant = 0;
    for (let i = 0; i < RUNS; i++) {
      const successes = draw(uniform, 200);
      if (successes >= threshold) accepted++;
      if (successes >= threshold - 2) mutant++;
    }
    expect(tooMany(accepted)).toBe(false);
    expect(accepted).toBeGreaterThan(0);
    // The check can fail: a threshold two lower does.
    expect(tooMany(mutant)).toBe(true);
  });

  it('the sequential test, looked at every 16 samples, accepts no more; Clopper-Pearson re-run does', () => {
    const uniform = seededUniform(61);
    const maxN = 1024;
    const thresholds = new SequentialThresholds({ p0, alpha, beta: 1e-9, maxN });
    const naiveAt = Array.from({ length: maxN / 16 }, (_, i) =>
      fixedThreshold({ p0, alpha, n: 16 * (i + 1) }),
    );
    let accepted = 0;
    let naive = 0;
    for (let i = 0; i < RUNS; i++) {
      const test = new SequentialTest(thresholds);
      let naivePassed = false;
      let total = 0;
      for (let batch = 0; batch < maxN / 16; batch++) {
        const successes = draw(uniform, 16);
        total += successes;
        test.add(successes, 16);
        naivePassed ||= total >= (naiveAt[batch] ?? Infinity);
      }
      if (test.decision === 'accept') accepted++;
      if (naivePassed) naive++;
    }
    expect(tooMany(accepted)).toBe(false);
    expect(accepted).toBeGreaterThan(0);
    expect(tooMany(naive)).toBe(true);
  });
});
