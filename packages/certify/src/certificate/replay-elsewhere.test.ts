import { describe, expect, it } from 'vitest';
import { certifyBase } from '../methods/base.ts';
import { certifyDistX } from '../methods/dist-x.ts';
import { imageOf, SIMULATION_PLAN, settingOf, type World } from '../methods/simulation.test-support.ts';
import { certifySweep } from '../methods/sweep.ts';
import { sweepSetting } from '../methods/sweep-world.test-support.ts';
import { shareOf } from '../sampling/simulated-engine.test-support.ts';
import { innerThresholds, normalCdf } from '../statistics/index.ts';
import { buildCertificate } from './build.ts';
import { consistent, coveringAll } from './forger.test-support.ts';
import { asCertified, PROVENANCE } from './provenance.test-support.ts';
import { compareReplay } from './replay.ts';
import type { Certificate, DistXCertificate, SweepCertificate } from './schema.ts';
import { verifyCertificate } from './verify.ts';
import { VERSIONS } from './versions.ts';

/** What rounds otherwise elsewhere: a share of the samples changes sides, and bounds are this many times as large. */
interface Machine {
  readonly name: string;
  readonly flips: number;
  readonly bounds: number;
}
const HERE: Machine = { name: 'here', flips: 0, bounds: 1 };
const ELSEWHERE: Machine = { name: 'elsewhere', flips: 1e-4, bounds: 1 + 1e-6 };

/** Some of the β are not accepted. */
const WORLD: World = { slope: 0.05, top: 4, fall: 2 };
const PLAN = { ...SIMULATION_PLAN, nGamma: 100 };
const deviations = (beta: readonly number[]) => Math.abs(beta[0] ?? Number.NaN) / SIMULATION_PLAN.sigmaGamma;
const provenanceOf = ({ name }: Machine, index: number) => ({
  ...PROVENANCE,
  index,
  adapter: { ...PROVENANCE.adapter, adapterClass: name },
});

async function certify(method: 'base' | 'dist-x', machine: Machine, index = 11): Promise<Certificate> {
  const plan = { ...PLAN, method };
  const share = (beta: readonly number[]) =>
    normalCdf(WORLD.top - WORLD.fall * deviations(beta)) - machine.flips;
  const engine = { answer: shareOf(share) };
  const { context } = settingOf(WORLD, plan, { range: 180, honesty: machine.bounds, engine });
  const outcome =
    method === 'base'
      ? await certifyBase(context, imageOf(index))
      : await certifyDistX(asCertified(context), imageOf(index));
  return buildCertificate(outcome, plan, context.pipeline, provenanceOf(machine, index));
}

async function certifyDist(machine: Machine): Promise<DistXCertificate> {
  const certificate = await certify('dist-x', machine);
  if (certificate.method !== 'dist-x') throw new Error('another method');
  return certificate;
}

async function sweep(machine: Machine, index = 11): Promise<SweepCertificate> {
  const margin = ([gamma = 0]: readonly number[]) =>
    Math.min(4, 0.2 * ((gamma < 0 ? 14 : 9.3) - Math.abs(gamma))) - 10 * machine.flips;
  const { context } = sweepSetting({ speed: 0.1, margin }, {}, { honesty: machine.bounds });
  const outcome = await certifySweep(asCertified(context), imageOf(index));
  const certificate = buildCertificate(outcome, context.plan, context.pipeline, provenanceOf(machine, index));
  if (certificate.method !== 'sweep') throw new Error('another method');
  return certificate;
}

const [DIST, SWEEP] = [await certifyDist(HERE), await sweep(HERE)];

/** The certificate as it would say that it was made elsewhere. */
const claimsElsewhere = <C extends Certificate>(certificate: C): C => ({
  ...certificate,
  adapter: { ...certificate.adapter, adapterClass: 'elsewhere' },
});
const fieldsOf = (stated: Certificate, again: Certificate) =>
  compareReplay(stated, again).problems.map(({ field }) => field);

/** One β's test changed, and all that follows from it. */
function withTest(
  change: (test: DistXCertificate['counts']['inner'][number]) => object,
  pick: (test: DistXCertificate['counts']['inner'][number]) => boolean,
  most = 1,
): Certificate {
  let left = most;
  const inner = DIST.counts.inner.map((test) => {
    if (left === 0 || !pick(test)) return test;
    left -= 1;
    return { ...test, ...change(test) };
  });
  expect(left).toBe(0);
  return claimsElsewhere(consistent({ ...DIST, counts: { ...DIST.counts, inner } }));
}

describe('a certificate that was made elsewhere', () => {
  it('is what drawing it again gives but for what rounding makes, and is never said to be equal', async () => {
    let differences = 0;
    for (let index = 0; index < 8; index++) {
      for (const make of [
        (machine: Machine) => certify('dist-x', machine, index),
        (machine: Machine) => certify('base', machine, index),
        (machine: Machine) => sweep(machine, index),
      ]) {
        const [stated, again] = [await make(ELSEWHERE), await make(HERE)];
        const comparison = compareReplay(stated, again);
        expect(comparison.problems).toEqual([]);
        expect(comparison.loose).toBe('adapter class elsewhere there, here here');
        differences += comparison.differences;
      }
    }
    expect(differences).toBeGreaterThan(20);
  });

  it('is so for another provider or runtime as well', () => {
    expect(compareReplay(DIST, { ...DIST, provider: 'webgpu' }).loose).toBe(
      'provider wasm there, webgpu here',
    );
    const versions = { ...VERSIONS, 'onnxruntime-web': '9.9.9' };
    expect(compareReplay(DIST, { ...DIST, versions }).loose).toContain('onnxruntime-web');
  });

  it('does not let class, seed or E be another', () => {
    const bound = DIST.bound && { ...DIST.bound, tested: DIST.bound.tested * 1.1 };
    const counts = { ...DIST.counts, classIndex: 1 };
    const again = { ...DIST, label: 2, predicted: 1, seed: 2 ** 40, counts, bound } as Certificate;
    expect(fieldsOf({ ...claimsElsewhere(DIST), seed: 2 ** 40 + 1 }, again).sort()).toEqual([
      'bound.tested',
      'counts.classIndex',
      'label',
      'predicted',
      'seed',
    ]);
  });
});

