/** From a method's outcome and the circumstances of a run to a certificate. Adds no claims of its own. */
import type { ParameterBox, Preprocess } from '@turnproof/shaders';
import { attackHalfStep } from '../bounds/attack-error.ts';
import type {
  BaseOutcome,
  DistDOutcome,
  DistXOutcome,
  IndivOutcome,
  Spent,
  SweepOutcome,
} from '../methods/method.ts';
import { noiseOf } from '../noise.ts';
import type { Pipeline } from '../pipeline.ts';
import { indivLimits, type Plan, SWEEP_LOOK, seedOf, sweepLimits } from '../plan.ts';
import { CERTIFICATE_SCHEMA, type Certificate } from './schema.ts';
import { streamsOf } from './streams.ts';
import { guaranteeOf } from './words.ts';

/** Everything that a certificate says and no method knows. */
export type Provenance = Pick<
  Certificate,
  'index' | 'label' | 'model' | 'image' | 'shaders' | 'adapter' | 'provider' | 'versions' | 'recovered'
>;

const LARGEST_NUMBER = BigInt(Number.MAX_SAFE_INTEGER);

/** A seed as JSON can hold it without losing a bit. */
export function seedForJson(plan: Pick<Plan, 'seed'>): number | string {
  const seed = seedOf(plan);
  return seed <= LARGEST_NUMBER ? Number(seed) : seed.toString();
}

function vignetteForJson({ vignette }: Preprocess): Certificate['pipeline']['vignette'] {
  return vignette.kind === 'none' ? { kind: 'none' } : { kind: vignette.kind, offset: vignette.offset };
}

export function pipelineForJson({ transform, range, pre, quantization }: Pipeline): Certificate['pipeline'] {
  return {
    transform,
    range,
    vignette: vignetteForJson(pre),
    blur: pre.blur && { size: pre.blur.size, sigma: pre.blur.sigma },
    quantization,
  };
}

export function isCorrect(label: number | null, predicted: number | null): boolean | null {
  return label === null ? null : predicted === label;
}

/** To a tenth of a millisecond: more digits would only be noise. */
export function roundMs({ boundMs, samplingMs }: Spent): Certificate['ms'] {
  return { bound: Math.round(10 * boundMs) / 10, sampling: Math.round(10 * samplingMs) / 10 };
}

export function buildCertificate(
  outcome: BaseOutcome | DistDOutcome | DistXOutcome | IndivOutcome | SweepOutcome,
  plan: Plan,
  pipeline: Pipeline,
  provenance: Provenance,
): Certificate {
  const { choice, ledger, method } = outcome;
  const predicted = outcome.radius === null ? null : choice.classIndex;
  const { transform } = pipeline;
  const { index, label, model, image, shaders, adapter, provider, versions, recovered } = provenance;
  const { confidence, sigmaEps } = plan;
  const { latticeBits: lattice } = noiseOf(plan, image.shape);
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
    guarantee: guaranteeOf({ ...outcome, confidence, predicted, pipeline, lattice }),
    abstention: outcome.abstention,
    confidence,
  };
  const tail = {
    pipeline: pipelineForJson(pipeline),
    lattice,
    seed: seedForJson(plan),
    streams: streamsOf(method),
    model,
    image,
    shaders,
    adapter,
    provider,
    versions,
    // Left out where nothing happened: certificates are then equal to those of any other such run.
    ...(recovered === undefined || recovered.length === 0 ? {} : { recovered }),
    samples: outcome.spent.samples,
    ms: roundMs(outcome.spent),
  };
  const { total, spent } = ledger.toJSON();
  if (method === 'sweep') {
    const { votes, classIndex } = choice;
    const { floor, maxSamples } = sweepLimits(plan, pipeline);
    return {
      ...head,
      method,
      interval: outcome.interval && copyOf(outcome.interval),
      ...claim,
      ledger: { total, alphaSweep: ledger.granted('alphaSweep'), spent: { ...spent } },
      counts: { n0: choice.samples, votes, classIndex },
      sigmaEps,
      plan: { nEps: plan.nEps, floor, maxSamples },
      extraError: outcome.extraError,
      roots: outcome.roots && [...outcome.roots],
      look: SWEEP_LOOK,
      slices: outcome.slices.map(({ root, path, center, M, E, p0, alpha, k, n, passed, ...box }) => ({
        ...{ root, path },
        ...copyOf(box),
        ...{ center: [...center], M, E, p0, alpha, k, n, passed },
      })),
      breaks: outcome.breaks.map(({ gamma, k, n, rival, rivalCount, kind, ...box }) => ({
        ...copyOf(box),
        ...{ gamma: [...gamma], k, n, rival, rivalCount, kind },
      })),
      ...tail,
    };
  }
  const { n0, nGamma, nEps, inner, nChooseE, nTestE, radiusRule } = plan;
  const counts = {
    n0: choice.n0,
    nChoice: choice.samples,
    votes: choice.votes,
    classIndex: choice.classIndex,
    nGamma,
    kGamma: outcome.kGamma,
  };
  const drawn = {
    pABar: outcome.pABar,
    cutAtRange: outcome.cutAtRange,
    plan: { n0, nGamma, nEps, inner, nChooseE, nTestE, radiusRule },
    sigmaGamma: plan.sigmaGamma,
  };
  const alphaGamma = ledger.granted('alphaGamma');
  if (method === 'base') {
    return {
      ...head,
      method,
      ...claim,
      ledger: { total, alphaGamma, spent: { ...spent } },
      counts: { ...counts, inner: [] },
      bound: null,
      test: null,
      sigmaEps: null,
      ...drawn,
      ...tail,
    };
  }
  const [alphaEps, alphaE] = [ledger.granted('alphaEps'), ledger.granted('alphaE')];
  const ofG = {
    ...claim,
    ledger: { total, alphaGamma, alphaEps, alphaE, spent: { ...spent } },
    counts: { ...counts, inner: outcome.inner.map(({ k, n, accepted }) => ({ k, n, accepted })) },
    test: outcome.test,
    sigmaEps,
  };
  if (method === 'dist-d') {
    const { bound } = outcome;
    return {
      ...{ ...head, method, ...ofG, ...drawn },
      ...{ bound: { ...bound, calibration: { ...bound.calibration } } },
      ...{ plan: { n0, nGamma, nEps, inner, radiusRule }, ...tail },
    };
  }
  const { bound } = outcome;
  if (method === 'dist-x') return { ...head, method, ...ofG, bound, ...drawn, ...tail };
  const { inverse } = outcome;
  return {
    ...{ ...head, method, ...ofG, bound, ...drawn },
    plan: { ...drawn.plan, radiusRule: 'paper', ...indivLimits(plan, transform) },
    attack: { halfStep: attackHalfStep(pipeline) },
    inverse: inverse && { ...inverse, left: copyOf(inverse.left) },
    ...tail,
  };
}

function copyOf({ lower, upper }: ParameterBox): { lower: number[]; upper: number[] } {
  return { lower: [...lower], upper: [...upper] };
}
