/**
 * Random check of the bounds in float64: sub-boxes of random place and width, random γ inside them, not one error may
 * lie above its box's bound. Images of the built-in signs, of MNIST and CIFAR-10 where they are, and made-up ones of
 * sizes from 7x7 to 64x48.
 *
 * Run: node --conditions=turnproof-source packages/cli/scripts/check-bounds.ts --method interval --points 100000
 *      [--transform rotation|translation|both] [--adapter NAME] [--seed N]
 * Exit status 1 when a bound is exceeded.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { WaveRunner } from '@turnproof/certify/bounds';
import { openDevice } from '@turnproof/core';
import type { ImageShape, ParameterBox, Preprocess, Transform } from '@turnproof/shaders';
import { openDataset } from '../src/data/index.ts';
import type { ErrorTask } from './error-worker.ts';

const { values } = parseArgs({
  options: {
    method: { type: 'string', default: 'interval' },
    points: { type: 'string', default: '100000' },
    transform: { type: 'string', default: 'both' },
    adapter: { type: 'string', default: 'auto' },
    seed: { type: 'string', default: '1' },
  },
});
const methods =
  values.method === 'both' ? (['interval', 'chord'] as const) : [values.method as 'interval' | 'chord'];
const transforms: Transform[] =
  values.transform === 'both' ? ['rotation', 'translation'] : [values.transform as Transform];
const wanted = Number(values.points);

let state = Number(values.seed) >>> 0;
function random(): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  const mixed = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) >>> 0;
  return ((mixed ^ (mixed >>> 12)) >>> 0) / 2 ** 32;
}

const shared = process.env.TURNPROOF_SHARED ?? join(import.meta.dirname, '../../../../shared');
const specs = ['signs', `mnist:${shared}/data/mnist`, `cifar10:${shared}/data/cifar10/test_1000.bin`].filter(
  (spec) => spec === 'signs' || existsSync(spec.slice(spec.indexOf(':') + 1)),
);
const datasets = await Promise.all(specs.map(openDataset));

async function someImage(): Promise<{ name: string; shape: ImageShape; image: Float32Array<ArrayBuffer> }> {
  const pick = Math.floor(random() * (datasets.length + 2));
  const dataset = datasets[pick];
  if (dataset) {
    const index = Math.floor(random() * dataset.size);
    const { pixels } = await dataset.read(index);
    return { name: `${dataset.spec}[${index}]`, shape: dataset.shape, image: Float32Array.from(pixels) };
  }
  const shape = {
    channels: random() < 0.7 ? 1 : 3,
    height: 7 + Math.floor(random() * 42),
    width: 7 + Math.floor(random() * 58),
  };
  const kind = Math.floor(random() * 4);
  const image = Float32Array.from({ length: shape.channels * shape.height * shape.width }, (_, k) => {
    if (kind === 0) return random();
    if (kind === 1) return random() < 0.5 ? 0 : 1;
    if (kind === 2) return ((k % shape.width) + Math.floor(k / shape.width)) % 2;
    return random() < 0.02 ? 1 : 0;
  });
  return { name: `made-up ${shape.channels}x${shape.height}x${shape.width} kind ${kind}`, shape, image };
}

function somePre(transform: Transform): Preprocess {
  const blurs = [null, { size: 5, sigma: 1 }, { size: 5, sigma: Math.SQRT1_2 }, { size: 3, sigma: 0.6 }];
  const kind = random() < 0.2 ? 'none' : transform === 'rotation' ? 'circle' : 'rect';
  const vignette =
    kind === 'none' ? ({ kind } as const) : ({ kind, offset: Math.floor(random() * 3) } as const);
  return { vignette, blur: blurs[Math.floor(random() * blurs.length)] ?? null };
}

/** Boxes of all widths, many of them beside γ = 0 and γ = -β. */
function someBox(transform: Transform, beta: readonly number[]): ParameterBox {
  const scale = transform === 'rotation' ? 40 : 1.5;
  const lower = beta.map((b) => {
    const place = random();
    const center = place < 0.25 ? 0 : place < 0.5 ? -b : (random() - 0.5) * 2 * scale;
    return center - scale * random() ** 6;
  });
  return { lower, upper: lower.map((a) => a + scale * (1e-4 + random() ** 6)) };
}

