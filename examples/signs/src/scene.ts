/**
 * Everything around a sign's face: where it stands, its paint, the background, the light, and what makes it hard.
 * Only + - * / and floor on exact inputs, so that IEEE arithmetic gives the same scene on every machine.
 */
import type { Ink } from './faces.ts';
import type { RandomStream } from './random.ts';

export type Rgb = readonly [number, number, number];

/** Why an image is hard on purpose; 'none' for the others. */
export type Hardship = 'none' | 'dark' | 'fog' | 'small' | 'covered';

export interface Scene {
  readonly hardship: Hardship;
  /** Centre in pixels from the image's centre, right and down. */
  readonly dx: number;
  readonly dy: number;
  /** Pixels per unit of the face's coordinates, across and down (a sign seen from the side is narrower). */
  readonly radiusX: number;
  readonly radiusY: number;
  readonly variant: number;
  readonly inks: Readonly<Record<Ink, Rgb>>;
  readonly background: Background;
  /** Factor on every colour, and its slope from left to right and top to bottom. */
  readonly light: number;
  readonly lightX: number;
  readonly lightY: number;
  /** How much of every pixel is fog, and the fog's colour. */
  readonly fog: number;
  readonly fogColour: Rgb;
  /** Half-plane p·x + q·y > r (pixels from the sign's centre, in radii) that something stands in front of. */
  readonly cover: { readonly p: number; readonly q: number; readonly r: number } | undefined;
  /** Standard deviation of the camera's own noise. */
  readonly grain: number;
}

export interface Background {
  readonly top: Rgb;
  readonly bottom: Rgb;
  /** A second colour beyond the line p·x + q·y > r, x and y in [-1, 1]: a wall, a roof, a kerb. */
  readonly wall: Rgb;
  readonly p: number;
  readonly q: number;
  readonly r: number;
  /** Mottling: offsets on a 6x6 lattice over the image, interpolated between. */
  readonly mottle: readonly number[];
  readonly pole: Rgb;
  readonly poleHalfWidth: number;
}

const LATTICE = 6;

function colourNear(random: RandomStream, centre: Rgb, spread: number): Rgb {
  const [r, g, b] = centre;
  return [
    r + random.between(-spread, spread),
    g + random.between(-spread, spread),
    b + random.between(-spread, spread),
  ];
}

const SURROUNDINGS: readonly Rgb[] = [
  [0.55, 0.68, 0.82], // sky
  [0.75, 0.77, 0.78], // cloud
  [0.3, 0.42, 0.24], // leaves
  [0.45, 0.44, 0.42], // concrete
  [0.5, 0.36, 0.28], // brick
  [0.22, 0.24, 0.27], // asphalt
  [0.62, 0.56, 0.44], // plaster
];

function surrounding(random: RandomStream): Rgb {
  return colourNear(random, SURROUNDINGS[random.below(SURROUNDINGS.length)] ?? [0.5, 0.5, 0.5], 0.09);
}

function background(random: RandomStream): Background {
  const top = surrounding(random);
  const bottom = surrounding(random);
  const wall = surrounding(random);
  const p = random.between(-1, 1);
  const q = random.between(-1, 1);
  const r = random.between(0.1, 1.4);
  const strength = random.between(0.02, 0.11);
  const mottle = Array.from({ length: LATTICE * LATTICE }, () => strength * random.bell());
  const grey = random.between(0.35, 0.65);
  return {
    top,
    bottom,
    wall,
    p,
    q,
    r,
    mottle,
    pole: [grey, grey, grey],
    poleHalfWidth: random.between(0.5, 1.1),
  };
}

/** A scene; all that a hardship changes is its own quantity. */
export function composeScene(random: RandomStream, hardship: Hardship): Scene {
  const near = random.between(8, 11);
  const radius = hardship === 'small' ? 0.53 * near : near;
  const narrow = random.between(0.86, 1);
  // Large signs have less room inside the vignette.
  const reach = Math.min(2, 12.5 - radius);
  const dx = random.between(-reach, reach);
  const dy = random.between(-reach, reach);
  const inks: Record<Ink, Rgb> = {
    red: colourNear(random, [0.8, 0.1, 0.12], 0.08),
    white: colourNear(random, [0.93, 0.93, 0.92], 0.05),
    black: colourNear(random, [0.09, 0.09, 0.1], 0.05),
    blue: colourNear(random, [0.08, 0.29, 0.72], 0.07),
    yellow: colourNear(random, [0.94, 0.75, 0.1], 0.06),
  };
  const behind = background(random);
  const bright = random.between(0.55, 1.08);
  const dim = random.between(0.14, 0.3);
  const veil = random.between(0, 0.18);
  const thick = random.between(0.6, 0.82);
  const fogGrey = random.between(0.55, 0.85);
  const side = random.between(-1, 1);
  const other = random.between(-1, 1);
  const covers = { p: side, q: other, r: random.between(-0.2, 0.15) };
  return {
    hardship,
    dx,
    dy,
    radiusX: radius * narrow,
    radiusY: radius,
    variant: random.below(3),
    inks,
    background: behind,
    light: hardship === 'dark' ? dim : bright,
    lightX: random.between(-0.18, 0.18),
    lightY: random.between(-0.18, 0.18),
    fog: hardship === 'fog' ? thick : veil,
    fogColour: [fogGrey, fogGrey, fogGrey + 0.03],
    cover: hardship === 'covered' ? covers : undefined,
    grain: random.between(0.005, 0.025),
  };
}

/** The background's colour at (x, y), pixels from the image's centre, in an image `size` pixels wide. */
export function backgroundAt(scene: Scene, x: number, y: number, size: number): Rgb {
  const { top, bottom, wall, p, q, r, mottle, pole, poleHalfWidth } = scene.background;
  if (Math.abs(x - scene.dx) <= poleHalfWidth && y > scene.dy) return pole;
  const s = (2 * x) / size;
  const t = (2 * y) / size;
  const down = (t + 1) / 2;
  const gx = ((s + 1) / 2) * (LATTICE - 1);
  const gy = down * (LATTICE - 1);
  const column = Math.min(LATTICE - 2, Math.max(0, Math.floor(gx)));
  const row = Math.min(LATTICE - 2, Math.max(0, Math.floor(gy)));
  const fx = gx - column;
  const fy = gy - row;
  const at = (i: number, j: number): number => mottle[i * LATTICE + j] ?? 0;
  const offset =
    (1 - fy) * ((1 - fx) * at(row, column) + fx * at(row, column + 1)) +
    fy * ((1 - fx) * at(row + 1, column) + fx * at(row + 1, column + 1));
  if (p * s + q * t > r) return [wall[0] + offset, wall[1] + offset, wall[2] + offset];
  return [
    top[0] + (bottom[0] - top[0]) * down + offset,
    top[1] + (bottom[1] - top[1]) * down + offset,
    top[2] + (bottom[2] - top[2]) * down + offset,
  ];
}
