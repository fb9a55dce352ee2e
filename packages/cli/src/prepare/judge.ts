/** How a calibration judges β: on the GPU, by bounds over all of Γ or by errors at some γ. */
import {
  type BoundMethod,
  type ErrorJudge,
  openBounder,
  type Pipeline,
  SampledErrors,
  Streams,
} from '@turnproof/certify';
import { spotFor } from '@turnproof/certify/bounds';
import type { Gpu } from '@turnproof/core';
import type { Shape } from '../data/index.ts';

export interface JudgeChoice {
  readonly errors: ErrorJudge['errors'];
  readonly seed: bigint;
  readonly sigmaGamma: number;
  /** γ of each β, where errors are sampled. */
  readonly nGammas: number;
}

export async function openJudge(
  gpu: Gpu,
  shape: Shape,
  pipeline: Pipeline,
  { errors, seed, sigmaGamma, nGammas }: JudgeChoice,
  method: BoundMethod,
): Promise<ErrorJudge & { close(): void }> {
  const betas = new Streams(seed, pipeline.transform, sigmaGamma);
  const spotOf = (image: number) => spotFor(shape, betas.wholes(image, 'spotCheck'));
  if (errors === 'sampled') {
    const sampled = await SampledErrors.open(gpu, { shape, pipeline });
    return { errors, sampled, betas, spotOf, nGammas, range: pipeline.range, close: () => sampled.close() };
  }
  const bounder = await openBounder(gpu, { shape, pipeline, method });
  return { errors, bounder, betas, spotOf, close: () => bounder.close() };
}
