/**
 * Is a certificate what drawing it again gives? What `verifyCertificate` cannot see (counts that were never drawn, a
 * bound that was never computed) shows here. Knows no method: whatever a certificate says is compared. The drawing
 * itself is `Certifier.certify`, with `replayInputs`.
 */

import { type ImageShape, wgslSha256 } from '@turnproof/shaders';
import type { BoundMethod } from '../bounds/index.ts';
import { type Adaptation, adaptationWords, type Preparation } from '../classifier/adaptation.ts';
import type { ModelInfo } from '../classifier/model.ts';
import type { Pipeline } from '../pipeline.ts';
import type { Plan } from '../plan.ts';
import { type Problem, pipelineOf } from './audit.ts';
import { Comparison, type Differences } from './comparison.ts';
import { compareElsewhere } from './replay-elsewhere.ts';
import type { Certificate } from './schema.ts';

/** For what a method's certificates do not say, because the method does not use it. */
const UNUSED = {
  sigmaGamma: 1,
  sigmaEps: 1,
  nGamma: 1,
  n0: 1,
  nEps: 1,
  inner: 'sequential',
  nChooseE: 1,
  nTestE: 1,
  radiusRule: 'tight',
} as const;

/** The part of its plan that a certificate states. */
export function statedPlan(
  certificate: Certificate,
): Partial<Plan> & Pick<Plan, 'method' | 'confidence' | 'seed'> {
  const { plan, method, confidence, seed } = certificate;
  return {
    ...plan,
    ...('sigmaGamma' in certificate ? { sigmaGamma: certificate.sigmaGamma } : {}),
    ...(certificate.sigmaEps === null ? {} : { sigmaEps: certificate.sigmaEps }),
    ...(certificate.method === 'dist-d' ? { calibration: certificate.bound.calibration } : {}),
    ...{ method, confidence, seed: BigInt(seed) },
  };
}

/** What a certificate says it was made with. The batch is free: nothing depends on it. */
export function replayInputs(certificate: Certificate): {
  readonly plan: Plan;
  readonly pipeline: Pipeline;
  readonly shape: ImageShape;
  readonly boundMethod: BoundMethod;
} {
  return {
    plan: { ...UNUSED, ...statedPlan(certificate), batch: 'auto' },
    pipeline: pipelineOf(certificate),
    shape: certificate.image.shape,
    boundMethod: (certificate.method === 'dist-x' && certificate.bound?.method) || 'auto',
  };
}

/** How a certificate's model was prepared: with it the same file becomes the same classifier again. */
export function replayPreparation({ model: { adapted = {} } }: Certificate): Preparation {
  const { mean, std, layout, output, batch } = adapted;
  return {
    order: layout ?? 'nchw',
    batch: batch ?? 'kept',
    ...(mean ? { mean } : {}),
    ...(std ? { std } : {}),
    ...(output === undefined ? {} : { output }),
  };
}

/** What must be the same before drawing again means anything: model, image, kernels. */
export function replayObstacles(
  { model, image, shaders, versions, lattice }: Certificate,
  here: {
    readonly model: {
      readonly sha256: string;
      readonly externalData?: ModelInfo['externalData'] | undefined;
      readonly adapted?: Adaptation | undefined;
    };
    readonly image: string;
    readonly shape: ImageShape;
  },
): Problem[] {
  const problems: Problem[] = [];
  if (lattice === undefined) {
    const message = 'is missing: the noise was of float32 numbers, another than is drawn now';
    problems.push({ field: 'lattice', message });
  }
  const same = (field: string, stated: string, found: string, what: string) => {
    if (stated !== found) problems.push({ field, message: `says ${stated}, but ${what} is ${found}` });
  };
  const words = ({ channels, height, width }: ImageShape) => `${channels} x ${height} x ${width}`;
  same('model.sha256', model.sha256, here.model.sha256, 'that of the model given');
  const weights = (files: ModelInfo['externalData'] = []) =>
    files.map(({ file, sha256 }) => `${file} ${sha256}`);
  const none = 'none';
  const listed = (words: readonly string[]) => words.join('; ') || none;
  const external = [listed(weights(model.externalData)), listed(weights(here.model.externalData))] as const;
  same('model.externalData', ...external, 'those beside the model given are');
  const adapted = ({ adapted = {} }: { readonly adapted?: Adaptation | undefined }) =>
    listed(adaptationWords(adapted));
  same('model.adapted', adapted(model), adapted(here.model), 'what was done to the model given');
  same('image.shape', words(image.shape), words(here.shape), 'that of the data given');
  same('image.sha256', image.sha256, here.image, 'that of the image given');
  same(
    'shaders.sha256',
    shaders.sha256,
    wgslSha256,
    `the certificate is of version ${versions.turnproof}, and that of the kernels here`,
  );
  return problems;
}

export interface ReplayComparison extends Differences {
  /** Null: made on a machine like this one, so all had to be equal. Else why it was not, as the certificate says. */
  readonly loose: string | null;
}

/** Times, and what names the machine or a place on it. */
const CIRCUMSTANCES = new Set(['ms', 'adapter', 'provider', 'versions', 'model.file', 'recovered']);

/**
 * A certificate beside the same one drawn again. Whether it was made on a machine like this one is known from its own
 * words alone, so saying that it was not must be of no use to a forger: it is then never found equal, and may claim no
 * more than the differences explain that rounding makes (`compareElsewhere`).
 */
export function compareReplay(stated: Certificate, again: Certificate): ReplayComparison {
  const loose = whyLoose(stated, again);
  if (loose !== null) return { loose, ...compareElsewhere(stated, again, CIRCUMSTANCES) };
  const comparison = new Comparison({ skips: (field) => CIRCUMSTANCES.has(field), allowed: () => 0 });
  comparison.compare(stated, again);
  return { loose, ...comparison.result() };
}

function whyLoose(stated: Certificate, again: Certificate): string | null {
  const pairs: [string, string, string][] = [
    ['adapter class', stated.adapter.adapterClass, again.adapter.adapterClass],
    ['provider', stated.provider, again.provider],
    ['onnxruntime-web', stated.versions['onnxruntime-web'], again.versions['onnxruntime-web']],
    ['webgpu', stated.versions.webgpu, again.versions.webgpu],
  ];
  const other = pairs.find(([, there, here]) => there !== here);
  return other ? `${other[0]} ${other[1]} there, ${other[2]} here` : null;
}
