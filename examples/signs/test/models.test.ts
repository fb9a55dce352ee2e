/**
 * The committed models on the committed test set, through onnxruntime-web, with transformations and `pre` in
 * float64 written here from the formulas (not the project's own kernels): accuracy keeps above a stated floor.
 */
import { readFileSync, statSync } from 'node:fs';
import * as ort from 'onnxruntime-web/wasm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RandomStream } from '../src/random.ts';

const SIDE = 32;
const PLANE = SIDE * SIDE;
const RECORD = 1 + 3 * PLANE;
const data = readFileSync(new URL('../data/test.bin', import.meta.url));
const count = data.length / RECORD;

/** [3, 32, 32] in [0, 1]. */
type Image = Float64Array;

const images: readonly Image[] = Array.from({ length: count }, (_, k) =>
  Float64Array.from(data.subarray(k * RECORD + 1, (k + 1) * RECORD), (byte) => byte / 255),
);
const labels = Array.from({ length: count }, (_, k) => data[k * RECORD] ?? -1);

/** Bilinear value of plane `c` at column `x`, row `y` (pixels, fractional); 0 outside. */
function interpolated(image: Image, c: number, x: number, y: number): number {
  const x0 = Math.floor(x);
  const y0 = Math.floor(y);
  let sum = 0;
  for (const [row, weightY] of [[y0, y0 + 1 - y] as const, [y0 + 1, y - y0] as const]) {
    for (const [column, weightX] of [[x0, x0 + 1 - x] as const, [x0 + 1, x - x0] as const]) {
      if (row < 0 || row >= SIDE || column < 0 || column >= SIDE) continue;
      sum += weightY * weightX * (image[c * PLANE + row * SIDE + column] ?? 0);
    }
  }
  return sum;
}

/** Every pixel read at source(X, Y), in coordinates where the centre is 0 and neighbours are 2 apart. */
function resampled(image: Image, source: (x: number, y: number) => readonly [number, number]): Image {
  return image.map((_, k) => {
    const place = k % PLANE;
    const [x, y] = source(2 * (place % SIDE) - (SIDE - 1), 2 * Math.floor(place / SIDE) - (SIDE - 1));
    return interpolated(image, Math.floor(k / PLANE), (x + SIDE - 1) / 2, (y + SIDE - 1) / 2);
  });
}

function rotated(image: Image, degrees: number): Image {
  const cos = Math.cos((degrees * Math.PI) / 180);
  const sin = Math.sin((degrees * Math.PI) / 180);
  return resampled(image, (x, y) => [x * cos - y * sin, x * sin + y * cos]);
}

function translated(image: Image, dx: number, dy: number): Image {
  return resampled(image, (x, y) => [x - 2 * dx, y - 2 * dy]);
}

/** The vignette and then the 5x5 blur of sigma 1, summing to 1, zero padded. */
function pre(image: Image, keeps: (x: number, y: number) => boolean): Image {
  const weight = [-2, -1, 0, 1, 2].map((i) => Math.exp((-i * i) / 2));
  const total = weight.reduce((sum, w) => sum + w, 0);
  const kept = image.map((value, k) => {
    const place = k % PLANE;
    return keeps(2 * (place % SIDE) - (SIDE - 1), 2 * Math.floor(place / SIDE) - (SIDE - 1)) ? value : 0;
  });
  return kept.map((_, k) => {
    const c = Math.floor(k / PLANE);
    const row = Math.floor((k % PLANE) / SIDE);
    const column = k % SIDE;
    let sum = 0;
    for (let i = -2; i <= 2; i += 1) {
      for (let j = -2; j <= 2; j += 1) {
        const y = row + i;
        const x = column + j;
        if (y < 0 || y >= SIDE || x < 0 || x >= SIDE) continue;
        sum += (weight[i + 2] ?? 0) * (weight[j + 2] ?? 0) * (kept[c * PLANE + y * SIDE + x] ?? 0);
      }
    }
    return sum / (total * total);
  });
}

const circle = (x: number, y: number): boolean => x * x + y * y <= 27 * 27;
const rect = (x: number, y: number): boolean => Math.abs(x) <= 23 && Math.abs(y) <= 23;

function gaussian(random: RandomStream): number {
  return Math.sqrt(-2 * Math.log(1 - random.unit())) * Math.cos(2 * Math.PI * random.unit());
}

function noisy(image: Image, sigma: number, random: RandomStream): Image {
  return image.map((value) => value + sigma * gaussian(random));
}

