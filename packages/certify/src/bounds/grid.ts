/**
 * Sub-boxes of Γ: where it is cut from the start, and how a box is split.
 */
import { dimensionsOf, type Parameter, type ParameterBox, type Transform } from '@turnproof/shaders';

/** Width of the first boxes, in degrees or pixels: narrow enough for the chord bound to bite, wide enough to be few. */
const FIRST_WIDTH: Readonly<Record<Transform, number>> = { rotation: 2, translation: 0.5 };

/** Even pieces of [-range, range], a power of two. */
function firstPieces(transform: Transform, range: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(2, (2 * range) / FIRST_WIDTH[transform])));
}

/** Sorted, without doubles and outsiders; the range's own ends included. */
function cutsWithin(range: number, cuts: readonly number[]): number[] {
  const inside = cuts.filter((cut) => cut > -range && cut < range);
  return [...new Set([-range, ...inside, range])].sort((a, b) => a - b);
}

/**
 * Where an axis of Γ = [-range, range] is cut before any refinement: evenly (equal for all β, so that they share
 * work), at 0 and -β, where all pixels cross cell lines at once, and at multiples of 90 degrees, beyond which the
 * kernels' arcs do not reach.
 */
export function firstCuts(transform: Transform, range: number, beta: number): number[] {
  const pieces = firstPieces(transform, range);
  const even = Array.from({ length: pieces - 1 }, (_, i) => -range + (2 * range * (i + 1)) / pieces);
  const quarters = transform === 'rotation' ? [-90, 90] : [];
  return cutsWithin(range, [...even, 0, -beta, ...quarters]);
}

/** The boxes between an axis's cuts, for every axis. */
function product(axes: readonly (readonly number[])[]): ParameterBox[] {
  return axes.reduce<ParameterBox[]>(
    (boxes, cuts) =>
      boxes.flatMap(({ lower, upper }) =>
        cuts.slice(1).map((b, i) => ({ lower: [...lower, cuts[i] ?? b], upper: [...upper, b] })),
      ),
    [{ lower: [], upper: [] }],
  );
}

export function firstBoxes(transform: Transform, range: number, beta: Parameter): ParameterBox[] {
  return product(
    Array.from({ length: dimensionsOf(transform) }, (_, axis) =>
      firstCuts(transform, range, beta[axis] ?? 0),
    ),
  );
}

/** Γ in so many equal pieces along each axis; neighbours share their ends to the bit. */
export function evenBoxes(transform: Transform, range: number, pieces: number): ParameterBox[] {
  const cuts = Array.from({ length: pieces + 1 }, (_, i) =>
    i === pieces ? range : -range + (2 * range * i) / pieces,
  );
  return product(Array.from({ length: dimensionsOf(transform) }, () => cuts));
}

/** Cuts a box into `parts` equal ones per axis (in a plane: sqrt(parts), at least 2). */
export function splitBox(box: ParameterBox, parts: number): ParameterBox[] {
  const perAxis = box.lower.length === 1 ? parts : Math.max(2, Math.round(Math.sqrt(parts)));
  return product(
    box.lower.map((a, axis) => {
      const b = box.upper[axis] ?? a;
      return Array.from({ length: perAxis + 1 }, (_, i) => (i === perAxis ? b : a + ((b - a) * i) / perAxis));
    }),
  );
}

export function cornersOf({ lower, upper }: ParameterBox): Parameter[] {
  return lower.reduce<number[][]>(
    (corners, a, axis) =>
      corners.flatMap((corner) => [
        [...corner, a],
        [...corner, upper[axis] ?? a],
      ]),
    [[]],
  );
}

export function widestAxis({ lower, upper }: ParameterBox): number {
  return Math.max(...lower.map((a, axis) => (upper[axis] ?? a) - a));
}

/**
 * The finite grid on whose points the error of a translation is largest (design: math, section 4): Γ's own edges,
 * and per axis the lines γ in Z and γ in Z - β, between which no pixel changes cell.
 */
export function exactGrid(range: number, beta: Parameter): Parameter[] {
  const axes = beta.map((b) => {
    const lines: number[] = [];
    for (let k = Math.ceil(-range); k <= range; k++) lines.push(k);
    for (let k = Math.ceil(b - range); k <= b + range; k++) lines.push(k - b);
    return cutsWithin(range, lines);
  });
  return axes.reduce<number[][]>(
    (points, cuts) => points.flatMap((p) => cuts.map((cut) => [...p, cut])),
    [[]],
  );
}
