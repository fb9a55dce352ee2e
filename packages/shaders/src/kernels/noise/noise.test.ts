import { ComparisonError, fillSentinel } from '@turnproof/core/testing';
import { describe, expect, it } from 'vitest';
import { describeKernel } from '../../kernel-suite.test-support.ts';
import { type NoiseLaw, noiseLawOf } from '../../noise-law.ts';
import { compileNoise, dispatchNoise, noiseKernel, uploadNoise, uploadNoiseLaw } from './noise.kernel.ts';
import { latticeStep, noiseOracle, noisyOracle, philox4x32 } from './noise.oracle.ts';

describe('Philox4x32-10', () => {
  // Known-answer vectors that the authors publish with Random123 (kat_vectors).
  it.each([
    [
      [0, 0, 0, 0],
      [0, 0],
      [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
    ],
    [
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    ],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ],
  ] as const)('of counter %j and key %j is the published answer', (counter, key, answer) => {
    expect(philox4x32([...counter], key)).toEqual(answer);
  });
});

const ELEMENTS = 301;
const KEY = [0x243f6a88, 0x85a308d3] as const;
const counters = Array.from({ length: 40 }, (_, i) => [i % 5, 1 + (i % 3), 1000 * i] as const);

/**
 * A law whose thresholds begin with words that the samples really draw, so that their lower halves decide, as they do
 * once in ten thousand values otherwise.
 */
function lawOfTies(): NoiseLaw {
  const lowerOf = new Map<number, number>();
  for (const counter of counters.slice(0, 8)) {
    for (let block = 0; block < 20; block++) {
      const upper = philox4x32([...counter, block], KEY);
      const lower = philox4x32([...counter, 0x80000000 + block], KEY);
      for (const [i, word] of upper.entries()) lowerOf.set(word & 0x7fffffff, lower[i] ?? 0);
    }
  }
  const high = [...lowerOf.keys()].sort((a, b) => b - a);
  // Some thresholds are the very words, so that «on it» is tried, too.
  const low = high.map((word, i) => [0, lowerOf.get(word) ?? 0, 0x80000000][i % 3] ?? 0);
  return { sigma: 1, latticeBits: 10, high: Uint32Array.from(high), low: Uint32Array.from(low) };
}

const base = Float32Array.from({ length: 2 * ELEMENTS }, (_, i) =>
  // Every third one exactly between two points of the lattice.
  i % 3 === 0 ? ((i % 50) + 0.5) / 2 ** 10 : (i % 7) / 7,
);

function expectSame(name: string, got: Float32Array, want: Float32Array): void {
  const at = want.findIndex((value, i) => value !== got[i]);
  if (at >= 0) throw new ComparisonError(`${name}: value ${at} is ${got[at]}, not ${want[at]}`);
}

