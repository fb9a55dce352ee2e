/**
 * A certificate that was made on another machine beside the same one drawn again here: what rounding can have made of
 * the same draws, and no larger claim than that explains. Its draws are the same numbers, but classifier and bounds round
 * otherwise there, so a sample whose two largest logits are nearly equal may change sides, and a bound may be refined a
 * step more.
 *
 * What follows from counts and bounds is not compared: `verifyCertificate` derives it. So the claims could be no larger
 * than the counts that were compared; they are held against the ones drawn again all the same.
 */
import { rhoUpper } from '../methods/claims.ts';
import { isCovered, nameOf } from '../methods/sweep-tree.ts';
import { ledgerFor, sweepLimits } from '../plan.ts';
import { decisionRule } from '../sampling/sampler.ts';
import { innerThresholds } from '../statistics/index.ts';
import { RELATIVE } from './audit.ts';
import { claimOf, type DrawnCertificate } from './claim-of.ts';
import { Comparison, type Differences, unlike } from './comparison.ts';
import type { Certificate, IndivCertificate, SweepCertificate } from './schema.ts';
import { verifyCertificate } from './verify.ts';

/** Bounds may differ by this share: they are refined until within 5 % of what is found. */
export const BOUND_SHARE = 0.05;
/** So many of all verdicts may differ: those whose evidence ends beside a threshold. */
const VERDICTS = 0.02;

const turnsAllowed = (verdicts: number): number => Math.max(1, Math.floor(VERDICTS * verdicts));

/**
 * So many of n samples may change sides. Two sound classifiers' logits differ by 1e-4 of the largest at most
 * (`PARITY_TOLERANCE`), so only samples whose two largest logits are within 2e-4 can: half a percent of all is 25 times
 * what that would be if margins were spread evenly over the logits' range. 2 more, for small n.
 */
const FLIPS = 0.005;
const flipsAllowed = (n: number): number => 2 + Math.floor(FLIPS * n);

/** Of the counted β: base asks each for one sample, other methods test it. */
function betasAllowed({ counts, sigmaEps }: DrawnCertificate): number {
  return sigmaEps === null ? flipsAllowed(counts.nGamma) : turnsAllowed(counts.nGamma);
}

/** What is allowed, for people. */
export const ELSEWHERE_WORDS =
  `of n samples 2 + ${100 * FLIPS} % may change sides, ${100 * VERDICTS} % of the verdicts (at least one) where the samples ` +
  `leave it open, bounds may differ by ${100 * BOUND_SHARE} %, and no larger claim than that explains`;

/** Follows from counts and bounds, or is compared by itself below. (Breaks claim nothing: they say where to look.) */
const DERIVED = new Set([
  ...['guarantee', 'abstention', 'predicted', 'correct', 'samples', 'ledger.spent', 'breaks'],
  ...['radius', 'interval', 'pABar', 'cutAtRange'],
  ...['counts.inner', 'slices', 'bound.E', 'bound.rhoE', 'test.p0'],
]);

/** How far numbers may be apart; all others are said beforehand, and the same anywhere. */
const ALLOWED: Readonly<Record<string, (certificate: Certificate) => number>> = {
  'bound.kHeld': ({ plan }) => ('nTestE' in plan ? turnsAllowed(plan.nTestE) : 0),
  'bound.quantile': ({ plan }) => ('nChooseE' in plan ? turnsAllowed(plan.nChooseE) / plan.nChooseE : 0),
  'counts.votes': ({ counts }) => flipsAllowed(counts.n0),
  'counts.kGamma': (certificate) => ('pABar' in certificate ? betasAllowed(certificate) : 0),
};
const MEASURED = /^(bound\.(tested|largest)|inverse\..*)$/;

function allowedOf(certificate: Certificate, field: string, a: number, b: number): number {
  const own = ALLOWED[field];
  if (own) return own(certificate);
  if (!MEASURED.test(field)) return 0;
  const whole = Number.isInteger(a) && Number.isInteger(b) ? 2 : 0;
  return BOUND_SHARE * Math.max(Math.abs(a), Math.abs(b)) + whole;
}

export function compareElsewhere(
  stated: Certificate,
  again: Certificate,
  circumstances: ReadonlySet<string>,
): Differences {
  const comparison = new Comparison({
    skips: (field) => circumstances.has(field) || DERIVED.has(field),
    allowed: (field, a, b) => allowedOf(stated, field, a, b),
  });
  comparison.compare(stated, again);
  const { problems } = verifyCertificate(stated);
  for (const { field, message } of problems) comparison.refuse(field, message);
  // Numbers that nothing follows from have no thresholds either.
  const turned = problems.length > 0 ? [] : compareTests(comparison, stated, again);
  compareClaims(comparison, stated, again, new Set(turned));
  return comparison.result();
}

