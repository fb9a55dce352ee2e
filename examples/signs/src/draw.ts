/** Draws one sign into 8-bit pixels: scene, supersampling, light, fog, grain. */
import { badInput } from '@turnproof/core';
import { faces } from './faces.ts';
import { RandomStream } from './random.ts';
import { backgroundAt, composeScene, type Hardship, type Scene } from './scene.ts';

/** Width and height of every image, in pixels. */
export const signSize = 32;

/** The seed of the committed test set and of the images that the models were trained on. */
export const defaultSeed = 20;

/** One image in nine is hard on purpose, so that a certifier has something to refuse; the ways take turns. */
const HARD_EVERY = 9;
const HARD_AT = 4;
const HARDSHIPS: readonly Hardship[] = ['dark', 'fog', 'small', 'covered'];

function hardshipOf(index: number): Hardship {
  if (index % HARD_EVERY !== HARD_AT) return 'none';
  return HARDSHIPS[Math.floor(index / HARD_EVERY) % HARDSHIPS.length] ?? 'none';
}

/** Samples per pixel in each direction. */
const SUPER = 4;

export type Split = 'train' | 'test';

export interface SignRequest {
  /** Integer in [0, 2^32). */
  readonly seed: number;
  /** The splits draw from disjoint streams: no test image is a training image. */
  readonly split: Split;
  /** Integer in [0, 2^31). */
  readonly index: number;
}

export interface SignImage {
  /** Index into `signsClasses`; index modulo the number of classes, so every run of ten is balanced. */
  readonly label: number;
  /** [3, 32, 32]: the red plane, then green, then blue, each row by row from the top; 8 bits a value. */
  readonly pixels: Uint8Array;
  /** Why this image is hard on purpose, 'none' for eight in nine. */
  readonly hardship: Hardship;
}

function checked(name: string, value: number, limit: number): number {
  if (Number.isInteger(value) && value >= 0 && value < limit) return value;
  throw badInput(
    `sign ${name} ${value} is not an integer in [0, ${limit})`,
    `Give a whole ${name} in that range.`,
  );
}

/** The random stream of an image: test streams in the upper half, training streams in the lower. */
export function streamOf(split: Split, index: number): number {
  const low = checked('index', index, 0x8000_0000);
  return split === 'test' ? 0x8000_0000 + low : low;
}

/**
 * Draws image `index` of a split. The same request gives the same bytes on every machine: the arithmetic is
 * + - * / and floor on doubles, which ECMAScript fixes to the last bit.
 *
 * @throws TurnproofError 'bad-input' when the seed or the index is not an integer in its range.
 */
export function drawSign({ seed, split, index }: SignRequest): SignImage {
  const random = new RandomStream(checked('seed', seed, 0x1_0000_0000), streamOf(split, index));
  const label = index % faces.length;
  const scene = composeScene(random, hardshipOf(index));
  const pixels = new Uint8Array(3 * signSize * signSize);
  for (let row = 0; row < signSize; row += 1) {
    for (let column = 0; column < signSize; column += 1) {
      const colour = pixelColour(scene, label, row, column);
      for (const [channel, value] of colour.entries()) {
        const level = Math.floor(255 * (value + scene.grain * random.bell()) + 0.5);
        pixels[(channel * signSize + row) * signSize + column] = Math.min(255, Math.max(0, level));
      }
    }
  }
  return { label, pixels, hardship: scene.hardship };
}

/** The mean colour of a pixel's samples under the scene's light and fog, before grain and rounding. */
function pixelColour(scene: Scene, label: number, row: number, column: number): number[] {
  let red = 0;
  let green = 0;
  let blue = 0;
  for (let i = 0; i < SUPER; i += 1) {
    for (let j = 0; j < SUPER; j += 1) {
      const x = column + (j + 0.5) / SUPER - signSize / 2;
      const y = row + (i + 0.5) / SUPER - signSize / 2;
      const [r, g, b] = sampleColour(scene, label, x, y);
      red += r;
      green += g;
      blue += b;
    }
  }
  const samples = SUPER * SUPER;
  const x = (2 * column + 1 - signSize) / signSize;
  const y = (2 * row + 1 - signSize) / signSize;
  const light = scene.light * (1 + scene.lightX * x + scene.lightY * y);
  return [red, green, blue].map((sum, channel) => {
    const lit = (light * sum) / samples;
    return lit + scene.fog * ((scene.fogColour[channel] ?? 0) - lit);
  });
}

/** The paint at one point, (x, y) in pixels from the image's centre. */
function sampleColour(scene: Scene, label: number, x: number, y: number): readonly [number, number, number] {
  const u = (x - scene.dx) / scene.radiusX;
  const v = (y - scene.dy) / scene.radiusY;
  const { cover } = scene;
  const covered = cover !== undefined && cover.p * u + cover.q * v > cover.r;
  const ink = covered ? undefined : faces[label]?.(u, v, scene.variant);
  return ink === undefined ? backgroundAt(scene, x, y, signSize) : scene.inks[ink];
}
