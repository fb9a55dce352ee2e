/**
 * Tries Indiv on attacked images whose originals are at hand.
 *
 *   inverse: random (image, γ, box): boxes that hold γ must hold the image, real-valued and 8-bit; how many others are refuted;
 *            and a kernel that shrinks one corner, which must not pass.
 *   certify: random attacks of each image, rounded to 8 bits: is the original inside the intervals at every pixel, E, share
 *            certified, time; then g (PREDICT, by other draws) at the original, and the other attacks of the same image.
 *
 * Run: node --conditions=turnproof-source packages/cli/scripts/check-indiv.ts inverse|certify [--data SPEC] [--model FILE]
 *   [--range 10] [--images 20] [--attacks 3] [--cases 2000] [--n-gamma 200] [--adapter auto] ...
 */
import { parseArgs } from 'node:util';
import { Certifier, inspectModel, openClassifier, type Pipeline, type Plan } from '@turnproof/certify';
import { attackHalfStep, GpuInverter } from '@turnproof/certify/bounds';
import { openDevice } from '@turnproof/core';
import { mutate } from '@turnproof/core/testing';
import { inverseKernel, type ParameterBox, pixelCount } from '@turnproof/shaders';
import { warpOracle } from '@turnproof/shaders/oracle';
import { runInverse } from '../../shaders/src/kernel-runs.test-support.ts';
import { openDataset } from '../src/data/index.ts';
import { hashPixels } from '../src/data/types.ts';
import { resolveModel } from '../src/options/model.ts';
import { parseBlur, parseVignette } from '../src/options/pipeline.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    data: { type: 'string', default: 'signs' },
    model: { type: 'string', default: 'signs' },
    transform: { type: 'string', default: 'rotation' },
    range: { type: 'string', default: '10' },
    vignette: { type: 'string', default: 'circle:2' },
    blur: { type: 'string', default: '5:1' },
    'sigma-eps': { type: 'string', default: '0.3' },
    images: { type: 'string', default: '20' },
    skip: { type: 'string', default: '0' },
    attacks: { type: 'string', default: '3' },
    cases: { type: 'string', default: '2000' },
    'n-gamma': { type: 'string', default: '200' },
    'sigma-gamma': { type: 'string' },
    boxes: { type: 'string', default: '512' },
    refinements: { type: 'string', default: '10' },
    adapter: { type: 'string', default: 'auto' },
    threads: { type: 'string', default: '1' },
    'inverse-only': { type: 'boolean', default: false },
  },
});
const data = await openDataset(values.data);
const { shape } = data;
const size = pixelCount(shape);
const gpu = await openDevice({ adapter: values.adapter });
const transform = values.transform === 'translation' ? 'translation' : 'rotation';
const range = Number(values.range);
const refinements = Number(values.refinements);
const pipelineOf = (quantization: Pipeline['quantization']): Pipeline => ({
  transform,
  range,
  pre: { vignette: parseVignette(values.vignette), blur: parseBlur(values.blur) },
  quantization,
});

let state = 2026;
const random = () => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
};
const normal = (sigma: number) =>
  sigma * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
const axes = transform === 'rotation' ? [0] : [0, 1];
const anyGamma = () => axes.map(() => range * (2 * random() - 1));

/** As an attacker makes it: T_γ x in float64, then float32 or 8 bits. */
function attack(gamma: readonly number[], x: Float32Array, { quantization }: Pipeline) {
  const exact = warpOracle(transform, gamma, x, shape);
  return Float32Array.from(exact, (v) => (quantization === 'u8' ? Math.round(255 * v) / 255 : v));
}

function outside(x: Float32Array, ends: Float32Array, i: number): number {
  let count = 0;
  x.forEach((value, k) => {
    const [low = Number.NaN, high = Number.NaN] = [ends[2 * i * size + k], ends[(2 * i + 1) * size + k]];
    if (!(low <= value && value <= high)) count += 1;
  });
  return count;
}

