import type { ParameterBox } from '@turnproof/shaders';
import { describe, expect, it } from 'vitest';
import { extraErrorOfGiven } from '../bounds/index.ts';
import { certifyIndiv } from '../methods/indiv.ts';
import {
  imageOf,
  SIMULATION_PLAN,
  settingOf,
  type World,
  withInverter,
} from '../methods/simulation.test-support.ts';
import type { Pipeline } from '../pipeline.ts';
import type { Plan } from '../plan.ts';
import { buildCertificate } from './build.ts';
import { asCertified, PROVENANCE, SHAPE } from './provenance.test-support.ts';
import { certificateSchema, type IndivCertificate } from './schema.ts';
import { verifyCertificate } from './verify.ts';

const SURE: World = { slope: 0.05, top: 4, fall: 0.5 };
const LEFT = { lower: [-0.1], upper: [2.2] };
const SQUARE = { lower: [-0.1, -0.1], upper: [0.4, 0.3] };

async function certificateFor(
  plan: Partial<Plan> = {},
  boxes: readonly ParameterBox[] = [LEFT],
  pipeline: Partial<Pipeline> = {},
  world = SURE,
): Promise<IndivCertificate> {
  const full: Plan = { ...SIMULATION_PLAN, method: 'indiv', nGamma: 80, nTestE: 200, seed: 3, ...plan };
  const setting = settingOf(world, full, { range: 10 });
  const whole = { ...setting.context.pipeline, quantization: 'u8', ...pipeline } as const;
  const context = withInverter(setting, boxes);
  const { noise, samplerError } = asCertified(context);
  const given = { noise, samplerError, extraError: extraErrorOfGiven(SHAPE, whole, noise) };
  const outcome = await certifyIndiv({ ...context, pipeline: whole, ...given }, imageOf(11));
  // As it comes out of a file.
  const certificate = certificateSchema.parse(
    JSON.parse(JSON.stringify(buildCertificate(outcome, full, whole, PROVENANCE))),
  );
  if (certificate.method !== 'indiv') throw new Error('another method');
  return certificate;
}

const GOOD = await certificateFor();
const fields = (certificate: unknown) => verifyCertificate(certificate).problems.map(({ field }) => field);

describe('verification of indiv passes', () => {
  it('a certificate over the whole range, and says in words of whom it speaks', () => {
    expect([GOOD.radius, GOOD.cutAtRange]).toEqual([10, true]);
    expect(fields(GOOD)).toEqual([]);
    expect(GOOD.guarantee).toBe(
      'With confidence 95 %, whatever image was rotated by an unknown angle of at most 10°, and rounded to 8 bits to give ' +
        'this file, the smoothed classifier g, which sees pixels in steps of 2^-15, answers class 0 for that image as it was.',
    );
    expect(GOOD.plan).toMatchObject({ refinements: 10, boxes: 512, radiusRule: 'paper' });
  });

  it('one over a part of it', async () => {
    const part = await certificateFor({ sigmaGamma: 4 }, [{ lower: [-10], upper: [10] }]);
    expect(part.cutAtRange).toBe(false);
    expect(part.radius).toBeLessThan(10);
    expect(fields(part)).toEqual([]);
    expect(part.guarantee).toContain(`of at most ${part.radius}°`);
  });

  it('one of a translation: the square where all is covered, a distance where it is not', async () => {
    const translation = { transform: 'translation', range: 0.4, quantization: 'none' } as const;
    const all = await certificateFor({ sigmaGamma: 1 }, [SQUARE], translation);
    expect([all.radius, all.cutAtRange]).toEqual([0.4, true]);
    expect(fields(all)).toEqual([]);
    expect(all.guarantee).toContain(
      'shifts of at most 0.4 pixels on each axis, and not rounded by more than 0.00001',
    );
    // The radius lies between the square's sides and its farthest corner: 0.45 times about 1.03.
    const corner = { lower: [-0.4, -0.4], upper: [0.4, 0.4] };
    const part = await certificateFor({ sigmaGamma: 0.45 }, [corner], translation);
    expect([part.radius, part.cutAtRange]).toEqual([0.4, false]);
    expect(fields(part)).toEqual([]);
    expect(part.guarantee).toContain('(length of the shift)');
  });

  it('abstentions', async () => {
    const abstained = await certificateFor({}, [LEFT], {}, { slope: 0.5, top: 0.6, fall: 0.5 });
    expect(abstained.radius).toBeNull();
    expect(fields(abstained)).toEqual([]);
  });
});

type Forgery = (certificate: IndivCertificate) => unknown;
const withInverse =
  (change: Partial<NonNullable<IndivCertificate['inverse']>>): Forgery =>
  (c) => ({ ...c, inverse: c.inverse && { ...c.inverse, ...change } });

describe('verification of indiv names the forged field:', () => {
  it.each<[string, string, Forgery]>([
    ['a smaller rounding of the attacker', 'attack.halfStep', (c) => ({ ...c, attack: { halfStep: 1e-5 } })],
    [
      'words that speak of the file',
      'guarantee',
      (c) => ({ ...c, guarantee: c.guarantee.replace('that', 'this') }),
    ],
    ['no inverse', 'inverse', (c) => ({ ...c, inverse: null })],
    ['more boxes kept than tried', 'inverse.kept', withInverse({ kept: 41 })],
    ['no box kept', 'inverse.kept', withInverse({ kept: 0 })],
    ['what is left does not hold 0', 'inverse.left', withInverse({ left: { lower: [0.1], upper: [2.2] } })],
    [
      'what is left goes beyond the range',
      'inverse.left',
      withInverse({ left: { lower: [0], upper: [11] } }),
    ],
    ['what is left has another number of axes', 'inverse.left', withInverse({ left: SQUARE })],
    [
      'a partial radius given out as the whole',
      'radius',
      withInverse({ left: { lower: [-10], upper: [10] } }),
    ],
    ['the larger radius', 'plan.radiusRule', (c) => ({ ...c, plan: { ...c.plan, radiusRule: 'tight' } })],
    [
      'a bound of another kind',
      'bound.method',
      (c) => ({ ...c, bound: c.bound && { ...c.bound, method: 'chord' } }),
    ],
    [
      'an extra error with the attacker’s rounding',
      'bound.extraError',
      (c) => ({ ...c, bound: c.bound && { ...c.bound, extraError: c.bound.extraError + 0.5 / 255 } }),
    ],
    ['a smaller rho', 'bound.rhoE', (c) => ({ ...c, bound: c.bound && { ...c.bound, rhoE: 0.001 } })],
    [
      'more accepted',
      'counts.kGamma',
      (c) => ({ ...c, counts: { ...c.counts, kGamma: c.counts.kGamma - 1 } }),
    ],
  ])('%s', async (name, field, forge) => {
    // The whole range, but only just: what is left reaches far.
    const original = name.startsWith('a partial')
      ? await certificateFor({ sigmaGamma: 4 }, [{ lower: [-1], upper: [1] }])
      : GOOD;
    const forged = forge(original);
    expect(forged).not.toEqual(original);
    expect(fields(forged)).toContain(field);
  });
});
