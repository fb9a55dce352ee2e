/**
 * Tries to contradict the certificates of a run of dist-x or dist-d: asks g at T_γ x for random γ inside each certified
 * radius, at its ends, where b does worst, and where the interpolation error of some β is largest. Prints how often it is
 * the certified class, undecided, or another one.
 *
 * Where g answers another class than c, h answers c for at most half of the β, and where h does not, b says c for at most
 * half of the noise: so P(b says c), over β and noise together, is at most 3/4. A betting test of that share with one noise
 * sample for each β therefore shows g = c after some 30 samples (error 0.001); only what it leaves open is asked of PREDICT.
 *
 * Run: node --conditions=turnproof-source packages/cli/scripts/check-dist.ts RUN [--points 1000] [--limit N] [--skip N]
 */
import { parseArgs } from 'node:util';
import { Attacker, Certifier, certificateSchema, openBounder, type Plan } from '@turnproof/certify';
import { SequentialThresholds } from '@turnproof/certify/statistics';
import { warpOracle } from '@turnproof/shaders/oracle';
import { GpuEngine, Sampler, Streams } from '../../certify/src/sampling/index.ts';
import { hashPixels } from '../src/data/types.ts';
import { openRunToCheck } from './run-to-check.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    points: { type: 'string', default: '1000' },
    limit: { type: 'string', default: '1000000' },
    skip: { type: 'string', default: '0' },
  },
});
const [run = ''] = positionals;
const { plan: ofRun, pipeline, data, gpu, classifier, lines, seed } = await openRunToCheck(run);
const { transform, pre, quantization } = pipeline;
const { shape } = data;
const plan: Plan = { ...ofRun, method: 'dist-x', confidence: 0.999, seed };
const streams = new Streams(seed, transform, plan.sigmaGamma);
const { key } = streams;
const engine = await GpuEngine.open({ gpu, classifier, shape, pre, transform, key, batch: 'auto' });
const sampler = new Sampler(engine);
const certifier = await Certifier.open({ gpu, classifier, shape, pipeline, plan });
const attacker = await Attacker.open({ gpu, classifier, shape, pipeline, seed });
const bounder = await openBounder(gpu, { shape, pipeline });

const ATTACKS = 200;
const WORST = 20;
const BETAS = 10;
const AT_ONCE = 16;
/** β, with one sample each, and when the test looks. */
const MOST = 256;
const LOOKS = [32, 64, 128, MOST];
const thresholds = new SequentialThresholds({ p0: 0.75, alpha: 1e-3, maxN: MOST });
const totals = { images: 0, points: 0, same: 0, undecided: 0, differs: 0, asked: 0 };

const lengthOf = (gamma: readonly number[]) => Math.hypot(...gamma);

async function pointsFor(
  image: { index: number; pixels: Float32Array<ArrayBuffer>; label: number },
  radius: number,
) {
  const inside: number[][] = [];
  for (let part = 0; inside.length < Number(values.points); part++) {
    const drawn = streams.uniform(image.index, 'predict', part, 500, radius).map((gamma) => [...gamma]);
    inside.push(...drawn.filter((gamma) => lengthOf(gamma) <= radius));
  }
  const cut = (gamma: readonly number[]) => {
    const shrink = Math.min(1, radius / Math.max(lengthOf(gamma), Number.MIN_VALUE));
    return gamma.map((axis) => axis * shrink);
  };
  const ends = (
    transform === 'rotation'
      ? [[1], [-1], [0]]
      : [
          [1, 0],
          [-1, 0],
          [0, 1],
          [0, -1],
          [0, 0],
        ]
  ).map((direction) => direction.map((axis) => axis * radius));
  const { attempts } = await attacker.attack(image, ATTACKS);
  const worst = attempts.toSorted((a, b) => b.loss - a.loss).slice(0, WORST);
  const betas = streams.betas(image.index, 'chooseE', BETAS);
  const bounds = await bounder.bound(
    [image.pixels],
    betas.map((beta) => ({ image: 0, beta })),
    { tolerance: 0.1 },
  );
  const found = [...worst.map(({ gamma }) => gamma), ...bounds.map(({ witness }) => witness.gamma)];
  return [...inside.slice(0, Number(values.points)), ...ends, ...found.map(cut)];
}

