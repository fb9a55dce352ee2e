/**
 * A forger who knows the program: whatever follows from what he changed is made again, and tests whose samples no longer
 * fit are given samples that do, so that nothing contradicts itself. Test support only.
 */
import { extraError, extraErrorOfGiven } from '../bounds/index.ts';
import { rhoUpper, roundRadiusDown } from '../methods/claims.ts';
import { counterexampleSamples } from '../methods/counterexample.ts';
import {
  alphaOf,
  alphaOfDepth,
  boxOf,
  centerOf,
  descendants,
  nameOf,
  rootCount,
  type SweepNode,
} from '../methods/sweep-tree.ts';
import { ledgerFor, SWEEP_LOOK, sweepLimits } from '../plan.ts';
import { decisionRule, LOOK } from '../sampling/sampler.ts';
import { type AlphaLedger, addUp, innerThresholds, shareNeededFor } from '../statistics/index.ts';
import { noiseOf, pipelineOf } from './audit.ts';
import { isCorrect } from './build.ts';
import { claimOf } from './claim-of.ts';
import {
  type Certificate,
  certificateSchema,
  type DistDCertificate,
  type DistXCertificate,
  type IndivCertificate,
  type SweepCertificate,
} from './schema.ts';
import { guaranteeOf } from './words.ts';

type Decide = ReturnType<typeof decisionRule>;
type Tested = DistXCertificate | DistDCertificate | IndivCertificate;

/** As it comes out of a file. */
export function consistent(forged: Certificate): Certificate {
  const whole = remade(forged);
  const { radius, counts, label } = whole;
  const predicted = radius === null ? null : counts.classIndex;
  const abstention = radius === null ? (whole.abstention ?? 'too few') : null;
  const claimed = { ...whole, predicted, abstention, correct: isCorrect(label, predicted) };
  return certificateSchema.parse(
    JSON.parse(JSON.stringify({ ...claimed, guarantee: guaranteeOf(claimed as Certificate) })),
  );
}

function remade(forged: Certificate): Certificate {
  if ('slices' in forged) return remadeSweep(forged);
  if (forged.sigmaEps !== null) return remadeTests(forged);
  const ledger = ledgerFor(forged);
  ledger.spend('alphaGamma', ledger.granted('alphaGamma'));
  const claim = claimOf(forged, { kGamma: forged.counts.kGamma, rhoE: 1 });
  const samples = forged.plan.n0 + forged.plan.nGamma;
  return { ...forged, ...claim, samples, ledger: recordOf(forged, ledger) };
}

function recordOf<L extends { readonly ledger: object }>({ ledger }: L, spent: AlphaLedger): L['ledger'] {
  const all = spent.toJSON();
  const granted = Object.keys(ledger).map((name) => [name, all[name]]);
  return { ...Object.fromEntries(granted), total: all.total, spent: all.spent } as L['ledger'];
}

function remadeTests(forged: Tested): Certificate {
  const { plan } = forged;
  const ledger = ledgerFor(forged);
  const alpha = ledger.share('alphaEps', plan.nGamma);
  const bound = remadeBound(forged, ledger);
  const [nGamma, n0] = [plan.nGamma, plan.n0];
  if (bound === null || forged.test === null) return forged;
  const { sigma, variation } = noiseOf(forged);
  const p0 = shareNeededFor(bound.E, sigma, variation);
  const look = plan.inner === 'fixed' ? plan.nEps : LOOK;
  const test = { kind: plan.inner, nEps: plan.nEps, look, p0, alpha };
  const decide = decisionRule(test);
  const inner = forged.counts.inner.map(({ k, n }) => {
    const fit = fitted({ k, n }, decide, look, plan.nEps);
    return { ...fit, accepted: decide(fit.k, fit.n) === 'accept' };
  });
  for (const _ of inner) ledger.spend('alphaEps', alpha);
  ledger.spend('alphaGamma', ledger.granted('alphaGamma'));
  const kGamma = inner.filter(({ accepted }) => accepted).length;
  const nChoice = Math.min(128, plan.nEps);
  const counts = { ...forged.counts, n0, nChoice, nGamma, kGamma, inner };
  const certificate = { ...forged, bound, test, counts } as Tested;
  const claim = claimOf(certificate, { kGamma, rhoE: bound.rhoE });
  const samples = inner.reduce((sum, { n }) => sum + n, n0 * nChoice);
  return { ...certificate, ...claim, samples, ledger: recordOf(forged, ledger) } as Certificate;
}

