/**
 * What the report reads in a certificate, whatever its method. Not for whether the numbers hold together: that is
 * `turnproof verify`.
 */
import { type Certificate, certificateSchema } from '@turnproof/certify';

export type SweepCertificate = Extract<Certificate, { method: 'sweep' }>;
export type Slice = SweepCertificate['slices'][number];
export type Break = SweepCertificate['breaks'][number];

/** A certificate, or a string saying why it is none. */
export function readCertificate(content: unknown): Certificate | string {
  const parsed = certificateSchema.safeParse(content);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  return `${issue?.path.join('.') || 'the line'}: ${issue?.message ?? 'not a certificate'}`;
}

/** What is certified: parameters from `lower` to `upper` on each axis, or all within a distance. */
export type Region =
  | { readonly kind: 'box'; readonly lower: readonly number[]; readonly upper: readonly number[] }
  | { readonly kind: 'ball'; readonly radius: number };

/** Null: nothing is certified. */
export function regionOf(certificate: Certificate): Region | null {
  if (certificate.predicted === null) return null;
  if (certificate.method === 'sweep') return certificate.interval && { kind: 'box', ...certificate.interval };
  return certificate.radius === null ? null : { kind: 'ball', radius: certificate.radius };
}

/** The error that was allowed for: E of Dist-x and Indiv; of Sweep the E of each slice that passed. */
export function errorsOf(certificate: Certificate): number[] {
  if (certificate.method === 'sweep') {
    return certificate.slices.filter(({ passed }) => passed).map(({ E }) => E);
  }
  return certificate.bound ? [certificate.bound.E] : [];
}

/** null where E was not tested, too. */
export function rhoOf(certificate: Certificate): number | null {
  if (certificate.method === 'sweep' || !certificate.bound) return null;
  const { bound } = certificate;
  return 'nBetas' in bound && bound.nBetas === 0 ? null : bound.rhoE;
}

export interface InnerCount {
  readonly n: number;
  readonly accepted: boolean;
}

/** Tests of h: one for each β of Dist-x and Indiv, one for each slice of Sweep. */
export function innerCountsOf(certificate: Certificate): InnerCount[] {
  if (certificate.method === 'sweep')
    return certificate.slices.map(({ n, passed }) => ({ n, accepted: passed }));
  return certificate.counts.inner.map(({ n, accepted }) => ({ n, accepted }));
}
