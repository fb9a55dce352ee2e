/**
 * Certificates of the shape that Sweep has, made by hand: fixtures for the report, never drawn from a classifier. Test
 * support only.
 */
import { type BaseCertificate, certificateSchema } from '@turnproof/certify';
import { type ReportedCertificate, readCertificate } from './certificates.ts';

/** From a real certificate of the same image, so that everything that the methods share is real. */
export function sweepFixture(line: string, changes: Record<string, unknown> = {}): ReportedCertificate {
  const real = certificateSchema.parse(JSON.parse(line)) as BaseCertificate;
  const slice = (lower: number, upper: number, passed = true) => ({
    lower: [lower],
    upper: [upper],
    center: [(lower + upper) / 2],
    M: 0.11,
    E: 0.12,
    depth: 1,
    k: passed ? 190 : 12,
    n: passed ? 192 : 400,
    passed,
  });
  const certificate = readCertificate({
    ...real,
    method: 'sweep',
    sigmaEps: 0.3,
    ledger: { total: 0.01, alphaSlices: 0.01, spent: { alphaSlices: 0.004 } },
    radius: 7.5,
    guarantee: 'With confidence 99 %, hand-made.',
    interval: { lower: [-7.5], upper: [12.25] },
    slices: [slice(-7.5, 0), slice(0, 10), slice(10, 12.25), slice(-10, -7.5, false)],
    breaks: [
      {
        lower: [-7.75],
        upper: [-7.5],
        gamma: [-7.625],
        k: 12,
        n: 400,
        rival: 3,
        rivalCount: 377,
        kind: 'wrong',
      },
      {
        lower: [12.25],
        upper: [12.5],
        gamma: [12.375],
        k: 190,
        n: 400,
        rival: null,
        rivalCount: 0,
        kind: 'undecided',
      },
    ],
    ...changes,
  });
  if (typeof certificate === 'string') throw new TypeError(`not of the shape of a sweep: ${certificate}`);
  return certificate;
}
