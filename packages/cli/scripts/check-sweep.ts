/**
 * Tries to contradict the certificates of a sweep run: asks h (PREDICT, by its own fresh noise) at random parameters
 * inside each certified interval and close to both sides of every slice's edges. Prints how often it gave the certified
 * class, abstained with that class ahead, or differed; what may differ is asked again with many samples.
 *
 * Run: node --conditions=turnproof-source packages/cli/scripts/check-sweep.ts RUN [--points 1000] [--edges 8] [--skip N] [--limit N]
 */
import { parseArgs } from 'node:util';
import { certificateSchema, type SweepCertificate } from '@turnproof/certify';
import { predictClass, SequentialThresholds } from '@turnproof/certify/statistics';
import { GpuEngine, type SampledImage, Sampler, Streams } from '../../certify/src/sampling/index.ts';
import { openRunToCheck } from './run-to-check.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    points: { type: 'string', default: '1000' },
    edges: { type: 'string', default: '8' },
    skip: { type: 'string', default: '0' },
    limit: { type: 'string', default: '1000000' },
  },
});
const [run = ''] = positionals;
const { plan, pipeline, data, gpu, classifier, lines, seed } = await openRunToCheck(run);
const { shape } = data;
const { transform, pre } = pipeline;
const streams = new Streams(seed, transform, 1);
const key = streams.key;
const engine = await GpuEngine.open({ gpu, classifier, shape, pre, transform, key, batch: 'auto' });
const sampler = new Sampler(engine);

let state = 2026;
const random = () => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
};

/** Offsets from an edge, as shares of the slice's width: half of them on either side. */
const OFFSETS = [1e-7, 1e-4, 1e-2, 0.1].flatMap((t) => [t, -t]).slice(0, Number(values.edges));

function parametersFor({ interval, slices }: SweepCertificate): number[][] {
  if (!interval) return [];
  const { lower, upper } = interval;
  const within = (gamma: number[]) => gamma.every((g, i) => g >= (lower[i] ?? 0) && g <= (upper[i] ?? 0));
  const anywhere = Array.from({ length: Number(values.points) }, () =>
    lower.map((a, axis) => a + ((upper[axis] ?? 0) - a) * random()),
  );
  const near = slices.flatMap((slice) => {
    const width = Math.max(...slice.lower.map((a, axis) => (slice.upper[axis] ?? 0) - a));
    const place = slice.lower.map((a, axis) => a + ((slice.upper[axis] ?? 0) - a) * random());
    // On each axis in turn the edge itself and its surroundings; somewhere along it on the other.
    return slice.lower.flatMap((a, axis) =>
      OFFSETS.map((offset) => place.map((p, i) => (i === axis ? a + offset * width : p))),
    );
  });
  return [...anywhere, ...near.filter(within)];
}

/** More samples where the certified class fell behind, the most only where it stays behind. */
async function countsAt(image: SampledImage, gamma: number[], predicted: number): Promise<Uint32Array> {
  const asked = { betas: [gamma], noise: 'sweepAttack', sigma: Math.fround(plan.sigmaEps) } as const;
  const counts = await sampler.countClasses(image, { ...asked, samples: 1024 });
  if (Math.max(...counts) === counts[predicted]) return counts;
  return await sampler.countClasses(image, { ...asked, samples: 8192 });
}

const ALPHA = 1e-3;
const MOST = 128;
const thresholds = new SequentialThresholds({ p0: 0.5, alpha: ALPHA, maxN: MOST });
const totals = { images: 0, points: 0, same: 0, undecided: 0, differs: 0 };
for (const line of lines.slice(Number(values.skip)).slice(0, Number(values.limit))) {
  const certificate = certificateSchema.parse(JSON.parse(line));
  if (certificate.method !== 'sweep' || certificate.predicted === null) continue;
  const { predicted, index } = certificate;
  const { pixels } = await data.read(index);
  const image = { index, pixels: new Float32Array(pixels) };
  const gammas = parametersFor(certificate);
  const results = await sampler.testPoints(image, {
    points: gammas.map((gamma, number) => ({ gamma, number, decide: (k, n) => thresholds.decide(k, n) })),
    noise: 'sweepPredict',
    sigma: Math.fround(certificate.sigmaEps),
    classIndex: predicted,
    cap: MOST,
    look: 16,
  });
  totals.images += 1;
  totals.points += gammas.length;
  totals.same += results.filter(({ accepted }) => accepted).length;
  for (const [i, { k, n, accepted }] of results.entries()) {
    if (accepted) continue;
    // The class is ahead, though not by enough to be PREDICT's answer: an abstention, no contradiction.
    if (2 * k > n) {
      totals.undecided += 1;
      continue;
    }
    const gamma = gammas[i] ?? [];
    const counts = await countsAt(image, gamma, predicted);
    const answer = predictClass(counts, 1e-6);
    if (answer === predicted) totals.same += 1;
    else if (answer === null || Math.max(...counts) === counts[predicted]) totals.undecided += 1;
    else {
      totals.differs += 1;
      console.log(
        `image ${index}: class ${answer} at ${gamma}, certified ${predicted} (${counts.join(' ')})`,
      );
    }
  }
  process.stderr.write(`image ${index}: ${JSON.stringify(totals)}\n`);
}
const { images, points, same, undecided, differs } = totals;
console.log(
  `${images} certified images, ${points} parameters: ${same} the certified class, ${undecided} undecided, ${differs} another class`,
);
engine.close();
await classifier.release();
gpu.close();
process.exit(differs > 0 ? 1 : 0);
