/**
 * Is a certificate what drawing it again gives? What `verifyCertificate` cannot see (counts that were never drawn, a
 * bound that was never computed) shows here. Knows no method: whatever a certificate says is compared, but for what a
 * machine decides. The drawing itself is `Certifier.certify`, with `replayInputs`.
 */

import { type ImageShape, wgslSha256 } from '@turnproof/shaders';
import type { BoundMethod } from '../bounds/index.ts';
import { type Adaptation, adaptationWords, type Preparation } from '../classifier/adaptation.ts';
import type { ModelInfo } from '../classifier/model.ts';
import type { Pipeline } from '../pipeline.ts';
import type { Plan } from '../plan.ts';
import { type Problem, pipelineOf } from './audit.ts';
import type { Certificate } from './schema.ts';
import { fieldName } from './verify.ts';

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

/** What a certificate says it was made with. The batch is free: nothing depends on it. */
export function replayInputs(certificate: Certificate): {
  readonly plan: Plan;
  readonly pipeline: Pipeline;
  readonly shape: ImageShape;
  readonly boundMethod: BoundMethod;
} {
  const { plan, method, confidence, seed, image } = certificate;
  const deviations = {
    ...('sigmaGamma' in certificate ? { sigmaGamma: certificate.sigmaGamma } : {}),
    ...(certificate.sigmaEps === null ? {} : { sigmaEps: certificate.sigmaEps }),
    ...(certificate.method === 'dist-d' ? { calibration: certificate.bound.calibration } : {}),
  };
  return {
    plan: { ...UNUSED, ...plan, ...deviations, method, confidence, seed: BigInt(seed), batch: 'auto' },
    pipeline: pipelineOf(certificate),
    shape: image.shape,
    boundMethod: (certificate.method === 'dist-x' && certificate.bound?.method) || 'auto',
  };
}

/** How a certificate's model was prepared: with it the same file becomes the same classifier again. */
export function replayPreparation({ model: { adapted = {} } }: Certificate): Preparation {
  const { mean, std, layout, output } = adapted;
  return {
    order: layout ?? 'nchw',
    ...(mean ? { mean } : {}),
    ...(std ? { std } : {}),
    ...(output === undefined ? {} : { output }),
  };
}

