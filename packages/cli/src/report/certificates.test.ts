import type { Certificate } from '@turnproof/certify';
import { describe, expect, it } from 'vitest';
import { errorsOf, rhoOf } from './certificates.ts';

/** No more of a certificate than is read here. */
const distX = (bound: object | null) => ({ method: 'dist-x', bound }) as unknown as Certificate;

describe('ρ_E of a certificate', () => {
  it('is that of an E which was tested', () => {
    expect(rhoOf(distX({ E: 0.5, rhoE: 0.02, nBetas: 400 }))).toBe(0.02);
    expect(rhoOf(distX(null))).toBeNull();
  });

  it('is unknown where E was chosen and not tested, while E is told', () => {
    const untested = distX({ E: 10.25, rhoE: 1, nBetas: 0 });
    expect(rhoOf(untested)).toBeNull();
    expect(errorsOf(untested)).toEqual([10.25]);
  });
});