const gpu = await openDevice({ adapter: values.adapter });
const workers = [0, 1].map(() => new Worker(new URL('./error-worker.ts', import.meta.url)));
const waiting = new Map<number, (errors: Float64Array) => void>();
for (const worker of workers) {
  worker.on('message', ({ id, errors }: { id: number; errors: Float64Array }) => {
    waiting.get(id)?.(errors);
    waiting.delete(id);
  });
}
let nextId = 0;
function exactErrors(task: Omit<ErrorTask, 'id'>): Promise<Float64Array> {
  const id = nextId++;
  return new Promise((resolve) => {
    waiting.set(id, resolve);
    workers[id % workers.length]?.postMessage({ id, ...task });
  });
}

const BOXES = 40;
const POINTS_PER_BOX = 10;
const started = performance.now();
let checked = 0;
let violations = 0;
let closest = 0;
const running = new Set<Promise<void>>();
while (checked + running.size * BOXES * POINTS_PER_BOX < wanted) {
  const transform = transforms[Math.floor(random() * transforms.length)] ?? 'rotation';
  const method = methods[Math.floor(random() * methods.length)] ?? 'interval';
  const { name, shape, image } = await someImage();
  const pre = somePre(transform);
  const spread = transform === 'rotation' ? 60 : 4;
  const pairs = Array.from({ length: BOXES }, () => {
    const beta =
      transform === 'rotation'
        ? [(random() - 0.5) * 2 * spread]
        : [0, 0].map(() => (random() - 0.5) * 2 * spread);
    return { image: 0, beta, box: someBox(transform, beta) };
  });
  const corners = pairs.flatMap(({ beta, box }) => {
    const list: number[][] = box.lower.reduce<number[][]>(
      (c, a, axis) =>
        c.flatMap((p) => [
          [...p, a],
          [...p, box.upper[axis] ?? a],
        ]),
      [[]],
    );
    return list.map((gamma) => ({ image: 0, beta, gamma }));
  });
  const wave = await WaveRunner.create(gpu, { transform, shape, pre }, method);
  const stack = gpu.upload('f32', image, 'image');
  const result = await wave.run(stack, method === 'chord' ? corners : [], pairs);
  stack.release();
  wave.close();
  const perBox = corners.length / BOXES;
  const bounds = pairs.map((_, i) => {
    const norm = result.boxes[i] ?? Number.NaN;
    if (method === 'interval') return norm;
    return Math.max(...result.points.subarray(i * perBox, (i + 1) * perBox)) + norm;
  });
  const points = pairs.flatMap(({ beta, box }) =>
    Array.from({ length: POINTS_PER_BOX }, () => ({
      beta,
      gamma: box.lower.map((a, axis) => {
        const edge = random();
        const b = box.upper[axis] ?? a;
        return edge < 0.1 ? a : edge > 0.9 ? b : a + (b - a) * random();
      }),
    })),
  );
  const job = exactErrors({ transform, shape, pre, image, points }).then((errors) => {
    errors.forEach((error, i) => {
      const bound = bounds[Math.floor(i / POINTS_PER_BOX)] ?? Number.NaN;
      closest = Math.max(closest, error / bound);
      if (error <= bound) return;
      violations += 1;
      const at = points[i];
      console.log(
        `VIOLATION ${method} ${transform} ${name} beta ${at?.beta} gamma ${at?.gamma}: ${error} > ${bound}`,
      );
    });
    checked += errors.length;
  });
  running.add(job);
  void job.finally(() => running.delete(job));
  if (running.size >= 6) await Promise.race(running);
}
await Promise.all(running);
for (const worker of workers) await worker.terminate();
const seconds = ((performance.now() - started) / 1000).toFixed(0);
console.log(
  `${checked} points (${methods.join(', ')}; ${transforms.join(', ')}; ${specs.length} data sets) on ${gpu.adapter.name}: ` +
    `${violations} above their bound; largest error / bound ${closest.toFixed(6)}; ${seconds} s`,
);
gpu.close();
process.exit(violations > 0 ? 1 : 0);
