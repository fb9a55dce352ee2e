/**
 * Is the noise normal? Draws from the real kernel, held against the normal law rounded to the lattice: moments, tails to
 * 5σ, Kolmogorov and Smirnov's distance (at 2048 points), chi-square, and the reference, bit for bit.
 *
 * Run: node --conditions=turnproof-source packages/certify/scripts/noise-law.ts [--draws 1e8] [--adapter auto] [--seed 1]
 */
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { type Gpu, openDevice } from '@turnproof/core';
import { compileNoise, dispatchNoise, type NoiseLaw, noiseLawOf, uploadNoise } from '@turnproof/shaders';
import { noiseOracle } from '@turnproof/shaders/oracle';
import { normalCdf } from '../src/statistics/index.ts';

/** Bins of 1/128 from -8 to 8: ends are float32 numbers, so each draw is in the bin that it belongs to. */
const PER_UNIT = 128;
const REACH = 8;
const BINS = 2 * REACH * PER_UNIT;
const ELEMENTS = 2 ** 16;
const SAMPLES = 32;
/** Expected draws in a bin of the chi-square sum, at least. */
const LEAST_EXPECTED = 50;

export interface LawReport {
  readonly draws: number;
  /** Standard scores: how many standard errors an estimate is off. */
  readonly scores: Readonly<Record<string, number>>;
  /** Kolmogorov and Smirnov's √n · D: above 1.95 once in a thousand times. */
  readonly ks: number;
  readonly chiSquare: { readonly sum: number; readonly degrees: number };
  /** Values of the first draws that are not the reference's. */
  readonly unlike: number;
  /** Draws beyond 5σ, and expected. */
  readonly beyond5: readonly [seen: number, expected: number];
}

/** @param sigma - 1, or another to show that the report would notice */
export async function noiseLaw(gpu: Gpu, draws: number, seed: number, sigma = 1): Promise<LawReport> {
  const compiled = await compileNoise(gpu);
  const base = gpu.upload('f32', new Float32Array(ELEMENTS), 'zeros');
  const items = gpu.array('u32', 4 * SAMPLES, 'samples');
  const output = gpu.array('f32', ELEMENTS * SAMPLES, 'noise');
  const histogram = new Float64Array(BINS);
  const powers = [0, 0, 0, 0];
  const key = [seed, 0x1234567] as const;
  let n = 0;
  let unlike = 0;
  const law = noiseLawOf(sigma);
  const noise = uploadNoise(gpu, sigma);
  try {
    for (let batch = 0; n < draws; batch++) {
      const counters = Array.from({ length: SAMPLES }, (_, i) => [0, 3, 7, SAMPLES * batch + i]);
      gpu.write(items, Uint32Array.from(counters.flat()));
      const commands = gpu.batch('noise');
      const options = { elements: ELEMENTS, samples: SAMPLES, key, noise };
      dispatchNoise(commands, compiled, { base, items, output }, options);
      const read = commands.read(output);
      await commands.submit();
      if (batch === 0) unlike = unlikeReference(read.data.subarray(0, ELEMENTS), key, law);
      for (const z of read.data) {
        const bin = Math.floor((z + REACH) * PER_UNIT);
        histogram[bin] = (histogram[bin] ?? 0) + 1;
        const square = z * z;
        powers[0] = (powers[0] ?? 0) + z;
        powers[1] = (powers[1] ?? 0) + square;
        powers[2] = (powers[2] ?? 0) + square * z;
        powers[3] = (powers[3] ?? 0) + square * square;
      }
      n += read.data.length;
    }
  } finally {
    for (const array of [base, items, output, noise]) array.release();
  }
  return { draws: n, unlike, ...judge(histogram, powers, n, law) };
}

function unlikeReference(got: Float32Array, key: readonly [number, number], law: NoiseLaw): number {
  const q = 2 ** -law.latticeBits;
  const want = noiseOracle(got.length, [3, 7, 0], key, law);
  return want.reduce((count, steps, i) => count + (got[i] === steps * q ? 0 : 1), 0);
}

