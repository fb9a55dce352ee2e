import { describe, expect, it } from 'vitest';
import { attackHalfStep } from './attack-error.ts';

describe('an attacker’s half step', () => {
  // Too small to show in what the inverse refutes: the premise that certificates state in words is asked for itself.
  it('holds what float32 may do to a file, 1e-5 at each pixel, and half of 1/255 where files have 8 bits', () => {
    expect(attackHalfStep({ quantization: 'none' })).toBe(1e-5);
    expect(attackHalfStep({ quantization: 'u8' })).toBeCloseTo(1 / 510 + 1e-5, 15);
  });
});
