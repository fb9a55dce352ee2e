import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { certifyBase } from '../methods/base.ts';
import { certifyDistX } from '../methods/dist-x.ts';
import { imageOf, SIMULATION_PLAN, settingOf, type World } from '../methods/simulation.test-support.ts';
import type { Plan } from '../plan.ts';
import { type SimulationOptions, uniformOf } from '../sampling/simulated-engine.test-support.ts';
import { buildCertificate } from './build.ts';
import { asCertified, PROVENANCE } from './provenance.test-support.ts';
import { type Certificate, certificateJsonSchema } from './schema.ts';
import { verifyCertificate } from './verify.ts';
import { VERSIONS } from './versions.ts';

const SURE: World = { slope: 0.05, top: 4, fall: 0.5 };
async function certificateFor(
  plan: Partial<Plan> = {},
  world = SURE,
  engine: Partial<SimulationOptions> = {},
): Promise<Certificate> {
  const full = { ...SIMULATION_PLAN, ...plan };
  const { context } = settingOf(world, full, { range: 180, engine });
  const { pipeline } = context;
  const outcome =
    full.method === 'base'
      ? await certifyBase(context, imageOf(11))
      : await certifyDistX(asCertified(context), imageOf(11));
  // As it comes out of a file.
  return JSON.parse(JSON.stringify(buildCertificate(outcome, full, pipeline, PROVENANCE)));
}

const GOOD = await certificateFor();
const BASE = await certificateFor({ method: 'base', nGamma: 100 });

type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** A deep copy with one place changed: `path` such as `counts.inner.3.k`. */
function forged(original: unknown, path: string, change: (old: Json) => Json): unknown {
  const copy: Json = JSON.parse(JSON.stringify(original));
  const keys = path.split('.');
  const last = keys.pop() ?? '';
  let place: Json = copy;
  for (const key of keys) place = (place as Record<string, Json>)[key] ?? null;
  const holder = place as Record<string, Json>;
  holder[last] = change(holder[last] ?? null);
  return copy;
}

const fields = (certificate: unknown) => verifyCertificate(certificate).problems.map(({ field }) => field);

const ANY: SimulationOptions['answer'] = (_, image, word, sample) =>
  Math.floor(50 * uniformOf(image, word, sample));

describe('verification passes', () => {
  it('a certificate with a radius', () => {
    expect(GOOD.radius).toBeGreaterThan(5);
    expect(verifyCertificate(GOOD)).toEqual({ ok: true, problems: [] });
  });

  it('one of base', () => {
    expect(BASE.radius).toBeGreaterThan(5);
    expect(verifyCertificate(BASE)).toEqual({ ok: true, problems: [] });
  });

  it.each([
    ['fixed inner tests', { inner: 'fixed' }],
    ["the paper's radius", { radiusRule: 'paper' }],
    ['a seed beyond 2^53', { seed: (1n << 63n) + 1n }],
    ['a look beyond the last whole one', { nEps: 333 }],
  ] as const)('one with %s', async (_, plan) => {
    expect(verifyCertificate(await certificateFor(plan))).toEqual({ ok: true, problems: [] });
  });

  it.each([
    ['that stopped at the vote', {}, SURE, { classes: 50, answer: ANY }, 0],
    ['that stopped at E', { nEps: 100 }, { ...SURE, slope: 5 }, {}, 0],
    ['that stopped half-way', { nGamma: 200 }, { slope: 0.2, top: 0.6, fall: 0 }, {}, 50],
  ] as const)('an abstention %s', async (_, plan, world, engine, tested) => {
    const certificate = await certificateFor(plan, world, engine);
    expect(certificate.counts).toMatchObject({ inner: { length: tested } });
    expect([certificate.radius, certificate.predicted]).toEqual([null, null]);
    expect(verifyCertificate(certificate)).toEqual({ ok: true, problems: [] });
  });
});

const more = (by: number) => (old: Json) => (typeof old === 'number' ? old + by : old);
const times = (by: number) => (old: Json) => (typeof old === 'number' ? old * by : old);
const becomes = (value: Json) => () => value;