function remadeBound(forged: Tested, ledger: AlphaLedger): Tested['bound'] {
  const { bound, image } = forged;
  if (bound === null) return null;
  const pipeline = pipelineOf(forged);
  if (!('kHeld' in bound)) {
    const { calibration } = bound;
    ledger.spend('alphaE', calibration.alpha);
    const extra = extraError(image.shape, pipeline, noiseOf(forged));
    return { ...bound, tested: calibration.E, rhoE: calibration.rhoE, ...withExtra(calibration.E, extra) };
  }
  const extra = ('inverse' in forged ? extraErrorOfGiven : extraError)(
    image.shape,
    pipeline,
    noiseOf(forged),
  );
  const { kHeld, nBetas, tested } = bound;
  const rhoE = rhoUpper(kHeld, nBetas, ledger.spend('alphaE', ledger.granted('alphaE')));
  return { ...bound, rhoE, ...withExtra(tested, extra) } as Tested['bound'];
}

function withExtra(tested: number, extra: number): { extraError: number; E: number } {
  return { extraError: extra, E: addUp(tested, extra) };
}

/** The same share of successes, at the first look at which it decides something. */
function fitted(
  { k, n }: { readonly k: number; readonly n: number },
  decide: Decide,
  look: number,
  cap: number,
): { k: number; n: number } {
  const fits = k <= n && n >= 1 && n <= cap && (n % look === 0 || n === cap);
  if (fits && (n === cap || decide(k, n) !== 'open')) return { k, n };
  for (let at = look; at < cap; at += look) {
    const successes = Math.round((k / n) * at);
    if (decide(successes, at) !== 'open') return { k: successes, n: at };
  }
  return { k: Math.round((k / n) * cap), n: cap };
}

function remadeSweep(forged: SweepCertificate): SweepCertificate {
  const { plan, pipeline, image, roots, interval } = forged;
  const { transform, range } = pipeline;
  const ledger = ledgerFor(forged);
  const total = ledger.granted('alphaSweep');
  const noise = noiseOf(forged);
  const extra = extraError(image.shape, pipelineOf(forged), noise);
  const { cap } = sweepLimits(plan, pipeline);
  const slices = forged.slices.map((slice) => {
    const { root, path, M } = slice;
    const box = boxOf({ transform, range, roots: roots ?? [] }, { root, path });
    const [E, alpha] = [addUp(M, extra), alphaOf(transform, path.length, total)];
    const p0 = shareNeededFor(E, noise.sigma, noise.variation);
    const thresholds = innerThresholds({ p0, alpha, maxN: cap });
    const decide: Decide = (k, n) => thresholds.decide(k, n);
    // A slice may be given up at any look.
    const fit = slice.passed ? fitted(slice, decide, SWEEP_LOOK, cap) : slice;
    const passed = decide(fit.k, fit.n) === 'accept';
    const box2 = { lower: [...box.lower], upper: [...box.upper], center: [...centerOf(box)] };
    return { ...slice, ...box2, E, p0, alpha, k: fit.k, n: fit.n, passed };
  });
  for (const depth of new Set(slices.map(({ path }) => path.length)))
    ledger.spend('alphaSweep', alphaOfDepth(depth, total));
  const searched = counterexampleSamples(transform, forged.breaks) ?? 0;
  const ends = interval ? [...interval.lower.map((a) => -a), ...interval.upper] : [0];
  const radius = roundRadiusDown(Math.min(...ends));
  return {
    ...forged,
    slices,
    extraError: extra,
    radius: radius > 0 ? radius : null,
    samples: slices.reduce((sum, { n }) => sum + n, forged.counts.n0 + searched),
    ledger: recordOf(forged, ledger),
  };
}

export type Change = (certificate: Certificate) => Certificate;

const HEX = '0123456789abcdef';

/** What a forger may change in a certificate, by name; what follows from it is `consistent`'s to make again. */
export function changesOf(certificate: Certificate, random: () => number): [string, Change][] {
  const by = 0.3 + 0.6 * random();
  const hash = Array.from({ length: 64 }, () => HEX[Math.floor(16 * random())]).join('');
  const number = 1 + Math.floor(1e6 * random());
  const ofAny: [string, (c: Certificate) => object][] = [
    ['another class', ({ counts }) => ({ counts: { ...counts, classIndex: (counts.classIndex ?? 0) + 1 } })],
    ['another label', ({ label }) => ({ label: (label ?? 0) + 1 })],
    ['another image', ({ image }) => ({ image: { ...image, sha256: hash } })],
    ['another number of the image', ({ index }) => ({ index: index + number })],
    ['another seed', () => ({ seed: number })],
    ['another model', ({ model }) => ({ model: { ...model, sha256: hash } })],
    ['more confidence', ({ confidence }) => ({ confidence: 1 - by * (1 - confidence) })],
    ['a larger range', ({ pipeline }) => ({ pipeline: { ...pipeline, range: pipeline.range / by } })],
    ['no blur', ({ pipeline }) => ({ pipeline: { ...pipeline, blur: null } })],
  ];
  const own =
    'slices' in certificate
      ? changesOfSweep(by)
      : certificate.sigmaEps === null
        ? changesOfBase(by)
        : changesOfTests(by);
  return [...ofAny, ...own].map(([name, change]) => [name, (c) => ({ ...c, ...change(c) }) as Certificate]);
}