describe('a forger who says that it was made elsewhere', () => {
  it('may not claim more than was drawn: radius, share and range are compared in any case', () => {
    expect(DIST.radius).toBeGreaterThan(5);
    const { inner } = DIST.counts;
    const first = inner.findIndex(({ accepted }) => accepted);
    const fewer = inner.map((test, i) => (i === first ? { ...test, accepted: false } : test));
    const again = { ...DIST, counts: { ...DIST.counts, inner: fewer, kGamma: DIST.counts.kGamma - 1 } };
    const stated = claimsElsewhere({ ...DIST, radius: 30, pABar: 0.999, cutAtRange: true });
    expect(fieldsOf(stated, again)).toEqual(expect.arrayContaining(['radius', 'pABar', 'cutAtRange']));
    const { problems } = compareReplay(stated, again);
    expect(problems.map(({ message }) => message).join()).toContain('the most that what was drawn here');
  });

  it('may not make up the rest of a test that had given up', () => {
    const { plan, test } = DIST;
    const thresholds = innerThresholds({ p0: 1, alpha: 0.5, ...test, maxN: plan.nEps });
    const luckiest = ({ k, n }: { k: number; n: number }) => ({ k: k + plan.nEps - n, n: plan.nEps });
    const forged = withTest(luckiest, (given) => {
      const { k, n } = luckiest(given);
      // By more than two samples, and not so many that the others make up for it.
      const gaveUp = thresholds.decide(Math.min(given.n, given.k + 2), given.n) === 'give-up';
      return given.n < n && gaveUp && thresholds.decide(k, n) === 'accept';
    });
    expect(verifyCertificate(forged)).toEqual({ ok: true, problems: [] });
    expect(forged.radius).toBeGreaterThan(DIST.radius ?? 0);
    expect(fieldsOf(forged, DIST)).toEqual([expect.stringMatching(/^counts\.inner\[\d+\]\.k$/)]);
  });

  it('may turn a sample or two of a test, not more', () => {
    const by = (samples: number) =>
      withTest(
        ({ k }) => ({ k: k + samples }),
        ({ accepted, n, k }) => accepted && n - k > 3,
      );
    expect(compareReplay(by(2), DIST)).toMatchObject({ problems: [], differences: 1 });
    expect(fieldsOf(by(3), DIST)).toEqual([expect.stringMatching(/^counts\.inner\[\d+\]\.k$/)]);
  });

  it('may turn two verdicts in a hundred where the samples leave them open, not three', () => {
    const { test, plan, counts } = DIST;
    if (!test) throw new Error('nothing was tested');
    const needed = innerThresholds({ ...test, maxN: plan.nEps }).acceptAt(plan.nEps);
    /** The first so many tests end at the last sample with so many successes. */
    const ending = (count: number, k: number): Certificate => {
      const inner = counts.inner.map((own, i) =>
        i < count ? { k, n: plan.nEps, accepted: k >= needed } : own,
      );
      return consistent({ ...DIST, counts: { ...counts, inner } });
    };
    for (const [count, fields] of [
      [1, []],
      [2, []],
      [3, ['counts.kGamma', 'counts.inner[0]', 'counts.inner[1]', 'counts.inner[2]', 'pABar']],
    ] as const) {
      const [stated, again] = [ending(count, needed), ending(count, needed - 1)];
      expect(verifyCertificate(stated)).toEqual({ ok: true, problems: [] });
      expect(stated.radius).toBeGreaterThan(again.radius ?? 0);
      expect(fieldsOf(claimsElsewhere(stated), again)).toEqual(fields);
    }
  });

  it('may not add slices that drawing it again does not come to', () => {
    const { slices, pipeline } = SWEEP;
    const forged = claimsElsewhere(consistent({ ...SWEEP, ...coveringAll(SWEEP) }));
    expect(verifyCertificate(forged)).toEqual({ ok: true, problems: [] });
    expect(forged.radius).toBe(pipeline.range);
    const fields = fieldsOf(forged, SWEEP);
    expect(fields).toContain('interval');
    const added = (forged.method === 'sweep' ? forged.slices.length : 0) - slices.length;
    expect(added).toBeGreaterThan(5);
    expect(fields.filter((field) => field.startsWith('slices')).length).toBe(added);
    // Nor where one of the tests that were drawn differs, as it may.
    const near = {
      ...SWEEP,
      slices: slices.map((slice, i) => (i === 0 ? { ...slice, k: slice.k - 1 } : slice)),
    };
    expect(fieldsOf(forged, near)).toEqual(['interval']);
  });
});
