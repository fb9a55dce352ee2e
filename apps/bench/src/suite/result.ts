/**
 * The file that a run of the suite leaves and that both hosts read: its form, checked on the way in.
 */
import { badInput } from '@turnproof/core';
import { z } from 'zod';

export const FORMAT = 'turnproof-bench/1';

const figure = z.number().nonnegative();
const summary = z.object({ min: figure, median: z.number().positive(), p95: figure, spread: figure });

const shares = z.object({
  wallMs: z.number().positive(),
  kernels: figure,
  ort: figure,
  submit: figure,
  rest: z.number().min(-1e-9),
});

const measurement = z.object({
  name: z.string().min(1),
  kind: z.enum(['kernel', 'roof', 'pipeline', 'baseline']),
  /** Name of the WGSL whose dispatch was timed. */
  kernel: z.string().nullable(),
  unit: z.string(),
  work: z.number().positive(),
  bytes: figure.nullable(),
  operations: figure.nullable(),
  repeats: z.number().int().positive(),
  warmUpMs: figure,
  /** `cpu`: no GPU clock, or several dispatches and what lies between them. */
  clock: z.enum(['gpu', 'cpu']),
  /** Milliseconds of one run. */
  gpuMs: summary.nullable(),
  wallMs: summary,
  perSecond: z.number().positive(),
  gigabytesPerSecond: figure.nullable(),
  gigaopsPerSecond: figure.nullable(),
  shares: shares.nullable(),
  warnings: z.array(z.string()),
});

const timeline = z.object({
  name: z.string(),
  shares,
  /** Milliseconds since the run began. */
  events: z.array(
    z.object({
      lane: z.enum(['submit', 'gpu', 'ort']),
      label: z.string(),
      start: z.number(),
      end: z.number(),
    }),
  ),
});

const circumstances = z.object({
  /** As the driver names itself. */
  adapter: z.string(),
  driver: z.string(),
  adapterKind: z.enum(['hardware', 'software']),
  /** Such as «node 22.23.3» or a browser's name. */
  runtime: z.string(),
  /** Such as «linux-x64». */
  platform: z.string(),
  /** Processors that the host counts. */
  cores: z.number().int().positive(),
  /** The commit measured; null outside a git checkout. */
  commit: z.string().nullable(),
  /** True where files differ from the commit, so that it does not name what was measured. */
  modified: z.boolean(),
  /** ISO 8601, UTC. */
  date: z.string(),
  /** The device's, as WebGPU names them. */
  limits: z.record(z.string(), z.number()),
  features: z.array(z.string()),
});

const shape = z.object({
  channels: z.number().int().positive(),
  height: z.number().int().positive(),
  width: z.number().int().positive(),
});

const outside = z.array(
  z.object({ name: z.string().min(1), command: z.string().min(1), figure: z.string().min(1) }),
);

const result = z.object({
  format: z.literal(FORMAT),
  circumstances,
  knobs: z.object({
    shapes: z.array(shape).min(1),
    batch: z.number().int().positive(),
    betas: z.number().int().positive(),
    boxes: z.number().int().positive(),
  }),
  roofs: z.object({ gigabytesPerSecond: z.number().positive(), gigaopsPerSecond: z.number().positive() }),
  /** Nanoseconds between the GPU clock's readings; null without one. */
  clockStep: z.number().nullable(),
  measurements: z.array(measurement),
  timelines: z.array(timeline),
  /** What others measured: other programs, other machines. */
  outside,
});

export type Summaries = z.infer<typeof summary>;
export type Measurement = z.infer<typeof measurement>;
export type Timeline = z.infer<typeof timeline>;
export type Circumstances = z.infer<typeof circumstances>;
export type Outside = z.infer<typeof outside>;
export type Result = z.infer<typeof result>;

/** @throws TurnproofError `bad-input`: no JSON, or JSON of another form; says where. */
export function parseResult(name: string, text: string): Result {
  return parse(name, text, result, 'take a file that the bench wrote');
}

/** Measurements made elsewhere: a list of {name, command, figure}. @throws TurnproofError `bad-input` */
export function parseOutside(name: string, text: string): Outside {
  return parse(name, text, outside, 'write a list of {"name", "command", "figure"}, each a string');
}

function parse<T>(name: string, text: string, schema: z.ZodType<T>, fix: string): T {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw badInput(`${name} is not JSON: ${error instanceof Error ? error.message : String(error)}`, fix);
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const place = issue && issue.path.length > 0 ? ` at ${issue.path.map(String).join('.')}` : '';
  throw badInput(
    `${name} is no result of the bench${place}: ${issue?.message ?? 'it has another form'}`,
    fix,
  );
}
