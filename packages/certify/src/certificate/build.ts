/** From a method's outcome and the circumstances of a run to a certificate. Adds no claims of its own. */
import type { Preprocess } from '@turnproof/shaders';
import type { BaseOutcome, DistXOutcome, Spent } from '../methods/method.ts';
import type { Pipeline } from '../pipeline.ts';
import { type Plan, seedOf } from '../plan.ts';
import { CERTIFICATE_SCHEMA, type Certificate } from './schema.ts';
import { streamsOf } from './streams.ts';
import { guaranteeOf } from './words.ts';

/** Everything that a certificate says and no method knows. */
export type Provenance = Pick<
  Certificate,
  'index' | 'label' | 'model' | 'image' | 'shaders' | 'adapter' | 'provider' | 'versions' | 'batch'
>;

const LARGEST_NUMBER = BigInt(Number.MAX_SAFE_INTEGER);

/** A seed as JSON can hold it without losing a bit. */
export function seedForJson(plan: Pick<Plan, 'seed'>): number | string {
  const seed = seedOf(plan);
  return seed <= LARGEST_NUMBER ? Number(seed) : seed.toString();
}

export function vignetteForJson({ vignette }: Preprocess): Certificate['pipeline']['vignette'] {
  return vignette.kind === 'none' ? { kind: 'none' } : { kind: vignette.kind, offset: vignette.offset };
}

export function isCorrect(label: number | null, predicted: number | null): boolean | null {
  return label === null ? null : predicted === label;
}

/** To a tenth of a millisecond: more digits would only be noise. */
export function roundMs({ boundMs, samplingMs }: Spent): Certificate['ms'] {
  return { bound: Math.round(10 * boundMs) / 10, sampling: Math.round(10 * samplingMs) / 10 };
}

export function buildCertificate(
  outcome: BaseOutcome | DistXOutcome,
  plan: Plan,
  pipeline: Pipeline,
  provenance: Provenance,
): Certificate {
  const { choice, ledger } = outcome;
  const predicted = outcome.radius === null ? null : choice.classIndex;
  const { transform, range, pre, quantization } = pipeline;
  const { index, label, model, image, shaders, adapter, provider, versions, batch } = provenance;
  const { n0, nGamma, nEps, inner, nChooseE, nTestE, radiusRule, confidence } = plan;
  // In the order in which people read it.
  const head = {
    schema: CERTIFICATE_SCHEMA,
    index,
    label,
    predicted,
    correct: isCorrect(label, predicted),
    radius: outcome.radius,
    unit: transform === 'rotation' ? 'degrees' : 'pixels',
  } as const;
  const claim = {
    guarantee: guaranteeOf({ ...outcome, confidence, predicted, pipeline }),
    abstention: outcome.abstention,
    confidence,
  };
  const counts = {
    n0: choice.n0,
    nChoice: choice.samples,
    votes: choice.votes,
    classIndex: choice.classIndex,
    nGamma,
    kGamma: outcome.kGamma,
  };
  const tail = {
    pABar: outcome.pABar,
    cutAtRange: outcome.cutAtRange,
    plan: { n0, nGamma, nEps, inner, nChooseE, nTestE, radiusRule },
    pipeline: {
      transform,
      range,
      vignette: vignetteForJson(pre),
      blur: pre.blur && { size: pre.blur.size, sigma: pre.blur.sigma },
      quantization,
    },
    sigmaGamma: plan.sigmaGamma,
    seed: seedForJson(plan),
    streams: streamsOf(outcome.method),
    model,
    image,
    shaders,
    adapter,
    provider,
    versions,
    samples: outcome.spent.samples,
    batch,
    ms: roundMs(outcome.spent),
  };
  const { total, spent } = ledger.toJSON();
  const alphaGamma = ledger.granted('alphaGamma');
  if (outcome.method === 'base') {
    return {
      ...head,
      method: 'base',
      ...claim,
      ledger: { total, alphaGamma, spent: { ...spent } },
      counts: { ...counts, inner: [] },
      bound: null,
      test: null,
      sigmaEps: null,
      ...tail,
    };
  }
  const [alphaEps, alphaE] = [ledger.granted('alphaEps'), ledger.granted('alphaE')];
  return {
    ...head,
    method: 'dist-x',
    ...claim,
    ledger: { total, alphaGamma, alphaEps, alphaE, spent: { ...spent } },
    counts: { ...counts, inner: outcome.inner.map(({ k, n, accepted }) => ({ k, n, accepted })) },
    bound: outcome.bound,
    test: outcome.test,
    sigmaEps: plan.sigmaEps,
    ...tail,
  };
}
