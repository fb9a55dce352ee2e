/** What counts allow a certificate of a method that draws β to claim. Sweep's claims are intervals: verify-sweep.ts. */
import { baseClaim, type Claim, distXClaim } from '../methods/claims.ts';
import { ledgerFor } from '../plan.ts';
import type { BaseCertificate, DistDCertificate, DistXCertificate, IndivCertificate } from './schema.ts';
import { indivClaimOf } from './verify-indiv.ts';

export type DrawnCertificate = BaseCertificate | DistDCertificate | DistXCertificate | IndivCertificate;

/**
 * By the certificate's own method, plan and range.
 *
 * @param counted β that had the class, and ρ_E, which base does not ask for
 */
export function claimOf(
  certificate: DrawnCertificate,
  { kGamma, rhoE }: { readonly kGamma: number; readonly rhoE: number },
): Claim {
  const { counts, sigmaGamma, pipeline, plan } = certificate;
  const alphaGamma = ledgerFor(certificate).granted('alphaGamma');
  const given = { kGamma, nGamma: counts.nGamma, alphaGamma, sigmaGamma, range: pipeline.range };
  if (certificate.sigmaEps === null) return baseClaim(given);
  const ofG = { ...given, rhoE, radiusRule: plan.radiusRule };
  return 'inverse' in certificate ? indivClaimOf(certificate, ofG) : distXClaim(ofG);
}
