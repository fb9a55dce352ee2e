import { describe, expect, it } from 'vitest';
import { inHalves } from './halves.ts';

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('inHalves', () => {
  it('gives the results in order, from two halves that are under way together', async () => {
    const seen: string[] = [];
    const results = await inHalves([1, 2, 3, 4, 5], async (half) => {
      seen.push(`begin ${half}`);
      await turn();
      seen.push(`end ${half}`);
      return half.map((n) => 10 * n);
    });
    expect(results).toEqual([10, 20, 30, 40, 50]);
    expect(seen).toEqual(['begin 1,2,3', 'begin 4,5', 'end 1,2,3', 'end 4,5']);
  });

  it('does one thing alone, and nothing where there is nothing', async () => {
    const sizes: number[] = [];
    const count = async (half: readonly number[]) => {
      sizes.push(half.length);
      return half;
    };
    expect(await inHalves([7], count)).toEqual([7]);
    expect(await inHalves([], count)).toEqual([]);
    expect(sizes).toEqual([1]);
  });

  it.each([0, 1])('waits for the other half when half %i fails', async (failing) => {
    let others = 0;
    const work = inHalves([0, 1], async ([which]) => {
      if (which === failing) throw new Error(`half ${failing} failed`);
      await turn();
      await turn();
      others += 1;
      return [which];
    });
    await expect(work).rejects.toThrow(`half ${failing} failed`);
    expect(others).toBe(1);
  });
});
