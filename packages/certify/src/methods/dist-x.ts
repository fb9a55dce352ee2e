/**
 * Dist-x: a certificate for one image whose undistorted version is at hand, with the interpolation error's distribution
 * measured for this very image.
 */
import { TurnproofError } from '@turnproof/core';
import type { Parameter } from '@turnproof/shaders';
import type { BetaBound, BoundGoal } from '../bounds/index.ts';
import { fewestInnerSamples, innerCanAccept, ledgerFor } from '../plan.ts';
import { type InnerResult, LOOK } from '../sampling/index.ts';
import { type AlphaLedger, addUp, shareNeededFor } from '../statistics/index.ts';
import { chooseClass, type Vote } from './choose-class.ts';
import { chooseE } from './choose-e.ts';
import { type Claim, type DistXCounts, distXClaim, fewestSuccesses, isHopeless, rhoUpper } from './claims.ts';
import type {
  DistXContext,
  DistXOutcome,
  ErrorBound,
  InnerTest,
  MethodContext,
  SampledImage,
} from './method.ts';
import { StageClock } from './stage.ts';

/** How close the bounds of the choosing β come to the errors found: E is 1.1 times one of them anyway. */
const CHOOSING_TOLERANCE = 0.05;
/** β tested before asking for the first time whether a positive radius is within reach; then at each doubling. */
const FIRST_WAVE = 50;

/**
 * CERTIFY with T_β and noise. b: base classifier, pre: preprocessing,
 *   h(z) = argmax_c P(b(pre(z) + n) = c), n ~ N(0, σ_ε² I);  g(x) = argmax_c P(h(T_β x) = c), β ~ N(0, σ_γ² I).
 *
 * **Theorem.** Let ε(β, γ, x) = || pre(T_β T_γ x) - pre(T_(β+γ) x) ||₂. If P_β(max over γ in Γ of ε <= E) >= 1 - ρ_E,
 * and with probability at least p over β the smoothed h answers c_A at T_β x with an l2 radius above E, then
 * g(T_γ x) = c_A for all γ in Γ with ||γ||₂ <= r = σ_γ (Φ⁻¹(p) - Φ⁻¹(1/2 + ρ_E)). (With `paper`:
 * r = σ_γ Φ⁻¹(p - ρ_E), Fischer, Baader, Vechev, NeurIPS 2020, theorem 3.2 and section 5.)
 *
 * With probability at least 1 - (α_γ + α_ε + α_E), if this returns a class and a radius, the claim holds:
 *   1. n0 β choose c_A; nChooseE β choose E. What they choose may be bad, never wrong.
 *   2. nTestE **other** β: ρ_E is the Clopper-Pearson upper bound of the share that exceeds E, wrong at most at α_E.
 *   3. E grows by the attacker's rounding and the sampler's own error, that of the lattice included.
 *   4. nGamma **other** β, each tested at α_ε / nGamma for P(b = c_A) > p₀ = Φ(E / σ_ε) (and what the noise that is drawn
 *      may lack, `PixelNoise.variation`), which is: h answers c_A with radius above E. All accepted ones are right except at α_ε (union bound).
 *   5. p is the Clopper-Pearson lower bound of the accepted share, wrong at most at α_γ.
 * The radius is cut at the largest ball inside Γ, because ε is bounded for γ in Γ only, and rounded down.
 */
export async function certifyDistX(context: DistXContext, image: SampledImage): Promise<DistXOutcome> {
  const { nTestE } = context.plan;
  const outcome = await certifyWithError(context, image, {
    rhoAtBest: ({ alphaE }) => rhoUpper(nTestE, nTestE, alphaE),
    find: (vote, ledger, alphas) => boundError(context, image, vote, ledger, alphas),
  });
  return { method: 'dist-x', ...outcome };
}

export interface Alphas {
  readonly alphaGamma: number;
  readonly alphaE: number;
  readonly alphaInner: number;
}

/** Where E and ρ_E come from. */
export interface ErrorSource<B> {
  /** The smallest ρ_E that can come out. */
  readonly rhoAtBest: (alphas: Alphas) => number;
  /** Spends its part of the ledger; a string says why there is no E. */
  readonly find: (vote: Vote, ledger: AlphaLedger, alphas: Alphas) => Promise<B | string>;
  /** What follows from the counts; that of dist-x where nothing is said. */
  readonly claim?: (counts: DistXCounts) => Claim;
}

