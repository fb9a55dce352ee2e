/**
 * Random check of the bounds in float64: no error at a random γ may lie above the bound of a box or range that holds
 * it. Chord and interval over sub-boxes of random place and width, exact over ranges. Images of the built-in signs, of
 * MNIST and CIFAR-10 where they are, cropped or padded to sizes from 7 x 7 to 64 x 48, grey and in colour; made-up ones
 * besides, which the wanted number of points does not count.
 *
 * Run: node --conditions=turnproof-source packages/cli/scripts/check-bounds.ts --points 1000000
 *      [--method all|chord|interval|exact] [--transform rotation|translation|both] [--adapter NAME] [--seed N]
 * Exit status 1 when a bound is exceeded.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { openBounder, WaveRunner } from '@turnproof/certify/bounds';
import { openDevice } from '@turnproof/core';
import type { ImageShape, ParameterBox, Preprocess, Transform } from '@turnproof/shaders';
import { openDataset } from '../src/data/index.ts';
import type { ErrorTask } from './error-worker.ts';

const { values } = parseArgs({
  options: {
    method: { type: 'string', default: 'all' },
    points: { type: 'string', default: '100000' },
    transform: { type: 'string', default: 'both' },
    adapter: { type: 'string', default: 'auto' },
    seed: { type: 'string', default: '1' },
  },
});
type Method = 'chord' | 'interval' | 'exact';
interface Pairing {
  readonly method: Method;
  readonly transform: Transform;
}
const pairings = (['rotation', 'translation'] as const)
  .flatMap((transform) =>
    (['chord', 'interval', 'exact'] as const).map((method): Pairing => ({ method, transform })),
  )
  .filter(({ method, transform }) => method !== 'exact' || transform === 'translation')
  .filter(({ method }) => values.method === 'all' || values.method === method)
  .filter(({ transform }) => values.transform === 'both' || values.transform === transform);
if (pairings.length === 0) throw new Error('no such method for this transformation');
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
const datasets = await Promise.all(specs.map((spec) => openDataset(spec)));

type Image = Float32Array<ArrayBuffer>;
const MADE_UP = 'made-up';

function pick<T>(list: readonly T[]): T {
  const one = list[Math.floor(random() * list.length)];
  if (one === undefined) throw new Error('nothing to pick from');
  return one;
}

/** From the source's own size where there is one, else anything between 7 x 7 and 64 x 48. */
function someShape(own: ImageShape | undefined): ImageShape {
  const channels = random() < 0.5 ? 1 : 3;
  if (own && random() < 0.25) return { ...own, channels };
  return { channels, height: 7 + Math.floor(random() * 42), width: 7 + Math.floor(random() * 58) };
}

function madeUpImage({ channels, height, width }: ImageShape): Image {
  const kind = Math.floor(random() * 4);
  return Float32Array.from({ length: channels * height * width }, (_, k) => {
    if (kind === 0) return random();
    if (kind === 1) return random() < 0.5 ? 0 : 1;
    if (kind === 2) return ((k % width) + Math.floor(k / width)) % 2;
    return random() < 0.02 ? 1 : 0;
  });
}

/** Cropped where it is too large, padded with 0 where it is too small, at a random place; channels repeated or left out. */
function fitted(pixels: ArrayLike<number>, from: ImageShape, to: ImageShape): Image {
  const place = (have: number, want: number) =>
    Math.floor(random() * (Math.abs(have - want) + 1)) * Math.sign(have - want);
  const [top, left] = [place(from.height, to.height), place(from.width, to.width)];
  const image = new Float32Array(to.channels * to.height * to.width);
  for (let k = 0; k < image.length; k++) {
    const channel = Math.floor(k / (to.height * to.width)) % from.channels;
    const row = (Math.floor(k / to.width) % to.height) + top;
    const column = (k % to.width) + left;
    if (row < 0 || column < 0 || row >= from.height || column >= from.width) continue;
    image[k] = pixels[(channel * from.height + row) * from.width + column] ?? Number.NaN;
  }
  return image;
}

const IMAGES = 8;

