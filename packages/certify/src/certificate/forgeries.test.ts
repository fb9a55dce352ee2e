/** What somebody who knows the program can forge in one certificate, and who finds it. Runs: the command line's test. */
import { describe, expect, it } from 'vitest';
import { mostExceeding, qLower } from '../calibration/claims.ts';
import { certifyBase } from '../methods/base.ts';
import { certifyDistD } from '../methods/dist-d.ts';
import { certifyDistX } from '../methods/dist-x.ts';
import { certifyIndiv } from '../methods/indiv.ts';
import {
  imageOf,
  SIMULATION_PLAN,
  settingOf,
  type World,
  withInverter,
} from '../methods/simulation.test-support.ts';
import { certifySweep } from '../methods/sweep.ts';
import { sweepSetting } from '../methods/sweep-world.test-support.ts';
import type { Plan } from '../plan.ts';
import { buildCertificate } from './build.ts';
import { changesOf, consistent } from './forger.test-support.ts';
import { asCertified, PROVENANCE } from './provenance.test-support.ts';
import { compareReplay } from './replay.ts';
import { type Certificate, certificateSchema } from './schema.ts';
import { verifyCertificate } from './verify.ts';

const WORLD: World = { slope: 0.05, top: 4, fall: 2 };
const image = imageOf(11);

function drawn(method: Plan['method'], plan: Partial<Plan> = {}, range = 180) {
  const full: Plan = { ...SIMULATION_PLAN, method, ...plan };
  const setting = settingOf(WORLD, full, { range });
  const pre = { vignette: { kind: 'circle', offset: 0 }, blur: { size: 3, sigma: 1 } } as const;
  const pipeline = { ...setting.context.pipeline, pre };
  const context = asCertified({ ...setting.context, pipeline });
  return { full, setting: { ...setting, context }, context, pipeline };
}

const level = { nBetas: 1000, rhoE: 0.01, alphaInner: 0.001 };
const calibration: NonNullable<Plan['calibration']> = {
  ...{ sha256: 'a'.repeat(64), errors: 'bounded', nGammas: null, E: 0.3, alpha: 0.001 },
  ...{ ...level, mostExceeding: mostExceeding(level), nImages: 200, passed: 198 },
  qE: qLower(198, 200, 0.001, level.alphaInner),
};

const MADE: Readonly<Record<Plan['method'], () => Promise<Certificate>>> = {
  base: async () => {
    const { full, context, pipeline } = drawn('base', { nGamma: 100 });
    return buildCertificate(await certifyBase(context, image), full, pipeline, PROVENANCE);
  },
  'dist-x': async () => {
    const { full, context, pipeline } = drawn('dist-x');
    return buildCertificate(await certifyDistX(context, image), full, pipeline, PROVENANCE);
  },
  'dist-d': async () => {
    const { full, context, pipeline } = drawn('dist-d', { calibration });
    return buildCertificate(await certifyDistD(context, image), full, pipeline, PROVENANCE);
  },
  indiv: async () => {
    const { full, setting, pipeline } = drawn('indiv', { nGamma: 80, nTestE: 200, sigmaGamma: 6 }, 10);
    const context = withInverter(setting, [{ lower: [-3], upper: [8] }]);
    return buildCertificate(await certifyIndiv(context, image), full, pipeline, PROVENANCE);
  },
  sweep: async () => {
    const { context } = sweepSetting({
      speed: 0.1,
      margin: ([g = 0]) => Math.min(4, 0.2 * (9.3 - Math.abs(g))),
    });
    const outcome = await certifySweep(asCertified(context), image);
    return buildCertificate(outcome, context.plan, context.pipeline, PROVENANCE);
  },
};
const METHODS = Object.keys(MADE) as Plan['method'][];

/** Numbers in [0, 1), the same ones each time. */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 48_271) + 11) % 2_147_483_647;
    return Math.abs(state) / 2_147_483_647;
  };
}

describe.each(METHODS)('a certificate of %s', (method) => {
  it('is made again by the forger as it was, so that what he forges is forged where he meant it', async () => {
    const honest = certificateSchema.parse(JSON.parse(JSON.stringify(await MADE[method]())));
    expect(honest.radius).toBeGreaterThan(0);
    expect(verifyCertificate(honest)).toEqual({ ok: true, problems: [] });
    expect(consistent(honest)).toEqual(honest);
  });

  it('with anything forged in it, and all that follows, is refused or not what drawing it again gives', async () => {
    const honest = certificateSchema.parse(JSON.parse(JSON.stringify(await MADE[method]())));
    const found = { verify: 0, replay: 0 };
    for (let seed = 1; seed <= 6; seed++) {
      for (const [name, change] of changesOf(honest, dice(seed))) {
        const forged = consistent(change(honest));
        if (JSON.stringify(forged) === JSON.stringify(honest)) continue;
        const isRefused = !verifyCertificate(forged).ok;
        found[isRefused ? 'verify' : 'replay'] += 1;
        const elsewhere = { ...forged, adapter: { ...forged.adapter, adapterClass: 'another' } };
        for (const stated of isRefused ? [] : [forged, elsewhere])
          expect(compareReplay(stated, honest).problems, `${name}, dice ${seed}`).not.toEqual([]);
      }
    }
    // Most of what a forger can make consistent shows only when it is drawn again.
    expect(found.replay).toBeGreaterThan(30);
  });
});
