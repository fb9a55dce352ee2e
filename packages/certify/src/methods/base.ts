/**
 * Base: the heuristic. g(x) = argmax_c P(b(pre(T_β x)) = c), β ~ N(0, σ_γ² I), certified as if transformations composed
 * without interpolation error. **No guarantee**: everything that it returns says so.
 */
import { ledgerFor } from '../plan.ts';
import type { Purpose } from '../sampling/index.ts';
import { predictFromCounts } from '../statistics/index.ts';
import { chooseClass } from './choose-class.ts';
import { baseClaim, isHopeless } from './claims.ts';
import type { BaseOutcome, MethodContext, PredictOutcome, SampledImage } from './method.ts';
import { StageClock } from './stage.ts';

/**
 * CERTIFY of Cohen, Rosenfeld, Kolter (ICML 2019) over β in place of noise (Fischer, Baader, Vechev, NeurIPS 2020,
 * section 4): n0 β choose the class, nGamma fresh ones bound its share, r = σ_γ Φ⁻¹(p).
 *
 * If T_β T_γ were T_(β+γ), then with probability at least 1 - α g(T_γ x) would be this class for all ||γ||₂ <= r. It is
 * not: interpolation makes them differ, so nothing follows.
 */
export async function certifyBase(context: MethodContext, image: SampledImage): Promise<BaseOutcome> {
  const { plan, pipeline } = context;
  const { n0, nGamma, sigmaGamma } = plan;
  const ledger = ledgerFor(plan);
  const clock = new StageClock();
  const purposes = { betas: 'chooseClass', noise: 'chooseClassNoise' } as const;
  const { choice } = await clock.sampling(() => chooseClass(context, image, purposes, 0));
  const { classIndex, votes } = choice;
  const stopped = (abstention: string): BaseOutcome => ({
    method: 'base',
    ledger,
    choice,
    kGamma: 0,
    pABar: null,
    radius: null,
    cutAtRange: false,
    abstention,
    spent: clock.spent(n0),
  });
  if (classIndex === null) return stopped('no choosing β had a class');
  if (isHopeless(votes, n0, 0.5)) return stopped(`class ${classIndex} won only ${votes} of ${n0} choosing β`);

  const counts = await clock.sampling(() => countClasses(context, image, 'certify'));
  const kGamma = counts[classIndex] ?? 0;
  const alphaGamma = ledger.spend('alphaGamma', ledger.granted('alphaGamma'));
  const claim = baseClaim({ kGamma, nGamma, alphaGamma, sigmaGamma, range: pipeline.range });
  return {
    method: 'base',
    ledger,
    choice,
    kGamma,
    ...claim,
    abstention: claim.radius === null ? `class ${classIndex} for ${kGamma} of ${nGamma} β only` : null,
    spent: clock.spent(n0 + nGamma),
  };
}

/**
 * PREDICT of Cohen, Rosenfeld, Kolter over β: the class of g at this image, or an abstention; wrong with probability at
 * most α. It says nothing about any other γ.
 */
export async function predictBase(context: MethodContext, image: SampledImage): Promise<PredictOutcome> {
  const { plan } = context;
  const { nGamma } = plan;
  const ledger = ledgerFor(plan);
  const clock = new StageClock();
  const counts = await clock.sampling(() => countClasses(context, image, 'predict'));
  const top = counts.reduce((best, count, c) => (count > (counts[best] ?? 0) ? c : best), 0);
  const kGamma = counts[top] ?? 0;
  // A β without a class is counted for the rival, which can only raise the p-value.
  const second = counts.reduce((most, count, c) => (c === top ? most : Math.max(most, count)), 0);
  const missing = nGamma - counts.reduce((sum, count) => sum + count, 0);
  const rival = Math.min(nGamma - kGamma, second + missing);
  const alpha = ledger.spend('alphaGamma', ledger.granted('alphaGamma'));
  const vote = kGamma >= rival ? predictFromCounts(kGamma, rival, alpha) : null;
  const predicted = vote?.decision === 'class' ? top : null;
  return {
    method: 'base',
    ledger,
    choice: null,
    nGamma: plan.nGamma,
    kGamma,
    pValue: vote?.pValue ?? 1,
    predicted,
    abstention: predicted === null ? `the top two classes had ${kGamma} and ${rival} of ${nGamma} β` : null,
    spent: clock.spent(nGamma),
  };
}

/** How often b gives each class over nGamma β of a purpose, without noise. */
async function countClasses(
  { sampler, betas, plan, onProgress }: MethodContext,
  image: SampledImage,
  purpose: Extract<Purpose, 'certify' | 'predict'>,
): Promise<Float64Array> {
  const { nGamma } = plan;
  onProgress?.({ image: image.index, stage: 'sample', done: 0, total: nGamma });
  const counts = await sampler.countClasses(image, {
    betas: betas.betas(image.index, purpose, nGamma),
    // At sigma 0 nothing is drawn from it.
    noise: 'noise',
    sigma: 0,
    samples: 1,
  });
  onProgress?.({ image: image.index, stage: 'sample', done: nGamma, total: nGamma });
  const totals = new Float64Array(sampler.classes);
  counts.forEach((count, i) => {
    totals[i % sampler.classes] = (totals[i % sampler.classes] ?? 0) + count;
  });
  return totals;
}
