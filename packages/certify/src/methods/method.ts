/** What every method is given and gives back. No GPU, no files: a method is statistics over a sampler and a bounder. */
import type { Parameter, ParameterBox } from '@turnproof/shaders';
import type { Bounder, ErrorBounder, Inverter, SliceBounder } from '../bounds/index.ts';
import type { CalibrationSummary } from '../calibration/schema.ts';
import type { PixelNoise } from '../noise.ts';
import type { Pipeline } from '../pipeline.ts';
import type { Plan } from '../plan.ts';
import type { BetaSource, InnerResult, SampledImage, Sampler } from '../sampling/index.ts';
import type { AlphaLedger } from '../statistics/index.ts';
import type { Reach, SweepNode } from './sweep-tree.ts';

export type Stage = 'choose-class' | 'invert' | 'choose-E' | 'test-E' | 'bound-slices' | 'sample';

/** Where an image stands. `done` of `total` β, or slices, of the stage. */
export interface Progress {
  readonly image: number;
  readonly stage: Stage;
  readonly done: number;
  readonly total: number;
}

export interface MethodContext {
  readonly sampler: Sampler;
  readonly betas: BetaSource;
  readonly pipeline: Pipeline;
  readonly plan: Plan;
  readonly noise: PixelNoise;
  /** l2 distance of what noise is added to from the real pre(T x): the sampler's float32 and its lattice. */
  readonly samplerError: number;
  readonly onProgress?: (progress: Progress) => void;
}

export interface DistXContext extends MethodContext {
  readonly bounder: ErrorBounder;
  /** Attack quantisation and `samplerError`: l2 norm, added to E. */
  readonly extraError: number;
}

export interface DistDContext extends MethodContext {
  readonly extraError: number;
}

export interface IndivContext extends MethodContext {
  readonly inverter: Inverter;
  /** `samplerError` alone: x' is given, its rounding is the inverse's affair. */
  readonly extraError: number;
}

export interface SweepContext extends MethodContext {
  readonly slices: SliceBounder;
  /** As for dist-x: l2 norm, added to each M. */
  readonly extraError: number;
}

/** How the class was chosen: the votes of n0 β. */
export interface ClassChoice {
  readonly n0: number;
  /** Noise samples of each of these β. */
  readonly samples: number;
  /** The class, or null where no β answered at all. */
  readonly classIndex: number | null;
  /** β that voted for it. */
  readonly votes: number;
}

/** Time and samples that a stage took. */
export interface Spent {
  readonly boundMs: number;
  readonly samplingMs: number;
  /** Samples that were counted. */
  readonly samples: number;
}

/** What base found out about an image. */
export interface BaseOutcome {
  readonly method: 'base';
  readonly ledger: AlphaLedger;
  readonly choice: ClassChoice;
  readonly kGamma: number;
  readonly pABar: number | null;
  readonly radius: number | null;
  readonly cutAtRange: boolean;
  /** Why nothing is claimed; null when something is. */
  readonly abstention: string | null;
  readonly spent: Spent;
}

/** E, and how it was come by. All errors are l2 norms in pixel values. */
export interface ErrorBound {
  /** What the inner tests use: tested + extraError, rounded up. */
  readonly E: number;
  /** What the testing β were held against. */
  readonly tested: number;
  readonly extraError: number;
  /** Upper confidence bound on the share of β that exceed `tested`; 1 where it was not tested. */
  readonly rhoE: number;
  readonly method: Bounder['method'];
  /** Testing β (0 where h's radius can never be above E), and how many held. */
  readonly nBetas: number;
  readonly kHeld: number;
  readonly nChooseE: number;
  /** Largest bound of the choosing β, and the share of them with a bound of at most `tested`. */
  readonly largest: number;
  readonly quantile: number;
}

export interface InnerTest {
  readonly kind: 'sequential' | 'fixed';
  readonly nEps: number;
  /** Samples between two looks. */
  readonly look: number;
  readonly p0: number;
  /** For each β. */
  readonly alpha: number;
}