function changesOfSweep(by: number): [string, (c: Certificate) => object][] {
  const swept = (change: (c: SweepCertificate) => object) => (c: Certificate) =>
    'slices' in c ? change(c) : {};
  return [
    ['all of the range', swept(coveringAll)],
    [
      'smaller M',
      swept(({ slices }) => ({ slices: slices.map((slice) => ({ ...slice, M: by * slice.M })) })),
    ],
    [
      'more samples with the class',
      swept(({ slices }) => ({ slices: slices.map((slice) => ({ ...slice, k: slice.n, passed: true })) })),
    ],
    ['more noise', swept(({ sigmaEps }) => ({ sigmaEps: sigmaEps / by }))],
  ];
}

function changesOfBase(by: number): [string, (c: Certificate) => object][] {
  return [
    [
      'all β',
      ({ counts }) => ({ counts: 'nGamma' in counts ? { ...counts, kGamma: counts.nGamma } : counts }),
    ],
    ['wider β', (c) => ('sigmaGamma' in c ? { sigmaGamma: c.sigmaGamma / by } : {})],
  ];
}

function changesOfTests(by: number): [string, (c: Certificate) => object][] {
  const tested = (change: (c: Tested) => object) => (c: Certificate) =>
    'test' in c && c.test !== null ? change(c as Tested) : {};
  const measured = (change: (bound: NonNullable<DistXCertificate['bound']>) => object) =>
    tested(({ bound }) =>
      bound !== null && 'kHeld' in bound ? { bound: { ...bound, ...change(bound) } } : {},
    );
  const withInner = (change: (inner: Tested['counts']['inner']) => Tested['counts']['inner']) =>
    tested(({ counts }) => ({ counts: { ...counts, inner: change(counts.inner) } }));
  return [
    ['all β accepted', withInner((inner) => inner.map(({ n }) => ({ k: n, n, accepted: true })))],
    [
      'one β more accepted',
      withInner((inner) => {
        const first = inner.findIndex(({ accepted }) => !accepted);
        return inner.map((test, i) => (i === first ? { k: test.n, n: test.n, accepted: true } : test));
      }),
    ],
    ['a smaller E', measured(({ tested: E, largest }) => ({ tested: by * E, largest: by * largest }))],
    ['no β that exceeds E', measured(({ nBetas }) => ({ kHeld: nBetas }))],
    ['wider β', tested(({ sigmaGamma }) => ({ sigmaGamma: sigmaGamma / by }))],
    ['more noise', tested(({ sigmaEps }) => ({ sigmaEps: sigmaEps / by }))],
    [
      'twice as many β',
      tested(({ plan, counts }) => ({
        plan: { ...plan, nGamma: 2 * plan.nGamma },
        counts: { ...counts, inner: [...counts.inner, ...counts.inner] },
      })),
    ],
    [
      'less of the range left',
      tested((c) => {
        if (!('inverse' in c) || c.inverse === null) return {};
        const { lower, upper } = c.inverse.left;
        const left = { lower: lower.map((end) => by * end), upper: upper.map((end) => by * end) };
        return { inverse: { ...c.inverse, left } };
      }),
    ],
  ];
}

/** Every slice that is missing to cover the range, made up: as few tests as do. */
export function coveringAll(certificate: SweepCertificate): Partial<SweepCertificate> {
  const { slices, roots, pipeline } = certificate;
  const [pattern] = slices;
  if (!pattern || roots === null) return {};
  const added: SweepCertificate['slices'] = [];
  const cover = (node: SweepNode): void => {
    const own = slices.find((slice) => nameOf(slice) === nameOf(node));
    const within = slices.some(({ root, path }) => root === node.root && path.startsWith(node.path));
    if (own?.passed) return;
    if (own || within) descendants(node, 1).forEach(cover);
    else added.push({ ...pattern, ...node, k: pattern.n, passed: true });
  };
  for (let root = 0; root < rootCount({ roots }); root++) cover({ root, path: '' });
  const { range } = pipeline;
  const ends = roots.map(() => range);
  const interval = { lower: ends.map((end) => -end), upper: ends };
  return { slices: [...slices, ...added], interval, breaks: [] };
}
