/**
 * What each sign's face looks like: the ink at a point, in the sign's own coordinates.
 * u runs right and v runs down, both 0 at the centre; a round sign has radius 1. Not for backgrounds or light.
 *
 * The classes are chosen so that no turn makes one sign into another: every pair differs by colours or by glyph,
 * never by direction alone (no left and right arrows, no square beside a diamond of the same colour).
 */
export type Ink = 'red' | 'white' | 'black' | 'blue' | 'yellow';

/** The ink at (u, v), or undefined outside the sign. `variant` picks among equal members of a class. */
export type Face = (u: number, v: number, variant: number) => Ink | undefined;

const ROOT2 = Math.SQRT2;
const ROOT3 = 1.7320508075688772;

/** 3x5 letters and digits, row by row, '#' is ink. */
const LETTERS: Readonly<Record<string, readonly string[]>> = {
  S: ['###', '#..', '###', '..#', '###'],
  T: ['###', '.#.', '.#.', '.#.', '.#.'],
  O: ['###', '#.#', '#.#', '#.#', '###'],
  P: ['###', '#.#', '###', '#..', '#..'],
  '3': ['###', '..#', '.##', '..#', '###'],
  '5': ['###', '#..', '###', '..#', '###'],
  '7': ['###', '..#', '.#.', '.#.', '.#.'],
  '0': ['###', '#.#', '#.#', '#.#', '###'],
};

/** Whether (u, v) is on a stroke of `word`, written in the box |u| <= halfWidth, |v| <= halfHeight. */
function onWord(word: string, u: number, v: number, halfWidth: number, halfHeight: number): boolean {
  const columns = 4 * word.length - 1;
  const column = Math.floor(((u + halfWidth) / (2 * halfWidth)) * columns);
  const row = Math.floor(((v + halfHeight) / (2 * halfHeight)) * 5);
  if (column < 0 || column >= columns || row < 0 || row >= 5) return false;
  const letter = LETTERS[word[Math.floor(column / 4)] ?? ''];
  return letter?.[row]?.[column % 4] === '#';
}

/** Inside the upright equilateral triangle of circumradius 1.15, drawn in by `inset`. */
function inTriangle(u: number, v: number, inset: number): boolean {
  return v <= 0.575 - inset && ROOT3 * Math.abs(u) <= v + 1.15 - 2 * inset;
}

/** Inside the octagon whose flat sides are `a` from the centre. */
function inOctagon(u: number, v: number, a: number): boolean {
  const x = Math.abs(u);
  const y = Math.abs(v);
  return x <= a && y <= a && x + y <= a * ROOT2;
}

const stop: Face = (u, v) => {
  if (!inOctagon(u, v, 0.97)) return undefined;
  if (!inOctagon(u, v, 0.85)) return 'white';
  return onWord('STOP', u, v, 0.72, 0.34) ? 'white' : 'red';
};

const giveWay: Face = (u, v) => {
  if (!inTriangle(u, -v, 0)) return undefined;
  return inTriangle(u, -v, 0.19) ? 'white' : 'red';
};

const noEntry: Face = (u, v) => {
  if (u * u + v * v > 1) return undefined;
  return Math.abs(u) <= 0.72 && Math.abs(v) <= 0.2 ? 'white' : 'red';
};

const speedLimit: Face = (u, v, variant) => {
  const d = u * u + v * v;
  if (d > 1) return undefined;
  if (d > 0.74 * 0.74) return 'red';
  return onWord(['30', '50', '70'][variant % 3] ?? '30', u, v, 0.5, 0.38) ? 'black' : 'white';
};

const priorityRoad: Face = (u, v) => {
  const d = Math.abs(u) + Math.abs(v);
  if (d > 1.2) return undefined;
  return d > 0.84 ? 'white' : 'yellow';
};

const aheadOnly: Face = (u, v) => {
  if (u * u + v * v > 1) return undefined;
  const stem = Math.abs(u) <= 0.15 && v >= -0.2 && v <= 0.66;
  const head = v >= -0.72 && v <= -0.08 && Math.abs(u) <= (v + 0.72) * 0.75;
  return stem || head ? 'white' : 'blue';
};

const parking: Face = (u, v) => {
  if (Math.abs(u) > 0.86 || Math.abs(v) > 0.86) return undefined;
  const stem = u >= -0.4 && u <= -0.14 && v >= -0.62 && v <= 0.64;
  const x = u - 0.02;
  const y = v + 0.25;
  const d = x * x + y * y;
  const bowl = u >= -0.3 && d <= 0.37 * 0.37 && d >= 0.14 * 0.14;
  return stem || bowl ? 'white' : 'blue';
};

const danger: Face = (u, v) => {
  if (!inTriangle(u, v, 0)) return undefined;
  if (!inTriangle(u, v, 0.13)) return 'black';
  const bar = Math.abs(u) <= 0.1 && v >= -0.5 && v <= 0.12;
  const dot = Math.abs(u) <= 0.1 && v >= 0.22 && v <= 0.4;
  return bar || dot ? 'black' : 'yellow';
};

const noWaiting: Face = (u, v) => {
  const d = u * u + v * v;
  if (d > 1) return undefined;
  return d > 0.78 * 0.78 || Math.abs(u - v) <= 0.2 ? 'red' : 'blue';
};

const endOfLimits: Face = (u, v) => {
  const d = u * u + v * v;
  if (d > 1) return undefined;
  return d > 0.92 * 0.92 || Math.abs(u + v) <= 0.27 ? 'black' : 'white';
};

const catalogue: readonly (readonly [name: string, face: Face])[] = [
  ['stop', stop],
  ['give-way', giveWay],
  ['no-entry', noEntry],
  ['speed-limit', speedLimit],
  ['priority-road', priorityRoad],
  ['ahead-only', aheadOnly],
  ['parking', parking],
  ['danger', danger],
  ['no-waiting', noWaiting],
  ['end-of-limits', endOfLimits],
];

/** The class names; a label is an index into this list. */
export const signsClasses: readonly string[] = catalogue.map(([name]) => name);

/** The faces, in the order of the classes. */
export const faces: readonly Face[] = catalogue.map(([, face]) => face);