/** Steps 1, 4 and 5 of {@link certifyDistX}, with E and ρ_E from wherever a method has them. */
export async function certifyWithError<B extends { readonly E: number; readonly rhoE: number }>(
  context: MethodContext,
  image: SampledImage,
  source: ErrorSource<B>,
): Promise<Omit<DistXOutcome, 'method' | 'bound'> & { readonly bound: B | null }> {
  type Outcome = Omit<DistXOutcome, 'method' | 'bound'> & { readonly bound: B | null };
  const { sampler, plan, pipeline, noise } = context;
  const ledger = ledgerFor(plan);
  const clock = new StageClock();
  const alphas = {
    alphaGamma: ledger.granted('alphaGamma'),
    alphaE: ledger.granted('alphaE'),
    alphaInner: ledger.share('alphaEps', plan.nGamma),
  };
  const purposes = { betas: 'chooseClass', noise: 'chooseClassNoise' } as const;
  const vote = await clock.sampling(() => chooseClass(context, image, purposes, noise.sigma));
  const inner: InnerResult[] = [];
  const result = (rest: Partial<Outcome>): Outcome => ({
    ledger,
    choice: vote.choice,
    bound: null,
    test: null,
    inner,
    kGamma: inner.filter(({ accepted }) => accepted).length,
    pABar: null,
    radius: null,
    cutAtRange: false,
    abstention: null,
    ...rest,
    spent: clock.spent(plan.n0 * vote.choice.samples + inner.reduce((sum, { n }) => sum + n, 0)),
  });

  // 1. The class, and whether it is worth going on.
  const { classIndex, votes } = vote.choice;
  if (classIndex === null) return result({ abstention: 'no sample of any choosing β had a class' });
  const atBest = fewestSuccesses(plan.nGamma, alphas.alphaGamma, source.rhoAtBest(alphas));
  if (atBest === null || isHopeless(votes, plan.n0, atBest / plan.nGamma)) {
    const needed = atBest === null ? 'more than all' : `${atBest} of ${plan.nGamma}`;
    return result({
      abstention: `class ${classIndex} won only ${votes} of ${plan.n0} choosing β; ${needed} are needed`,
    });
  }

  // 2. and 3. E and ρ_E.
  const found = await clock.bounding(() => source.find(vote, ledger, alphas));
  if (typeof found === 'string') return result({ abstention: found });
  const bound = found;
  const test = innerTestFor(bound.E, context, alphas);
  if (!innerCanAccept(plan, test)) return result({ bound, test, abstention: tooFewSamples(test, bound.E) });
  const needed = fewestSuccesses(plan.nGamma, alphas.alphaGamma, bound.rhoE);
  if (needed === null) {
    return result({
      bound,
      abstention: `the error exceeds E for too many β: rho_E = ${bound.rhoE.toPrecision(3)} leaves no radius`,
    });
  }

  // 4. The inner tests.
  const betas = context.betas.betas(image.index, 'certify', plan.nGamma);
  let accepted = 0;
  for (let start = 0; start < plan.nGamma; start = inner.length) {
    const wave = betas.slice(start, start + Math.max(FIRST_WAVE, start));
    for (const _ of wave) ledger.spend('alphaEps', test.alpha);
    const results = await clock.sampling(() =>
      sampler.testClass(image, {
        ...test,
        betas: wave,
        firstBeta: start,
        noise: 'noise',
        sigma: noise.sigma,
        classIndex,
        onProgress: (done) =>
          context.onProgress?.({
            image: image.index,
            stage: 'sample',
            done: start + done,
            total: plan.nGamma,
          }),
      }),
    );
    inner.push(...results);
    accepted += results.filter((one) => one.accepted).length;
    if (inner.length < plan.nGamma && isHopeless(accepted, inner.length, needed / plan.nGamma)) {
      const words = `h answers class ${classIndex} with radius above E for ${accepted} of ${inner.length} β`;
      return result({ bound, test, abstention: `${words}; ${needed} of ${plan.nGamma} are needed` });
    }
  }

  // 5. p and r.
  ledger.spend('alphaGamma', alphas.alphaGamma);
  const claim = (source.claim ?? distXClaim)({
    kGamma: accepted,
    nGamma: plan.nGamma,
    alphaGamma: alphas.alphaGamma,
    rhoE: bound.rhoE,
    sigmaGamma: plan.sigmaGamma,
    radiusRule: plan.radiusRule,
    range: pipeline.range,
  });
  if (claim.radius !== null) return result({ bound, test, ...claim });
  const words = `h answers class ${classIndex} with radius above E for ${accepted} of ${plan.nGamma} β`;
  return result({ bound, test, ...claim, abstention: `${words}; ${needed} are needed` });
}

