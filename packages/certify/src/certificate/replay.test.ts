import { wgslSha256 } from '@turnproof/shaders';
import { describe, expect, it } from 'vitest';
import { certifyBase } from '../methods/base.ts';
import { certifyDistX } from '../methods/dist-x.ts';
import { imageOf, SIMULATION_PLAN, settingOf, type World } from '../methods/simulation.test-support.ts';
import { buildCertificate } from './build.ts';
import { asCertified, PROVENANCE, SHA, SHAPE } from './provenance.test-support.ts';
import { compareReplay, replayInputs, replayObstacles, replayPreparation } from './replay.ts';
import { type Certificate, certificateSchema, type DistXCertificate } from './schema.ts';
import { verifyCertificate } from './verify.ts';

const WORLD: World = { slope: 0.05, top: 4, fall: 1 };
const PLAN = { ...SIMULATION_PLAN, seed: 2n ** 60n, nGamma: 100 };

async function certify(method: 'base' | 'dist-x'): Promise<Certificate> {
  const plan = { ...PLAN, method };
  const { context } = settingOf(WORLD, plan, { range: 180 });
  const outcome =
    method === 'base'
      ? await certifyBase(context, imageOf(11))
      : await certifyDistX(asCertified(context), imageOf(11));
  const provenance = { ...PROVENANCE, shaders: { sha256: wgslSha256 } };
  return buildCertificate(outcome, plan, context.pipeline, provenance);
}

async function certifyDist(): Promise<DistXCertificate> {
  const certificate = await certify('dist-x');
  if (certificate.method !== 'dist-x') throw new Error('another method');
  return certificate;
}

const [GOOD, AGAIN] = [await certifyDist(), await certifyDist()];

/** One test's successes changed, and what follows from them with it: `verify` has nothing to say. */
function withSuccesses(at: number, by: number, certificate = GOOD): Certificate {
  const inner = certificate.counts.inner.map((test, i) => (i === at ? { ...test, k: test.k + by } : test));
  return certificateSchema.parse({ ...certificate, counts: { ...certificate.counts, inner } });
}

const fieldsOf = (stated: Certificate, again: Certificate) =>
  compareReplay(stated, again).problems.map(({ field }) => field);

describe('a certificate beside the same one drawn again', () => {
  it('is the same, whatever took its time and whatever the model’s file is called', () => {
    const other = {
      ...AGAIN,
      ms: { bound: 1e6, sampling: 1e6 },
      adapter: { ...AGAIN.adapter, name: 'the same class, another driver' },
      model: { ...AGAIN.model, file: 'renamed.onnx' },
    };
    expect(compareReplay(GOOD, other)).toEqual({ loose: null, problems: [], differences: 0, largest: null });
  });

  it('differs in a count that verification cannot see', () => {
    const forged = withSuccesses(5, -1);
    expect(verifyCertificate(forged)).toEqual({ ok: true, problems: [] });
    const { problems, largest } = compareReplay(forged, AGAIN);
    expect(problems.map(({ field }) => field)).toEqual(['counts.inner[5].k']);
    expect(largest?.field).toBe('counts.inner[5].k');
  });

  it.each<[string, (certificate: DistXCertificate) => object]>([
    ['label', () => ({ label: 3 })],
    ['radius', ({ radius }) => ({ radius: (radius ?? 0) + 1e-9 })],
    ['bound.E', ({ bound }) => ({ bound: { ...bound, E: (bound?.E ?? 0) * (1 - 1e-12) } })],
    ['counts.votes', ({ counts }) => ({ counts: { ...counts, votes: counts.votes - 1 } })],
    ['streams.purposes.noise', ({ streams }) => ({ streams: { ...streams, purposes: { noise: 9 } } })],
    ['counts.inner', ({ counts }) => ({ counts: { ...counts, inner: counts.inner.slice(1) } })],
    ['confidence', () => ({ confidence: 0.999 })],
  ])('names %s where it was changed', (field, change) => {
    expect(fieldsOf({ ...GOOD, ...change(GOOD) } as Certificate, AGAIN)).toContain(field);
  });

  it('is base’s, too', async () => {
    const base = await certify('base');
    if (base.method !== 'base') throw new Error('another method');
    expect(compareReplay(base, await certify('base')).problems).toEqual([]);
    const counts = { ...base.counts, kGamma: base.counts.kGamma - 1 };
    expect(fieldsOf({ ...base, counts } as Certificate, base)).toEqual(['counts.kGamma']);
  });
});

describe('before anything is drawn', () => {
  it('plan, pipeline and kind of bound come from the certificate, all 64 bits of the seed', () => {
    const { plan, pipeline, shape, boundMethod } = replayInputs(GOOD);
    expect(boundMethod).toBe('exact');
    expect(plan).toEqual({ ...PLAN, batch: 'auto' });
    expect(pipeline).toMatchObject({ transform: 'rotation', range: 180 });
    expect(shape).toEqual(SHAPE);
  });

  it('another model, image or kernel is named', () => {
    const here = { model: { sha256: SHA }, image: SHA, shape: SHAPE };
    expect(replayObstacles(GOOD, here)).toEqual([]);
    const other = {
      model: { sha256: 'cd'.repeat(32) },
      image: 'ef'.repeat(32),
      shape: { ...SHAPE, width: 5 },
    };
    const old = { ...GOOD, shaders: { sha256: SHA } };
    expect(replayObstacles(old, other).map(({ field }) => field)).toEqual([
      'model.sha256',
      'image.shape',
      'image.sha256',
      'shaders.sha256',
    ]);
  });

  it('so is what was done to the model, and the weights beside it', () => {
    const adapted = { mean: [0.5], std: [0.25], layout: 'nhwc' as const };
    const externalData = [{ file: 'weights.bin', sha256: SHA }];
    const stated = { ...GOOD, model: { ...GOOD.model, adapted, externalData } };
    const here = { image: SHA, shape: SHAPE };
    const fields = (model: object) =>
      replayObstacles(stated, { ...here, model: { sha256: SHA, ...model } }).map(({ field }) => field);
    expect(fields({ adapted, externalData })).toEqual([]);
    expect(fields({ adapted: { ...adapted, std: [0.26] }, externalData })).toEqual(['model.adapted']);
    expect(fields({ externalData: [{ file: 'weights.bin', sha256: 'cd'.repeat(32) }] })).toEqual([
      'model.externalData',
      'model.adapted',
    ]);
    expect(replayPreparation(stated)).toEqual({
      ...{ order: 'nhwc', batch: 'kept', mean: [0.5], std: [0.25] },
    });
    expect(replayPreparation(GOOD)).toEqual({ order: 'nchw', batch: 'kept' });
  });
});
