/**
 * Checks a certificate without trusting it and without a GPU: everything that follows from its counts is computed
 * again. Not a replay: that the counts themselves were drawn as stated shows only when they are drawn again.
 */
import { extraError, extraErrorOfGiven } from '../bounds/extra-error.ts';
import { checkCalibrationClaim } from '../calibration/verify.ts';
import { choiceSamples } from '../methods/choose-class.ts';
import { rhoUpper } from '../methods/claims.ts';
import { checkPipeline } from '../pipeline.ts';
import { ledgerFor } from '../plan.ts';
import { decisionRule, LOOK } from '../sampling/sampler.ts';
import { type AlphaLedger, addUp, shareNeededFor } from '../statistics/index.ts';
import { Audit, checkLedger, noiseOf, type Problem, pipelineOf, RELATIVE } from './audit.ts';
import { isCorrect } from './build.ts';
import { claimOf, type DrawnCertificate } from './claim-of.ts';
import { fieldName } from './field-name.ts';
import {
  type BaseCertificate,
  type Certificate,
  certificateSchema,
  type DistDCertificate,
  type DistXCertificate,
  type IndivCertificate,
} from './schema.ts';
import { streamsOf } from './streams.ts';
import { checkInverse } from './verify-indiv.ts';
import { checkSweep } from './verify-sweep.ts';
import { guaranteeOf } from './words.ts';

export interface Verification {
  readonly ok: boolean;
  readonly problems: readonly Problem[];
}

export type { Problem } from './audit.ts';

type Measured = DistXCertificate | IndivCertificate;
type DoublySmoothed = DistDCertificate | Measured;

/** Recomputes thresholds, ledger, ρ_E, p and the radius of a certificate from its counts. */
export function verifyCertificate(certificate: unknown): Verification {
  const parsed = certificateSchema.safeParse(certificate);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) => ({
      field: fieldName(path) || 'certificate',
      message,
    }));
    return { ok: false, problems };
  }
  const audit = new Audit();
  audit.attempt('certificate', () => {
    checkCommon(audit, parsed.data);
    const { data } = parsed;
    if (data.method === 'sweep') checkSweep(audit, data);
    else if (data.method === 'base') checkBase(audit, data);
    else if (data.method === 'dist-d') checkDistD(audit, data);
    else checkMeasured(audit, data);
  });
  return { ok: audit.problems.length === 0, problems: audit.problems };
}

function checkCommon(audit: Audit, certificate: Certificate): void {
  const { label, predicted, radius, counts, method, abstention } = certificate;
  audit.same('correct', certificate.correct, isCorrect(label, predicted));
  audit.same('unit', certificate.unit, certificate.pipeline.transform === 'rotation' ? 'degrees' : 'pixels');
  if ((predicted === null) !== (radius === null)) {
    audit.refuse('predicted', 'a class and a radius come together, or neither does');
  }
  if (predicted !== null) audit.same('predicted', predicted, counts.classIndex);
  if ((abstention === null) !== (radius !== null)) {
    audit.refuse('abstention', 'there is a reason exactly when there is no radius');
  }
  audit.same('guarantee', certificate.guarantee, guaranteeOf(certificate));
  checkLattice(audit, certificate);
  audit.same('streams', certificate.streams, streamsOf(method, certificate.lattice !== undefined));
  if (typeof certificate.seed === 'string' && BigInt(certificate.seed) >= 1n << 64n) {
    audit.refuse('seed', `${certificate.seed} has more than 64 bits`);
  }
  audit.atMost('counts.votes', counts.votes, counts.n0, 'n0');
  if ((counts.classIndex === null) !== (counts.votes === 0)) {
    audit.refuse('counts.votes', `says ${counts.votes}, but a class is chosen exactly when it has votes`);
  }
  audit.attempt('pipeline', () => checkPipeline(pipelineOf(certificate), certificate.image.shape));
}

/** Certificates without a lattice, of float32 noise, are what they were. */
function checkLattice(audit: Audit, certificate: Certificate): void {
  const { lattice } = certificate;
  if (lattice === undefined) return;
  audit.attempt('sigmaEps', () => audit.same('lattice', lattice, noiseOf(certificate).latticeBits));
}