/** What must be the same before drawing again means anything: model, image, kernels. */
export function replayObstacles(
  { model, image, shaders, versions }: Certificate,
  here: {
    readonly model: Pick<ModelInfo, 'sha256' | 'externalData' | 'adapted'>;
    readonly image: string;
    readonly shape: ImageShape;
  },
): Problem[] {
  const problems: Problem[] = [];
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

export interface ReplayComparison {
  /** Null: drawn on the same class of adapter, so all had to be equal. Else why some distance is allowed. */
  readonly loose: string | null;
  readonly problems: readonly Problem[];
  /** Numbers and verdicts that differ, within what is allowed or not. */
  readonly differences: number;
  /** The largest of them, relative to the larger number; null where none differs. */
  readonly largest: { readonly field: string; readonly relative: number } | null;
}

/** Times, and what names the machine or a place on it. */
const CIRCUMSTANCES = new Set(['ms', 'adapter', 'provider', 'versions', 'model.file', 'recovered']);
/** What is counted or measured: elsewhere it may differ a little. All else is said beforehand and the same anywhere. */
const MEASURED = /^((counts|bound|test|inverse)\.(?!classIndex$|calibration\.)|slices\[\d+\]\.(M|E|p0)$)/;
/**
 * Elsewhere these may differ as the counts do: `verifyCertificate` derives them from the counts. (Breaks claim nothing:
 * they say where to look.)
 */
const DERIVED = new Set([
  'guarantee',
  'abstention',
  'radius',
  'pABar',
  'cutAtRange',
  'samples',
  'ledger.spent',
  'interval',
  'breaks',
]);

/** Elsewhere, numbers (E, thresholds) may differ by this share: bounds are refined to 5 % of what is found. */
const SHARE = 0.05;
/** Elsewhere, so many of all verdicts may differ: those whose evidence ends beside a threshold. */
const VERDICTS = 0.02;

/**
 * Elsewhere, so many of n samples may change sides. Two sound classifiers' logits differ by 1e-4 of the largest at most
 * (`PARITY_TOLERANCE`), so only samples whose two largest logits are within 2e-4 can: half a percent of all is 25 times
 * what that would be if margins were spread evenly over the logits' range. 2 more, for small n.
 */
const flipsAllowed = (n: number): number => 2 + Math.floor(0.005 * n);

export function compareReplay(stated: Certificate, again: Certificate): ReplayComparison {
  const loose = whyLoose(stated, again);
  const comparison = new Comparison(loose !== null);
  comparison.compare([], toJson(stated), toJson(again));
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

type Json = string | number | boolean | null | Json[] | { readonly [key: string]: Json };

/** As it stands in a file. */
function toJson(certificate: Certificate): Json {
  return JSON.parse(JSON.stringify(certificate));
}

interface Test {
  readonly k: number;
  readonly n: number;
}

/** k of n samples, with a verdict perhaps, whatever a method calls it. */
function isTest(value: Json | undefined): value is Json & Test {
  return (
    typeof value === 'object' &&
    value !== null &&
    'k' in value &&
    'n' in value &&
    typeof value.k === 'number' &&
    typeof value.n === 'number'
  );
}

class Comparison {
  readonly #loose: boolean;
  readonly #problems: Problem[] = [];
  #differences = 0;
  #largest: ReplayComparison['largest'] = null;
  #verdicts = 0;
  #turned: Problem[] = [];

  constructor(loose: boolean) {
    this.#loose = loose;
  }

  result(): Omit<ReplayComparison, 'loose'> {
    const tolerated = Math.max(1, Math.floor(VERDICTS * this.#verdicts));
    const turned = this.#turned.length > tolerated ? this.#turned : [];
    return {
      problems: [...this.#problems, ...turned],
      differences: this.#differences,
      largest: this.#largest,
    };
  }

  compare(path: readonly PropertyKey[], stated: Json | undefined, again: Json | undefined): void {
    const field = fieldName(path);
    if (CIRCUMSTANCES.has(field) || (this.#loose && DERIVED.has(field))) return;
    if (Array.isArray(stated) && Array.isArray(again)) {
      if (stated.length !== again.length) {
        this.#refuse(field, `has ${stated.length} entries, drawn again ${again.length}`);
      }
      const common = Math.min(stated.length, again.length);
      for (let i = 0; i < common; i++) this.compare([...path, i], stated[i], again[i]);
    } else if (isRecord(stated) && isRecord(again)) {
      const tests = this.#loose && isTest(stated) && isTest(again);
      if (tests) this.#compareTests(field, stated, again);
      for (const key of new Set([...Object.keys(stated), ...Object.keys(again)])) {
        if (tests && (key === 'k' || key === 'n')) continue;
        const verdict = tests && typeof stated[key] === 'boolean' && typeof again[key] === 'boolean';
        if (verdict) this.#compareVerdicts(fieldName([...path, key]), stated[key], again[key]);
        else this.compare([...path, key], stated[key], again[key]);
      }
    } else if (stated !== again) this.#compareLeaves(field, stated, again);
  }

  #compareLeaves(field: string, stated: Json | undefined, again: Json | undefined): void {
    const message = `says ${JSON.stringify(stated)}, drawn again it is ${JSON.stringify(again)}`;
    if (typeof stated !== 'number' || typeof again !== 'number') {
      this.#refuse(field, message);
      return;
    }
    this.#note(field, stated, again);
    const larger = Math.max(Math.abs(stated), Math.abs(again));
    const allowed = SHARE * larger + (Number.isInteger(stated) && Number.isInteger(again) ? 2 : 0);
    if (this.#loose && MEASURED.test(field) && Math.abs(stated - again) <= allowed) return;
    this.#problems.push({ field, message });
  }

  /** The samples of one are the first of the other's. */
  #compareTests(field: string, stated: Test, again: Test): void {
    this.#note(`${field}.k`, stated.k, again.k);
    this.#note(`${field}.n`, stated.n, again.n);
    const [short, long] = stated.n <= again.n ? [stated, again] : [again, stated];
    const flips = flipsAllowed(long.n);
    if (long.k >= short.k - flips && long.k <= short.k + (long.n - short.n) + flips) return;
    const message = `says ${stated.k} of ${stated.n}, drawn again it is ${again.k} of ${again.n}`;
    this.#problems.push({ field: `${field}.k`, message: `${message}; ${flips} may change sides` });
  }

  #compareVerdicts(field: string, stated: Json | undefined, again: Json | undefined): void {
    this.#verdicts += 1;
    if (stated === again) return;
    this.#differences += 1;
    this.#turned.push({ field, message: `says ${stated}, drawn again it is ${again}, as others are` });
  }

  #note(field: string, stated: number, again: number): void {
    if (stated === again) return;
    this.#differences += 1;
    const relative = Math.abs(stated - again) / Math.max(Math.abs(stated), Math.abs(again));
    if (this.#largest === null || relative > this.#largest.relative) this.#largest = { field, relative };
  }

  #refuse(field: string, message: string): void {
    this.#differences += 1;
    this.#problems.push({ field, message });
  }
}

function isRecord(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
