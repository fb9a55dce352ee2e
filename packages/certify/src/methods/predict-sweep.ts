/** PREDICT for the l2-smoothed classifier h that sweep certifies. Not for ranges of γ. */
import { ledgerFor, SWEEP_LOOK, sweepLimits } from '../plan.ts';
import { logEvidence, SequentialThresholds, shareNeededFor } from '../statistics/index.ts';
import type { MethodContext, PredictOutcome, SampledImage } from './method.ts';
import { StageClock } from './stage.ts';
import { chooseAtRest } from './sweep.ts';

/**
 * With probability at least 1 - α, if this returns a class, it is h's at x: some samples choose a class, fresh ones test
 * sequentially whether its share exceeds one half, at the real pre(x): `samplerError` away from what is sampled. `kGamma` of `nGamma` in the outcome are these samples; the p-value is
 * that of the betting test, valid although it stopped when it liked.
 */
export async function predictSweep(context: MethodContext, image: SampledImage): Promise<PredictOutcome> {
  const { sampler, plan, pipeline, noise, samplerError } = context;
  const ledger = ledgerFor(plan);
  const clock = new StageClock();
  const choice = await clock.sampling(() => chooseAtRest(context, image, 'sweepPredictChoose'));
  const { classIndex, samples } = choice;
  const alpha = ledger.spend('alphaSweep', ledger.granted('alphaSweep'));
  const { cap } = sweepLimits(plan, pipeline);
  const p0 = shareNeededFor(samplerError, noise.sigma, noise.variation);
  const thresholds = new SequentialThresholds({ p0, alpha, maxN: cap });
  const [tested] =
    classIndex === null
      ? []
      : await clock.sampling(() =>
          sampler.testPoints(image, {
            points: [
              {
                gamma: pipeline.transform === 'rotation' ? [0] : [0, 0],
                number: 0,
                decide: (k, n) => thresholds.decide(k, n),
              },
            ],
            noise: 'sweepPredict',
            sigma: noise.sigma,
            classIndex,
            cap,
            look: SWEEP_LOOK,
          }),
        );
  const { k = 0, n = 0, accepted = false } = tested ?? {};
  const { log, error } = n > 0 && k > p0 * n ? logEvidence(k, n, p0) : { log: 0, error: 0 };
  return {
    method: 'sweep',
    ledger,
    choice,
    nGamma: n,
    kGamma: k,
    pValue: Math.min(1, Math.exp(error - log)),
    predicted: accepted ? classIndex : null,
    abstention: accepted ? null : `the most frequent class came out of ${k} of ${n} samples only`,
    spent: clock.spent(samples + n),
  };
}
