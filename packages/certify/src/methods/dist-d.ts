/**
 * Dist-D: a certificate for an image of a distribution for which E and ρ_E were calibrated once; nothing is bounded for
 * the image itself.
 */
import { TurnproofError } from '@turnproof/core';
import { addUp } from '../statistics/index.ts';
import { certifyWithError } from './dist-x.ts';
import type { CalibratedError, DistDContext, DistDOutcome, SampledImage } from './method.ts';

/**
 * CERTIFY with T_β and noise, g and h as for dist-x (Fischer, Baader, Vechev, NeurIPS 2020, section 6: DistSPT_D).
 *
 * **Theorem.** The calibration says: P_x(good(x)) >= q_E, where good(x): P_β(max over γ in Γ of ε(β, γ, x) > E) <= ρ_E;
 * that is wrong with probability at most α_E, once for all images that are certified with it. If x is good, then with
 * probability at least 1 - (α_γ + α_ε) the theorem of `certifyDistX` holds for it: E and ρ_E are fixed beforehand, and
 * the β that choose the class, the β that certify and their noise are drawn for x alone. Together: except with
 * probability α_γ + α_ε + α_E, what is certified for an image drawn from the distribution is right with probability at
 * least q_E over that image. (Over all that are drawn: among those that happen to be certified the share of good ones may
 * be another, and nothing is said of it.)
 *
 * The image must not be one of the calibration's: E was chosen or tested by those, so «drawn afterwards» is not true of
 * them (the command line refuses them by their hashes). With a calibration of sampled errors nothing is guaranteed on Γ.
 */
export async function certifyDistD(context: DistDContext, image: SampledImage): Promise<DistDOutcome> {
  const { plan, extraError } = context;
  const { calibration } = plan;
  if (!calibration) throw new TurnproofError('internal', 'dist-d without a calibration');
  const bound: CalibratedError = {
    E: addUp(calibration.E, extraError),
    tested: calibration.E,
    extraError,
    rhoE: calibration.rhoE,
    calibration,
  };
  const outcome = await certifyWithError(context, image, {
    rhoAtBest: () => calibration.rhoE,
    find: async (_, ledger) => {
      ledger.spend('alphaE', calibration.alpha);
      return bound;
    },
  });
  // Also where the method stopped before it looked: the certificate names its calibration in any case.
  return { method: 'dist-d', ...outcome, bound };
}