/** k of n samples, with the verdict and what any other counts would have decided. */
interface DrawnTest {
  readonly field: string;
  readonly k: number;
  readonly n: number;
  readonly passed: boolean;
  readonly decide: (k: number, n: number) => 'accept' | 'give-up' | 'open';
}

/** By a name that says what was tested. */
function testsOf(certificate: Certificate): Map<string, DrawnTest> {
  return 'slices' in certificate ? sliceTests(certificate) : betaTests(certificate);
}

function sliceTests({ slices, plan, pipeline }: SweepCertificate): Map<string, DrawnTest> {
  const { cap } = sweepLimits(plan, pipeline);
  return new Map(
    slices.map((slice, i) => {
      const { k, n, passed, p0, alpha } = slice;
      const thresholds = innerThresholds({ p0, alpha, maxN: cap });
      const decide = (a: number, b: number) => thresholds.decide(a, b);
      return [nameOf(slice), { field: `slices[${i}]`, k, n, passed, decide }];
    }),
  );
}

function betaTests({ counts, test }: DrawnCertificate): Map<string, DrawnTest> {
  if (test === null) return new Map();
  const decide = decisionRule(test);
  return new Map(
    counts.inner.map(({ k, n, accepted }, i) => {
      const field = `counts.inner[${i}]`;
      return [field, { field, k, n, passed: accepted, decide }];
    }),
  );
}

/** Compares the tests that both have made; returns the names of those whose verdict is another. */
function compareTests(comparison: Comparison, stated: Certificate, again: Certificate): string[] {
  const [there, here] = [testsOf(stated), testsOf(again)];
  const turned: { readonly name: string; readonly field: string; readonly passed: boolean }[] = [];
  let unequal = 0;
  for (const [name, test] of there) {
    const twin = here.get(name);
    if (!twin) continue;
    const { field } = test;
    comparison.note(`${field}.k`, test.k, twin.k);
    comparison.note(`${field}.n`, test.n, twin.n);
    if (test.k !== twin.k || test.n !== twin.n) unequal += 1;
    if (!isOfSameDraws(test, twin)) {
      const message = `says ${test.k} of ${test.n}, drawn again it is ${twin.k} of ${twin.n}`;
      const most = flipsAllowed(Math.min(test.n, twin.n));
      comparison.refuse(`${field}.k`, `${message}; at most ${most} samples change sides`);
    }
    if (test.passed === twin.passed) continue;
    comparison.count();
    turned.push({ name, field, passed: test.passed });
  }
  unequal += compareBounds(comparison, stated, again);
  const most = turnsAllowed(there.size);
  for (const { field, passed } of turned.length > most ? turned : []) {
    comparison.refuse(field, `${unlike(passed, !passed)}, and so are more than ${most} others`);
  }
  // What is tested next follows from the tests before it.
  const alone = [...there].filter(([name]) => !here.has(name)).map(([, { field }]) => field);
  const missing = [...here].filter(([name]) => !there.has(name)).length;
  if (alone.length + missing > 0) comparison.count();
  if (unequal === 0) {
    for (const field of alone) comparison.refuse(field, 'is a test that drawing it again does not come to');
    if (missing > 0) comparison.refuse('counts', `drawn again there are ${missing} tests more`);
  }
  return turned.length > most ? [] : turned.map(({ name }) => name);
}

/**
 * Can the two be one test of the same draws? The samples of the shorter one are the first of the longer one's, but for
 * those that change sides, and the longer one must have been open where the shorter one stopped.
 */
function isOfSameDraws(one: DrawnTest, other: DrawnTest): boolean {
  const [short, long] = one.n <= other.n ? [one, other] : [other, one];
  const flips = flipsAllowed(short.n);
  const least = Math.max(0, short.k - flips, long.k - (long.n - short.n));
  const most = Math.min(short.n, short.k + flips, long.k);
  if (long.n === short.n) return least <= most;
  for (let k = least; k <= most; k++) if (long.decide(k, short.n) === 'open') return true;
  return false;
}

/** Of slices that both have tested; how many differ. */
function compareBounds(comparison: Comparison, stated: Certificate, again: Certificate): number {
  if (!('slices' in stated && 'slices' in again)) return 0;
  const here = new Map(again.slices.map((slice) => [nameOf(slice), slice.M]));
  let unequal = 0;
  stated.slices.forEach((slice, i) => {
    const M = here.get(nameOf(slice));
    if (M === undefined || M === slice.M) return;
    unequal += 1;
    const field = `slices[${i}].M`;
    comparison.note(field, slice.M, M);
    if (Math.abs(slice.M - M) > BOUND_SHARE * Math.max(slice.M, M))
      comparison.refuse(field, unlike(slice.M, M));
  });
  return unequal;
}

