import { expectClose, fillSentinel } from '@turnproof/core/testing';
import { describe, expect, it } from 'vitest';
import { describeKernel } from '../../kernel-suite.test-support.ts';
import { compileNoise, dispatchNoise, noiseKernel } from './noise.kernel.ts';
import { GAUSS_RELATIVE_ERROR, gauss2Oracle, noiseOracle, philox4x32 } from './noise.oracle.ts';

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

describeKernel({
  kernel: noiseKernel,
  proposition: 'adds sigma times the float64 twin’s normal numbers of each sample’s own counter',
  check: async (gpu, kernel) => {
    const [elements, sigma] = [37, 0.5];
    const key = [0x243f6a88, 0x85a308d3] as const;
    const base = Float32Array.from({ length: 2 * elements }, (_, i) => (i % 7) / 7);
    const counters = Array.from({ length: 300 }, (_, i) => [i % 5, 1 + (i % 3), 1000 * i] as const);
    const arrays = {
      base: gpu.upload('f32', base, 'base'),
      items: gpu.upload('u32', Uint32Array.from(counters.flatMap((c, i) => [i % 2, ...c])), 'items'),
      output: gpu.array('f32', counters.length * elements, 'noisy'),
    };
    fillSentinel(gpu, arrays.output);
    try {
      const batch = gpu.batch('noise');
      const options = { elements, samples: counters.length, key, sigma };
      dispatchNoise(batch, await compileNoise(gpu, kernel), arrays, options);
      const result = batch.read(arrays.output);
      await batch.submit();
      counters.forEach((counter, i) => {
        const noise = noiseOracle(elements, counter, key);
        const want = noise.map((n, k) => (base[(i % 2) * elements + k] ?? Number.NaN) + sigma * n);
        const got = result.data.subarray(i * elements, (i + 1) * elements);
        // A pair's radius is at most 6.7; the sum is rounded once more.
        expectClose(`sample ${i}`, got, want, sigma * 6.7 * GAUSS_RELATIVE_ERROR + 2 ** -21);
      });
    } finally {
      for (const array of Object.values(arrays)) array.release();
    }
  },
  mutants: [
    { fault: 'nine rounds', find: 'round < 10u', replace: 'round < 9u' },
    { fault: 'carry of the wide product lost', find: '+ (cross >> 16u), a * b', replace: ', a * b' },
    { fault: 'key not bumped', find: 'k += vec2u(0x9E3779B9u, 0xBB67AE85u);', replace: '' },
    { fault: 'every sample has the same stream', find: 'items[item + 3u], quad', replace: '0u, quad' },
    {
      fault: 'one Newton step fewer, squared',
      find: '1.5 - half * y * y);\n  return',
      replace: '1.4999 - half * y * y);\n  return',
    },
    { fault: 'signs never flip', find: '((angle_word >> 30u) & 1u) == 1u', replace: 'false' },
    {
      fault: 'logarithm’s last coefficient dropped',
      find: 'p = p * f + 0.3333333073;',
      replace: 'p = p * f;',
    },
    {
      fault: 'cosine polynomial cut short',
      find: '-0.3084251352 + t2',
      replace: '-0.3084251352 + 0.99 * t2',
    },
  ],
});

describe('the float64 normal numbers', () => {
  it('have the moments and tails of the normal law over 400,000 draws', () => {
    let [n, sum, square, cube, fourth, beyond2] = [0, 0, 0, 0, 0, 0];
    for (let sample = 0; n < 400_000; sample++) {
      for (const z of noiseOracle(1000, [1, 2, sample], [3, 4])) {
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
  it('are finite at the extreme words', () => {
    for (const word of [0, 1, 2 ** 31, 2 ** 32 - 1]) {
      for (const z of gauss2Oracle(word, word)) expect(Number.isFinite(z)).toBe(true);
    }
    expect(Math.hypot(...gauss2Oracle(0, 0))).toBeCloseTo(Math.sqrt(2 * 32 * Math.LN2), 6);
  });
});
