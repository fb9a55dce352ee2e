import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import golden from '../vectors/noise-law.json' with { type: 'json' };
import { packNoiseLaw } from './kernels/noise/noise.kernel.ts';
import { latticeBitsOf, type NoiseLaw, noiseLawOf, noiseVariation } from './noise-law.ts';

function tailsOf({ high, low }: Pick<NoiseLaw, 'high' | 'low'>): bigint[] {
  return Array.from(high, (word, j) => (BigInt(word) << 32n) + BigInt(low[j] ?? 0));
}

describe('the law of the noise', () => {
  it.each(golden.cases)('for sigma $sigma is mpmath’s in each of its $cells thresholds', (entry) => {
    const law = noiseLawOf(entry.sigma);
    const tails = tailsOf(law);
    for (const [j, tail] of entry.some) expect([j, String(tails[Number(j)])]).toEqual([j, tail]);
    expect([law.latticeBits, tails.length]).toEqual([entry.latticeBits, entry.cells]);
    const bytes = new BigUint64Array(tails);
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(entry.sha256);
  });

  it('is of the float32 sigma, and made once', () => {
    expect(noiseLawOf(0.3)).toBe(noiseLawOf(Math.fround(0.3)));
    expect(noiseLawOf(0.3).sigma).toBe(Math.fround(0.3));
  });

  it('has few enough thresholds for the variation that is charged: half a unit of 2^-63 each, and one tail', () => {
    // The largest sigma / q of all: just below a power of two.
    for (const { high } of [noiseLawOf(Math.fround(0.49999999)), noiseLawOf(0.3), noiseLawOf(2 ** -16)]) {
      expect((high.length + 1) * (0.5 * 2 ** -63 + 2 ** -90)).toBeLessThan(noiseVariation(1));
    }
  });

  it('keeps pixel plus noise exact in float32, for every sigma that is allowed', () => {
    for (let exponent = -16; exponent <= 14; exponent++) {
      for (const sigma of [2 ** exponent, Math.fround(1.9999999 * 2 ** Math.min(exponent, 13))]) {
        const bits = latticeBitsOf(sigma);
        expect(2 ** bits + 9.2 * sigma * 2 ** bits).toBeLessThan(2 ** 24);
        expect(bits).toBeGreaterThanOrEqual(0);
      }
    }
  });

  it.each([0, -1, 2 ** -17, 2 ** 15, Number.NaN, Number.POSITIVE_INFINITY])('refuses sigma %f', (sigma) => {
    expect(() => noiseLawOf(sigma)).toThrow(/must lie between/);
  });

  it('is packed so that each bucket begins with the count at its lower end', () => {
    const law = noiseLawOf(1);
    const packed = packNoiseLaw(law);
    const tails = tailsOf(law);
    // The buckets’ lower ends, made in ascending order from what a bucket is: 8 bits behind the leading one.
    const ends = new Set<number>();
    for (let v = 0; v < 512; v++) ends.add(v);
    for (let shift = 1; shift <= 22; shift++)
      for (let top = 256; top < 512; top++) ends.add(top * 2 ** shift);
    const sorted = [...ends].sort((a, b) => a - b);
    expect(sorted).toHaveLength(6144);
    sorted.forEach((v, bucket) => {
      if (bucket % 97 !== 0 && bucket > 40) return;
      const word = BigInt(v) << 32n;
      expect([v, packed[bucket]]).toEqual([v, tails.filter((tail) => tail > word).length]);
    });
    expect(packed[6144]).toBe(0);
  });
});