/** What h has to pass at a β for its radius to be above E. */
function innerTestFor(
  E: number,
  { plan, noise }: Pick<MethodContext, 'plan' | 'noise'>,
  { alphaInner }: Alphas,
): InnerTest {
  const look = plan.inner === 'fixed' ? plan.nEps : LOOK;
  const p0 = shareNeededFor(E, noise.sigma, noise.variation);
  return { kind: plan.inner, nEps: plan.nEps, look, p0, alpha: alphaInner };
}

function tooFewSamples(test: InnerTest, E: number): string {
  const needed = test.p0 < 1 ? fewestInnerSamples(test.kind, test) : null;
  const words = needed === null ? 'no number of samples is enough' : `at least ${needed} are needed`;
  return `n_eps = ${test.nEps} can never show a radius above E = ${E.toPrecision(4)}: ${words}`;
}

/**
 * Steps 2 and 3; a string says why there is no E.
 *
 * @param reach - How large a radius is of use.
 */
export async function boundError(
  context: DistXContext,
  image: SampledImage,
  { choice, successes }: Vote,
  ledger: AlphaLedger,
  alphas: Alphas,
  reach = context.pipeline.range,
): Promise<ErrorBound | string> {
  const { betas, bounder, plan, extraError } = context;
  const choosing = betas.betas(image.index, 'chooseE', plan.nChooseE);
  const bounds = await boundAll(context, image, 'choose-E', choosing, { tolerance: CHOOSING_TOLERANCE });
  const chosen = chooseE({
    ...plan,
    ...alphas,
    bounds: bounds.map(({ bound }) => bound),
    successes,
    samples: choice.samples,
    extraError,
    noise: context.noise,
    reach: reach / plan.sigmaGamma,
  });
  if (!chosen) return 'no bound on the interpolation error is finite';
  const found = {
    E: addUp(chosen.E, extraError),
    tested: chosen.E,
    extraError,
    method: bounder.method,
    nChooseE: plan.nChooseE,
    largest: chosen.largest,
    quantile: chosen.quantile,
  };
  // Testing an E takes most of the time for bounds, and is of no use where h's radius can never be above it.
  if (!innerCanAccept(plan, innerTestFor(found.E, context, alphas))) {
    return { ...found, nBetas: 0, kHeld: 0, rhoE: 1 };
  }
  const testing = betas.betas(image.index, 'testE', plan.nTestE);
  const tests = await boundAll(context, image, 'test-E', testing, { target: chosen.E });
  // Undecided counts as exceeding, and so does a bound that says otherwise than its verdict.
  const kHeld = tests.filter(({ bound, exceeds }) => exceeds === false && bound <= chosen.E).length;
  const rhoE = rhoUpper(kHeld, plan.nTestE, ledger.spend('alphaE', alphas.alphaE));
  return { ...found, nBetas: plan.nTestE, kHeld, rhoE };
}

async function boundAll(
  { bounder, onProgress }: DistXContext,
  image: SampledImage,
  stage: 'choose-E' | 'test-E',
  betas: readonly Parameter[],
  goal: BoundGoal,
): Promise<Pick<BetaBound, 'bound' | 'exceeds'>[]> {
  onProgress?.({ image: image.index, stage, done: 0, total: betas.length });
  const requests = betas.map((beta) => ({ image: 0, beta }));
  const bounds = await bounder.bound([image.pixels], requests, goal);
  if (bounds.length !== betas.length) {
    throw new TurnproofError('internal', `${betas.length} β were to be bounded, ${bounds.length} came back`);
  }
  onProgress?.({ image: image.index, stage, done: betas.length, total: betas.length });
  return bounds;
}