/** What the methods that draw β have in common. */
function checkCounts(audit: Audit, { counts, plan }: DrawnCertificate): void {
  audit.same('counts.n0', counts.n0, plan.n0);
  audit.same('counts.nGamma', counts.nGamma, plan.nGamma);
  audit.atMost('counts.kGamma', counts.kGamma, counts.nGamma, 'nGamma');
}

function checkClaim(audit: Audit, certificate: DrawnCertificate, rhoE: number): void {
  const { pABar, radius, cutAtRange, counts } = certificate;
  if (pABar === null) {
    if (radius !== null) audit.refuse('pABar', 'there is no radius without a share');
    return;
  }
  // More successes than trials were refused already.
  if (counts.kGamma > counts.nGamma) return;
  const claim = claimOf(certificate, { kGamma: counts.kGamma, rhoE });
  audit.close('pABar', pABar, claim.pABar);
  audit.same('radius', radius, claim.radius);
  audit.same('cutAtRange', cutAtRange, claim.cutAtRange);
}

function checkBase(audit: Audit, certificate: BaseCertificate): void {
  const { counts, plan, pABar, confidence } = certificate;
  checkCounts(audit, certificate);
  const ledger = ledgerFor({ method: 'base', confidence });
  const alphaGamma = ledger.granted('alphaGamma');
  if (pABar !== null) ledger.spend('alphaGamma', alphaGamma);
  checkLedger(audit, certificate, ledger);
  audit.same('counts.nChoice', counts.nChoice, 1);
  audit.same('counts.inner', counts.inner, []);
  audit.same('samples', certificate.samples, plan.n0 + (pABar === null ? 0 : plan.nGamma));
  checkClaim(audit, certificate, 1);
}

function checkMeasured(audit: Audit, certificate: Measured): void {
  const { bound, confidence } = certificate;
  if (certificate.method === 'indiv') checkInverse(audit, certificate);
  const ledger = ledgerFor({ method: certificate.method, confidence });
  const alphaE = ledger.granted('alphaE');
  if (bound) {
    if (bound.nBetas > 0) ledger.spend('alphaE', alphaE);
    checkBound(audit, certificate, bound, alphaE);
  }
  checkDoublySmoothed(audit, certificate, ledger);
}

/** E and ρ_E are the calibration's; its own figures follow from its counts. */
function checkDistD(audit: Audit, certificate: DistDCertificate): void {
  const { bound, confidence, image } = certificate;
  const { calibration } = bound;
  const ledger = ledgerFor({ method: 'dist-d', confidence });
  checkCalibrationClaim(audit, 'bound.calibration.', calibration);
  audit.same('bound.tested', bound.tested, calibration.E);
  audit.same('bound.rhoE', bound.rhoE, calibration.rhoE);
  audit.attempt('pipeline', () => {
    const noise = noiseOf(certificate);
    audit.close(
      'bound.extraError',
      bound.extraError,
      extraError(image.shape, pipelineOf(certificate), noise),
    );
  });
  audit.same('bound.E', bound.E, addUp(bound.tested, bound.extraError));
  const granted = ledger.granted('alphaE');
  audit.atMost('bound.calibration.alpha', calibration.alpha, granted, 'what the ledger grants');
  // Spent as soon as the vote is over; an overdraft is reported by the line above.
  const looked = certificate.ledger.spent.alphaE !== 0;
  if (looked && calibration.alpha <= granted) ledger.spend('alphaE', calibration.alpha);
  if (!looked && certificate.counts.inner.length > 0)
    audit.refuse('ledger.spent', 'E was used, but not paid for');
  checkDoublySmoothed(audit, certificate, ledger);
}