/** Some images of one source and one shape. */
async function someImages(): Promise<{
  source: string;
  names: string[];
  shape: ImageShape;
  images: Image[];
}> {
  const dataset = random() < 0.2 ? undefined : pick(datasets);
  const shape = someShape(dataset?.shape);
  const names: string[] = [];
  const images: Image[] = [];
  for (let i = 0; i < IMAGES; i++) {
    const index = dataset ? Math.floor(random() * dataset.size) : i;
    const image = dataset
      ? fitted((await dataset.read(index)).pixels, dataset.shape, shape)
      : madeUpImage(shape);
    names.push(`${dataset?.spec ?? MADE_UP}[${index}] as ${shape.channels}x${shape.height}x${shape.width}`);
    images.push(image);
  }
  return { source: dataset?.spec.replace(/:.*/, '') ?? MADE_UP, names, shape, images };
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

/** A parameter inside a box: anywhere, on its ends, and (for translation) where pixels change cell. */
function inside({ lower, upper }: ParameterBox, beta: readonly number[]): number[] {
  return lower.map((a, axis) => {
    const b = upper[axis] ?? a;
    const place = random();
    if (place < 0.1) return a;
    if (place > 0.9) return b;
    const anywhere = a + (b - a) * random();
    const line =
      place < 0.2 ? Math.round(anywhere) : Math.round(anywhere + (beta[axis] ?? 0)) - (beta[axis] ?? 0);
    return place < 0.3 && line >= a && line <= b ? line : anywhere;
  });
}

interface Task {
  readonly image: number;
  readonly beta: number[];
  readonly box: ParameterBox;
}

const BOXES = 40;
const POINTS_PER_BOX = 15;

/** Upper bounds on the error over each task's box. */
async function boundsOf(
  { method, transform }: Pairing,
  shape: ImageShape,
  pre: Preprocess,
  images: readonly Image[],
  tasks: readonly Task[],
  range: number,
): Promise<number[]> {
  if (method === 'exact') {
    const pipeline = { transform, range, pre, quantization: 'none' } as const;
    const bounder = await openBounder(gpu, { shape, pipeline, method });
    const answers = await bounder.bound(images, tasks, { tolerance: 0.02 });
    bounder.close();
    return answers.map(({ bound }) => bound);
  }
  const corners = tasks.flatMap(({ image, beta, box }) =>
    box.lower
      .reduce<number[][]>(
        (list, a, axis) =>
          list.flatMap((p) => [
            [...p, a],
            [...p, box.upper[axis] ?? a],
          ]),
        [[]],
      )
      .map((gamma) => ({ image, beta, gamma })),
  );
  const wave = await WaveRunner.create(gpu, { transform, shape, pre }, method);
  const size = shape.channels * shape.height * shape.width;
  const stack = gpu.array('f32', images.length * size, 'images');
  images.forEach((image, i) => {
    gpu.write(stack, image, i * size);
  });
  const result = await wave.run(stack, method === 'chord' ? corners : [], tasks);
  stack.release();
  wave.close();
  const perBox = corners.length / tasks.length;
  return tasks.map((_, i) => {
    const norm = result.boxes[i] ?? Number.NaN;
    return method === 'interval'
      ? norm
      : Math.max(...result.points.subarray(i * perBox, (i + 1) * perBox)) + norm;
  });
}

const started = performance.now();
const checked = new Map<string, number>();
const closest = new Map<string, number>();
let violations = 0;
/** Points on images of the data sets that are checked or on their way. */
let counted = 0;
const running = new Set<Promise<void>>();
while (counted < wanted) {
  const pairing = pick(pairings);
  const { method, transform } = pairing;
  const { source, names, shape, images } = await someImages();
  const pre = somePre(transform);
  const spread = transform === 'rotation' ? 60 : 4;
  const range = 0.3 + 2.7 * random();
  const tasks = images.flatMap((_, image) =>
    Array.from({ length: BOXES }, (): Task => {
      const beta = (transform === 'rotation' ? [0] : [0, 0]).map(() => (random() - 0.5) * 2 * spread);
      const box =
        method === 'exact' ? { lower: [-range, -range], upper: [range, range] } : someBox(transform, beta);
      return { image, beta, box };
    }),
  );
  const bounds = await boundsOf(pairing, shape, pre, images, tasks, range);
  const kind = `${method} ${transform}`;
  images.forEach((image, i) => {
    const own = tasks.slice(i * BOXES, (i + 1) * BOXES);
    const points = own.flatMap(({ beta, box }) =>
      Array.from({ length: POINTS_PER_BOX }, () => ({ beta, gamma: inside(box, beta) })),
    );
    if (source !== MADE_UP) counted += points.length;
    const job = exactErrors({ transform, shape, pre, image, points }).then((errors) => {
      errors.forEach((error, k) => {
        const bound = bounds[i * BOXES + Math.floor(k / POINTS_PER_BOX)] ?? Number.NaN;
        closest.set(kind, Math.max(closest.get(kind) ?? 0, error / bound));
        if (error <= bound) return;
        violations += 1;
        const at = points[k];
        console.log(`VIOLATION ${kind} ${names[i]} beta ${at?.beta} gamma ${at?.gamma}: ${error} > ${bound}`);
      });
      for (const key of [kind, source]) checked.set(key, (checked.get(key) ?? 0) + errors.length);
    });
    running.add(job);
    void job.finally(() => running.delete(job));
  });
  while (running.size >= 2 * IMAGES) await Promise.race(running);
  process.stderr.write(`\r${counted} of ${wanted} points on their way, ${violations} above their bound `);
}
await Promise.all(running);
process.stderr.write('\n');
for (const worker of workers) await worker.terminate();
const seconds = ((performance.now() - started) / 1000).toFixed(0);
const sources = [...new Set([...specs.map((spec) => spec.replace(/:.*/, '')), MADE_UP])];
console.log(sources.map((name) => `${name} ${checked.get(name) ?? 0}`).join(', '));
for (const [kind, ratio] of [...closest].toSorted()) {
  console.log(`${kind}: ${checked.get(kind)} points, largest error / bound ${ratio.toFixed(6)}`);
}
const total = sources.reduce((sum, name) => sum + (checked.get(name) ?? 0), 0);
console.log(`${total} points on ${gpu.adapter.name}: ${violations} above their bound; ${seconds} s`);
gpu.close();
process.exit(violations > 0 ? 1 : 0);
