/**
 * Drawings of what is certified: for rotation a fan around the image, for translation a map of shifts beside it. All
 * angles counter-clockwise from upright, as rotations are; shifts to the right and down.
 */
import type { Region, Slice } from './certificates.ts';
import { html, type Markup } from './html.ts';

export interface Layer {
  /** CSS class that colours it. */
  readonly tone: string;
  readonly region: Region | null;
  /** Tested slices, shown inside the certified region as alternating shades, outside as what failed. */
  readonly slices?: readonly Pick<Slice, 'lower' | 'upper' | 'passed'>[];
  /** Parameters to mark. */
  readonly marks?: readonly (readonly number[])[];
}

export interface RegionFigure {
  /** PNG data URI; null leaves an empty frame. */
  readonly image: string | null;
  readonly height: number;
  readonly width: number;
  readonly transform: 'rotation' | 'translation';
  readonly range: number;
  /** From the inside outwards. */
  readonly layers: readonly Layer[];
  readonly alternative: string;
}

const HALF = 50;
const INNER = 78;
const RING = 12;
const GAP = 3;

export function regionFigure(figure: RegionFigure): Markup {
  return figure.transform === 'rotation' ? fan(figure) : shiftMap(figure);
}

/** Failed ones below: what was halved and passed in parts is covered by them. */
function failedFirst<T extends { readonly passed: boolean }>(slices: readonly T[]): T[] {
  return [...slices.filter(({ passed }) => !passed), ...slices.filter(({ passed }) => passed)];
}

/** The image in a square of 100, centred at (0, 0) or elsewhere. */
function picture({ image, height, width }: RegionFigure, centre: number): Markup {
  const scale = (2 * HALF) / Math.max(height, width);
  const [w, h] = [width * scale, height * scale];
  const place = html`x="${round(centre - w / 2)}" y="${round(-h / 2)}" width="${round(w)}" height="${round(h)}"`;
  return html`${image === null ? '' : html`<image href="${image}" ${place} class="pixels" preserveAspectRatio="none"/>`}<rect ${place} class="frame"/>`;
}

function fan(figure: RegionFigure): Markup {
  const { layers, range, alternative } = figure;
  const limit = Math.min(range, 180);
  const outer = INNER + layers.length * (RING + GAP);
  const rings = layers.map((layer, i) => ring(layer, limit, INNER + i * (RING + GAP)));
  const top = outer - GAP + 2;
  // No empty half circle below a fan of a few degrees.
  const reach = outer + 12;
  const bottom = Math.max(HALF + 4, limit > 90 ? reach : -INNER * Math.cos((limit * Math.PI) / 180) + 12);
  const side = Math.max(HALF + 4, limit >= 90 ? reach : reach * Math.sin((limit * Math.PI) / 180) + 18);
  const labels = [limit, -limit].map((angle) => {
    const { x, y } = at(angle + (Math.sign(angle) * 650) / INNER, INNER + RING / 2);
    return html`<text class="angle" x="${x}" y="${y}">${angle > 0 ? '+' : '\u2212'}${limit}\u00b0</text>`;
  });
  return html`<svg class="region" viewBox="${round(-side)} ${-reach} ${round(2 * side)} ${round(reach + bottom)}" role="img" aria-label="${alternative}">${picture(figure, 0)}${rings}${limit < 165 ? labels : ''}<path class="upright" d="M0,${-top} l-4,-7 h8 z"/></svg>`;
}

function ring({ tone, region, slices = [], marks = [] }: Layer, limit: number, inner: number): Markup {
  const outer = inner + RING;
  const [lower, upper] = spanOf(region, 0, limit);
  const certified =
    region === null ? '' : html`<path class="${tone}" d="${sector(lower, upper, inner, outer)}"/>`;
  const shades = failedFirst(slices).map((slice, i) => {
    const [a, b] = [slice.lower[0] ?? 0, slice.upper[0] ?? 0];
    const shade = slice.passed ? (i % 2 === 0 ? 'slice-even' : 'slice-odd') : 'slice-failed';
    return html`<path class="${shade}" d="${sector(a, b, inner, outer)}"/>`;
  });
  const needles = marks.map((mark) => {
    const angle = mark[0] ?? 0;
    const [from, to] = [at(angle, inner - 5), at(angle, outer + 6)];
    return html`<line class="mark" x1="${from.x}" y1="${from.y}" x2="${to.x}" y2="${to.y}"/>`;
  });
  return html`<path class="range" d="${sector(-limit, limit, inner, outer)}"/>${certified}${shades}${needles}`;
}

