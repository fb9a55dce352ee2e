import { nextUp } from '@turnproof/core';
import { describe, expect, it } from 'vitest';
import { loadGolden, seededUniform } from '../../scripts/statistics-vectors.ts';
import { clopperPearsonLower } from './clopper-pearson.ts';
import { fixedThreshold } from './fixed-test.ts';
import { innerThresholds, logEvidence, SequentialTest, SequentialThresholds } from './sequential-test.ts';

const golden = loadGolden();

/**
 * The probability that a walk of Bernoulli(p) samples is ever at or above accept[n] at one of the looks, by
 * adding up all paths (every term positive: relative error below 1e-12).
 */
function sizeOf(accept: (n: number) => number, p: number, looks: number[]): number {
  const last = looks.at(-1) ?? 0;
  const look = new Set(looks);
  let mass = new Float64Array(last + 2);
  mass[0] = 1;
  let accepted = 0;
  for (let n = 1; n <= last; n++) {
    const next = new Float64Array(last + 2);
    for (let a = 0; a < n; a++) {
      const here = mass[a] ?? 0;
      next[a] = (next[a] ?? 0) + here * (1 - p);
      next[a + 1] = here * p;
    }
    if (look.has(n)) {
      for (let a = Math.max(0, accept(n)); a <= n; a++) {
        accepted += next[a] ?? 0;
        next[a] = 0;
      }
    }
    mass = next;
  }
  return accepted;
}

/** a / n > p0 and Q / P >= 1 / alpha in whole numbers, Q = C(2a, a) C(2m, m) / (C(n, a) 4^n), m = n - a. */
function exactlyAccepts(a: number, n: number, p0: number, alpha: number): boolean {
  const m = n - a;
  const [up, scale] = dyadic(p0);
  const [level, levelScale] = dyadic(alpha);
  const down = (1n << scale) - up;
  if (BigInt(a) << scale <= BigInt(n) * up) return false;
  const bet = choose(2 * a, a) * choose(2 * m, m) * level * (1n << (scale * BigInt(n)));
  const price = up ** BigInt(a) * down ** BigInt(m) * choose(n, a) * (1n << (levelScale + 2n * BigInt(n)));
  return bet >= price;
}

/** A double in (0, 1) as whole / 2^scale. */
function dyadic(x: number): [whole: bigint, scale: bigint] {
  let whole = x;
  let scale = 0n;
  for (; !Number.isInteger(whole); scale++) whole *= 2;
  return [BigInt(whole), scale];
}

function choose(n: number, k: number): bigint {
  let ways = 1n;
  for (let i = 1; i <= k; i++) ways = (ways * BigInt(n - k + i)) / BigInt(i);
  return ways;
}

const every = (step: number, upTo: number) => Array.from({ length: upTo / step }, (_, i) => (i + 1) * step);

