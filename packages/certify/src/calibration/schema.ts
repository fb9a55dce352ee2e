/** What a calibration file holds, field by field. Whether its numbers hold together is `verifyCalibration`'s to say. */
import { z } from 'zod';
import { imageShape, pipeline } from '../certificate/schema-parts.ts';

export const CALIBRATION_SCHEMA = 'turnproof/calibration/1';

const whole = z.int().min(0);
const positive = z.number().positive();
const level = z.number().gt(0).lt(1);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const image = { index: whole.max(2 ** 32 - 1), sha256 };

/** What certificates say of their calibration: enough to compute q_E again. */
export const calibrationSummary = z.strictObject({
  sha256: sha256.describe('Of the calibration file'),
  errors: z
    .enum(['bounded', 'sampled'])
    .describe('sampled: the largest error at some γ of each β was held against E; no guarantee on Γ'),
  nGammas: whole.min(1).nullable().describe('sampled: γ of each β'),
  E: positive.describe('The interpolation error that was tested'),
  rhoE: level,
  qE: z.number().min(0).max(1).describe('Lower bound of P_x(P_β(max ε > E) <= rhoE)'),
  alpha: level.describe('1 - confidence of qE'),
  alphaInner: level.describe('Most probable for a bad image to pass'),
  nBetas: whole.min(1).describe('β of each image'),
  mostExceeding: whole.describe('So many of them may exceed E'),
  nImages: whole.min(1),
  passed: whole,
});

export const calibrationSchema = z.strictObject({
  schema: z.literal(CALIBRATION_SCHEMA),
  guarantee: z.string().min(1),
  ...calibrationSummary.omit({ sha256: true }).shape,
  bound: z.enum(['interval', 'chord', 'exact']).nullable().describe('null: sampled'),
  pipeline,
  shape: imageShape,
  sigmaGamma: positive,
  choice: z
    .strictObject({
      margin: positive,
      largest: positive.describe('E is margin times this'),
      images: z.array(z.strictObject({ ...image, error: z.number().min(0) })).min(1),
    })
    .nullable()
    .describe('How E was chosen, by other images; null: it was given'),
  images: z
    .array(
      z.strictObject({
        ...image,
        tested: whole.describe('β that were tested: all, or as many as it took to fail'),
        exceeded: whole,
        passed: z.boolean(),
      }),
    )
    .min(1),
  data: z.string(),
  seed: z.union([whole, z.string().regex(/^[0-9]{1,20}$/)]),
  shaders: z.strictObject({ sha256 }),
  adapter: z.strictObject({
    name: z.string(),
    kind: z.enum(['hardware', 'software']),
    adapterClass: z.string(),
  }),
  versions: z.record(z.string(), z.string()),
  seconds: z.strictObject({ choosing: z.number().min(0), testing: z.number().min(0) }),
});

export type Calibration = z.infer<typeof calibrationSchema>;
export type CalibrationSummary = z.infer<typeof calibrationSummary>;
