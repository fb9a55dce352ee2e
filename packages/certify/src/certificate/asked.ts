/**
 * A certificate against what its run was asked for: a line of another run, or one that says of itself what the run was
 * not, is found here. Not for whether it follows from its counts: that is `verifyCertificate`.
 */
import { type BoundMethod, boundMethodFor } from '../bounds/index.ts';
import { type Adaptation, adaptationWords } from '../classifier/adaptation.ts';
import type { Pipeline } from '../pipeline.ts';
import type { Plan } from '../plan.ts';
import type { Problem } from './audit.ts';
import { pipelineForJson } from './build.ts';
import { statedPlan } from './replay.ts';
import type { Certificate } from './schema.ts';

/** What a run was asked for, as far as its certificates repeat it. */
export interface Asked {
  readonly plan: Plan;
  readonly pipeline: Pipeline;
  readonly bound: BoundMethod;
  readonly model: {
    readonly sha256: string;
    readonly externalData?: Certificate['model']['externalData'];
    readonly adapted?: Adaptation | undefined;
    /** Undefined: not known. */
    readonly classes?: number | undefined;
  };
  readonly shaders: { readonly sha256: string };
  /** Of turnproof. */
  readonly version: string;
}

/** Where nobody asked for them, they are defaults of the version; nothing that is claimed rests on them. */
const DEFAULTED: ReadonlySet<string> = new Set(['floor', 'maxSamples', 'refinements', 'boxes']);

/** What a certificate says otherwise than its run; none: it may be one of that run's. */
export function contradictions(certificate: Certificate, asked: Asked): Problem[] {
  const problems: Problem[] = [];
  const same = (field: string, stated: unknown, wanted: unknown): void => {
    const [there, here] = [JSON.stringify(stated), JSON.stringify(wanted)];
    if (there !== here) problems.push({ field, message: `says ${there}, but the run was asked for ${here}` });
  };
  const { transform } = asked.pipeline;
  const wanted: Partial<Plan> = asked.plan;
  for (const [name, value] of Object.entries(statedPlan(certificate))) {
    if (wanted[name as keyof Plan] === undefined && DEFAULTED.has(name)) continue;
    const at = name === 'calibration' ? 'bound.calibration' : name in certificate ? name : `plan.${name}`;
    same(at, plain(value), plain(wanted[name as keyof Plan]));
  }
  const pipeline = pipelineForJson(asked.pipeline);
  for (const [name, value] of Object.entries(certificate.pipeline))
    same(`pipeline.${name}`, value, pipeline[name as keyof typeof pipeline]);
  // Of indiv the bound is not chosen.
  if (certificate.method === 'dist-x' && certificate.bound !== null)
    same('bound.method', certificate.bound.method, boundMethodFor(asked.bound, transform));
  const { model, shaders, versions } = certificate;
  same('model.sha256', model.sha256, asked.model.sha256);
  same('model.externalData', model.externalData ?? [], asked.model.externalData ?? []);
  same('model.adapted', adaptationWords(model.adapted ?? {}), adaptationWords(asked.model.adapted ?? {}));
  same('shaders.sha256', shaders.sha256, asked.shaders.sha256);
  same('versions.turnproof', versions.turnproof, asked.version);
  problems.push(...beyondClasses(certificate, asked.model.classes));
  return problems;
}

/** All 64 bits of a seed. */
function plain(value: unknown): unknown {
  return typeof value === 'bigint' || typeof value === 'number' ? String(value) : value;
}

function beyondClasses({ counts, ...rest }: Certificate, classes: number | undefined): Problem[] {
  if (classes === undefined) return [];
  const named: [string, number | null][] = [['counts.classIndex', counts.classIndex]];
  if ('breaks' in rest) rest.breaks.forEach(({ rival }, i) => void named.push([`breaks[${i}].rival`, rival]));
  return named.flatMap(([field, index]) =>
    index === null || index < classes
      ? []
      : [{ field, message: `says ${index}, but the model has ${classes} classes, from 0 on` }],
  );
}
