/**
 * What the report reads in a certificate. Base and Dist-x are the certificates of @turnproof/certify; of Sweep only the
 * fields that are shown are looked at. Not for whether the numbers hold together: that is `turnproof verify`.
 */
import { type Certificate, certificateSchema } from '@turnproof/certify';
import { z } from 'zod';

const whole = z.int().min(0);
/** Degrees, or pixels on each axis. */
const parameter = z.array(z.number()).min(1).max(2);

const sweepCertificate = certificateSchema.options[0]
  .pick({
    schema: true,
    index: true,
    label: true,
    predicted: true,
    correct: true,
    radius: true,
    unit: true,
    guarantee: true,
    abstention: true,
    confidence: true,
    pipeline: true,
    seed: true,
    model: true,
    image: true,
    shaders: true,
    adapter: true,
    provider: true,
    versions: true,
    samples: true,
    ms: true,
  })
  .extend({
    method: z.literal('sweep'),
    sigmaEps: z.number().positive(),
    ledger: z.object({ total: z.number(), spent: z.record(z.string(), z.number()) }).catchall(z.number()),
    interval: z.object({ lower: parameter, upper: parameter }).nullable(),
    slices: z.array(
      z.object({
        lower: parameter,
        upper: parameter,
        center: parameter,
        M: z.number().min(0),
        E: z.number().min(0),
        depth: whole,
        k: whole,
        n: whole,
        passed: z.boolean(),
      }),
    ),
    breaks: z.array(
      z.object({
        lower: parameter,
        upper: parameter,
        gamma: parameter,
        k: whole,
        n: whole,
        rival: whole.nullable(),
        rivalCount: whole,
        kind: z.enum(['wrong', 'undecided']),
      }),
    ),
  })
  .loose();

export type SweepCertificate = z.infer<typeof sweepCertificate>;
export type Slice = SweepCertificate['slices'][number];
export type Break = SweepCertificate['breaks'][number];
export type ReportedCertificate = Certificate | SweepCertificate;

/** A certificate, or a string saying why it is none. */
export function readCertificate(content: unknown): ReportedCertificate | string {
  const isSweep =
    typeof content === 'object' && content !== null && 'method' in content && content.method === 'sweep';
  const parsed = isSweep ? sweepCertificate.safeParse(content) : certificateSchema.safeParse(content);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  return `${issue?.path.join('.') || 'the line'}: ${issue?.message ?? 'not a certificate'}`;
}

/** What is certified: parameters from `lower` to `upper` on each axis, or all within a distance. */
export type Region =
  | { readonly kind: 'box'; readonly lower: readonly number[]; readonly upper: readonly number[] }
  | { readonly kind: 'ball'; readonly radius: number };

/** Null: nothing is certified. */
export function regionOf(certificate: ReportedCertificate): Region | null {
  if (certificate.predicted === null) return null;
  if (certificate.method === 'sweep') return certificate.interval && { kind: 'box', ...certificate.interval };
  return certificate.radius === null ? null : { kind: 'ball', radius: certificate.radius };
}

/** The error that was allowed for: E of Dist-x; of Sweep the E of each slice that passed. */
export function errorsOf(certificate: ReportedCertificate): number[] {
  if (certificate.method === 'sweep') {
    return certificate.slices.filter(({ passed }) => passed).map(({ E }) => E);
  }
  return certificate.bound ? [certificate.bound.E] : [];
}

export function rhoOf(certificate: ReportedCertificate): number | null {
  return certificate.method === 'sweep' ? null : (certificate.bound?.rhoE ?? null);
}

export interface InnerCount {
  readonly n: number;
  readonly accepted: boolean;
}

/** Tests of h: one for each β of Dist-x, one for each slice of Sweep. */
export function innerCountsOf(certificate: ReportedCertificate): InnerCount[] {
  if (certificate.method === 'sweep')
    return certificate.slices.map(({ n, passed }) => ({ n, accepted: passed }));
  return certificate.counts.inner.map(({ n, accepted }) => ({ n, accepted }));
}
