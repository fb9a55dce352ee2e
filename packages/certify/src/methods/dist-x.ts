/**
 * Dist-x: a certificate for one image whose undistorted version is at hand, with the interpolation error's distribution
 * measured for this very image.
 */
import { certifyG } from './certify-g.ts';
import { distXClaim } from './claims.ts';
import type { DistXContext, DistXOutcome, SampledImage } from './method.ts';

/**
 * CERTIFY with T_β and noise. b: base classifier, pre: preprocessing,
 *   h(z) = argmax_c P(b(pre(z) + n) = c), n ~ N(0, σ_ε² I);  g(x) = argmax_c P(h(T_β x) = c), β ~ N(0, σ_γ² I).
 *
 * **Theorem.** Let ε(β, γ, x) = || pre(T_β T_γ x) - pre(T_(β+γ) x) ||₂. If P_β(max over γ in Γ of ε <= E) >= 1 - ρ_E,
 * and with probability at least p over β the smoothed h answers c_A at T_β x with an l2 radius above E, then
 * g(T_γ x) = c_A for all γ in Γ with ||γ||₂ <= r = σ_γ (Φ⁻¹(p) - Φ⁻¹(1/2 + ρ_E)). (With `paper`:
 * r = σ_γ Φ⁻¹(p - ρ_E), Fischer, Baader, Vechev, NeurIPS 2020, theorem 3.2 and section 5.)
 *
 * With probability at least 1 - (α_γ + α_ε + α_E), if this returns a class and a radius, the claim holds:
 *   1. n0 β choose c_A; nChooseE β choose E. What they choose may be bad, never wrong.
 *   2. nTestE **other** β: ρ_E is the Clopper-Pearson upper bound of the share that exceeds E, wrong at most at α_E.
 *   3. E grows by the attacker's rounding and the sampler's own error.
 *   4. nGamma **other** β, each tested at α_ε / nGamma for P(b = c_A) > p₀ = Φ(E / σ_ε), which is: h answers c_A with
 *      radius above E. All accepted ones are right except at α_ε (union bound).
 *   5. p is the Clopper-Pearson lower bound of the accepted share, wrong at most at α_γ.
 * The radius is cut at the largest ball inside Γ, because ε is bounded for γ in Γ only, and rounded down.
 */
export async function certifyDistX(context: DistXContext, image: SampledImage): Promise<DistXOutcome> {
  const { bounder, extraError, pipeline } = context;
  const source = { bounder, extraError, reach: pipeline.range, claim: distXClaim };
  return { method: 'dist-x', ...(await certifyG(context, image, async () => source)) };
}