function spanOf(region: Region | null, axis: number, limit: number): [number, number] {
  if (region === null) return [0, 0];
  if (region.kind === 'ball') return [-Math.min(region.radius, limit), Math.min(region.radius, limit)];
  return [region.lower[axis] ?? 0, region.upper[axis] ?? 0];
}

/** A point at an angle (degrees, counter-clockwise from upright). */
function at(angle: number, radius: number): { x: string; y: string } {
  const radians = (angle * Math.PI) / 180;
  return { x: round(-radius * Math.sin(radians)), y: round(-radius * Math.cos(radians)) };
}

/** Part of a ring from one angle to a larger one. In two halves: an arc of 360 degrees would be none. */
function sector(lower: number, upper: number, inner: number, outer: number): string {
  const middle = (lower + upper) / 2;
  const point = (angle: number, radius: number) => {
    const { x, y } = at(angle, radius);
    return `${x},${y}`;
  };
  const arc = (angle: number, radius: number, sweep: 0 | 1) =>
    `A${radius},${radius} 0 0 ${sweep} ${point(angle, radius)}`;
  return [
    `M${point(lower, outer)}`,
    arc(middle, outer, 0),
    arc(upper, outer, 0),
    `L${point(upper, inner)}`,
    arc(middle, inner, 1),
    arc(lower, inner, 1),
    'Z',
  ].join(' ');
}

/** The square of all shifts, and in it those that are certified: a disc where a length is, else a rectangle. */
function shiftMap(figure: RegionFigure): Markup {
  const { layers, range, alternative } = figure;
  const scale = HALF / range;
  const centre = 2 * HALF + 24;
  const place = (x: number, y: number) => ({ x: round(centre + x * scale), y: round(y * scale) });
  const box = (lower: readonly number[], upper: readonly number[], tone: string) => {
    const { x, y } = place(lower[0] ?? 0, lower[1] ?? 0);
    const [width, height] = [0, 1].map((axis) => round(((upper[axis] ?? 0) - (lower[axis] ?? 0)) * scale));
    return html`<rect class="${tone}" x="${x}" y="${y}" width="${width}" height="${height}"/>`;
  };
  const shapes = layers.map(({ tone, region, slices = [], marks = [] }) => {
    const certified =
      region === null
        ? ''
        : region.kind === 'box'
          ? box(region.lower, region.upper, tone)
          : html`<circle class="${tone}" cx="${centre}" cy="0" r="${round(region.radius * scale)}"/>`;
    const shades = failedFirst(slices).map((slice) =>
      box(slice.lower, slice.upper, slice.passed ? 'slice-outline' : 'slice-failed'),
    );
    const dots = marks.map((mark) => {
      const { x, y } = place(mark[0] ?? 0, mark[1] ?? 0);
      return html`<circle class="mark" cx="${x}" cy="${y}" r="2.5"/>`;
    });
    return html`${certified}${shades}${dots}`;
  });
  const left = -HALF - 4;
  const width = centre + HALF + 4 - left;
  return html`<svg class="region" viewBox="${left} ${-HALF - 4} ${width} ${2 * HALF + 8}" role="img" aria-label="${alternative}">${picture(figure, 0)}${box([-range, -range], [range, range], 'range')}${shapes}<path class="axes" d="M${centre - HALF},0 h${2 * HALF} M${centre},${-HALF} v${2 * HALF}"/></svg>`;
}

const round = (x: number): string => String(Number(x.toFixed(2)));