describeKernel({
  kernel: noiseKernel,
  proposition: 'gives the reference’s noisy images bit for bit: of a law, of one full of ties, and of none',
  check: async (gpu, kernel) => {
    const compiled = await compileNoise(gpu, kernel);
    const laws = [noiseLawOf(0.3), lawOfTies(), null];
    for (const law of laws) {
      const noise = law ? uploadNoiseLaw(gpu, law) : uploadNoise(gpu, 0);
      const arrays = {
        base: gpu.upload('f32', base, 'base'),
        items: gpu.upload('u32', Uint32Array.from(counters.flatMap((c, i) => [i % 2, ...c])), 'items'),
        output: gpu.array('f32', counters.length * ELEMENTS, 'noisy'),
      };
      fillSentinel(gpu, arrays.output);
      try {
        const batch = gpu.batch('noise');
        const options = { elements: ELEMENTS, samples: counters.length, key: KEY, noise };
        dispatchNoise(batch, compiled, arrays, options);
        const result = batch.read(arrays.output);
        await batch.submit();
        counters.forEach((counter, i) => {
          const image = base.subarray((i % 2) * ELEMENTS, (1 + (i % 2)) * ELEMENTS);
          const got = result.data.subarray(i * ELEMENTS, (i + 1) * ELEMENTS);
          expectSame(`sample ${i}`, got, law ? noisyOracle(image, counter, KEY, law) : image);
        });
      } finally {
        for (const array of [...Object.values(arrays), noise]) array.release();
      }
    }
  },
  mutants: [
    { fault: 'nine rounds', find: 'round < 10u', replace: 'round < 9u' },
    { fault: 'carry of the wide product lost', find: '+ (cross >> 16u), a * b', replace: ', a * b' },
    { fault: 'key not bumped', find: 'k += vec2u(0x9E3779B9u, 0xBB67AE85u);', replace: '' },
    { fault: 'every sample has the same stream', find: 'items[item + 3u], quad', replace: '0u, quad' },
    { fault: 'no noise below the middle', find: 'select(steps, -steps,', replace: 'select(steps, steps,' },
    { fault: 'the sign taken for a bit of the size', find: 'upper & 0x7fffffffu', replace: 'upper >> 1u' },
    {
      fault: 'lower halves are the upper ones again',
      find: 'vec4u(0u, 0u, 0u, LOWER)',
      replace: 'vec4u(0u)',
    },
    {
      fault: 'lower halves of another value',
      find: 'lower[component] <',
      replace: 'lower[component ^ 1u] <',
    },
    {
      fault: 'a lower half on its threshold counts as above',
      find: 'lower[component] <',
      replace: 'lower[component] <=',
    },
    {
      fault: 'ties never decided by lower halves',
      find: 'if (v == high)',
      replace: 'if (v > high && v == high)',
    },
    { fault: 'search ends one early', find: 'least < most; tries++', replace: 'least + 1u < most; tries++' },
    { fault: 'bucket’s lower end one too high', find: 'law[bucket + 1u]', replace: 'law[bucket]' },
    { fault: 'image not on the lattice', find: 'i32(round(', replace: 'i32(floor(' },
    {
      fault: 'sum in float32, off the lattice',
      find: 'f32(pixel + signed_steps) * params.step',
      replace: 'base[from_ + i] + f32(signed_steps) * params.step',
    },
    { fault: 'no noise is noise', find: 'params.cells == 0u', replace: 'params.cells == 1u' },
  ],
});

describe('a step of the lattice', () => {
  const law = { high: Uint32Array.of(3, 1, 0), low: Uint32Array.of(5, 0, 7) };
  it.each([
    ['above all tails', [4, 0], 0],
    ['on the first tail', [3, 5], 0],
    ['just below it', [3, 4], 1],
    ['on the second', [1, 0], 1],
    ['below the second', [0, 0xffffffff], 2],
    ['below all', [0, 6], 3],
  ] as const)('of a word %s is the number of tails above it', (_, [upper, lower], steps) => {
    expect(latticeStep(law, upper, lower)).toBe(steps);
    expect(latticeStep(law, (upper | 0x80000000) >>> 0, lower)).toBe(steps === 0 ? 0 : -steps);
  });

  it('has the moments of the rounded normal law over 100,000 draws', () => {
    const exact = noiseLawOf(1);
    const q = 2 ** -exact.latticeBits;
    let [n, sum, square, cube, fourth, beyond2] = [0, 0, 0, 0, 0, 0];
    for (let sample = 0; n < 100_000; sample++) {
      for (const step of noiseOracle(1000, [1, 2, sample], [3, 4], exact)) {
        const z = q * step;
        n += 1;
        sum += z;
        square += z * z;
        cube += z ** 3;
        fourth += z ** 4;
        if (Math.abs(z) > 2) beyond2 += 1;
      }
    }
    // Five standard errors of each estimate.
    const near = (value: number, expected: number, deviation: number) =>
      expect(Math.abs(value - expected)).toBeLessThan((5 * deviation) / Math.sqrt(n));
    near(sum / n, 0, 1);
    near(square / n, 1, Math.sqrt(2));
    near(cube / n, 0, Math.sqrt(15));
    near(fourth / n, 3, Math.sqrt(96));
    near(beyond2 / n, 0.0455002639, Math.sqrt(0.0455 * 0.9545));
  });
});