describe('sequential thresholds', () => {
  it('equal the golden ones from exact arithmetic', () => {
    for (const { p0, alpha, n, acceptAt } of golden.sequential) {
      const thresholds = new SequentialThresholds({ p0, alpha, maxN: 500 });
      expect(thresholds.acceptAt(n), `p0 ${p0} alpha ${alpha} n ${n}`).toBe(acceptAt);
    }
  });

  it('do not depend on the order in which they are asked for', () => {
    const options = { p0: 0.83, alpha: 1e-4, maxN: 700 };
    const { accept, giveUp } = new SequentialThresholds(options).tables();
    for (const n of [700, 1, 33, 34, 35, 512, 511, 256]) {
      const alone = new SequentialThresholds(options);
      expect(alone.giveUpAt(n), `n ${n}`).toBe(giveUp[n]);
      expect(alone.acceptAt(n), `n ${n}`).toBe(accept[n]);
    }
  });

  it('rise by at most one success a sample, with room between accepting and giving up', () => {
    const { accept, giveUp } = new SequentialThresholds({ p0: 0.7, alpha: 2.5e-5, maxN: 3000 }).tables();
    for (let n = 2; n <= 3000; n++) {
      const step = (accept[n] ?? 0) - (accept[n - 1] ?? 0);
      expect(step === 0 || step === 1, `n ${n}`).toBe(true);
      expect((giveUp[n] ?? 0) < (accept[n] ?? 0), `n ${n}`).toBe(true);
    }
  });

  it('accept wrongly with probability at most alpha, looking after every sample (all paths added up)', () => {
    for (const [p0, alpha] of [
      [0.5, 0.05],
      [0.7, 0.01],
      [0.9, 0.01],
      [0.3, 1e-4],
    ] as const) {
      const thresholds = new SequentialThresholds({ p0, alpha, maxN: 1200 });
      const size = sizeOf((n) => thresholds.acceptAt(n), p0, every(1, 1200));
      expect(size, `p0 ${p0}`).toBeLessThanOrEqual(alpha);
      // And is a real test, not one that never accepts.
      expect(size, `p0 ${p0}`).toBeGreaterThan(alpha / 100);
      const lower = sizeOf((n) => thresholds.acceptAt(n), p0 * 0.97, every(1, 1200));
      expect(lower, `below p0 ${p0}`).toBeLessThan(size);
    }
  });

  it('with the last look of an inner test: still at most alpha, both ways of accepting together', () => {
    for (const [p0, alpha] of [
      [0.5, 0.05],
      [0.8, 0.01],
      [0.3, 1e-3],
    ] as const) {
      for (const [maxN, step] of [
        [1200, 1],
        [320, 32],
      ] as const) {
        const thresholds = innerThresholds({ p0, alpha, maxN });
        const size = sizeOf((n) => thresholds.acceptAt(n), p0, every(step, maxN));
        expect(size, `p0 ${p0}, ${maxN}`).toBeLessThanOrEqual(alpha);
        // The last look alone spends a good part of its quarter.
        expect(size, `p0 ${p0}, ${maxN}`).toBeGreaterThan(0.15 * alpha);
        // The same with both at the whole of alpha would be too much.
        const greedy = new SequentialThresholds({
          p0,
          alpha,
          maxN,
          acceptAtEnd: fixedThreshold({ p0, alpha, n: maxN }),
        });
        expect(sizeOf((n) => greedy.acceptAt(n), p0, every(step, maxN))).toBeGreaterThan(size);
      }
    }
  });

  it('with it, the end is decided almost as by the fixed test, and nobody gives up before it can', () => {
    const [p0, alpha, maxN] = [0.95, 2.5e-5, 10_000];
    const inner = innerThresholds({ p0, alpha, maxN });
    const fixed = fixedThreshold({ p0, alpha, n: maxN });
    const betting = new SequentialThresholds({ p0, alpha, maxN }).acceptAt(maxN);
    // 10,000 samples have a standard deviation of 22 successes.
    expect(inner.acceptAt(maxN) - fixed).toBeLessThan(8);
    expect(inner.acceptAt(maxN)).toBeGreaterThan(fixed);
    expect(betting - fixed).toBeGreaterThan(25);
    for (const failures of [maxN - inner.acceptAt(maxN), maxN - betting]) {
      expect(inner.giveUpAt(maxN - 1)).toBeLessThan(maxN - 1 - failures);
    }
  });

  it('give up wrongly with probability at most beta', () => {
    const thresholds = new SequentialThresholds({ p0: 0.7, alpha: 0.01, beta: 0.02, maxN: 100_000 });
    // Failures take the place of successes; far from maxN only the mirrored test gives up.
    const mirrored = (n: number) => n - thresholds.giveUpAt(n);
    const size = sizeOf(mirrored, 1 - 0.7, every(1, 800));
    expect(size).toBeLessThanOrEqual(0.02);
    expect(size).toBeGreaterThan(0.0002);
  });

  it('re-running Clopper-Pearson after each batch is not a test at level alpha', () => {
    const p0 = 0.7;
    const alpha = 0.01;
    const looks = every(20, 1200);
    const naive = (n: number) => fixedThreshold({ p0, alpha, n });
    expect(sizeOf(naive, p0, looks)).toBeGreaterThan(3 * alpha);
    // The same rule looked at once is one.
    expect(sizeOf(naive, p0, [1200])).toBeLessThanOrEqual(alpha);
    expect(clopperPearsonLower(naive(1200), 1200, alpha)).toBeGreaterThan(p0);
  });

  it('hold enough evidence in whole numbers, and one success fewer holds too little', () => {
    for (const [p0, alpha] of [
      [0.5, 0.01],
      [0.7, 2.5e-5],
      [0.9375, 1e-3],
      [0.2, 0.1],
    ] as const) {
      const thresholds = new SequentialThresholds({ p0, alpha, maxN: 160 });
      for (let n = 1; n <= 160; n++) {
        const k = thresholds.acceptAt(n);
        const label = `p0 ${p0} n ${n}: ${k}`;
        if (k <= n) expect(exactlyAccepts(k, n, p0, alpha), label).toBe(true);
        expect(exactlyAccepts(k - 1, n, p0, alpha), `one below ${label}`).toBe(false);
      }
    }
  });

  it('do not accept evidence that falls short by a hair, nor wait for more where it is clearly there', () => {
    for (const [a, n, p0] of [
      [60, 70, 0.7],
      [100, 100, 0.9375],
      [41, 50, 0.5],
      [33, 90, 0.2],
      [149, 155, 0.83],
    ] as const) {
      // The largest level at which whole numbers say: too little.
      let alpha = Math.exp(-logEvidence(a, n, p0).log) * (1 + 1e-10);
      let step = 1e-10;
      while (exactlyAccepts(a, n, p0, alpha)) {
        alpha *= 1 - step;
        step *= 2;
      }
      for (let low = alpha, high = alpha * (1 + 4 * step); ; ) {
        const middle = (low + high) / 2;
        if (middle <= low || middle >= high) break;
        if (exactlyAccepts(a, n, p0, middle)) high = middle;
        else low = middle;
        alpha = low;
      }
      expect(exactlyAccepts(a, n, p0, alpha)).toBe(false);
      expect(exactlyAccepts(a, n, p0, nextUp(alpha))).toBe(true);
      const label = `${a} of ${n} at ${p0}`;
      expect(new SequentialThresholds({ p0, alpha, maxN: n }).acceptAt(n), label).toBe(a + 1);
      const ample = new SequentialThresholds({ p0, alpha: alpha * (1 + 1e-11), maxN: n });
      expect(ample.acceptAt(n), label).toBe(a);
    }
  });

  it('edge shares: 0 accepts a single success, 1 and what maxN cannot reach give up at once', () => {
    const zero = new SequentialThresholds({ p0: 0, alpha: 0.01, maxN: 50 });
    expect([zero.acceptAt(1), zero.acceptAt(50), zero.giveUpAt(49)]).toEqual([1, 1, -1]);
    for (const p0 of [1, 1 - 2 ** -53, 1 - 1e-9]) {
      const sure = new SequentialThresholds({ p0, alpha: 0.01, maxN: 50 });
      expect(sure.canAccept).toBe(false);
      expect([sure.acceptAt(50), sure.giveUpAt(1)]).toEqual([51, 1]);
    }
    const half = new SequentialThresholds({ p0: 0.5, alpha: 0.01, maxN: 50 });
    expect(half.canAccept).toBe(true);
    // All successes: Q / P = C(2n, n) / 2^n, which is 94.96 at n = 9 and 180.4 at n = 10; 100 is asked for.
    expect([half.acceptAt(9), half.acceptAt(10)]).toEqual([10, 10]);
  });

  it('gives up once so many failures are in that maxN cannot accept', () => {
    const thresholds = new SequentialThresholds({ p0: 0.5, alpha: 0.01, beta: 1e-12, maxN: 100 });
    const most = 100 - thresholds.acceptAt(100);
    expect(thresholds.mostFailures).toBe(most);
    expect(thresholds.decide(thresholds.acceptAt(60), 60)).toBe('accept');
    expect(thresholds.decide(thresholds.acceptAt(60) - 1, 60)).toBe('open');
    expect(thresholds.decide(60 - most, 60)).toBe('open');
    expect(thresholds.decide(60 - most - 1, 60)).toBe('give-up');
    expect(thresholds.giveUpAt(100)).toBe(thresholds.acceptAt(100) - 1);
  });

  it('arguments out of range are refused by name', () => {
    expect(() => new SequentialThresholds({ p0: 1.5, alpha: 0.1, maxN: 5 })).toThrow('p0 must be');
    expect(() => new SequentialThresholds({ p0: 0.5, alpha: 0.1, maxN: 0 })).toThrow('maxN must be');
    expect(() => new SequentialThresholds({ p0: 0.5, alpha: 0.1, beta: 1, maxN: 9 })).toThrow(
      'beta must lie',
    );
    const thresholds = new SequentialThresholds({ p0: 0.5, alpha: 0.1, maxN: 5 });
    expect(() => thresholds.acceptAt(6)).toThrow('at most 5 samples was asked about 6');
    expect(() => thresholds.decide(3, 2)).toThrow('from 0 to 2, not 3');
  });
});

