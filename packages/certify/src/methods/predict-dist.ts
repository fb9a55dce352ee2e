/** PREDICT for the doubly smoothed classifier: which class does g give here? Not for ranges of γ. */
import { ledgerFor } from '../plan.ts';
import { predictFromCounts } from '../statistics/index.ts';
import { chooseClass } from './choose-class.ts';
import type { MethodContext, PredictOutcome, SampledImage } from './method.ts';
import { noiseOf, StageClock } from './stage.ts';

/**
 * PREDICT for g over h. With probability at least 1 - (α_γ + α_ε), if this returns a class, it is g's at x. (Nothing is
 * said about other γ: no error is bounded.)
 *
 * Each of nGamma β is tested for «h answers c» (p₀ = 1/2) at its share of α_ε; a β without a verdict counts against c,
 * which can only raise the p-value of PREDICT (Cohen, Rosenfeld, Kolter, ICML 2019, proposition 1).
 */
export async function predictDistX(context: MethodContext, image: SampledImage): Promise<PredictOutcome> {
  const { sampler, plan } = context;
  const ledger = ledgerFor(plan);
  const clock = new StageClock();
  const purposes = { betas: 'predictChooseClass', noise: 'predictChooseClassNoise' } as const;
  const { choice } = await clock.sampling(() => chooseClass(context, image, purposes, noiseOf(plan)));
  const chosen = choice.classIndex;
  const alpha = ledger.share('alphaEps', plan.nGamma);
  const betas = context.betas.betas(image.index, 'predict', plan.nGamma);
  for (const _ of betas) ledger.spend('alphaEps', alpha);
  const request = {
    betas,
    firstBeta: 0,
    noise: 'predictNoise',
    sigma: noiseOf(plan),
    p0: 0.5,
    alpha,
    kind: plan.inner,
    nEps: plan.nEps,
    onProgress: (done: number) =>
      context.onProgress?.({ image: image.index, stage: 'sample', done, total: plan.nGamma }),
  } as const;
  const inner =
    chosen === null
      ? []
      : await clock.sampling(() => sampler.testClass(image, { ...request, classIndex: chosen }));
  const kGamma = inner.filter(({ accepted }) => accepted).length;
  const against = plan.nGamma - kGamma;
  const alphaGamma = ledger.spend('alphaGamma', ledger.granted('alphaGamma'));
  const vote = kGamma >= against ? predictFromCounts(kGamma, against, alphaGamma) : null;
  const predicted = vote?.decision === 'class' ? chosen : null;
  return {
    method: 'dist-x',
    ledger,
    choice,
    nGamma: plan.nGamma,
    kGamma,
    pValue: vote?.pValue ?? 1,
    predicted,
    abstention: predicted === null ? `h answers one class for ${kGamma} of ${plan.nGamma} β only` : null,
    spent: clock.spent(plan.n0 * choice.samples + inner.reduce((sum, { n }) => sum + n, 0)),
  };
}