async function checkInverse(): Promise<boolean> {
  const shrunk = mutate(inverseKernel, {
    fault: 'one corner shrunk',
    find: 'let a = odds(select(near_u, far_u, (corner & 4) == 4));',
    replace: 'let a = odds(select(near_u, far_u, (corner & 12) == 4));',
  });
  const total = Number(values.cases);
  let fine = true;
  for (const quantization of ['none', 'u8'] as const) {
    const pipeline = pipelineOf(quantization);
    const halfStep = attackHalfStep(pipeline);
    const totals = { cases: 0, broken: 0, mutantBroken: 0 };
    /** By how far beyond the box γ lies, in widths of the box: tried, refuted. */
    const others = new Map<string, [number, number]>();
    while (totals.cases < total) {
      const { pixels: x } = await data.read(((Number(values.skip) + (totals.cases / 4) * 7) % data.size) | 0);
      const image = attack(anyGammaKept(), x, pipeline);
      const widths = [0.02, 0.1, 0.5, 2].map((share) => share * 2 * range * 0.1 * (0.5 + random()));
      const holding = widths.map((width): ParameterBox => {
        const lower = kept.map((g) => g - width * random());
        return { lower, upper: lower.map((a, axis) => Math.max(kept[axis] ?? 0, a + width)) };
      });
      const apart = widths.flatMap((width) =>
        [0.5, 2, 8].flatMap((gap): { box: ParameterBox; name: string }[] => {
          // Beside γ along the first axis, towards 0; never around 0, where x' itself is an answer.
          const sign = (kept[0] ?? 0) > 0 ? -1 : 1;
          const near = (kept[0] ?? 0) + sign * gap * width;
          const [a, b] = [near, near + sign * width].sort((p, q) => p - q);
          if (a === undefined || b === undefined || Math.abs(near) > range || (a <= width && b >= -width))
            return [];
          const rest = kept.slice(1);
          const box = {
            lower: [a, ...rest.map((g) => g - width / 2)],
            upper: [b, ...rest.map((g) => g + width / 2)],
          };
          return [
            {
              box,
              name: `${width < 0.1 * range * 0.1 ? 'narrow' : width < 0.05 * range ? 'middle' : 'wide'}, ${gap} widths away`,
            },
          ];
        }),
      );
      const cases = [...holding, ...apart.map(({ box }) => box)].map((box) => ({ image, box }));
      const { ends, refuted } = await runInverse(gpu, { transform, shape }, cases, {
        halfStep,
        steps: refinements,
      });
      const mutant = await runInverse(gpu, { transform, shape }, cases.slice(0, 4), {
        halfStep,
        steps: refinements,
        kernel: shrunk,
      });
      holding.forEach((_, i) => {
        totals.cases += 1;
        if (refuted[i] || outside(x, ends, i) > 0) totals.broken += 1;
        if (mutant.refuted[i] || outside(x, mutant.ends, i) > 0) totals.mutantBroken += 1;
      });
      apart.forEach(({ name }, i) => {
        const [tried, gone] = others.get(name) ?? [0, 0];
        others.set(name, [tried + 1, gone + (refuted[holding.length + i] ? 1 : 0)]);
      });
    }
    fine &&= totals.broken === 0 && totals.mutantBroken > 0;
    console.log(
      `${quantization}: ${totals.cases} boxes with γ inside: ${totals.broken} do not hold the image; with one corner shrunk ${totals.mutantBroken}`,
    );
    for (const [name, [tried, gone]] of [...others].sort())
      console.log(
        `  without γ, ${name}: ${gone} of ${tried} refuted (${((100 * gone) / tried).toFixed(1)} %)`,
      );
  }
  return fine;
}

let kept: number[] = [];
function anyGammaKept(): number[] {
  kept = anyGamma();
  return kept;
}

