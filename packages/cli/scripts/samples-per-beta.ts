/**
 * Samples that the inner test of a β takes: sequential against fixed, decided from one and the same draw, on real images
 * and a real model, at the E of each image (1.1 times the largest bound of its choosing β). Prints quartiles, the ratio
 * to Wald's lower bound ln(1/α) / KL(p, p0), and how often both decide the same.
 *
 * The fixed test's draw ends where its decision is certain (so many successes, or so many failures, that the rest cannot
 * change it); it is counted with all its samples.
 *
 * Run: node --conditions=turnproof-source packages/cli/scripts/samples-per-beta.ts --data mnist:DIR --model FILE.onnx \
 *        [--limit 20] [--betas 10] [--n-eps 10000] [--range 30] [--sigma-eps 0.3] [--adapter auto]
 */
import { parseArgs } from 'node:util';
import {
  extraError,
  latticeNoise,
  openBounder,
  openClassifier,
  type Pipeline,
  Streams,
} from '@turnproof/certify';
import { fixedThreshold, innerThresholds, shareNeededFor } from '@turnproof/certify/statistics';
import { openDevice } from '@turnproof/core';
import { counterWord, GpuEngine, LOOK, Sampler } from '../../certify/src/sampling/index.ts';
import { runJob } from '../../certify/src/sampling/schedule.ts';
import { openDataset } from '../src/data/index.ts';
import { parseBlur, parseVignette } from '../src/options/pipeline.ts';

const { values } = parseArgs({
  options: {
    data: { type: 'string', default: 'signs' },
    model: { type: 'string' },
    limit: { type: 'string', default: '20' },
    betas: { type: 'string', default: '10' },
    'n-eps': { type: 'string', default: '10000' },
    'n-choose-e': { type: 'string', default: '30' },
    range: { type: 'string', default: '30' },
    'sigma-eps': { type: 'string', default: '0.3' },
    vignette: { type: 'string', default: 'circle:2' },
    blur: { type: 'string', default: '5:1' },
    adapter: { type: 'string', default: 'auto' },
    seed: { type: 'string', default: '1' },
  },
});
if (values.model === undefined) throw new Error('--model is missing');
const range = Number(values.range);
const nEps = Number(values['n-eps']);
const sigma = Math.fround(Number(values['sigma-eps']));
const betasOfImage = Number(values.betas);
/** As by default: α_ε = 0.005 shared among 200 β. */
const alpha = 0.005 / 200;

const data = await openDataset(values.data);
const { shape } = data;
const gpu = await openDevice({ adapter: values.adapter });
const classifier = await openClassifier({ model: values.model, provider: 'wasm', shape });
const pipeline: Pipeline = {
  transform: 'rotation',
  range,
  pre: { vignette: parseVignette(values.vignette), blur: parseBlur(values.blur) },
  quantization: 'none',
};
const streams = new Streams(BigInt(values.seed), 'rotation', range);
const { pre, transform } = pipeline;
const engine = await GpuEngine.open({
  gpu,
  classifier,
  shape,
  pre,
  transform,
  key: streams.key,
  batch: 'auto',
});
const bounder = await openBounder(gpu, { shape, pipeline });
const sampler = new Sampler(engine);

const noise = latticeNoise(sigma, shape);

interface Outcome {
  readonly sequential: number;
  readonly wald: number;
  readonly same: boolean;
  readonly accepted: boolean;
}
const outcomes: Outcome[] = [];

const quantile = (sorted: readonly number[], share: number) =>
  sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
const quartiles = (numbers: readonly number[]) => {
  const sorted = numbers.filter(Number.isFinite).toSorted((a, b) => a - b);
  return [0.25, 0.5, 0.75].map((share) => Number(quantile(sorted, share).toPrecision(3))).join(' ');
};

function divergence(p: number, q: number): number {
  const part = (a: number, b: number) => (a === 0 ? 0 : a * Math.log(a / b));
  return part(p, q) + part(1 - p, 1 - q);
}

for (let index = 0; index < Number(values.limit); index++) {
  const { pixels, label } = await data.read(index);
  const image = { index, pixels: new Float32Array(pixels) };
  const choosing = streams.betas(index, 'chooseE', Number(values['n-choose-e']));
  const bounds = await bounder.bound(
    [image.pixels],
    choosing.map((beta) => ({ image: 0, beta })),
    { tolerance: 0.05 },
  );
  const E = 1.1 * Math.max(...bounds.map(({ bound }) => bound)) + extraError(shape, pipeline, noise);
  const p0 = shareNeededFor(E, noise.sigma, noise.variation);
  const sequential = innerThresholds({ p0, alpha, maxN: nEps });
  const threshold = fixedThreshold({ p0, alpha, n: nEps });
  const votes = await sampler.countClasses(image, {
    betas: streams.betas(index, 'chooseClass', 10),
    noise: 'chooseClassNoise',
    sigma,
    samples: 32,
  });
  const totals = Array.from({ length: classifier.classes }, (_, c) =>
    votes.reduce((sum, count, i) => sum + (i % classifier.classes === c ? count : 0), 0),
  );
  const classIndex = totals.indexOf(Math.max(...totals));
  const betas = streams.betas(index, 'certify', betasOfImage);
  const ends = betas.map(() => ({ n: nEps, accepted: false, open: true }));
  const fixed = betas.map(() => ({ accepted: false }));
  const { counts, trials } = await runJob(engine, image.pixels, {
    image: index,
    betas,
    wordOf: (beta) => counterWord('noise', beta),
    sigma,
    cap: nEps,
    look: LOOK,
    decided: (beta, n, counted, at) => {
      const k = counted[at + classIndex] ?? 0;
      const end = ends[beta];
      const decision = sequential.decide(k, n);
      if (end?.open && decision !== 'open') ends[beta] = { n, accepted: decision === 'accept', open: false };
      const certain = k >= threshold || k + (nEps - n) < threshold;
      if (certain) fixed[beta] = { accepted: k >= threshold };
      return certain && ends[beta]?.open === false;
    },
  });
  betas.forEach((_, beta) => {
    const n = trials[beta] ?? 1;
    const p = (counts[beta * classifier.classes + classIndex] ?? 0) / n;
    const end = ends[beta] ?? { n: nEps, accepted: false };
    outcomes.push({
      sequential: end.n,
      wald: -Math.log(alpha) / divergence(p, p0),
      same: end.accepted === fixed[beta]?.accepted,
      accepted: end.accepted,
    });
  });
  const mine = outcomes.slice(-betasOfImage);
  console.log(
    `image ${index} label ${label} class ${classIndex} E ${E.toFixed(4)} p0 ${p0.toFixed(4)}: sequential samples ` +
      `${mine.map((o) => o.sequential).join(' ')}`,
  );
}

const of = (which: (o: Outcome) => number) => quartiles(outcomes.map(which));
console.log(
  `${outcomes.length} β, ${outcomes.filter((o) => o.accepted).length} accepted; n_eps ${nEps}, α ${alpha}`,
);
console.log(`quartiles of samples, sequential: ${of((o) => o.sequential)} (fixed: ${nEps})`);
console.log(`quartiles of their ratio to Wald's bound: ${of((o) => o.sequential / o.wald)}`);
console.log(`the same decision: ${outcomes.filter((o) => o.same).length} of ${outcomes.length}`);
console.log(
  `all samples: ${outcomes.reduce((sum, o) => sum + o.sequential, 0)} sequential, ${nEps * outcomes.length} fixed`,
);
bounder.close();
engine.close();
await classifier.release();
gpu.close();