it('verification refuses any radius that rests on an E that was not tested, however consistent it looks', () => {
  const spent = { ...GOOD.ledger.spent, alphaE: 0 };
  const untested = [
    ['bound.nBetas', 0],
    ['bound.kHeld', 0],
    ['bound.rhoE', 1],
    ['ledger.spent', spent],
  ] as const;
  const all = untested.reduce<unknown>((old, [path, value]) => forged(old, path, becomes(value)), GOOD);
  expect(fields(all)).toContain('radius');
});

describe('verification names the forged field:', () => {
  it.each<[string, string, string, (old: Json) => Json]>([
    ['a larger radius', 'radius', 'radius', more(0.0001)],
    ['a smaller one', 'radius', 'radius', more(-0.0001)],
    ['a radius cut without need', 'cutAtRange', 'cutAtRange', becomes(true)],
    ['another class', 'predicted', 'predicted', becomes(1)],
    ['an abstention with a radius', 'predicted', 'predicted', becomes(null)],
    ['a reason to abstain beside a radius', 'abstention', 'abstention', becomes('tired')],
    ['a correct answer that is not', 'label', 'correct', becomes(1)],
    ['another unit', 'unit', 'unit', becomes('pixels')],
    ['nicer words', 'guarantee', 'guarantee', becomes('With confidence 100 %, all is well.')],
    ['a higher confidence', 'confidence', 'ledger.total', becomes(0.999)],
    ['a larger share of alpha', 'ledger.alphaGamma', 'ledger.alphaGamma', times(1.5)],
    ['alpha spent twice', 'ledger.spent', 'ledger.spent', becomes({ alphaE: 0, alphaEps: 0, alphaGamma: 0 })],
    ['a larger p', 'pABar', 'pABar', more(0.01)],
    ['no p', 'pABar', 'pABar', becomes(null)],
    ['more accepted β', 'counts.kGamma', 'counts.kGamma', more(1)],
    ['fewer β', 'counts.nGamma', 'counts.nGamma', more(-1)],
    ['more votes than voters', 'counts.votes', 'counts.votes', becomes(11)],
    ['a class that nobody voted for', 'counts.votes', 'counts.votes', becomes(0)],
    ['fewer samples of each voter', 'counts.nChoice', 'counts.nChoice', more(-1)],
    ['other n0', 'counts.n0', 'counts.n0', more(5)],
    ['fewer successes in an inner test', 'counts.inner.3.k', 'counts.inner[3]', more(-20)],
    ['more successes than samples', 'counts.inner.3.k', 'counts.inner[3]', more(1000)],
    ['an inner test that stopped between two looks', 'counts.inner.3.n', 'counts.inner[3]', more(1)],
    [
      'an inner test that stopped too early',
      'counts.inner.3',
      'counts.inner[3]',
      becomes({ k: 22, n: 32, accepted: true }),
    ],
    [
      'one that gave up for nothing',
      'counts.inner.3',
      'counts.inner[3]',
      becomes({ k: 22, n: 32, accepted: false }),
    ],
    ['one that was refused', 'counts.inner.3.accepted', 'counts.inner[3]', becomes(false)],
    ['a β left out', 'counts.inner', 'counts.nGamma', (old) => (Array.isArray(old) ? old.slice(1) : old)],
    [
      'a β added',
      'counts.inner',
      'counts.inner',
      (old) => (Array.isArray(old) ? [...old, old[0] ?? null] : old),
    ],
    ['a smaller rho_E', 'bound.rhoE', 'bound.rhoE', times(0.9)],
    ['fewer β that held', 'bound.kHeld', 'bound.rhoE', more(-1)],
    ['more β that held than were tested', 'bound.kHeld', 'bound.kHeld', becomes(61)],
    ['more testing β', 'bound.nBetas', 'bound.nBetas', more(100)],
    ['an E that was not tested', 'bound.nBetas', 'bound.rhoE', becomes(0)],
    ['a smaller E', 'bound.E', 'bound.E', times(0.9)],
    ['an E without the sampler error', 'bound.extraError', 'bound.extraError', becomes(0)],
    ['an E from nowhere', 'bound.tested', 'bound.tested', times(2)],
    ['no bound at all', 'bound', 'bound', becomes(null)],
    ['no test at all', 'test', 'test', becomes(null)],
    ['a lower p0', 'test.p0', 'test.p0', times(0.9)],
    ['a larger alpha for each test', 'test.alpha', 'test.alpha', times(40)],
    ['looks at every sample', 'test.look', 'test.look', becomes(1)],
    ['less noise', 'sigmaEps', 'test.p0', becomes(0.4)],
    ['a wider smoothing', 'sigmaGamma', 'radius', becomes(20)],
    ['a smaller range', 'pipeline.range', 'radius', becomes(2)],
    ['a range that no rotation has', 'pipeline.range', 'pipeline', becomes(400)],
    ['a blur that was not there', 'pipeline.blur', 'bound.extraError', becomes({ size: 5, sigma: 1 })],
    ['an attacker who rounds', 'pipeline.quantization', 'bound.extraError', becomes('u8')],
    ['another rule', 'plan.radiusRule', 'radius', becomes('paper')],
    ['another inner test', 'plan.inner', 'test.kind', becomes('fixed')],
    ['fewer samples', 'samples', 'samples', more(-1)],
    ['β of one stream', 'streams.purposes.testE', 'streams', becomes(1)],
    ['a seed that is none', 'seed', 'seed', becomes('99999999999999999999')],
    ['a missing hash', 'model.sha256', 'model.sha256', becomes('')],
    ['an unknown field', 'bonus', 'certificate', becomes(1)],
    ['another kind of file', 'schema', 'schema', becomes('turnproof/certificate/0')],
    ['a radius below zero', 'radius', 'radius', becomes(-1)],
    ['a guarantee for base', 'method', 'ledger', becomes('base')],
  ])('%s', (_, path, field, change) => {
    const certificate = forged(GOOD, path, change);
    expect(certificate).not.toEqual(GOOD);
    expect(fields(certificate)).toContain(field);
  });

  it.each<[string, string, string, (old: Json) => Json]>([
    ['a larger radius', 'radius', 'radius', more(0.0001)],
    ['more β that had the class', 'counts.kGamma', 'counts.kGamma', more(1)],
    [
      'words that promise',
      'guarantee',
      'guarantee',
      (old) => String(old).replace(/^No guarantee[^:]*: /, ''),
    ],
    ['inner tests', 'counts.inner', 'counts.inner', becomes([{ k: 1, n: 1, accepted: true }])],
    ['fewer samples', 'samples', 'samples', more(-1)],
    ['alpha spent on more', 'ledger.spent', 'ledger.spent', becomes({ alphaGamma: 0.001 })],
  ])('in base, %s', (_, path, field, change) => {
    expect(fields(forged(BASE, path, change))).toContain(field);
  });

  it('what is no object at all', () => {
    for (const junk of [null, 3, 'radius', [], {}]) expect(verifyCertificate(junk).ok).toBe(false);
  });
});

