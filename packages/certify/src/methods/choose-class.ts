/**
 * Which class is worth certifying: a vote. Its β and its noise are used for nothing else but to plan ahead, so whatever
 * it answers, later tests on fresh β are not touched by it.
 */
import type { Plan } from '../plan.ts';
import type { Purpose } from '../sampling/index.ts';
import type { ClassChoice, MethodContext, SampledImage } from './method.ts';

/** Noise samples for a vote of h: enough to tell its class, and to guess how large E may be. */
const CHOICE_SAMPLES = 128;

/** Noise samples of each choosing β. */
export function choiceSamples({ nEps }: Pick<Plan, 'nEps'>): number {
  return Math.min(CHOICE_SAMPLES, nEps);
}

export interface Vote {
  readonly choice: ClassChoice;
  /** Samples with the chosen class, for each of the n0 β. */
  readonly successes: readonly number[];
}

/**
 * Each of n0 β votes for its most frequent class; the class with most votes is chosen, by most samples among equals,
 * then by lowest index.
 *
 * @param sigma - Of the noise; 0 asks the base classifier once per β.
 */
export async function chooseClass(
  { sampler, betas, plan, onProgress }: MethodContext,
  image: SampledImage,
  purposes: { readonly betas: Purpose; readonly noise: Purpose },
  sigma: number,
): Promise<Vote> {
  const { n0 } = plan;
  const samples = sigma === 0 ? 1 : choiceSamples(plan);
  const drawn = betas.betas(image.index, purposes.betas, n0);
  onProgress?.({ image: image.index, stage: 'choose-class', done: 0, total: n0 });
  const counts = await sampler.countClasses(image, { betas: drawn, noise: purposes.noise, sigma, samples });
  onProgress?.({ image: image.index, stage: 'choose-class', done: n0, total: n0 });
  const { classes } = sampler;
  const votes = new Uint32Array(classes);
  const totals = new Float64Array(classes);
  for (let beta = 0; beta < n0; beta++) {
    const own = counts.subarray(beta * classes, (beta + 1) * classes);
    const top = own.reduce((best, count, c) => (count > (own[best] ?? 0) ? c : best), 0);
    // A β whose samples all had no class does not vote.
    if ((own[top] ?? 0) > 0) votes[top] = (votes[top] ?? 0) + 1;
    own.forEach((count, c) => {
      totals[c] = (totals[c] ?? 0) + count;
    });
  }
  const better = (a: number, b: number) =>
    votes[a] === votes[b] ? (totals[a] ?? 0) > (totals[b] ?? 0) : (votes[a] ?? 0) > (votes[b] ?? 0);
  const chosen = votes.reduce((best, _, c) => (better(c, best) ? c : best), 0);
  const won = votes[chosen] ?? 0;
  return {
    choice: { n0, samples, classIndex: won > 0 ? chosen : null, votes: won },
    successes: drawn.map((_, beta) => counts[beta * classes + chosen] ?? 0),
  };
}