async function checkCertificates(): Promise<boolean> {
  const pipeline = pipelineOf('u8');
  const plan: Plan = {
    method: 'indiv',
    sigmaGamma: Number(values['sigma-gamma'] ?? range),
    sigmaEps: Number(values['sigma-eps']),
    confidence: 0.99,
    n0: 20,
    nGamma: Number(values['n-gamma']),
    nEps: 10_000,
    inner: 'sequential',
    nChooseE: 100,
    nTestE: 400,
    radiusRule: 'paper',
    seed: 1,
    batch: 'auto',
    refinements,
    boxes: Number(values.boxes),
  };
  const classifier = await openClassifier({
    model: await inspectModel(resolveModel(values.model)),
    provider: 'wasm',
    shape,
    threads: Number(values.threads),
  });
  const certifier = await Certifier.open({ gpu, classifier, shape, pipeline, plan });
  const inverter = await GpuInverter.open(gpu, { shape, pipeline, refinements, boxes: Number(values.boxes) });
  interface File {
    readonly index: number;
    readonly gamma: readonly number[];
    readonly image: Float32Array<ArrayBuffer>;
  }
  const files: File[] = [];
  let broken = 0;
  /** 1.1 times the largest bound of 100 β, the paper's choice of E, and the time for it. */
  const [largest, seconds]: [number[], number[]] = [[], []];
  for (let k = 0; k < Number(values.attacks); k++) {
    for (let i = 0; i < Number(values.images); i++) {
      const index = Number(values.skip) + i;
      const { pixels: x } = await data.read(index);
      const gamma = anyGamma();
      const image = attack(gamma, x, pipeline);
      files.push({ index, gamma, image });
      const started = performance.now();
      const preimages = await inverter.narrow(image);
      const requests = Array.from({ length: 100 }, () => ({
        image: 0,
        beta: axes.map(() => normal(plan.sigmaGamma)),
      }));
      const bounds = await inverter.over(preimages).bound([image], requests, { tolerance: 0.05 });
      seconds.push((performance.now() - started) / 1000);
      largest.push(1.1 * Math.max(...bounds.map(({ bound }) => bound)));
      const { boxes } = preimages;
      const box = boxes.find(({ lower, upper }) =>
        gamma.every((g, axis) => (lower[axis] ?? 0) <= g && g <= (upper[axis] ?? 0)),
      );
      const options = { halfStep: attackHalfStep(pipeline), steps: refinements };
      const ends = box && (await runInverse(gpu, { transform, shape }, [{ image, box }], options)).ends;
      if (!ends || outside(x, ends, 0) > 0) broken += 1;
    }
  }
  const mean = (list: readonly number[]) => list.reduce((a, b) => a + b, 0) / list.length;
  console.log(
    `${files.length} attacked files: of ${broken} the original is outside the intervals at some pixel; 1.1 times the largest ` +
      `of 100 bounds: mean ${mean(largest).toFixed(4)}, ${Math.min(...largest).toFixed(3)} to ` +
      `${Math.max(...largest).toFixed(3)}; ${mean(seconds).toFixed(2)} s a file`,
  );
  if (values['inverse-only']) return broken === 0;

  const totals = {
    files: 0,
    certified: 0,
    correct: 0,
    partly: 0,
    E: 0,
    bounded: 0,
    ms: 0,
    same: 0,
    undecided: 0,
    differs: 0,
  };
  const summary = () => {
    const { bounded, certified } = totals;
    return (
      `${totals.files} files: mean E ${(totals.E / bounded).toFixed(4)}, t_E ${(totals.ms / bounded / 1000).toFixed(2)} s a file; ` +
      `certified over the whole range ${certified} (${((100 * certified) / totals.files).toFixed(1)} %), correctly ${totals.correct}, ` +
      `over a part ${totals.partly}; g at their originals answers the certified class for ${totals.same}, ` +
      `undecided ${totals.undecided}, another ${totals.differs}`
    );
  };
  /** g at the originals, by draws that no certificate uses. */
  const asked = new Map<number, number | null>();
  for (const [number, { index, gamma, image }] of files.entries()) {
    const { label, pixels, sha256 } = await data.read(index);
    const file = { index: 1_000_000 + number, pixels: image, sha256: hashPixels(image), label };
    const certificate = await certifier.certify(file);
    if (certificate.method !== 'indiv') throw new Error('another method');
    const { bound, predicted, correct, cutAtRange, radius, ms, inverse } = certificate;
    totals.files += 1;
    if (bound) {
      totals.E += bound.E;
      totals.bounded += 1;
      totals.ms += ms.bound;
    }
    console.log(
      `image ${index}, γ ${gamma.map((g) => g.toFixed(3))}: ${inverse?.kept} of ${inverse?.tried} boxes left, E ${bound?.E.toFixed(4)}, ` +
        `ρ_E ${bound?.rhoE.toFixed(4)}, class ${predicted}, radius ${radius}; ` +
        `t_E ${(ms.bound / 1000).toFixed(2)} s, sampling ${(ms.sampling / 1000).toFixed(1)} s`,
    );
    if (predicted !== null) {
      if (cutAtRange) totals.certified += 1;
      else totals.partly += 1;
      if (correct && cutAtRange) totals.correct += 1;
      if (!asked.has(index))
        asked.set(index, (await certifier.predict({ index, pixels, sha256, label })).predicted);
      const answer = asked.get(index) ?? null;
      if (answer === null) totals.undecided += 1;
      else if (answer === predicted) totals.same += 1;
      else {
        totals.differs += 1;
        console.log(`image ${index}: certified ${predicted}, g at the original answers ${answer}`);
      }
    }
    if ((number + 1) % 5 === 0) console.log(summary());
  }
  console.log(summary());
  await certifier.close();
  inverter.close();
  await classifier.release();
  return broken === 0 && totals.differs === 0;
}

const fine = positionals[0] === 'inverse' ? await checkInverse() : await checkCertificates();
gpu.close();
process.exit(fine ? 0 : 1);