/** What dist-x found out about an image. */
export interface DistXOutcome extends Omit<BaseOutcome, 'method'> {
  readonly method: 'dist-x';
  /** null when the method stopped before it. */
  readonly bound: ErrorBound | null;
  readonly test: InnerTest | null;
  /** Fewer than nGamma when the method stopped early. */
  readonly inner: readonly InnerResult[];
}

/** E of a calibration: l2 norms in pixel values. */
export interface CalibratedError {
  /** What the inner tests use: tested + extraError, rounded up. */
  readonly E: number;
  /** The calibration's E. */
  readonly tested: number;
  readonly extraError: number;
  readonly rhoE: number;
  readonly calibration: CalibrationSummary;
}

/** What dist-d found out about an image. */
export interface DistDOutcome extends Omit<DistXOutcome, 'method' | 'bound'> {
  readonly method: 'dist-d';
  readonly bound: CalibratedError;
}

/** What is left of Γ for one attacked image. */
export interface InverseFound {
  /** Sub-boxes that were put to the test, and those left at the end. */
  readonly tried: number;
  readonly kept: number;
  /** The smallest box around those left. */
  readonly left: ParameterBox;
}

/** What indiv found out about an attacked image. */
export interface IndivOutcome extends Omit<DistXOutcome, 'method'> {
  readonly method: 'indiv';
  /** null when the method stopped before it. */
  readonly inverse: InverseFound | null;
}

/** A slice that was tested. All distances are l2 norms in pixel values. */
export interface SliceTest extends SweepNode, ParameterBox {
  /** Where h was sampled. */
  readonly center: Parameter;
  /** Never below the distance of any transform in the slice from the one at its centre. */
  readonly M: number;
  /** M and what the attacker's rounding and the sampler's float32 add to it: what h's radius must exceed. */
  readonly E: number;
  /** Φ(E / σ_ε), rounded up: what the share of the class must exceed. */
  readonly p0: number;
  /** Of this test. */
  readonly alpha: number;
  /** k of n samples at the centre had the class. */
  readonly k: number;
  readonly n: number;
  readonly passed: boolean;
}

/** Where the certified interval ends before Γ does, and what is known about it. */
export interface SweepBreak {
  /** The slice that was given up. */
  readonly lower: Parameter;
  readonly upper: Parameter;
  /** The parameter, in the slice or just beyond it, at which the class did worst ... */
  readonly gamma: Parameter;
  /** ... with k of n fresh samples, and the class that did best there instead with this many. */
  readonly k: number;
  readonly n: number;
  readonly rival: number | null;
  readonly rivalCount: number;
  /** `wrong`: at gamma `rival` is more probable, so h does not answer the class; confidence 0.999. Else `undecided`. */
  readonly kind: 'wrong' | 'undecided';
}

/** What sweep found out about an image. */
export interface SweepOutcome {
  readonly method: 'sweep';
  readonly ledger: AlphaLedger;
  /** `n0` and `samples` are the same: samples at the image as it is. */
  readonly choice: ClassChoice;
  readonly extraError: number;
  /** Roots along each axis; null when the method stopped before it. */
  readonly roots: readonly number[] | null;
  readonly slices: readonly SliceTest[];
  readonly interval: Reach | null;
  readonly breaks: readonly SweepBreak[];
  /** Distance from 0 to the interval's nearer end, rounded down. */
  readonly radius: number | null;
  readonly abstention: string | null;
  readonly spent: Spent;
}

/** PREDICT's answer. */
export interface PredictOutcome {
  readonly method: Plan['method'];
  readonly ledger: AlphaLedger;
  /** null: PREDICT of base needs no choice, it takes the most frequent class. */
  readonly choice: ClassChoice | null;
  /** β, or samples (sweep), that were counted: fewer than planned where the vote was clear before. */
  readonly nGamma: number;
  /** Those of them with the class. */
  readonly kGamma: number;
  /** Of the vote at 1/2: two-sided binomial, or of the sequential test. */
  readonly pValue: number;
  /** null: abstained. */
  readonly predicted: number | null;
  readonly abstention: string | null;
  readonly spent: Spent;
}

export type { SampledImage };
