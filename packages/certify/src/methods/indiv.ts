/**
 * Indiv: a certificate for the image that an attacked file was made from, given that file alone.
 */
import { TurnproofError } from '@turnproof/core';
import type { ParameterBox } from '@turnproof/shaders';
import { indivLimits } from '../plan.ts';
import { farthestOf, indivClaim, rhoUpper } from './claims.ts';
import { boundError, certifyWithError } from './dist-x.ts';
import type { IndivContext, IndivOutcome, InverseFound, SampledImage } from './method.ts';

/**
 * CERTIFY for what cannot be seen. h and g as in `certifyDistX`. Given is x' alone, with |x' - T_γ x| <= s at every pixel for
 * an unknown γ in Γ and an unknown image x in [0, 1]^n; s is half a step of the attacker's rounding (`attackHalfStep`).
 *
 * **Theorem.** Let Γ be covered by sub-boxes Γ_k, and let each interval image X_k hold every image x with |x' - T_γ x| <= s
 * for a γ in Γ_k. Let ε(β) = max over k, X in X_k, γ in Γ_k of || pre(T_β x') - pre(T_(β+γ) X) ||₂. If P_β(ε(β) <= E) >=
 * 1 - ρ_E, and with probability at least p over β the smoothed h answers c at T_β x' with an l2 radius above E, then
 * g(x) = c for every such x and γ with ||γ||₂ < r = σ_γ Φ⁻¹(p - ρ_E).
 *
 * *Proof.* γ lies in a Γ_k, so x in X_k, so || pre(T_β x') - pre(T_(β+γ) x) ||₂ <= ε(β). With probability at least p - ρ_E
 * both hold, ε(β) <= E and h's radius at T_β x' is above E; then h(T_(β+γ) x) = c. So P_β(h(T_(β+γ) x) = c) >= p - ρ_E,
 * and shifting the Gaussian by -γ leaves P_β(h(T_β x) = c) >= Φ(Φ⁻¹(p - ρ_E) - ||γ||₂ / σ_γ), above 1/2 for ||γ||₂ < r. ∎
 * (ρ_E comes off before the shift here: the counts are of T_β x', whose errors are what E bounds. Dist-x counts at T_β x and
 * errs after the shift, which is why its larger radius does not carry over.) The attacker's rounding is in X_k, and x' is
 * seen as it is: it adds nothing to E, the sampler's own float32 error alone does.
 *
 * A Γ_k with an empty X_k is refuted: γ is not in it, so the maximum and ||γ||₂ are over the others only. (The one around 0
 * never is: x' = T_0 x'.) Hence, if r exceeds
 * the norm of every γ that is left, the claim holds for all of Γ (`cutAtRange`), else for ||γ||₂ <= the radius.
 *
 * With probability at least 1 - (α_γ + α_ε + α_E), if this returns a class and a radius, the claim holds: the draws, their
 * purposes and their shares of α are those of `certifyDistX`. X_k and ε(β) are bounds, not estimates.
 */
export async function certifyIndiv(context: IndivContext, image: SampledImage): Promise<IndivOutcome> {
  const { inverter, onProgress } = context;
  // The paper's rule is the only one that holds here; E is chosen for it.
  const plan = { ...context.plan, radiusRule: 'paper' } as const;
  const { boxes: total } = indivLimits(plan, context.pipeline.transform);
  let inverse: InverseFound | null = null;
  const outcome = await certifyWithError({ ...context, plan }, image, {
    rhoAtBest: ({ alphaE }) => rhoUpper(plan.nTestE, plan.nTestE, alphaE),
    find: async (vote, ledger, alphas) => {
      onProgress?.({ image: image.index, stage: 'invert', done: 0, total });
      const preimages = await inverter.narrow(image.pixels);
      onProgress?.({ image: image.index, stage: 'invert', done: total, total });
      const left = hullOf(preimages.boxes);
      inverse = { tried: preimages.tried, kept: preimages.boxes.length, left };
      const bounded = { ...context, plan, bounder: inverter.over(preimages) };
      return boundError(bounded, image, vote, ledger, alphas, farthestOf(left));
    },
    claim: (counts) => {
      if (!inverse) throw new TurnproofError('internal', 'a claim of indiv without its inverse');
      return indivClaim({ ...counts, left: inverse.left });
    },
  });
  return { method: 'indiv', ...outcome, inverse };
}

/** The smallest box around some, of which there is at least one. */
function hullOf(boxes: readonly ParameterBox[]): ParameterBox {
  const axes = boxes[0]?.lower.map((_, axis) => axis) ?? [];
  return {
    lower: axes.map((axis) => Math.min(...boxes.map(({ lower }) => lower[axis] ?? Number.NaN))),
    upper: axes.map((axis) => Math.max(...boxes.map(({ upper }) => upper[axis] ?? Number.NaN))),
  };
}
