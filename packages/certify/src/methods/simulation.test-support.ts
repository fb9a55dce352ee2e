/**
 * A world whose truth is known: errors and class shares are functions of β, so for every E the true shares that a
 * certificate bounds can be computed. Test support only.
 */
import type { ParameterBox } from '@turnproof/shaders';
import type { BetaBound, Bounder } from '../bounds/types.ts';
import { realNoise } from '../noise.ts';
import type { Plan } from '../plan.ts';
import { type BetaSource, Sampler, Streams } from '../sampling/index.ts';
import {
  SimulatedEngine,
  type SimulationOptions,
  shareOf,
} from '../sampling/simulated-engine.test-support.ts';
import { normalCdf } from '../statistics/index.ts';
import { certifyDistX } from './dist-x.ts';
import type { DistXContext, IndivContext, SampledImage } from './method.ts';

export const SIGMA_GAMMA = 10;
/** A float32, so that the noise is what the plan says. */
export const SIGMA_EPS = 0.5;

/** z = |β| / σ_γ: the error is `slope` · z, and h's radius at T_β x is σ_ε (`top` - `fall` · z) for class 0. */
export interface World {
  readonly slope: number;
  readonly top: number;
  readonly fall: number;
}

const z = (beta: readonly number[]) => Math.abs(beta[0] ?? Number.NaN) / SIGMA_GAMMA;

/** P(|N(0, 1)| > t). */
const beyond = (t: number) => (t <= 0 ? 1 : 2 * normalCdf(-t));

/** What the two bounds of a certificate with this E are bounds of: P(error > tested), P(h's radius > E). */
export function trueShares(
  { slope, top, fall }: World,
  { E, tested }: { E: number; tested: number },
): { rho: number; p: number } {
  return { rho: beyond(tested / slope), p: 1 - beyond((top - E / SIGMA_EPS) / fall) };
}

export interface BounderCall {
  readonly betas: readonly number[];
  readonly goal: object;
}

/** Bounds are the true errors times `honesty`; all requests are noted. */
export class SimulatedBounder implements Bounder {
  readonly method = 'exact';
  readonly calls: BounderCall[] = [];
  readonly #error: (beta: readonly number[]) => number;

  constructor(error: (beta: readonly number[]) => number) {
    this.#error = error;
  }

  async bound(
    _images: Parameters<Bounder['bound']>[0],
    requests: Parameters<Bounder['bound']>[1],
    goal: Parameters<Bounder['bound']>[2],
  ): Promise<BetaBound[]> {
    this.calls.push({ betas: requests.map(({ beta }) => beta[0] ?? Number.NaN), goal });
    return requests.map(({ beta }) => {
      const bound = this.#error(beta);
      return {
        beta,
        bound,
        witness: { gamma: [0], error: bound },
        boxes: 1,
        method: 'exact',
        exceeds: 'target' in goal ? bound > goal.target : null,
        complete: true,
        ms: 0,
      };
    });
  }

  close(): void {}
}

export const SIMULATION_PLAN: Plan = {
  method: 'dist-x',
  sigmaGamma: SIGMA_GAMMA,
  sigmaEps: SIGMA_EPS,
  confidence: 0.95,
  nGamma: 40,
  n0: 10,
  nEps: 400,
  inner: 'sequential',
  nChooseE: 30,
  nTestE: 60,
  radiusRule: 'tight',
  seed: 1,
  batch: 'auto',
};

export interface Setting {
  readonly context: DistXContext;
  readonly engine: SimulatedEngine;
  readonly bounder: SimulatedBounder;
}

/** A method's surroundings in a world. `honesty` below 1 makes bounds that lie. */
export function settingOf(
  world: World,
  plan: Plan = SIMULATION_PLAN,
  options: {
    readonly honesty?: number;
    readonly betas?: (real: BetaSource) => BetaSource;
    readonly engine?: Partial<SimulationOptions>;
    readonly sampler?: (engine: SimulatedEngine) => Sampler;
    readonly range?: number;
  } = {},
): Setting {
  const { honesty = 1, range = 1000 } = options;
  const share = (beta: readonly number[]) => normalCdf(world.top - world.fall * z(beta));
  const engine = new SimulatedEngine({ answer: shareOf(share), ...options.engine });
  const bounder = new SimulatedBounder((beta) => honesty * world.slope * z(beta));
  const streams = new Streams(BigInt(plan.seed), 'rotation', plan.sigmaGamma);
  const pipeline = {
    transform: 'rotation',
    range,
    pre: { vignette: { kind: 'none' }, blur: null },
    quantization: 'none',
  } as const;
  return {
    engine,
    bounder,
    context: {
      sampler: options.sampler?.(engine) ?? new Sampler(engine),
      betas: options.betas?.(streams) ?? streams,
      pipeline,
      plan,
      bounder,
      noise: realNoise(plan.sigmaEps),
      samplerError: 0,
      extraError: 0.01,
    },
  };
}

/** The same for indiv: these boxes are left of Γ, and the errors are those over them. */
export function withInverter({ context, bounder }: Setting, boxes: readonly ParameterBox[]): IndivContext {
  return {
    ...context,
    inverter: {
      narrow: async () => ({ boxes, tried: 40 }),
      over: () => ({ method: 'interval', bound: (...request) => bounder.bound(...request) }),
    },
  };
}

export function imageOf(index: number): SampledImage {
  return { index, pixels: new Float32Array(0) };
}

/** The share of good β is below 1, the error exceeds E now and then, and few β are close calls. */
export const TYPICAL: World = { slope: 0.12, top: 9, fall: 5 };

export interface Certified {
  readonly certified: number;
  /** Certificates of which a bound is beyond the truth. */
  readonly wrong: number;
}

/** Dist-x on so many images of a world. */
export async function certifyMany(
  count: number,
  ...setting: Parameters<typeof settingOf>
): Promise<Certified> {
  const { context } = settingOf(...setting);
  let certified = 0;
  let wrong = 0;
  for (let index = 0; index < count; index++) {
    const { radius, bound, pABar } = await certifyDistX(context, imageOf(index));
    if (radius === null || !bound || pABar === null) continue;
    certified += 1;
    const truth = trueShares(setting[0], bound);
    if (bound.rhoE < truth.rho || pABar > truth.p) wrong += 1;
  }
  return { certified, wrong };
}
