import { openDevice } from '@turnproof/core';
import { testAdapters } from '@turnproof/core/testing';
import { describe, expect, it } from 'vitest';
import { allCases } from './cases.ts';
import { measure } from './measure.ts';

describe.each((await testAdapters()).slice(-1))('the bench on %s', (adapter) => {
  it('runs every case and gives finite, positive, ordered figures', async () => {
    const gpu = await openDevice({ adapter });
    for (const benchCase of allCases(1 / 32)) {
      const { gpuMs, wallMs, perSecond, work } = await measure(gpu, benchCase, { repeats: 3, warmUps: 1 });
      expect(work).toBeGreaterThan(0);
      expect(perSecond).toBeGreaterThan(0);
      expect(Number.isFinite(perSecond)).toBe(true);
      for (const { min, median, p95 } of [wallMs, ...(gpuMs ? [gpuMs] : [])]) {
        expect(min).toBeGreaterThan(0);
        expect(median).toBeGreaterThanOrEqual(min);
        expect(p95).toBeGreaterThanOrEqual(median);
      }
    }
    gpu.close();
  });
});
