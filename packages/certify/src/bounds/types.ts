/**
 * What a method asks for when it needs to know the interpolation error, and what it gets. No buffers here.
 */
import type { Parameter } from '@turnproof/shaders';
import type { Spot } from './spot-check.ts';

export type BoundMethod = 'auto' | 'interval' | 'chord' | 'exact';

export interface BoundRequest {
  /** Index among the images handed over with the requests. */
  readonly image: number;
  /** Degrees, or [dx, dy] in pixels. */
  readonly beta: Parameter;
  /** Given: one of the numbers that this bound comes from is held against float64. */
  readonly spot?: Spot;
}

export type BoundGoal =
  /** Refine until bound <= (1 + tolerance) * witness. */
  | { readonly tolerance: number }
  /** Refine until every sub-box is decided against this error: all below it, or a witness above it. */
  | { readonly target: number };

export interface BetaBound {
  readonly beta: Parameter;
  /**
   * Upper bound on the maximum over gamma in Gamma of epsilon(beta, gamma, x), float32 accounted for. Attack
   * quantisation and the sampler's own error are not in it: see `extraError`. With a target that a witness exceeds,
   * merely a bound as far as it was refined.
   */
  readonly bound: number;
  /** The largest error found, and where. Never above the truth. */
  readonly witness: { readonly gamma: Parameter; readonly error: number };
  /** Sub-boxes bounded (grid points for `exact`). */
  readonly boxes: number;
  readonly method: Exclude<BoundMethod, 'auto'>;
  /** With a target: true when a witness is above it, false when the bound is not, null when undecided. */
  readonly exceeds: boolean | null;
  /** False when a limit (boxes, time, box width) ended the refinement: the bound is sound, but larger than asked. */
  readonly complete: boolean;
  /** Share of the call's wall time, in milliseconds. */
  readonly ms: number;
}

/** What a method needs of a bounder: bounds, and what became of a target. */
export interface ErrorBounder {
  readonly method: Exclude<BoundMethod, 'auto'>;
  /** @throws TurnproofError `parity` where a spot check fails */
  bound(
    images: readonly Float32Array<ArrayBuffer>[],
    requests: readonly BoundRequest[],
    goal: BoundGoal,
  ): Promise<Pick<BetaBound, 'bound' | 'exceeds'>[]>;
}

export interface Bounder extends ErrorBounder {
  /**
   * Bounds all requests together, in waves.
   *
   * @param images - Each [channels, height, width] in [0, 1].
   */
  bound(
    images: readonly Float32Array<ArrayBuffer>[],
    requests: readonly BoundRequest[],
    goal: BoundGoal,
  ): Promise<BetaBound[]>;
  close(): void;
}
