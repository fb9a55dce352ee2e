/** Parts of the schema that certificates share with calibrations. */
import { z } from 'zod';

const positive = z.number().positive();

export const imageShape = z.strictObject({
  channels: z.int().min(1),
  height: z.int().min(1),
  width: z.int().min(1),
});

export const pipeline = z.strictObject({
  transform: z.enum(['rotation', 'translation']),
  range: positive.describe('R: parameters in [-R, R] degrees, or its square in pixels'),
  vignette: z.union([
    z.strictObject({ kind: z.literal('none') }),
    z.strictObject({ kind: z.enum(['circle', 'rect']), offset: z.int().min(0) }),
  ]),
  blur: z.strictObject({ size: z.int().min(1), sigma: positive }).nullable(),
  quantization: z.enum(['none', 'u8']),
});