describe('a sequential test', () => {
  it('accepts a clear share in a few hundred samples, and is frozen then', () => {
    const test = new SequentialTest(new SequentialThresholds({ p0: 0.7, alpha: 2.5e-5, maxN: 10_000 }));
    const uniform = seededUniform(50);
    while (test.decision === 'open') {
      let successes = 0;
      for (let i = 0; i < 32; i++) if (uniform() < 0.95) successes++;
      test.add(successes, 32);
    }
    expect(test.decision).toBe('accept');
    expect(test.trials).toBeLessThan(500);
    const { successes, trials } = test;
    expect(test.add(0, 5000)).toBe('accept');
    expect([test.successes, test.trials]).toEqual([successes, trials]);
  });

  it('gives up on a clearly smaller share', () => {
    const test = new SequentialTest(new SequentialThresholds({ p0: 0.7, alpha: 2.5e-5, maxN: 10_000 }));
    while (test.decision === 'open') test.add(8, 20);
    expect(test.decision).toBe('give-up');
    expect(test.trials).toBeLessThan(200);
  });

  it('is decided at maxN at the latest, and refuses to go beyond', () => {
    const thresholds = new SequentialThresholds({ p0: 0.7, alpha: 0.001, maxN: 100 });
    const test = new SequentialTest(thresholds);
    expect(test.add(0, 0)).toBe('open');
    expect(test.add(15, 20)).toBe('open');
    expect(() => test.add(80, 81)).toThrow('to 101');
    expect(test.trials).toBe(20);
    expect(test.add(60, 80)).toBe('give-up');
  });

  it('batches that make no sense are refused', () => {
    const test = new SequentialTest(new SequentialThresholds({ p0: 0.7, alpha: 0.001, maxN: 100 }));
    expect(() => test.add(5, 4)).toThrow('from 0 to 4, not 5');
    expect(() => test.add(-1, 4)).toThrow('not -1');
  });
});
