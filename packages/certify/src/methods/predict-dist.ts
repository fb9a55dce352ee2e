/** PREDICT for the doubly smoothed classifier: which class does g give here? Not for ranges of γ. */
import { ledgerFor, type Plan } from '../plan.ts';
import type { InnerResult } from '../sampling/index.ts';
import { logEvidence, predictFromCounts, SequentialThresholds, shareNeededFor } from '../statistics/index.ts';
import { chooseClass } from './choose-class.ts';
import type { MethodContext, PredictOutcome, SampledImage } from './method.ts';
import { StageClock } from './stage.ts';

/** β tested before the vote is looked at for the first time; then at each doubling. */
const FIRST_WAVE = 16;

/**
 * PREDICT for g over h. With probability at least 1 - (α_γ + α_ε), if this returns a class, it is g's at x. (Nothing is
 * said about other γ: no error is bounded.)
 *
 * n0 β choose a class c. Each of nGamma **other** β is tested for «h answers c at pre(T_β x)», which its sampler
 * hits but for `samplerError`, at its share of α_ε; a β
 * without a verdict counts against c. Except at α_ε no accepted one is wrong, so the accepted ones are no more than
 * those where h answers c, and «more than half» is decided of these:
 *   - `sequential`: by the betting test at α_γ, which may be looked at after every β (Ville), so that the vote ends as
 *     soon as it is clear. c was chosen on other β: one class is tested, on one side.
 *   - `fixed`: by PREDICT's two-sided p-value over all nGamma (Cohen, Rosenfeld, Kolter, ICML 2019, proposition 1).
 */
export async function predictDistX(context: MethodContext, image: SampledImage): Promise<PredictOutcome> {
  const { sampler, plan, noise, samplerError } = context;
  const ledger = ledgerFor(plan);
  const clock = new StageClock();
  const purposes = { betas: 'predictChooseClass', noise: 'predictChooseClassNoise' } as const;
  const { choice } = await clock.sampling(() => chooseClass(context, image, purposes, noise.sigma));
  const { classIndex } = choice;
  const alphaGamma = ledger.spend('alphaGamma', ledger.granted('alphaGamma'));
  const vote = outerVote(plan, alphaGamma);
  const alpha = ledger.share('alphaEps', plan.nGamma);
  const p0 = shareNeededFor(samplerError, noise.sigma, noise.variation);
  const betas = context.betas.betas(image.index, 'predict', plan.nGamma);
  const inner: InnerResult[] = [];
  let [kGamma, state] = [0, vote(0, 0)];
  for (let start = 0; classIndex !== null && state.decision === 'open'; start = inner.length) {
    const wave = betas.slice(start, plan.inner === 'fixed' ? betas.length : Math.max(FIRST_WAVE, 2 * start));
    for (const _ of wave) ledger.spend('alphaEps', alpha);
    const results = await clock.sampling(() =>
      sampler.testClass(image, {
        betas: wave,
        firstBeta: start,
        noise: 'predictNoise',
        sigma: noise.sigma,
        classIndex,
        p0,
        alpha,
        kind: plan.inner,
        nEps: plan.nEps,
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
    kGamma += results.filter(({ accepted }) => accepted).length;
    state = vote(kGamma, inner.length);
  }
  const predicted = state.decision === 'class' ? classIndex : null;
  const words =
    classIndex === null
      ? 'no sample of any choosing β had a class'
      : `h answers class ${classIndex} for ${kGamma} of ${inner.length} β only`;
  return {
    method: plan.method,
    ledger,
    choice,
    nGamma: inner.length,
    kGamma,
    pValue: state.pValue,
    predicted,
    abstention: predicted === null ? words : null,
    spent: clock.spent(plan.n0 * choice.samples + inner.reduce((sum, { n }) => sum + n, 0)),
  };
}

interface Vote {
  readonly decision: 'class' | 'abstain' | 'open';
  readonly pValue: number;
}

/** What k of n tested β decide. */
function outerVote({ inner, nGamma }: Plan, alpha: number): (k: number, n: number) => Vote {
  const thresholds = new SequentialThresholds({ p0: 0.5, alpha, maxN: nGamma });
  return (k, n) => {
    if (n === 0) return { decision: 'open', pValue: 1 };
    if (inner === 'fixed')
      return 2 * k >= n ? predictFromCounts(k, n - k, alpha) : { decision: 'abstain', pValue: 1 };
    const { log, error } = logEvidence(k, n, 0.5);
    // Ville: the evidence ever reaches 1 / α with probability α at most, so its inverse is a p-value at any time.
    const pValue = 2 * k > n ? Math.min(1, Math.exp(error - log)) : 1;
    const decision = thresholds.decide(k, n);
    if (decision === 'accept') return { decision: 'class', pValue };
    return { decision: decision === 'open' && n < nGamma ? 'open' : 'abstain', pValue };
  };
}
