import { describe, expect, it } from 'vitest';
import { imageOf } from '../methods/simulation.test-support.ts';
import { certifySweep } from '../methods/sweep.ts';
import { type SweepWorld, sweepSetting } from '../methods/sweep-world.test-support.ts';
import { buildCertificate } from './build.ts';
import { asCertified, PROVENANCE } from './provenance.test-support.ts';
import type { SweepCertificate } from './schema.ts';
import { verifyCertificate } from './verify.ts';

async function certificateFor(
  world: SweepWorld,
  ...[plan, options]: [Parameters<typeof sweepSetting>[1]?, Parameters<typeof sweepSetting>[2]?]
): Promise<SweepCertificate> {
  const { context } = sweepSetting(world, plan, options);
  const { pipeline } = context;
  const outcome = await certifySweep(asCertified(context), imageOf(11));
  const certificate = buildCertificate(outcome, context.plan, pipeline, PROVENANCE);
  if (certificate.method !== 'sweep') throw new Error('another method answered');
  return JSON.parse(JSON.stringify(certificate));
}

/** h changes its answer at 9.3 degrees on one side and at -14 on the other. */
const CLIFF: SweepWorld = {
  speed: 0.1,
  margin: ([gamma = 0]) => Math.min(4, 0.2 * (gamma < 0 ? gamma + 14 : 9.3 - gamma)),
};
const GOOD = await certificateFor(CLIFF);
const SQUARE = await certificateFor(
  { speed: 0.4, margin: ([x = 0, y = 0]) => Math.min(4, 0.8 * (1.2 - Math.max(x, y))) },
  { floor: 0.02 },
  { transform: 'translation', range: 2 },
);

const fields = (certificate: unknown) => verifyCertificate(certificate).problems.map(({ field }) => field);

describe('verification passes a sweep', () => {
  it.each([
    ['with both ends inside the range', GOOD],
    ['over a square of translations', SQUARE],
  ])('%s', (_, certificate) => {
    expect(certificate.radius).toBeGreaterThan(0.5);
    expect(certificate.slices.some(({ passed, path }) => !passed || path !== '')).toBe(true);
    expect(verifyCertificate(certificate)).toEqual({ ok: true, problems: [] });
  });

  it('over the whole range, and an abstention', async () => {
    const sure = await certificateFor({ speed: 0.1, margin: () => 4 });
    expect([sure.radius, sure.breaks]).toEqual([20, []]);
    expect(verifyCertificate(sure)).toEqual({ ok: true, problems: [] });
    const none = await certificateFor({ speed: 0.1, margin: () => 0 });
    expect([none.radius, none.predicted]).toEqual([null, null]);
    expect(verifyCertificate(none)).toEqual({ ok: true, problems: [] });
  });
});

type Forgery = (certificate: SweepCertificate) => unknown;
const withSlice =
  (change: (slice: SweepCertificate['slices'][number]) => object, which = 0): Forgery =>
  (certificate) => ({
    ...certificate,
    slices: certificate.slices.map((slice, i) => (i === which ? { ...slice, ...change(slice) } : slice)),
  });
const failing = GOOD.slices.findIndex(({ passed, n }) => !passed && n > 0);

describe('verification of a sweep names the forged field:', () => {
  it.each<[string, string, Forgery]>([
    ['a wider interval', 'interval', (c) => ({ ...c, interval: { lower: [-20], upper: [20] } })],
    ['a larger radius', 'radius', (c) => ({ ...c, radius: (c.radius ?? 0) + 0.0001 })],
    ['no interval', 'interval', (c) => ({ ...c, interval: null })],
    [
      'a slice left out',
      'interval',
      (c) => ({ ...c, slices: c.slices.filter(({ passed }, i) => !passed || i > 0) }),
    ],
    ['a failed slice called passed', `slices[${failing}]`, withSlice(() => ({ passed: true }), failing)],
    ['a passed slice called failed', 'slices[0]', withSlice(() => ({ passed: false }))],
    ['fewer samples', 'slices[0]', withSlice(({ n }) => ({ n: n - 1 }))],
    ['samples that do not pass', 'slices[0]', withSlice(({ n }) => ({ k: n - 20 }))],
    ['a smaller M', 'slices[0].E', withSlice(({ M }) => ({ M: M / 2 }))],
    ['a smaller E', 'slices[0].E', withSlice(({ E }) => ({ E: E / 2 }))],
    ['a lower p0', 'slices[0].p0', withSlice(({ p0 }) => ({ p0: 0.9 * p0 }))],
    ['a larger share of alpha', 'slices[0].alpha', withSlice(({ alpha }) => ({ alpha: 2 * alpha }))],
    ['a slice elsewhere', 'slices[0].lower', withSlice(({ lower }) => ({ lower: lower.map((a) => a - 1) }))],
    [
      'another centre',
      'slices[0].center',
      withSlice(({ center }) => ({ center: center.map((a) => a + 0.1) })),
    ],
    ['a root that is none', 'slices[0]', withSlice(() => ({ root: 8000 }))],
    [
      'a slice tested twice',
      `slices[${GOOD.slices.length}]`,
      (c) => ({ ...c, slices: [...c.slices, c.slices[0]] }),
    ],
    ['fewer roots', 'slices[0].lower', (c) => ({ ...c, roots: [(c.roots?.[0] ?? 2) - 1] })],
    ['roots of another kind', 'roots', (c) => ({ ...c, roots: [4, 4] })],
    ['alpha not spent', 'ledger.spent', (c) => ({ ...c, ledger: { ...c.ledger, spent: { alphaSweep: 0 } } })],
    ['a higher confidence', 'ledger.total', (c) => ({ ...c, confidence: 0.999 })],
    ['less noise', 'slices[0].p0', (c) => ({ ...c, sigmaEps: 0.6 })],
    ['an E without the sampler error', 'extraError', (c) => ({ ...c, extraError: 0 })],
    ['fewer samples altogether', 'samples', (c) => ({ ...c, samples: c.samples - 1 })],
    ['more votes than samples', 'counts.votes', (c) => ({ ...c, counts: { ...c.counts, votes: 129 } })],
    ['looks at every sample', 'look', (c) => ({ ...c, look: 1 })],
    [
      'words for the other smoothing',
      'guarantee',
      (c) => ({ ...c, guarantee: c.guarantee.replace('noise-', '') }),
    ],
    [
      'a counterexample that shows nothing',
      'breaks[0].kind',
      (c) => ({ ...c, breaks: c.breaks.map((end) => ({ ...end, k: 250, rivalCount: 262 })) }),
    ],
    [
      'one with more samples than there were',
      'breaks[0]',
      (c) => ({ ...c, breaks: c.breaks.map((end) => ({ ...end, k: 300, rivalCount: 300 })) }),
    ],
  ])('%s', (_, field, forge) => {
    const forged = forge(GOOD);
    expect(forged).not.toEqual(GOOD);
    expect(fields(forged)).toContain(field);
  });

  it('a square that is none', () => {
    const { interval } = SQUARE;
    const forged = { ...SQUARE, interval: interval && { ...interval, upper: [interval.upper[0], 0.1] } };
    expect(fields(forged)).toContain('interval');
  });
});
