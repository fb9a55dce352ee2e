/**
 * What is Indiv's own in a certificate: the attacker's rounding, what is left of Γ, and the claim that follows. Not the
 * interval images: they follow from image and kernels, not from counts.
 */
import { dimensionsOf } from '@turnproof/shaders';
import { attackHalfStep } from '../bounds/attack-error.ts';
import { type Claim, type DistXCounts, indivClaim } from '../methods/claims.ts';
import type { Audit } from './audit.ts';
import type { IndivCertificate } from './schema.ts';

export function checkInverse(audit: Audit, certificate: IndivCertificate): void {
  const { attack, inverse, pipeline, bound, plan, counts } = certificate;
  audit.same('attack.halfStep', attack.halfStep, attackHalfStep(pipeline));
  audit.same('plan.radiusRule', plan.radiusRule, 'paper');
  if (bound !== null) audit.same('bound.method', bound.method, 'interval');
  if (inverse === null) {
    if (bound !== null || counts.inner.length > 0) audit.refuse('inverse', 'errors were bounded without it');
    return;
  }
  const { tried, kept, left } = inverse;
  audit.atMost('inverse.kept', kept, tried, 'those tried');
  if (kept === 0) audit.refuse('inverse.kept', 'says 0, but by γ = 0 every image gives itself');
  const { transform, range } = pipeline;
  const axes = dimensionsOf(transform);
  const ends = [...left.lower.map((a) => -a), ...left.upper];
  if (
    left.lower.length !== axes ||
    left.upper.length !== axes ||
    ends.some((end) => end < 0 || end > range)
  ) {
    audit.refuse('inverse.left', 'is no box around 0 within the range');
  }
}

export function indivClaimOf({ inverse }: IndivCertificate, counts: DistXCounts): Claim {
  // That there is no claim without an inverse is checked elsewhere.
  const everything = { lower: [Number.NEGATIVE_INFINITY], upper: [Number.POSITIVE_INFINITY] };
  return indivClaim({ ...counts, left: inverse?.left ?? everything });
}
