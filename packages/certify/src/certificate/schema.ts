/**
 * What a certificate is, field by field: the one definition of its type, its check and its JSON Schema. Not for whether
 * its numbers hold together: that is `verifyCertificate`.
 */
import { z } from 'zod';
import { calibrationSummary } from '../calibration/schema.ts';
import { imageShape, pipeline } from './schema-parts.ts';

export const CERTIFICATE_SCHEMA = 'turnproof/certificate/1';

const whole = z.int().min(0);
/** As many as a plan may ask for: a file must not make its reader allocate more. */
const size = z
  .int()
  .min(1)
  .max(2 ** 24);
const positive = z.number().positive();
const probability = z.number().min(0).max(1);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

const image = z.strictObject({
  sha256: sha256.describe('Of the pixels as little-endian float32'),
  shape: imageShape,
});

/** `Adaptation` of the classifier: what else than the file makes the function that is certified. */
const adapted = z
  .strictObject({
    mean: z.array(z.number()).min(1),
    std: z.array(positive).min(1),
    layout: z.literal('nhwc').describe('Each image is handed over as [height, width, channels]'),
    reshaped: z.array(z.int().min(1)).describe('The shape in which each image is handed over'),
    float16: z.literal('widened').describe('float16 weights and operators became float32'),
    output: z.string().describe('The one of several outputs that holds the logits'),
    batch: z.literal('freed').describe('Its batch was fixed to one image and takes any number now'),
    oneByOne: z.literal(true).describe('A model that quantises dynamically is given one image at a time'),
  })
  .partial()
  .describe('Absent: the model of the file itself, on images [channels, height, width] in [0, 1]');

/** What certificates say of the model. */
export const modelSchema = z.strictObject({
  sha256,
  file: z.string().min(1),
  externalData: z
    .array(z.strictObject({ file: z.string().min(1), sha256 }))
    .optional()
    .describe('Files beside it that hold weights'),
  adapted: adapted.optional(),
});

const distPlan = z
  .strictObject({
    n0: size,
    nGamma: size,
    nEps: size,
    inner: z.enum(['sequential', 'fixed']),
    nChooseE: size,
    nTestE: size,
    radiusRule: z.enum(['tight', 'paper']),
  })
  .describe('What was asked for');

const distCounts = z.strictObject({
  n0: whole.describe('β that chose the class'),
  nChoice: whole.describe('Samples of each of them'),
  votes: whole.describe('How many of them chose it'),
  classIndex: whole.nullable().describe('The class that was put to the test'),
  nGamma: whole.describe('β that were to bound its share'),
  kGamma: whole.describe('Those that had it (base), or were accepted (dist-x, indiv)'),
  inner: z
    .array(z.strictObject({ k: whole, n: whole, accepted: z.boolean() }))
    .describe(
      'dist-x, indiv: each β in order, k of n samples had the class; fewer than nGamma when it stopped early',
    ),
});

const bound = z.strictObject({
  E: z.number().min(0).describe('tested + extraError: what the radius of h must exceed'),
  tested: z.number().min(0).describe('The interpolation error that the testing β were held against'),
  extraError: z.number().min(0).describe("The attacker's rounding and the sampler's float32"),
  rhoE: probability.describe('Upper confidence bound on the share of β that exceed it'),
  method: z.enum(['interval', 'chord', 'exact']),
  nBetas: whole.describe('Testing β; 0 where no test of h could show a radius above E: then rhoE is 1'),
  kHeld: whole.describe('Those with a bound of at most «tested»'),
  nChooseE: whole.describe('β that chose it'),
  largest: z.number().min(0).describe('The largest bound of those'),
  quantile: probability.describe('Share of those that are at most «tested»'),
});

const calibrated = bound
  .pick({ E: true, tested: true, extraError: true, rhoE: true })
  .extend({ calibration: calibrationSummary })
  .describe('From the calibration, not from this image');