describe('the certificate', () => {
  it('says in words what it claims', () => {
    expect(GOOD.guarantee).toBe(
      `With confidence 95 %, the smoothed classifier g, which sees pixels in steps of 2^-15, answers class 0 for every rotation of this image by up to ${GOOD.radius}°, not rounded afterwards.`,
    );
    expect(BASE.guarantee).toMatch(
      /^No guarantee \(heuristic\): if rotations composed without interpolation error, /,
    );
  });

  it('keeps a seed of 64 bits', async () => {
    expect((await certificateFor({ seed: (1n << 64n) - 1n })).seed).toBe('18446744073709551615');
    expect((await certificateFor({ seed: 2 ** 53 - 1 })).seed).toBe(9007199254740991);
  });

  it('has the JSON Schema that is published (npm run generate writes it)', () => {
    const file = new URL('../../schema/certificate.schema.json', import.meta.url);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(certificateJsonSchema());
  });

  it('names the versions that are installed', () => {
    const read = (path: string): { version: string; dependencies?: Record<string, string> } =>
      JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'));
    const own = read('../../package.json');
    const core = read('../../../core/package.json');
    expect(VERSIONS).toEqual({
      turnproof: own.version,
      'onnxruntime-web': own.dependencies?.['onnxruntime-web'],
      webgpu: core.dependencies?.webgpu,
    });
  });
});