/** @param turned tests whose verdicts are others, as few as may be */
function compareClaims(
  comparison: Comparison,
  stated: Certificate,
  again: Certificate,
  turned: ReadonlySet<string>,
): void {
  if (stated.predicted !== null && stated.predicted !== again.counts.classIndex) {
    comparison.refuse('predicted', unlike(stated.predicted, again.counts.classIndex));
  }
  if (stated.predicted !== again.predicted) comparison.count();
  for (const field of ['radius', 'pABar'] as const) {
    const [there, here] = [claimedIn(stated, field), claimedIn(again, field)];
    if (there !== null && here !== null) comparison.note(field, there, here);
  }
  if ('slices' in stated && 'slices' in again) compareIntervals(comparison, stated, again, turned);
  if (!('slices' in stated) && !('slices' in again)) compareRadii(comparison, stated, again);
}

function claimedIn(certificate: Certificate, field: 'radius' | 'pABar'): number | null {
  if (field === 'radius') return certificate.radius;
  return 'pABar' in certificate ? certificate.pABar : null;
}

/** What is claimed must be covered by slices that passed here, too, or that may have turned. */
function compareIntervals(
  comparison: Comparison,
  { interval, slices }: SweepCertificate,
  again: SweepCertificate,
  turned: ReadonlySet<string>,
): void {
  if (interval === null) return;
  const { roots, pipeline } = again;
  const passed = new Set(again.slices.filter((slice) => slice.passed).map(nameOf));
  for (const slice of slices) if (slice.passed && turned.has(nameOf(slice))) passed.add(nameOf(slice));
  const { transform, range } = pipeline;
  if (roots !== null && isCovered({ transform, range, roots }, interval, passed)) return;
  const here = again.interval === null ? 'nothing' : JSON.stringify(again.interval);
  comparison.refuse(
    'interval',
    `says ${JSON.stringify(interval)}, which slices that pass here do not cover; drawn again it is ${here}`,
  );
}

/** The claim that the counts drawn again would give at their best, with all that rounding may have turned in its favour. */
function mostClaimed(again: DrawnCertificate): ReturnType<typeof claimOf> | null {
  const { counts, bound, pABar } = again;
  // Stopped before: what comes after was not drawn.
  if (again.sigmaEps !== null && (bound === null || pABar === null)) return null;
  const kGamma = Math.min(counts.nGamma, counts.kGamma + betasAllowed(again));
  const favoured = 'inverse' in again ? { ...again, inverse: narrowed(again.inverse) } : again;
  return claimOf(favoured, { kGamma, rhoE: leastRho(again) });
}

function leastRho(certificate: DrawnCertificate): number {
  const { bound } = certificate;
  if (bound === null || !('kHeld' in bound)) return bound?.rhoE ?? 1;
  const { nBetas, kHeld } = bound;
  if (nBetas === 0) return 1;
  const held = Math.min(nBetas, kHeld + turnsAllowed(nBetas));
  return rhoUpper(held, nBetas, ledgerFor(certificate).granted('alphaE'));
}

/** What is left of Γ, as small as it may be elsewhere. */
function narrowed(inverse: IndivCertificate['inverse']): IndivCertificate['inverse'] {
  if (inverse === null) return null;
  const { lower, upper } = inverse.left;
  const smaller = (end: number) => end * (1 - BOUND_SHARE);
  return { ...inverse, left: { lower: lower.map(smaller), upper: upper.map(smaller) } };
}

function compareRadii(comparison: Comparison, stated: DrawnCertificate, again: DrawnCertificate): void {
  const most = mostClaimed(again);
  const atMost = (field: string, there: number | null, here: number | null, limit: number) => {
    // Logarithms may differ in the last digits between JavaScript engines.
    if (there === null || there <= limit * (1 + RELATIVE)) return;
    const why = `the most that what was drawn here can have come to elsewhere is ${limit}`;
    comparison.refuse(field, `${unlike(there, here)}; ${why}`);
  };
  atMost('pABar', stated.pABar, again.pABar, most?.pABar ?? 0);
  atMost('radius', stated.radius, again.radius, most?.radius ?? 0);
  if (stated.cutAtRange && !(most?.cutAtRange ?? false)) {
    comparison.refuse('cutAtRange', unlike(true, again.cutAtRange));
  }
}