const test = z.strictObject({
  kind: z.enum(['sequential', 'fixed']),
  nEps: size,
  look: size.describe('Samples between two looks'),
  p0: probability.describe('Φ(E / σ_ε), rounded up'),
  alpha: probability.describe('Error probability of each test'),
});

const common = {
  schema: z.literal(CERTIFICATE_SCHEMA),
  index: whole.max(2 ** 32 - 1),
  label: z.int().nullable(),
  predicted: whole.nullable().describe('null: abstained'),
  correct: z.boolean().nullable().describe('null: no label'),
  radius: positive.nullable().describe('Rounded down; null: abstained'),
  unit: z.enum(['degrees', 'pixels']),
  guarantee: z.string().min(1),
  abstention: z.string().min(1).nullable().describe('Why nothing is claimed'),
  confidence: z.number().gt(0).lt(1),
  pipeline,
  lattice: whole
    .max(22)
    .nullable()
    .optional()
    .describe(
      'k: b sees pixels rounded to multiples of 2^-k, which is what noise smooths; null: no noise (base). Absent: drawn before there was a lattice, with float32 noise',
    ),
  seed: z.union([whole, z.string().regex(/^[0-9]{1,20}$/)]).describe('A string beyond 2^53'),
  streams: z.strictObject({
    generator: z.literal('philox4x32-10'),
    key: z.literal('seed'),
    counter: z.array(z.string()).describe('Words of a counter'),
    purposes: z.record(z.string(), whole),
  }),
  model: modelSchema,
  image,
  shaders: z.strictObject({ sha256 }),
  adapter: z.strictObject({
    name: z.string(),
    kind: z.enum(['hardware', 'software']),
    adapterClass: z.string().describe('Driver that rounds: replays agree bit by bit within one'),
  }),
  provider: z.enum(['webgpu', 'wasm']),
  versions: z.strictObject({ turnproof: z.string(), 'onnxruntime-web': z.string(), webgpu: z.string() }),
  recovered: z
    .array(
      z.strictObject({
        what: z.enum(['device-lost', 'out-of-memory']),
        batch: size.nullable().describe('Samples to a call of the classifier from then on; null: as before'),
      }),
    )
    .min(1)
    .optional()
    .describe('What befell the machine while the image was in work; it was then done again from its start'),
  samples: whole.describe('Classifier evaluations that were counted'),
  ms: z.strictObject({ bound: z.number().min(0), sampling: z.number().min(0) }),
};

const spent = z.record(z.string(), probability);

/** Of the methods that draw β. */
const drawn = {
  ...common,
  pABar: probability.nullable().describe('Lower confidence bound on the share of the class'),
  cutAtRange: z
    .boolean()
    .describe('Would the radius have gone beyond the range? (indiv: is all of the range covered?)'),
  counts: distCounts,
  plan: distPlan,
  sigmaGamma: positive,
};

export const baseCertificate = z.strictObject({
  ...drawn,
  method: z.literal('base'),
  ledger: z.strictObject({ total: probability, alphaGamma: probability, spent }),
  sigmaEps: z.null(),
  bound: z.null(),
  test: z.null(),
});

export const distXCertificate = z.strictObject({
  ...drawn,
  method: z.literal('dist-x'),
  ledger: z.strictObject({
    total: probability,
    alphaGamma: probability,
    alphaEps: probability,
    alphaE: probability,
    spent,
  }),
  sigmaEps: positive,
  bound: bound.nullable().describe('null: stopped before'),
  test: test.nullable().describe('null: stopped before'),
});

export const distDCertificate = z.strictObject({
  ...distXCertificate.shape,
  method: z.literal('dist-d'),
  plan: distPlan.omit({ nChooseE: true, nTestE: true }),
  bound: calibrated,
});

const parameter = z.array(z.number()).min(1).max(2);

