/**
 * A world for sweep whose truth is known: images move along a line at a known speed, and h's margin at each parameter is
 * a known function of it, so that where h changes its answer is known, too. Test support only.
 */
import type { SliceBounder } from '../bounds/index.ts';
import { realNoise } from '../noise.ts';
import type { Plan } from '../plan.ts';
import { Sampler, Streams } from '../sampling/index.ts';
import { SimulatedEngine, shareOf } from '../sampling/simulated-engine.test-support.ts';
import { normalCdf } from '../statistics/index.ts';
import type { SweepContext } from './method.ts';

/** A float32, so that the noise is what the plan says. */
export const SIGMA = 0.5;
export const RANGE = 20;

export interface SweepWorld {
  /** l2 norm per degree (or pixel, on each axis). */
  readonly speed: number;
  /** Distance from the decision boundary in units of sigmaEps, at most `speed` / sigmaEps steep; h is class 0 where > 0. */
  readonly margin: (gamma: readonly number[]) => number;
}

export const SWEEP_PLAN: Plan = {
  method: 'sweep',
  sigmaGamma: 1,
  sigmaEps: SIGMA,
  confidence: 0.95,
  nGamma: 1,
  n0: 1,
  nEps: 2000,
  inner: 'sequential',
  nChooseE: 1,
  nTestE: 1,
  radiusRule: 'tight',
  seed: 1,
  batch: 'auto',
  floor: 0.05,
  maxSamples: 1_000_000,
};

/** M = honesty · the largest distance in the slice. */
export class SimulatedSlices implements SliceBounder {
  readonly #speed: number;
  readonly #honesty: number;
  /** Slices bounded so far. */
  bounded = 0;

  constructor(speed: number, honesty: number) {
    this.#speed = speed;
    this.#honesty = honesty;
  }

  async bound(_: Parameters<SliceBounder['bound']>[0], requests: Parameters<SliceBounder['bound']>[1]) {
    this.bounded += requests.length;
    return requests.map(({ box, center }) => {
      const farthest = Math.hypot(
        ...box.lower.map((a, axis) => {
          const c = center[axis] ?? Number.NaN;
          return Math.max(c - a, (box.upper[axis] ?? Number.NaN) - c);
        }),
      );
      const bound = this.#honesty * this.#speed * farthest;
      return { bound, found: bound, boxes: 1 };
    });
  }

  async distances(_: Parameters<SliceBounder['bound']>[0], points: Parameters<SliceBounder['distances']>[1]) {
    return Float64Array.from(
      points,
      ({ gamma, center }) => this.#speed * Math.hypot(...gamma.map((g, axis) => g - (center[axis] ?? 0))),
    );
  }

  close(): void {}
}

export interface SweepSettingOptions {
  /** Below 1: bounds that lie. */
  readonly honesty?: number;
  readonly transform?: 'rotation' | 'translation';
  readonly range?: number;
  readonly capacity?: number;
  readonly sampler?: (engine: SimulatedEngine) => Sampler;
}

export function sweepSetting(
  { speed, margin }: SweepWorld,
  plan: Partial<Plan> = {},
  options: SweepSettingOptions = {},
): { context: SweepContext; engine: SimulatedEngine; slices: SimulatedSlices } {
  const { honesty = 1, transform = 'rotation', range = RANGE, capacity = 128 } = options;
  const full = { ...SWEEP_PLAN, ...plan };
  const engine = new SimulatedEngine({ answer: shareOf((gamma) => normalCdf(margin(gamma))), capacity });
  const slices = new SimulatedSlices(speed, honesty);
  const context: SweepContext = {
    sampler: options.sampler?.(engine) ?? new Sampler(engine),
    betas: new Streams(BigInt(full.seed), transform, 1),
    pipeline: { transform, range, pre: { vignette: { kind: 'none' }, blur: null }, quantization: 'none' },
    plan: full,
    slices,
    noise: realNoise(full.sigmaEps),
    samplerError: 0,
    extraError: 0,
  };
  return { context, engine, slices };
}
