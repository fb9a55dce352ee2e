/**
 * Checks a sweep certificate: the tree's boxes, each slice's p₀, share of α and verdict, and that the passed slices
 * cover what is claimed. Not the bounds M: they follow from image and kernels, not from counts.
 */
import { dimensionsOf } from '@turnproof/shaders';
import { extraError } from '../bounds/extra-error.ts';
import { roundRadiusDown } from '../methods/claims.ts';
import { counterexampleSamples, isBeaten } from '../methods/counterexample.ts';
import {
  alphaOf,
  alphaOfDepth,
  boxOf,
  centerOf,
  isCovered,
  MAX_ROOTS,
  nameOf,
  rootCount,
  type SweepGrid,
} from '../methods/sweep-tree.ts';
import { ledgerFor, SWEEP_CHOICE, SWEEP_LOOK, sweepLimits } from '../plan.ts';
import { addUp, innerThresholds, shareNeededFor } from '../statistics/index.ts';
import { type Audit, checkLedger, noiseOf, pipelineOf } from './audit.ts';
import type { SweepCertificate } from './schema.ts';

type Slice = SweepCertificate['slices'][number];

export function checkSweep(audit: Audit, certificate: SweepCertificate): void {
  const { counts, slices, breaks, roots, pipeline, confidence, image } = certificate;
  const { transform, range } = pipeline;
  audit.same('counts.n0', counts.n0, SWEEP_CHOICE);
  audit.same('look', certificate.look, SWEEP_LOOK);
  audit.attempt('pipeline', () => {
    const stated = extraError(image.shape, pipelineOf(certificate), noiseOf(certificate));
    audit.close('extraError', certificate.extraError, stated);
  });
  const ledger = ledgerFor({ method: 'sweep', confidence });
  const grid = { transform, range, roots: roots ?? [] };
  const usable = roots !== null && checkGrid(audit, grid);
  if (usable) {
    const seen = new Set<string>();
    slices.forEach((slice, i) => {
      const field = `slices[${i}]`;
      if (slice.root >= rootCount(grid) || seen.has(nameOf(slice))) {
        audit.refuse(field, 'no such root, or tested twice');
        return;
      }
      seen.add(nameOf(slice));
      const alpha = alphaOf(transform, slice.path.length, ledger.granted('alphaSweep'));
      checkSlice(audit, certificate, grid, slice, alpha, field);
    });
    // Once for each depth: see the theorem of certifySweep.
    for (const depth of new Set(slices.map(({ path }) => path.length))) {
      ledger.spend('alphaSweep', alphaOfDepth(depth, ledger.granted('alphaSweep')));
    }
  } else if (slices.length > 0) audit.refuse('slices', 'slices without a grid of roots');
  checkLedger(audit, certificate, ledger);
  breaks.forEach((end, i) => {
    checkBreak(audit, end, counts.classIndex, `breaks[${i}]`);
  });
  const searched = counterexampleSamples(transform, breaks);
  if (searched === null) audit.refuse('breaks', 'no search for counterexamples takes so many samples');
  else {
    const counted = slices.reduce((sum, { n }) => sum + n, counts.n0 + searched);
    audit.same('samples', certificate.samples, counted);
  }
  checkInterval(audit, certificate, usable ? grid : null);
}

function checkGrid(audit: Audit, grid: SweepGrid): boolean {
  const fits = grid.roots.length === dimensionsOf(grid.transform) && rootCount(grid) <= MAX_ROOTS;
  if (!fits) audit.refuse('roots', `[${grid.roots.join(', ')}] is no grid of at most ${MAX_ROOTS} slices`);
  return fits;
}

function checkSlice(
  audit: Audit,
  certificate: SweepCertificate,
  grid: SweepGrid,
  slice: Slice,
  alpha: number,
  field: string,
): void {
  const { plan, pipeline, extraError: extra } = certificate;
  const { M, E, k, n, passed } = slice;
  const box = boxOf(grid, slice);
  audit.same(`${field}.lower`, slice.lower, box.lower);
  audit.same(`${field}.upper`, slice.upper, box.upper);
  audit.same(`${field}.center`, slice.center, centerOf(box));
  audit.same(`${field}.E`, E, addUp(M, extra));
  audit.close(`${field}.alpha`, slice.alpha, alpha);
  const { sigma, variation } = noiseOf(certificate);
  const p0 = shareNeededFor(addUp(M, extra), sigma, variation);
  audit.close(`${field}.p0`, slice.p0, p0);
  const { cap } = sweepLimits(plan, pipeline);
  if (k > n || n < 1 || n > cap || n % SWEEP_LOOK !== 0 || p0 >= 1) {
    audit.refuse(field, `${k} of ${n} samples: a test of at most ${cap} never stops there`);
    return;
  }
  const accepts = innerThresholds({ p0, alpha, maxN: cap }).decide(k, n) === 'accept';
  if (accepts !== passed) {
    audit.refuse(
      field,
      `says passed: ${passed}, but ${k} of ${n} samples ${accepts ? 'pass' : 'do not pass'}`,
    );
  }
}

function checkBreak(
  audit: Audit,
  { k, n, rival, rivalCount, kind }: SweepCertificate['breaks'][number],
  classIndex: number | null,
  field: string,
): void {
  if (k + rivalCount > n || rival === classIndex || (rival === null && rivalCount > 0)) {
    audit.refuse(field, `${k} and ${rivalCount} of ${n} samples for two classes cannot be`);
    return;
  }
  if (kind === 'wrong' && !isBeaten(k, rivalCount)) {
    audit.refuse(`${field}.kind`, `says wrong, but ${rivalCount} against ${k} samples do not show it`);
  }
}

function checkInterval(audit: Audit, certificate: SweepCertificate, grid: SweepGrid | null): void {
  const { interval, radius, slices } = certificate;
  if (interval === null || grid === null) {
    if (radius !== null) audit.refuse('interval', 'there is no radius without an interval and its slices');
    return;
  }
  const axes = dimensionsOf(grid.transform);
  const { lower, upper } = interval;
  const ordered = lower.length === axes && upper.length === axes && lower.every((a) => a <= 0);
  if (!ordered || upper.some((b) => b < 0 || b > grid.range) || lower.some((a) => a < -grid.range)) {
    audit.refuse('interval', 'does not lie around 0 within the range');
    return;
  }
  const nearest = Math.min(...lower.map((a) => -a), ...upper);
  if (axes === 2 && [...lower.map((a) => -a), ...upper].some((end) => end !== nearest)) {
    audit.refuse('interval', 'is no square around 0');
  }
  audit.same('radius', radius, roundRadiusDown(nearest) > 0 ? roundRadiusDown(nearest) : null);
  const passed = new Set(slices.filter((slice) => slice.passed).map(nameOf));
  if (!isCovered(grid, interval, passed)) {
    audit.refuse('interval', 'is not covered by the slices that passed');
  }
}