function judge(histogram: Float64Array, powers: readonly number[], n: number, { latticeBits }: NoiseLaw) {
  const root = Math.sqrt(n);
  const scores: Record<string, number> = {};
  // Moments of the normal law, and the deviation of one draw's power.
  const moments = [
    ['mean', 0, 1],
    ['variance', 1, Math.sqrt(2)],
    ['third moment', 0, Math.sqrt(15)],
    ['fourth moment', 3, Math.sqrt(96)],
  ] as const;
  moments.forEach(([name, expected, deviation], i) => {
    scores[name] = (((powers[i] ?? 0) / n - expected) * root) / deviation;
  });
  // A value on an edge is what half a step below it was rounded to.
  const edge = (bin: number) => bin / PER_UNIT - REACH - 2 ** -(latticeBits + 1);
  let beyond5: [number, number] = [0, 0];
  for (let sigmas = 1; sigmas <= 5; sigmas++) {
    const p = 2 * normalCdf(-sigmas);
    const seen = histogram.reduce((sum, count, bin) => {
      const inside = bin / PER_UNIT - REACH >= -sigmas && (bin + 1) / PER_UNIT - REACH <= sigmas;
      return inside ? sum : sum + count;
    }, 0);
    scores[`beyond ${sigmas} sigma`] = (seen - n * p) / Math.sqrt(n * p * (1 - p));
    if (sigmas === 5) beyond5 = [seen, n * p];
  }
  let [below, distance] = [0, 0];
  let [sum, degrees, seen, expected] = [0, -1, 0, 0];
  histogram.forEach((count, bin) => {
    below += count;
    distance = Math.max(distance, Math.abs(below / n - normalCdf(edge(bin + 1))));
    seen += count;
    // In the upper half by the upper tail: 1 - Φ has no digits left out there.
    const [low, high] = [edge(bin), edge(bin + 1)];
    expected += n * (low >= 0 ? normalCdf(-low) - normalCdf(-high) : normalCdf(high) - normalCdf(low));
    if (expected < LEAST_EXPECTED) return;
    sum += (seen - expected) ** 2 / expected;
    degrees += 1;
    [seen, expected] = [0, 0];
  });
  return { scores, ks: root * distance, chiSquare: { sum, degrees }, beyond5 };
}

/** Standard score of a chi-square sum (E. B. Wilson, M. M. Hilferty, 1931). */
export function chiSquareScore({ sum, degrees }: LawReport['chiSquare']): number {
  const spread = 2 / (9 * degrees);
  return (Math.cbrt(sum / degrees) - (1 - spread)) / Math.sqrt(spread);
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { values } = parseArgs({
    options: {
      draws: { type: 'string', default: '1e8' },
      adapter: { type: 'string', default: 'auto' },
      seed: { type: 'string', default: '1' },
    },
  });
  const gpu = await openDevice({ adapter: values.adapter });
  const report = await noiseLaw(gpu, Number(values.draws), Number(values.seed));
  console.log(`${report.draws} draws on ${gpu.adapter.name}`);
  for (const [name, score] of Object.entries(report.scores)) {
    console.log(`  ${name}: ${score.toFixed(2)} standard errors off`);
  }
  console.log(`  draws beyond 5 sigma: ${report.beyond5[0]}, expected ${report.beyond5[1].toFixed(1)}`);
  console.log(`  Kolmogorov-Smirnov: ${report.ks.toFixed(3)} (1.95 is passed once in 1000)`);
  const { sum, degrees } = report.chiSquare;
  const score = chiSquareScore(report.chiSquare).toFixed(2);
  console.log(
    `  chi-square: ${sum.toFixed(1)} at ${degrees} degrees of freedom, ${score} standard errors off`,
  );
  console.log(`  unlike the reference: ${report.unlike} of ${ELEMENTS}`);
  gpu.close();
}
