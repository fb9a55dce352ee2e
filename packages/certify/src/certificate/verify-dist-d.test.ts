import { describe, expect, it } from 'vitest';
import { mostExceeding, qLower } from '../calibration/claims.ts';
import type { CalibrationSummary } from '../calibration/index.ts';
import { certifyDistD } from '../methods/dist-d.ts';
import { imageOf, SIMULATION_PLAN, settingOf, type World } from '../methods/simulation.test-support.ts';
import { checkPlan, type Plan } from '../plan.ts';
import { buildCertificate } from './build.ts';
import { asCertified, PROVENANCE } from './provenance.test-support.ts';
import { replayInputs } from './replay.ts';
import type { Certificate } from './schema.ts';
import { verifyCertificate } from './verify.ts';

const SURE: World = { slope: 0.05, top: 4, fall: 0.5 };

function summaryOf(change: Partial<CalibrationSummary> = {}): CalibrationSummary {
  const level = { nBetas: 1000, rhoE: 0.01, alphaInner: 0.001, ...change };
  const [nImages, passed, alpha] = [200, 198, 0.001];
  return {
    sha256: 'a'.repeat(64),
    errors: 'bounded',
    nGammas: null,
    E: 0.3,
    ...level,
    alpha,
    mostExceeding: mostExceeding(level),
    nImages,
    passed,
    qE: qLower(passed, nImages, alpha, level.alphaInner),
    ...change,
  };
}

async function certificateFor(plan: Partial<Plan> = {}, world = SURE): Promise<Certificate> {
  const full = { ...SIMULATION_PLAN, method: 'dist-d', calibration: summaryOf(), ...plan } as const;
  const { context } = settingOf(world, full, { range: 180 });
  const outcome = await certifyDistD(asCertified(context), imageOf(11));
  return JSON.parse(JSON.stringify(buildCertificate(outcome, full, context.pipeline, PROVENANCE)));
}

const GOOD = await certificateFor();

type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

function forged(original: Certificate, path: string, change: (old: Json) => Json): unknown {
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
const times = (by: number) => (old: Json) => (typeof old === 'number' ? old * by : old);
const more = (by: number) => (old: Json) => (typeof old === 'number' ? old + by : old);
const becomes = (value: Json) => () => value;

describe('a certificate of dist-d', () => {
  it('holds, bounds nothing itself, and says for which share of images it is', () => {
    expect(GOOD.radius).toBeGreaterThan(5);
    expect(verifyCertificate(GOOD)).toEqual({ ok: true, problems: [] });
    expect(GOOD).toMatchObject({ method: 'dist-d', bound: { tested: 0.3, rhoE: 0.01 } });
    expect(GOOD.guarantee).toMatch(
      /Of all images of the calibrated distribution, certified or not, that is a share of at least 0\.94\d*\.$/,
    );
    expect(GOOD.ledger.spent).toMatchObject({ alphaE: 0.001 });
    expect(GOOD.ms.bound).toBeLessThan(50);
  });

  it.each([
    ['fixed inner tests', { inner: 'fixed' }],
    ["the paper's radius", { radiusRule: 'paper' }],
    ['abstaining for too few samples', { nEps: 20 }],
  ] as const)('holds with %s', async (_, plan) => {
    expect(verifyCertificate(await certificateFor(plan))).toEqual({ ok: true, problems: [] });
  });

  it('that abstained at the vote has not spent what it did not use', async () => {
    const certificate = await certificateFor({}, { slope: 0.2, top: 0.05, fall: 0 });
    expect(certificate.radius).toBeNull();
    expect(verifyCertificate(certificate)).toEqual({ ok: true, problems: [] });
  });

  it.each<[string, string, string, (old: Json) => Json]>([
    ['a larger q_E', 'bound.calibration.qE', 'bound.calibration.qE', times(1.01)],
    ['an image more that passed', 'bound.calibration.passed', 'bound.calibration.qE', more(1)],
    ['more passes than images', 'bound.calibration.passed', 'bound.calibration.passed', becomes(201)],
    ['a smaller alpha', 'bound.calibration.alpha', 'bound.calibration.qE', times(0.5)],
    ['a larger one', 'bound.calibration.alpha', 'bound.calibration.alpha', becomes(0.02)],
    ['fewer β', 'bound.calibration.nBetas', 'bound.calibration.nBetas', becomes(100)],
    ['more that may exceed E', 'bound.calibration.mostExceeding', 'bound.calibration.mostExceeding', more(1)],
    ["another rho_E than the calibration's", 'bound.rhoE', 'bound.rhoE', times(0.5)],
    ['another E', 'bound.tested', 'bound.tested', times(0.5)],
    ['no extra error', 'bound.extraError', 'bound.extraError', becomes(0)],
    [
      'bounded errors that were sampled',
      'bound.calibration.nGammas',
      'bound.calibration.nGammas',
      becomes(10),
    ],
    ['a larger radius', 'radius', 'radius', more(0.0001)],
    ['alpha_E that was not spent', 'ledger.spent.alphaE', 'ledger.spent', becomes(0)],
    ['words of another share', 'guarantee', 'guarantee', (old) => String(old).replace('0.94', '0.99')],
  ])('is refused with %s', (_, path, field, change) => {
    expect(fields(forged(GOOD, path, change))).toContain(field);
  });

  it('from sampled errors says first that it guarantees nothing on Γ, also when it abstains', async () => {
    const calibration = summaryOf({ errors: 'sampled', nGammas: 10 });
    for (const certificate of [
      await certificateFor({ calibration }),
      await certificateFor({ calibration, nEps: 20 }),
    ]) {
      expect(certificate.guarantee).toMatch(/^Sampled, no guarantee on Γ\. /);
      expect(verifyCertificate(certificate)).toEqual({ ok: true, problems: [] });
      const bounded = forged(certificate, 'bound.calibration', () => ({
        ...summaryOf(),
        errors: 'bounded',
      }));
      expect(fields(bounded)).toContain('guarantee');
    }
  });

  it('is drawn again from what it says', () => {
    expect(replayInputs(GOOD).plan).toMatchObject({ method: 'dist-d', calibration: summaryOf() });
  });
});

describe('a plan of dist-d', () => {
  const plan = { ...SIMULATION_PLAN, method: 'dist-d' } as const;
  const pipeline = { transform: 'rotation', range: 30 } as const;

  it('is refused without a calibration, and with one that is less sure than the certificate must be', () => {
    expect(() => checkPlan(plan, pipeline)).toThrow('needs a calibration');
    const calibration = summaryOf();
    expect(() => checkPlan({ ...plan, calibration }, pipeline)).not.toThrow();
    const sure = { ...plan, calibration, confidence: 0.999, nEps: 10_000 };
    expect(() => checkPlan(sure, pipeline)).toThrow('more than confidence 0.999 leaves for it (0.0001)');
    const enough = { ...calibration, alpha: 0.0001, qE: qLower(198, 200, 0.0001, 0.001) };
    expect(() => checkPlan({ ...sure, calibration: enough }, pipeline)).not.toThrow();
  });
});
