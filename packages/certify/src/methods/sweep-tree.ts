/**
 * The slices of sweep: Γ cut into K₀ equal roots, each halved where it must be; which share of α belongs to which slice;
 * and what passed slices cover. Pure geometry, so that verification can make it again from a certificate.
 *
 * A node is a root's number and a path of halvings ('0': lower half, '1': upper half, of the axis that is longest at
 * that point). Neighbouring boxes share their ends to the bit: no gap between them.
 */
import { dimensionsOf, type Parameter, type ParameterBox, type Transform } from '@turnproof/shaders';

/** Halvings of a root at most: node numbers must fit into a counter's 24 bits (see {@link nodeNumber}). */
export const MAX_DEPTH = 10;
/** Most roots: MAX_ROOTS · (2^(MAX_DEPTH + 1) - 1) < 2^24. */
export const MAX_ROOTS = 8192;

export interface SweepGrid {
  readonly transform: Transform;
  /** R: Γ = [-R, R] degrees, or its square in pixels. */
  readonly range: number;
  /** Roots along each axis. */
  readonly roots: readonly number[];
}

export interface SweepNode {
  readonly root: number;
  /** Halvings: '' is the root itself. */
  readonly path: string;
}

export function rootCount({ roots }: Pick<SweepGrid, 'roots'>): number {
  return roots.reduce((a, b) => a * b, 1);
}

/** End number i of n equal pieces of [-range, range]: the same number for both neighbours. */
function cutAt(range: number, i: number, n: number): number {
  if (i <= 0) return -range;
  if (i >= n) return range;
  // Symmetric to the bit: (2i - n) changes its sign and nothing else.
  return (range * (2 * i - n)) / n;
}

export function boxOf({ transform, range, roots }: SweepGrid, { root, path }: SweepNode): ParameterBox {
  const lower: number[] = [];
  const upper: number[] = [];
  let rest = root;
  for (let axis = 0; axis < dimensionsOf(transform); axis++) {
    const n = roots[axis] ?? 1;
    const i = rest % n;
    rest = Math.floor(rest / n);
    lower.push(cutAt(range, i, n));
    upper.push(cutAt(range, i + 1, n));
  }
  for (const half of path) {
    const axis = longestAxis({ lower, upper });
    const middle = ((lower[axis] ?? 0) + (upper[axis] ?? 0)) / 2;
    if (half === '0') upper[axis] = middle;
    else lower[axis] = middle;
  }
  return { lower, upper };
}

function longestAxis({ lower, upper }: ParameterBox): number {
  const lengths = lower.map((a, axis) => (upper[axis] ?? a) - a);
  return lengths.indexOf(Math.max(...lengths));
}

/** Where the slice's classifier is asked: the middle, from which everything in it is nearest. */
export function centerOf({ lower, upper }: ParameterBox): Parameter {
  return lower.map((a, axis) => (a + (upper[axis] ?? a)) / 2);
}

/** A number of its own for every possible node: the second word of its noise's counter holds it. */
export function nodeNumber(grid: SweepGrid, { root, path }: SweepNode): number {
  const width = 2 ** path.length;
  const within = path === '' ? 0 : Number.parseInt(path, 2);
  return rootCount(grid) * (width - 1) + root * width + within;
}

/** All nodes `levels` halvings below one. */
export function descendants({ root, path }: SweepNode, levels: number): SweepNode[] {
  return Array.from({ length: 2 ** levels }, (_, i) => ({
    root,
    path: path + (levels === 0 ? '' : i.toString(2).padStart(levels, '0')),
  }));
}

/**
 * Error probability that is booked for all tests of one depth together: α w_d with w_d = 2^-(d+1), which sum to less
 * than 1. That it does not depend on how many slices there are is {@link certifySweep}'s theorem: claims are nested, so
 * only the slices at the first wrong place can make one false, and of those there is one of each depth.
 */
export function alphaOfDepth(depth: number, alpha: number): number {
  return alpha / 2 ** (depth + 1);
}

/**
 * Of one slice's test: rotation has two ends that grow by themselves, so each gets half; a square of translations grows
 * as a whole. Division by powers of two is exact.
 */
export function alphaOf(transform: Transform, depth: number, alpha: number): number {
  return alphaOfDepth(depth, alpha) / (transform === 'rotation' ? 2 : 1);
}

/** Chebyshev distance of a box from 0: how far one can go on every axis before meeting it. */
export function distanceFromZero({ lower, upper }: ParameterBox): number {
  return lower.reduce((far, a, axis) => Math.max(far, a, -(upper[axis] ?? a)), 0);
}

export interface Reach {
  readonly lower: Parameter;
  readonly upper: Parameter;
}

/**
 * The largest interval around 0 (one axis), or the largest centred square (two), that meets none of the given boxes
 * with its inside; null where 0 itself lies in one of them or at its edge.
 */
export function reachWithout(
  { transform, range }: SweepGrid,
  obstacles: readonly ParameterBox[],
): Reach | null {
  if (dimensionsOf(transform) === 1) {
    let [low, high] = [-range, range];
    for (const { lower, upper } of obstacles) {
      const [a = 0, b = 0] = [lower[0], upper[0]];
      if (a <= 0 && b >= 0) return null;
      if (b < 0) low = Math.max(low, b);
      else high = Math.min(high, a);
    }
    return { lower: [low], upper: [high] };
  }
  const r = obstacles.reduce((least, box) => Math.min(least, distanceFromZero(box)), range);
  return r > 0 ? { lower: [-r, -r], upper: [r, r] } : null;
}

/** The obstacles that a reach ends at, at most one for each of its ends: those nearest to 0. */
export function obstaclesAt(
  { transform }: Pick<SweepGrid, 'transform'>,
  reach: Reach | null,
  obstacles: readonly ParameterBox[],
): ParameterBox[] {
  const nearest = obstacles.toSorted((a, b) => distanceFromZero(a) - distanceFromZero(b));
  if (reach === null || dimensionsOf(transform) === 2) return nearest.slice(0, 1);
  const low = nearest.find(({ upper }) => upper[0] === reach.lower[0]);
  const high = nearest.find(({ lower }) => lower[0] === reach.upper[0]);
  return [low, high].filter((end) => end !== undefined);
}

/** Does a box lie, but for its edge, outside of a reach? Then whatever happens in it changes nothing. */
export function isBeyond(reach: Reach, { lower, upper }: ParameterBox): boolean {
  return lower.some(
    (a, axis) => a >= (reach.upper[axis] ?? 0) || (upper[axis] ?? a) <= (reach.lower[axis] ?? 0),
  );
}

/** Is every point of the reach in a passed node? Looks at nothing but the passed nodes' names. */
export function isCovered(grid: SweepGrid, reach: Reach, passed: ReadonlySet<string>): boolean {
  const covered = (node: SweepNode): boolean => {
    if (isBeyond(reach, boxOf(grid, node)) || passed.has(nameOf(node))) return true;
    return node.path.length < MAX_DEPTH && descendants(node, 1).every(covered);
  };
  return Array.from({ length: rootCount(grid) }, (_, root) => ({ root, path: '' })).every(covered);
}

export function nameOf({ root, path }: SweepNode): string {
  return `${root}:${path}`;
}
