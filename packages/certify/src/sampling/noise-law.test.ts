import { type Gpu, openDevice } from '@turnproof/core';
import { closeChecked, testAdapters } from '@turnproof/core/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chiSquareScore, type LawReport, noiseLaw } from '../../scripts/noise-law.ts';

const DRAWS = 2 ** 21;
/** What is wrong, at one chance in 100,000 or less for each. */
function faultsOf({ scores, ks, chiSquare, unlike }: LawReport): string[] {
  const faults = Object.entries(scores).filter(([, score]) => !(Math.abs(score) < 4.5));
  return [
    ...faults.map(([name]) => name),
    ...(ks < 2.5 ? [] : ['Kolmogorov-Smirnov']),
    ...(Math.abs(chiSquareScore(chiSquare)) < 4.5 ? [] : ['chi-square']),
    ...(unlike === 0 ? [] : ['reference']),
  ];
}

const adapters = await testAdapters();

describe.each(adapters)('two million numbers of the noise kernel on %s', (adapter) => {
  let gpu: Gpu;
  beforeAll(async () => {
    gpu = await openDevice({ adapter });
  });
  afterAll(() => closeChecked(gpu));

  it('have the moments, tails and distribution of the normal law, and are the reference’s bit for bit', async () => {
    expect(faultsOf(await noiseLaw(gpu, DRAWS, 11))).toEqual([]);
  });

  it('would be found out if they were half a percent too wide', async () => {
    const faults = faultsOf(await noiseLaw(gpu, DRAWS, 11, 1.005));
    expect(faults).toContain('variance');
    expect(faults).toContain('fourth moment');
  });
});
