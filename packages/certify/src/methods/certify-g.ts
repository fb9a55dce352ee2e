/**
 * What the methods share that certify g, the classifier smoothed over transformations and noise: E and ρ_E of one image,
 * inner tests against E, the share p over β. Not for what follows from them: each method states its theorem and its claim.
 */
import { TurnproofError } from '@turnproof/core';
import type { Parameter } from '@turnproof/shaders';
import type { BetaBound, BoundGoal, ErrorBounder } from '../bounds/index.ts';
import { fewestInnerSamples, innerCanAccept, ledgerFor } from '../plan.ts';
import { type InnerResult, LOOK } from '../sampling/index.ts';
import { type AlphaLedger, addUp, shareNeededFor } from '../statistics/index.ts';
import { chooseClass, type Vote } from './choose-class.ts';
import { chooseE } from './choose-e.ts';
import { type Claim, type DistXCounts, fewestSuccesses, isHopeless, rhoUpper } from './claims.ts';
import type { ErrorBound, GOutcome, InnerTest, MethodContext, SampledImage } from './method.ts';
import { noiseOf, StageClock } from './stage.ts';

/** How close the bounds of the choosing β come to the errors found: E is 1.1 times one of them anyway. */
const CHOOSING_TOLERANCE = 0.05;
/** β tested before asking for the first time whether a positive radius is within reach; then at each doubling. */
const FIRST_WAVE = 50;

/** A method's own part: what bounds the errors, and what follows from the counts. */
export interface ErrorSource {
  readonly bounder: ErrorBounder;
  /** l2 norm, added to E. */
  readonly extraError: number;
  /** How large a radius is of use, in the unit of σ_γ. */
  readonly reach: number;
  readonly claim: (counts: DistXCounts) => Claim;
}

/**
 * The steps are in `certifyDistX`; `certifyIndiv` has the same ones with another bound and another claim.
 *
 * @param open - Called once the class is chosen; a string says why nothing can be claimed.
 */
export async function certifyG(
  context: MethodContext,
  image: SampledImage,
  open: (clock: StageClock) => Promise<ErrorSource | string>,
): Promise<GOutcome> {
  const { sampler, plan, pipeline } = context;
  const ledger = ledgerFor(plan);
  const clock = new StageClock();
  const alphas = {
    alphaGamma: ledger.granted('alphaGamma'),
    alphaE: ledger.granted('alphaE'),
    alphaInner: ledger.share('alphaEps', plan.nGamma),
  };
  const purposes = { betas: 'chooseClass', noise: 'chooseClassNoise' } as const;
  const vote = await clock.sampling(() => chooseClass(context, image, purposes, noiseOf(plan)));
  const inner: InnerResult[] = [];
  const result = (rest: Partial<GOutcome>): GOutcome => ({
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
  const atBest = fewestSuccesses(
    plan.nGamma,
    alphas.alphaGamma,
    rhoUpper(plan.nTestE, plan.nTestE, alphas.alphaE),
  );
  if (atBest === null || isHopeless(votes, plan.n0, atBest / plan.nGamma)) {
    const needed = atBest === null ? 'more than all' : `${atBest} of ${plan.nGamma}`;
    return result({
      abstention: `class ${classIndex} won only ${votes} of ${plan.n0} choosing β; ${needed} are needed`,
    });
  }

  // 2. and 3. E and ρ_E.
  const source = await open(clock);
  if (typeof source === 'string') return result({ abstention: source });
  const found = await clock.bounding(() => boundError(context, source, image, vote, ledger, alphas));
  if (typeof found === 'string') return result({ abstention: found });
  const bound = found;
  const needed = fewestSuccesses(plan.nGamma, alphas.alphaGamma, bound.rhoE);
  if (needed === null) {
    return result({
      bound,
      abstention: `the error exceeds E for too many β: rho_E = ${bound.rhoE.toPrecision(3)} leaves no radius`,
    });
  }

  // 4. The inner tests.
  const p0 = shareNeededFor(bound.E, noiseOf(plan));
  const look = plan.inner === 'fixed' ? plan.nEps : LOOK;
  const test: InnerTest = { kind: plan.inner, nEps: plan.nEps, look, p0, alpha: alphas.alphaInner };
  if (!innerCanAccept(plan, test)) return result({ bound, test, abstention: tooFewSamples(test, bound.E) });
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
        sigma: noiseOf(plan),
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
  const claim = source.claim({
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

function tooFewSamples(test: InnerTest, E: number): string {
  const needed = test.p0 < 1 ? fewestInnerSamples(test.kind, test) : null;
  const words = needed === null ? 'no number of samples is enough' : `at least ${needed} are needed`;
  return `n_eps = ${test.nEps} can never show a radius above E = ${E.toPrecision(4)}: ${words}`;
}

/** Steps 2 and 3; a string says why there is no E. */
async function boundError(
  context: MethodContext,
  source: ErrorSource,
  image: SampledImage,
  { choice, successes }: Vote,
  ledger: AlphaLedger,
  alphas: { readonly alphaGamma: number; readonly alphaE: number; readonly alphaInner: number },
): Promise<ErrorBound | string> {
  const { betas, plan } = context;
  const { bounder, extraError } = source;
  const choosing = betas.betas(image.index, 'chooseE', plan.nChooseE);
  const bounds = await boundAll(context, bounder, image, 'choose-E', choosing, {
    tolerance: CHOOSING_TOLERANCE,
  });
  const chosen = chooseE({
    ...plan,
    ...alphas,
    bounds: bounds.map(({ bound }) => bound),
    successes,
    samples: choice.samples,
    extraError,
    sigmaEps: noiseOf(plan),
    reach: source.reach / plan.sigmaGamma,
  });
  if (!chosen) return 'no bound on the interpolation error is finite';
  const testing = betas.betas(image.index, 'testE', plan.nTestE);
  const tests = await boundAll(context, bounder, image, 'test-E', testing, { target: chosen.E });
  // Undecided counts as exceeding, and so does a bound that says otherwise than its verdict.
  const kHeld = tests.filter(({ bound, exceeds }) => exceeds === false && bound <= chosen.E).length;
  const rhoE = rhoUpper(kHeld, plan.nTestE, ledger.spend('alphaE', alphas.alphaE));
  return {
    E: addUp(chosen.E, extraError),
    tested: chosen.E,
    extraError,
    rhoE,
    method: bounder.method,
    nBetas: plan.nTestE,
    kHeld,
    nChooseE: plan.nChooseE,
    largest: chosen.largest,
    quantile: chosen.quantile,
  };
}

async function boundAll(
  { onProgress }: MethodContext,
  bounder: ErrorBounder,
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