/** T_γ x as the attacker hands it over. */
function handedOver(pixels: Float32Array, gamma: readonly number[]): Float32Array<ArrayBuffer> {
  const moved = warpOracle(transform, gamma, pixels, shape);
  const rounded = quantization === 'u8' ? moved.map((value) => Math.round(255 * value) / 255) : moved;
  return Float32Array.from(rounded, (value) => Math.min(1, Math.max(0, value)));
}

async function isSame(
  pixels: Float32Array<ArrayBuffer>,
  number: number,
  classIndex: number,
): Promise<boolean> {
  const image = { index: number, pixels };
  const betas = streams.betas(number, 'certify', MOST);
  let [k, n] = [0, 0];
  for (const look of LOOKS) {
    // A stream of its own for each look: the first β of a longer list are those of the shorter one.
    const some = betas.slice(n, look);
    const counts = await sampler.countClasses(
      { ...image, index: number + look * 2 ** 20 },
      { betas: some, noise: 'noise', sigma: Math.fround(plan.sigmaEps), samples: 1 },
    );
    for (let beta = 0; beta < some.length; beta++) k += counts[beta * sampler.classes + classIndex] ?? 0;
    n = look;
    const decision = thresholds.decide(k, n);
    if (decision !== 'open') return decision === 'accept';
  }
  return false;
}

for (const line of lines.slice(Number(values.skip), Number(values.skip) + Number(values.limit))) {
  const certificate = certificateSchema.parse(JSON.parse(line));
  const { predicted, radius, index, method } = certificate;
  if ((method !== 'dist-x' && method !== 'dist-d') || predicted === null || radius === null) continue;
  const pixels = new Float32Array((await data.read(index)).pixels);
  const gammas = await pointsFor({ index, pixels, label: predicted }, radius);
  totals.images += 1;
  for (let start = 0; start < gammas.length; start += AT_ONCE) {
    const some = gammas.slice(start, start + AT_ONCE).map((gamma, i) => {
      // Never the same number twice: a thousand points an image, and some.
      const number = (certificate.index * 2 ** 11 + start + i) % 2 ** 20;
      return { gamma, number, moved: handedOver(pixels, gamma) };
    });
    const verdicts = await Promise.all(some.map(({ moved, number }) => isSame(moved, number, predicted)));
    for (const [i, same] of verdicts.entries()) {
      totals.points += 1;
      if (same) {
        totals.same += 1;
        continue;
      }
      const { gamma = [], moved = new Float32Array(), number = 0 } = some[i] ?? {};
      totals.asked += 1;
      const sha256 = hashPixels(moved);
      const answer = await certifier.predict({ index: number, pixels: moved, sha256, label: null });
      if (answer.predicted === predicted) totals.same += 1;
      else if (answer.predicted === null) totals.undecided += 1;
      else {
        totals.differs += 1;
        console.log(
          `image ${index}: g answers class ${answer.predicted} at ${gamma}, certified ${predicted}`,
        );
      }
    }
  }
  process.stderr.write(`image ${index}, radius ${radius}: ${JSON.stringify(totals)}\n`);
}
const { images, points, same, undecided, differs, asked } = totals;
console.log(
  `${images} certified images, ${points} parameters: ${same} the certified class, ${undecided} undecided, ` +
    `${differs} another class (PREDICT asked at ${asked})`,
);
bounder.close();
attacker.close();
await certifier.close();
engine.close();
await classifier.release();
gpu.close();
process.exit(differs > 0 ? 1 : 0);