async function accuracy(session: ort.InferenceSession, inputs: readonly Image[]): Promise<number> {
  const batch = new Float32Array(inputs.length * 3 * PLANE);
  for (const [k, image] of inputs.entries()) batch.set(image, k * 3 * PLANE);
  const image = new ort.Tensor('float32', batch, [inputs.length, 3, SIDE, SIDE]);
  const { logits } = await session.run({ image });
  if (!(logits?.data instanceof Float32Array)) throw new Error('the model gave no float32 logits');
  expect(logits.dims).toEqual([inputs.length, 10]);
  const all = logits.data;
  const right = labels.filter((label, k) => {
    const row = all.subarray(k * 10, k * 10 + 10);
    return (
      row.indexOf(row.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY)) === label
    );
  });
  return right.length / inputs.length;
}

const modelUrl = (name: string): URL => new URL(`../models/${name}.onnx`, import.meta.url);
const NAMES = ['signs_rot', 'signs_trans', 'signs_clean'] as const;
const sessions = new Map<string, ort.InferenceSession>();

function sessionOf(name: (typeof NAMES)[number]): ort.InferenceSession {
  const session = sessions.get(name);
  if (session === undefined) throw new Error(`no session for ${name}`);
  return session;
}

beforeAll(async () => {
  ort.env.wasm.numThreads = 1;
  for (const name of NAMES) {
    sessions.set(name, await ort.InferenceSession.create(readFileSync(modelUrl(name))));
  }
});

afterAll(async () => {
  for (const session of sessions.values()) await session.release();
});

describe('the committed models', () => {
  it.each(NAMES)('%s is under 400 kB and maps `image` to `logits`', (name) => {
    expect(statSync(modelUrl(name)).size).toBeLessThan(400_000);
    expect(sessionOf(name).inputNames).toEqual(['image']);
    expect(sessionOf(name).outputNames).toEqual(['logits']);
  });

  it('signs_rot reads turned signs through noise 0.3: at least 0.95 of them', async () => {
    const random = new RandomStream(1, 1);
    const turned = images.map((image) => pre(rotated(image, random.between(-60, 60)), circle));
    const inputs = turned.map((image) => noisy(image, 0.3, random));
    expect(await accuracy(sessionOf('signs_rot'), inputs)).toBeGreaterThanOrEqual(0.95);
  });

  it('signs_trans reads shifted signs through noise 0.3: at least 0.95 of them', async () => {
    const random = new RandomStream(1, 2);
    const moved = images.map((image) =>
      pre(translated(image, random.between(-4, 4), random.between(-4, 4)), rect),
    );
    const inputs = moved.map((image) => noisy(image, 0.3, random));
    expect(await accuracy(sessionOf('signs_trans'), inputs)).toBeGreaterThanOrEqual(0.95);
  });

  it('signs_clean reads the images as they are (0.96 at least), and loses some to a turn of 30°', async () => {
    const session = sessionOf('signs_clean');
    const asDrawn = await accuracy(session, images);
    expect(asDrawn).toBeGreaterThanOrEqual(0.96);
    const turned = [-30, 30].map((degrees) => images.map((image) => rotated(image, degrees)));
    for (const inputs of turned) expect(await accuracy(session, inputs)).toBeLessThan(asDrawn - 0.05);
  });

  it('signs_clean is lost in noise 0.3: it reads fewer than 0.7, so the noise above is really there', async () => {
    const random = new RandomStream(1, 3);
    const inputs = images.map((image) => noisy(pre(image, circle), 0.3, random));
    expect(await accuracy(sessionOf('signs_clean'), inputs)).toBeLessThan(0.7);
  });
});

describe("this test's own transformations", () => {
  const dot = (row: number, column: number): Image =>
    new Float64Array(3 * PLANE).fill(0).map((_, k) => (k % PLANE === row * SIDE + column ? 1 : 0));

  it('a quarter turn counter-clockwise takes the top right corner to the top left', () => {
    const turned = rotated(dot(0, SIDE - 1), 90);
    expect(turned[0]).toBeCloseTo(1, 9);
    expect(turned[SIDE - 1]).toBeCloseTo(0, 9);
  });

  it('a shift by (2, -1) goes right and up; half a pixel shares a dot between neighbours', () => {
    expect(translated(dot(10, 10), 2, -1)[9 * SIDE + 12]).toBe(1);
    const halfway = translated(dot(10, 10), 0.5, 0);
    expect([halfway[10 * SIDE + 10], halfway[10 * SIDE + 11]]).toEqual([0.5, 0.5]);
  });

  it('`pre` keeps the sum of a dot inside and removes one outside the vignette', () => {
    const sum = (image: Image): number => image.reduce((total, value) => total + value, 0);
    expect(sum(pre(dot(16, 16), circle))).toBeCloseTo(3, 12);
    expect(sum(pre(dot(0, 0), circle))).toBe(0);
    expect(sum(pre(dot(3, 16), rect))).toBe(0);
    expect(sum(pre(dot(4, 16), rect))).toBeCloseTo(3, 12);
  });
});