function checkDoublySmoothed(audit: Audit, certificate: DoublySmoothed, ledger: AlphaLedger): void {
  const { counts, plan, bound, test, pABar } = certificate;
  checkCounts(audit, certificate);
  const alphaGamma = ledger.granted('alphaGamma');
  const alphaInner = ledger.share('alphaEps', plan.nGamma);
  if (test && bound) checkTest(audit, certificate, test, bound.E, alphaInner);
  else if (counts.inner.length > 0)
    audit.refuse('counts.inner', 'β were tested, yet there is no test or no E');
  audit.atMost('counts.inner', counts.inner.length, plan.nGamma, 'nGamma β');
  // The overdraft of a longer list is reported by the line above.
  for (let i = 0; i < Math.min(counts.inner.length, plan.nGamma); i++) ledger.spend('alphaEps', alphaInner);
  if (pABar !== null) ledger.spend('alphaGamma', alphaGamma);
  checkLedger(audit, certificate, ledger);
  audit.same('counts.nChoice', counts.nChoice, choiceSamples(plan));
  const counted = counts.inner.reduce((sum, { n }) => sum + n, plan.n0 * counts.nChoice);
  audit.same('samples', certificate.samples, counted);
  audit.same('counts.kGamma', counts.kGamma, counts.inner.filter(({ accepted }) => accepted).length);
  if (pABar === null && certificate.radius === null) return;
  if (!bound || !test) {
    audit.refuse(bound ? 'test' : 'bound', 'a radius was computed without it');
    return;
  }
  audit.same('counts.nGamma', counts.nGamma, counts.inner.length);
  checkClaim(audit, certificate, bound.rhoE);
}

function checkBound(
  audit: Audit,
  certificate: Measured,
  bound: NonNullable<Measured['bound']>,
  alphaE: number,
): void {
  const { plan, image } = certificate;
  // An E that is not tested holds for no β as far as is known, which leaves no radius.
  if (bound.nBetas === 0) audit.same('bound.rhoE', bound.rhoE, 1);
  else audit.same('bound.nBetas', bound.nBetas, plan.nTestE);
  audit.same('bound.nChooseE', bound.nChooseE, plan.nChooseE);
  audit.atMost('bound.kHeld', bound.kHeld, bound.nBetas, 'the testing β');
  if (bound.nBetas > 0 && bound.kHeld <= bound.nBetas) {
    audit.close('bound.rhoE', bound.rhoE, rhoUpper(bound.kHeld, bound.nBetas, alphaE));
  }
  audit.atMost(
    'bound.tested',
    bound.tested,
    1.1 * bound.largest * (1 + RELATIVE),
    '1.1 times the largest bound',
  );
  audit.attempt('pipeline', () => {
    const extra = certificate.method === 'indiv' ? extraErrorOfGiven : extraError;
    const stated = extra(image.shape, pipelineOf(certificate), noiseOf(certificate));
    audit.close('bound.extraError', bound.extraError, stated);
  });
  audit.same('bound.E', bound.E, addUp(bound.tested, bound.extraError));
}

function checkTest(
  audit: Audit,
  certificate: DoublySmoothed,
  test: NonNullable<DoublySmoothed['test']>,
  E: number,
  alphaInner: number,
): void {
  const { counts, plan } = certificate;
  audit.same('test.kind', test.kind, plan.inner);
  audit.same('test.nEps', test.nEps, plan.nEps);
  audit.same('test.look', test.look, plan.inner === 'fixed' ? plan.nEps : LOOK);
  audit.close('test.alpha', test.alpha, alphaInner);
  const { sigma, variation } = noiseOf(certificate);
  const p0 = shareNeededFor(E, sigma, variation);
  audit.close('test.p0', test.p0, p0);
  if (p0 >= 1) {
    if (counts.inner.length > 0) audit.refuse('counts.inner', 'no test can show a share above 1');
    return;
  }
  const decide = decisionRule({ kind: plan.inner, p0, alpha: alphaInner, nEps: plan.nEps });
  const look = plan.inner === 'fixed' ? plan.nEps : LOOK;
  counts.inner.forEach(({ k, n, accepted }, i) => {
    const field = `counts.inner[${i}]`;
    if (k > n || n < 1 || n > plan.nEps || (n % look !== 0 && n !== plan.nEps)) {
      audit.refuse(field, `${k} of ${n} samples: a test of at most ${plan.nEps} never stops there`);
      return;
    }
    const decision = decide(k, n);
    if (accepted !== (decision === 'accept')) {
      const verdict = decision === 'accept' ? 'is accepted' : 'is not accepted';
      audit.refuse(field, `says accepted: ${accepted}, but ${k} of ${n} samples ${verdict}`);
    } else if (decision === 'open' && n < plan.nEps) {
      audit.refuse(field, `${k} of ${n} samples decide nothing, yet the test stopped`);
    }
  });
}