export const indivCertificate = z.strictObject({
  ...distXCertificate.shape,
  method: z.literal('indiv'),
  radius: common.radius.describe(
    'Rounded down; how far the attacker may have gone: all of the range where cutAtRange says so',
  ),
  plan: distPlan.extend({ refinements: size, boxes: size.describe('Sub-boxes along each axis') }),
  attack: z.strictObject({
    halfStep: positive.describe('The file may differ from the real transformed image by this at each pixel'),
  }),
  inverse: z
    .strictObject({
      tried: whole.describe('Sub-boxes of the range that were put to the test'),
      kept: whole.describe('Those that were not refuted in the end'),
      left: z
        .strictObject({ lower: parameter, upper: parameter })
        .describe('The smallest box around those; 0 is in it'),
    })
    .nullable()
    .describe('null: stopped before'),
});

const slice = z.strictObject({
  root: whole.describe('Number of the root slice'),
  path: z
    .string()
    .regex(/^[01]{0,10}$/)
    .describe('Halvings of the longest axis: 0 lower half, 1 upper half'),
  lower: parameter,
  upper: parameter,
  center: parameter.describe('Where h was sampled'),
  M: z.number().min(0).describe('Every transform in the slice lies within this of the one at the centre'),
  E: z.number().min(0).describe('M + extraError: what the radius of h must exceed'),
  p0: probability.describe('Φ(E / σ_ε), rounded up'),
  alpha: probability.describe('Error probability of this test'),
  k: whole,
  n: whole.describe('k of n samples had the class'),
  passed: z.boolean(),
});

const sweepBreak = z.strictObject({
  lower: parameter,
  upper: parameter.describe('The slice (or centre) that was given up'),
  gamma: parameter.describe('Where the class did worst, in it or just beyond it'),
  k: whole,
  n: whole.describe('k of n fresh samples had the class there'),
  rival: whole.nullable().describe('The class that did best there instead'),
  rivalCount: whole,
  kind: z
    .enum(['wrong', 'undecided'])
    .describe('wrong: at gamma the rival is more probable than the class, confidence 0.999'),
});

export const sweepCertificate = z.strictObject({
  ...common,
  method: z.literal('sweep'),
  interval: z
    .strictObject({ lower: parameter, upper: parameter })
    .nullable()
    .describe('Certified parameters, axis by axis; null: abstained'),
  ledger: z.strictObject({ total: probability, alphaSweep: probability, spent }),
  sigmaEps: positive,
  counts: z.strictObject({
    n0: whole.describe('Samples at the image as it is that chose the class'),
    votes: whole.describe('How many of them had it'),
    classIndex: whole.nullable(),
  }),
  plan: z.strictObject({ nEps: size, floor: positive, maxSamples: size }).describe('What was asked for'),
  extraError: z.number().min(0).describe("The attacker's rounding and the sampler's float32"),
  roots: z
    .array(z.int().min(1).max(8192))
    .nullable()
    .describe('Root slices along each axis; null: stopped before'),
  look: size.describe('Samples between two looks'),
  slices: z.array(slice).describe('Every slice that was tested, in order'),
  breaks: z.array(sweepBreak).describe('Where the interval ends before the range does'),
});

export const certificateSchema = z
  .discriminatedUnion('method', [
    baseCertificate,
    distXCertificate,
    distDCertificate,
    indivCertificate,
    sweepCertificate,
  ])
  .meta({ title: 'turnproof certificate', description: 'One line of certificates.jsonl' });

/** What befell the machine while an image was in work. */
export type Recovered = NonNullable<z.infer<typeof baseCertificate>['recovered']>[number];
export type BaseCertificate = z.infer<typeof baseCertificate>;
export type DistXCertificate = z.infer<typeof distXCertificate>;
export type DistDCertificate = z.infer<typeof distDCertificate>;
export type IndivCertificate = z.infer<typeof indivCertificate>;
export type SweepCertificate = z.infer<typeof sweepCertificate>;
export type Certificate = z.infer<typeof certificateSchema>;

/** The schema as JSON Schema (draft 2020-12), as published in schema/certificate.schema.json. */
export function certificateJsonSchema(): Record<string, unknown> {
  return { ...z.toJSONSchema(certificateSchema, { target: 'draft-2020-12' }) };
}
