/**
 * Certificates of sweep with slices and breaks made by hand, so that a test knows what must be drawn: fixtures for the
 * report, never drawn from a classifier. Test support only.
 */
import { type Certificate, certificateSchema } from '@turnproof/certify';

/** @param line a real certificate of sweep: everything else stays as it is there */
export function sweepFixture(line: string, changes: Record<string, unknown> = {}): Certificate {
  const slice = (path: string, lower: number, upper: number, passed = true) => ({
    root: 0,
    path,
    lower: [lower],
    upper: [upper],
    center: [(lower + upper) / 2],
    M: 0.11,
    E: 0.12,
    p0: 0.66,
    alpha: 0.001,
    k: passed ? 190 : 12,
    n: passed ? 192 : 400,
    passed,
  });
  const end = (lower: number, kind: 'wrong' | 'undecided') => ({
    lower: [lower],
    upper: [lower + 0.25],
    gamma: [lower + 0.125],
    k: kind === 'wrong' ? 12 : 190,
    n: 400,
    rival: kind === 'wrong' ? 3 : null,
    rivalCount: kind === 'wrong' ? 377 : 0,
    kind,
  });
  const real = certificateSchema.parse(JSON.parse(line));
  return certificateSchema.parse({
    ...real,
    predicted: real.label,
    correct: true,
    abstention: null,
    radius: 7.5,
    guarantee: 'With confidence 99 %, hand-made.',
    interval: { lower: [-7.5], upper: [12.25] },
    slices: [slice('', -10, 0, false), slice('1', -7.5, 0), slice('10', 0, 10), slice('11', 10, 12.25)],
    breaks: [end(-7.75, 'wrong'), end(12.25, 'undecided')],
    ...changes,
  });
}
