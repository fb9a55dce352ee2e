/** What a run was asked for, as its config.json says, in the terms of what certificates repeat of it. */
import { join } from 'node:path';
import { type Asked, calibrationSummary, modelSchema } from '@turnproof/certify';
import { badInput } from '@turnproof/core';
import { z } from 'zod';
import { CONFIG, type RunConfig } from './run-config.ts';

const asked = z.object({
  plan: z.object({
    method: z.enum(['base', 'dist-x', 'dist-d', 'indiv', 'sweep']),
    sigmaGamma: z.number(),
    sigmaEps: z.number(),
    confidence: z.number(),
    nGamma: z.number(),
    n0: z.number(),
    nEps: z.number(),
    inner: z.enum(['sequential', 'fixed']),
    nChooseE: z.number(),
    nTestE: z.number(),
    radiusRule: z.enum(['tight', 'paper']),
    seed: z
      .string()
      .regex(/^[0-9]{1,20}$/)
      .transform(BigInt),
    batch: z.union([z.number(), z.literal('auto')]),
    floor: z.number().exactOptional(),
    maxSamples: z.number().exactOptional(),
    calibration: calibrationSummary.exactOptional(),
    refinements: z.number().exactOptional(),
    boxes: z.number().exactOptional(),
  }),
  pipeline: z.object({
    transform: z.enum(['rotation', 'translation']),
    range: z.number(),
    pre: z.object({
      vignette: z.union([
        z.object({ kind: z.literal('none') }),
        z.object({ kind: z.enum(['circle', 'rect']), offset: z.number() }),
      ]),
      blur: z.object({ size: z.number(), sigma: z.number() }).nullable(),
    }),
    quantization: z.enum(['none', 'u8']),
  }),
  bound: z.enum(['auto', 'interval', 'chord', 'exact']),
  model: modelSchema.extend({ classes: z.int().min(1).exactOptional() }),
  shaders: z.object({ sha256: z.string() }),
  version: z.string(),
});

/** @throws TurnproofError `bad-input` for a configuration that lacks what certificates repeat */
export function askedOf(folder: string, config: RunConfig): Asked {
  const parsed = asked.safeParse(config);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw badInput(
    `${join(folder, CONFIG)}: ${issue?.path.join('.')}: ${issue?.message}`,
    'Restore the file that turnproof certify has written.',
  );
}
