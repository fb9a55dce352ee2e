import { describe, expect, it } from 'vitest';
import { Sampler, type TestRequest } from '../sampling/index.ts';
import type { SimulatedEngine } from '../sampling/simulated-engine.test-support.ts';
import { logUpperTail } from '../statistics/index.ts';
import type { SampledImage } from './method.ts';
import { certifyMany, SIMULATION_PLAN, TYPICAL as WORLD, type World } from './simulation.test-support.ts';

/** Of the certificates' confidence; what is judged below, whatever a mutant's plan says. */
const ALPHA = 0.05;

/** Here many β have a share near p0. */
const SHALLOW: World = { slope: 0.3, top: 3, fall: 1 };

/** Is this many wrong ones too many to be chance at level ALPHA? */
function isTooMany(wrong: number, count: number): boolean {
  return logUpperTail(wrong, count, ALPHA).log < Math.log(1e-6);
}

const LARGER = { ...SIMULATION_PLAN, nGamma: 150 };

/** A sampler that tests which class h answers, and forgets its radius. */
class ForgetfulSampler extends Sampler {
  override testClass(image: SampledImage, request: TestRequest) {
    return super.testClass(image, { ...request, p0: 0.5 });
  }
}

describe('dist-x, 2,000 times in a world whose truth is known', () => {
  it('certifies wrongly no more often than its confidence allows', async () => {
    const { certified, wrong } = await certifyMany(2000, WORLD);
    expect(certified).toBeGreaterThan(1600);
    expect(isTooMany(wrong, 2000)).toBe(false);
  });
});

describe('the same check, 400 times', () => {
  it.each([
    ['a confidence of 0.1 given out as 0.95', WORLD, { ...SIMULATION_PLAN, confidence: 0.1 }, {}],
    ['bounds that are a third too small', WORLD, SIMULATION_PLAN, { honesty: 2 / 3 }],
    [
      'inner tests that forget E',
      SHALLOW,
      LARGER,
      { sampler: (engine: SimulatedEngine) => new ForgetfulSampler(engine) },
    ],
  ])('notices %s', async (_, world, plan, options) => {
    const { wrong } = await certifyMany(400, world, plan, options);
    expect(isTooMany(wrong, 400)).toBe(true);
  });

  it('finds nothing wrong in the shallow world without that fault', async () => {
    const { certified, wrong } = await certifyMany(150, SHALLOW, LARGER);
    expect(certified).toBeGreaterThan(75);
    expect(isTooMany(wrong, 150)).toBe(false);
  });
});
