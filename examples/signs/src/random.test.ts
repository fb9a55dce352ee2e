import { describe, expect, it } from 'vitest';
import { RandomStream, randomWord } from './random.ts';

describe('random words', () => {
  // Computed with Python's unbounded integers from the same definition.
  it.each([
    [0, 0, 0, 0x83f1651a],
    [20, 0, 0, 0xd8ec3d6c],
    [20, 0x80000000, 0, 0x16d2bdac],
    [20, 0x800000c7, 12345, 0x6437488d],
    [0xffffffff, 7, 1, 0xc3c54002],
  ])(
    'seed %i, stream %i, counter %i gives the word that exact integers give',
    (seed, stream, counter, word) => {
      expect(randomWord(seed, stream, counter)).toBe(word);
    },
  );

  it('two streams never share a word at the same counter', () => {
    const streams = 50_000;
    for (const counter of [0, 1, 4096]) {
      const words = new Set<number>();
      for (let k = 0; k < streams; k += 1)
        words.add(randomWord(20, k % 2 === 0 ? k : 0x8000_0000 + k, counter));
      expect(words.size).toBe(streams);
    }
  });

  it('unit numbers have the mean and variance of a uniform, neighbouring streams are uncorrelated', () => {
    const count = 40_000;
    const a = new RandomStream(20, 1);
    const b = new RandomStream(20, 2);
    let sum = 0;
    let squares = 0;
    let products = 0;
    for (let k = 0; k < count; k += 1) {
      const x = a.unit() - 0.5;
      const y = b.unit() - 0.5;
      sum += x;
      squares += x * x;
      products += x * y;
    }
    // Five standard errors: sqrt(1/12), sqrt(1/180) and 1/12, each over sqrt(count) = 200.
    expect(Math.abs(sum / count)).toBeLessThan((5 * 0.2887) / 200);
    expect(Math.abs(squares / count - 1 / 12)).toBeLessThan((5 * 0.0746) / 200);
    expect(Math.abs(products / count)).toBeLessThan((5 * 0.0834) / 200);
  });

  it('bell numbers have mean 0 and standard deviation 1', () => {
    const count = 40_000;
    const random = new RandomStream(20, 3);
    let sum = 0;
    let squares = 0;
    for (let k = 0; k < count; k += 1) {
      const x = random.bell();
      sum += x;
      squares += x * x;
    }
    expect(Math.abs(sum / count)).toBeLessThan(5 / 200);
    expect(Math.abs(squares / count - 1)).toBeLessThan((5 * Math.SQRT2) / 200);
  });
});
