import { describe, expect, it } from 'vitest';
import { Streams } from '../sampling/index.ts';
import { logUpperTail } from '../statistics/index.ts';
import { distXClaim, indivClaim, rhoUpper } from './claims.ts';
import { certifyIndiv } from './indiv.ts';
import type { IndivContext, Progress } from './method.ts';
import {
  imageOf,
  SIGMA_GAMMA,
  SIMULATION_PLAN,
  settingOf,
  TYPICAL,
  trueShares,
  type World,
  withInverter,
} from './simulation.test-support.ts';

const RANGE = 10;
const SURE: World = { slope: 0.05, top: 4, fall: 0.5 };
const ALL = { lower: [-RANGE], upper: [RANGE] };

/** A world's setting with what is left of Γ; the world's errors are those of x'. */
function contextOf(
  world: World,
  left = [ALL],
  plan: Partial<typeof SIMULATION_PLAN> = {},
  honesty = 1,
): IndivContext {
  const whole = { ...SIMULATION_PLAN, method: 'indiv', ...plan } as const;
  return withInverter(settingOf(world, whole, { range: RANGE, honesty }), left);
}

describe('indiv', () => {
  it('claims the whole range where the radius reaches all that is left of it', async () => {
    const { radius, cutAtRange, inverse, abstention } = await certifyIndiv(
      contextOf(SURE, [ALL], { nGamma: 80, nTestE: 200 }),
      imageOf(3),
    );
    expect([radius, cutAtRange, abstention]).toEqual([RANGE, true, null]);
    expect(inverse).toEqual({ tried: 40, kept: 1, left: ALL });
  });

  it('claims less where it does not, and all of it again where the rest was refuted', async () => {
    const plan = { sigmaGamma: 5 };
    const part = await certifyIndiv(contextOf(SURE, [ALL], plan), imageOf(3));
    expect(part.cutAtRange).toBe(false);
    expect(part.radius).toBeGreaterThan(3);
    expect(part.radius).toBeLessThan(RANGE);
    const near = [
      { lower: [-0.1], upper: [0.1] },
      { lower: [2], upper: [2.2] },
    ];
    const rest = await certifyIndiv(contextOf(SURE, near, plan), imageOf(3));
    expect(rest.inverse?.left).toEqual({ lower: [-0.1], upper: [2.2] });
    expect([rest.radius, rest.cutAtRange]).toEqual([RANGE, true]);
  });

  it('abstains where h reaches no class with a radius above E', async () => {
    const outcome = await certifyIndiv(contextOf({ slope: 0.5, top: 0.6, fall: 0.5 }), imageOf(3));
    expect(outcome.radius).toBeNull();
    expect(outcome.abstention).not.toBeNull();
  });

  it('tells when it inverts', async () => {
    const seen: Progress[] = [];
    await certifyIndiv({ ...contextOf(SURE), onProgress: (progress) => seen.push(progress) }, imageOf(3));
    expect(seen.filter(({ stage }) => stage === 'invert').map(({ done }) => done)).toEqual([0, 512]);
  });

  it('bounds ρ_E and p wrongly no more often than its confidence allows, 1,000 times', async () => {
    const count = async (honesty: number, times: number) => {
      const context = contextOf(TYPICAL, [ALL], {}, honesty);
      let [certified, wrong] = [0, 0];
      for (let index = 0; index < times; index++) {
        const { radius, bound, pABar } = await certifyIndiv(context, imageOf(index));
        if (radius === null || !bound || pABar === null) continue;
        certified += 1;
        const truth = trueShares(TYPICAL, bound);
        if (bound.rhoE < truth.rho || pABar > truth.p) wrong += 1;
      }
      return { certified, tooMany: logUpperTail(wrong, times, 0.05).log < Math.log(1e-6) };
    };
    const honest = await count(1, 1000);
    expect(honest.certified).toBeGreaterThan(500);
    expect(honest.tooMany).toBe(false);
    // Bounds that are a third too small must be noticed.
    expect((await count(2 / 3, 300)).tooMany).toBe(true);
  });
});

/**
 * The worst that the theorem allows, in one dimension: h answers the class at T_θ x for θ below just 0, so g at x does not
 * answer it; γ = -R; and the β with errors above E are those just above, so that x' looks right at them.
 */
describe('indiv’s claim in the worst world', () => {
  const rho = 0.1;
  const [alphaGamma, alphaE] = [0.04, 0.01];
  const [nGamma, nTestE] = [400, 400];

  /** How many of `times` certificates say that g answers the class. */
  async function falseClaims(times: number, rule: 'indiv' | 'tight'): Promise<number> {
    const streams = new Streams(5n, 'rotation', 1);
    // Standard normal: θ = β - R below 0 is β / σ below 1.
    const below = 1;
    // P(β / σ < below) = 0.8413; the β above up to this one have the share rho: Φ(1.5661) = 0.9413.
    const end = 1.5661;
    let claims = 0;
    for (let image = 0; image < times; image++) {
      const z = (purpose: 'certify' | 'testE', count: number) =>
        streams.betas(image, purpose, count).map(([value = Number.NaN]) => value);
      const kGamma = z('certify', nGamma).filter((value) => value < end).length;
      const held = z('testE', nTestE).filter((value) => !(value >= below && value < end)).length;
      const rhoE = rhoUpper(held, nTestE, alphaE);
      const counts = { kGamma, nGamma, alphaGamma, rhoE, sigmaGamma: SIGMA_GAMMA, range: RANGE };
      const claim =
        rule === 'indiv'
          ? indivClaim({ ...counts, left: ALL })
          : distXClaim({ ...counts, radiusRule: 'tight' });
      if (claim.cutAtRange) claims += 1;
    }
    return claims;
  }

  it('is false no more often than α', async () => {
    expect(rho).toBeCloseTo(0.9413 - 0.8413, 3);
    const wrong = await falseClaims(200, 'indiv');
    expect(logUpperTail(wrong, 200, alphaGamma + alphaE).log).toBeGreaterThan(Math.log(1e-6));
  });

  it('would be false often by the larger radius, which does not hold here', async () => {
    const wrong = await falseClaims(200, 'tight');
    expect(logUpperTail(wrong, 200, alphaGamma + alphaE).log).toBeLessThan(Math.log(1e-6));
  });
});
