import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  alphaOf,
  alphaOfDepth,
  boxOf,
  centerOf,
  descendants,
  distanceFromZero,
  isBeyond,
  isCovered,
  MAX_DEPTH,
  MAX_ROOTS,
  nameOf,
  nodeNumber,
  obstaclesAt,
  reachWithout,
  rootCount,
  type SweepGrid,
  type SweepNode,
} from './sweep-tree.ts';

const grids = fc.oneof(
  fc.record({
    transform: fc.constant('rotation' as const),
    range: fc.double({ min: 0.1, max: 180, noNaN: true }),
    roots: fc.tuple(fc.integer({ min: 1, max: 200 })),
  }),
  fc.record({
    transform: fc.constant('translation' as const),
    range: fc.double({ min: 0.1, max: 8, noNaN: true }),
    roots: fc.tuple(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 30 })),
  }),
);
const paths = fc.array(fc.constantFrom('0', '1'), { maxLength: MAX_DEPTH }).map((halves) => halves.join(''));

const allRoots = (grid: SweepGrid): SweepNode[] =>
  Array.from({ length: rootCount(grid) }, (_, root) => ({ root, path: '' }));

describe('the roots', () => {
  it('cover the range without gaps: neighbours share their ends to the bit', () => {
    fc.assert(
      fc.property(grids, (grid) => {
        for (let axis = 0; axis < grid.roots.length; axis++) {
          const ends = allRoots(grid).map((node) => boxOf(grid, node));
          const lowers = new Set(ends.map(({ lower }) => lower[axis]));
          const uppers = new Set(ends.map(({ upper }) => upper[axis]));
          expect(lowers.has(-grid.range) && uppers.has(grid.range)).toBe(true);
          // Every lower end but the range's own is some box's upper end, and the other way round.
          for (const a of lowers) expect(a === -grid.range || uppers.has(a)).toBe(true);
          for (const b of uppers) expect(b === grid.range || lowers.has(b)).toBe(true);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('are symmetric to the bit', () => {
    fc.assert(
      fc.property(grids, (grid) => {
        const [n = 1] = grid.roots;
        for (let i = 0; i < n; i++) {
          const box = boxOf(grid, { root: i, path: '' });
          const mirrored = boxOf(grid, { root: n - 1 - i, path: '' });
          // 0 - x: not -0.
          expect(mirrored.lower[0]).toBe(0 - (box.upper[0] ?? Number.NaN));
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe('a node', () => {
  it('is the union of its halves, which meet in one cut', () => {
    fc.assert(
      fc.property(grids, paths, (grid, path) => {
        const box = boxOf(grid, { root: 0, path });
        const [low, high] = descendants({ root: 0, path }, 1).map((node) => boxOf(grid, node));
        if (!low || !high) throw new Error('no halves');
        const axis = low.upper.findIndex((b, i) => b !== box.upper[i]);
        expect(low.lower).toEqual(box.lower);
        expect(high.upper).toEqual(box.upper);
        expect(low.upper[axis]).toBe(high.lower[axis]);
        expect(low.upper[axis]).toBe(centerOf(box)[axis]);
        const widths = box.lower.map((a, i) => (box.upper[i] ?? 0) - a);
        expect(widths[axis]).toBeCloseTo(Math.max(...widths), 12);
      }),
    );
  });

  it('has a number of its own below 2^24, in the largest tree', () => {
    const grid: SweepGrid = { transform: 'rotation', range: 180, roots: [MAX_ROOTS] };
    const last = { root: MAX_ROOTS - 1, path: '1'.repeat(MAX_DEPTH) };
    expect(nodeNumber(grid, last)).toBeLessThan(2 ** 24);
    const small: SweepGrid = { transform: 'translation', range: 1, roots: [3, 2] };
    const nodes = [0, 1, 2, 3, 4].flatMap((levels) =>
      allRoots(small).flatMap((root) => descendants(root, levels)),
    );
    const numbers = nodes.map((node) => nodeNumber(small, node));
    expect([...new Set(numbers)].sort((a, b) => a - b)).toEqual(numbers.map((_, i) => i));
  });
});

describe('alpha', () => {
  it('is enough for a slice of every depth at each end that grows by itself', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-9, max: 0.5, noNaN: true }), (alpha) => {
        for (const [transform, ends] of [['rotation', 2] as const, ['translation', 1] as const]) {
          let spent = 0;
          let booked = 0;
          for (let depth = 0; depth <= MAX_DEPTH; depth++) {
            spent += ends * alphaOf(transform, depth, alpha);
            booked += alphaOfDepth(depth, alpha);
          }
          expect(spent).toBe(booked);
          expect(spent).toBeLessThan(alpha);
          // And little of it is wasted.
          expect(spent).toBeGreaterThan(0.99 * alpha);
        }
      }),
    );
  });

  it('needs one slice of each depth at a place: those that hold it are each other’s ancestors', () => {
    fc.assert(
      fc.property(grids, fc.nat(), paths, (grid, root, path) => {
        const node = { root: root % rootCount(grid), path: path.padEnd(MAX_DEPTH, '0') };
        const { lower, upper } = boxOf(grid, node);
        // A point inside the finest slice is inside its ancestors and in no other slice of their depths.
        const point = lower.map((a, axis) => (a + (upper[axis] ?? a)) / 2);
        const holds = (one: SweepNode) => {
          const box = boxOf(grid, one);
          return point.every((x, axis) => (box.lower[axis] ?? 0) < x && x < (box.upper[axis] ?? 0));
        };
        for (let depth = 0; depth <= 4; depth++) {
          const siblings = allRoots(grid)
            .filter(({ root: r }) => Math.abs(r - node.root) <= 1)
            .flatMap((one) => descendants(one, depth));
          expect(siblings.filter(holds)).toEqual([{ root: node.root, path: node.path.slice(0, depth) }]);
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe('the reach', () => {
  const rotation: SweepGrid = { transform: 'rotation', range: 30, roots: [6] };
  const square: SweepGrid = { transform: 'translation', range: 2, roots: [4, 4] };

  it('ends at the obstacles nearest to 0, on each side for itself', () => {
    const obstacles = [
      { lower: [12], upper: [13] },
      { lower: [20], upper: [21] },
      { lower: [-25], upper: [-20] },
    ];
    const reach = reachWithout(rotation, obstacles);
    expect(reach).toEqual({ lower: [-20], upper: [12] });
    expect(obstaclesAt(rotation, reach, obstacles)).toEqual([obstacles[2], obstacles[0]]);
    expect(reachWithout(rotation, [{ lower: [0], upper: [1] }])).toBeNull();
    expect(reachWithout(rotation, [{ lower: [-1], upper: [0] }])).toBeNull();
    expect(reachWithout(rotation, [{ lower: [0], upper: [0] }])).toBeNull();
    expect(reachWithout(rotation, [{ lower: [-0.5], upper: [0.5] }])).toBeNull();
  });

  it('of a square is a square', () => {
    const reach = reachWithout(square, [{ lower: [0.5, -1], upper: [1, -0.75] }]);
    expect(reach).toEqual({ lower: [-0.75, -0.75], upper: [0.75, 0.75] });
  });

  it('is covered by passed nodes exactly where each point lies in one', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(rotation, square),
        fc.array(
          fc.tuple(
            fc.nat(15),
            paths.filter((path) => path.length < 4),
          ),
          { maxLength: 40 },
        ),
        fc.integer({ min: 1, max: 8 }),
        (grid, list, eighths) => {
          const nodes = list.map(([root, path]) => ({ root: root % rootCount(grid), path }));
          const r = (grid.range * eighths) / 8;
          const reach = { lower: grid.roots.map(() => -r), upper: grid.roots.map(() => r) };
          const covered = isCovered(grid, reach, new Set(nodes.map(nameOf)));
          // By looking at the middles of the finest cells: an independent count.
          const cells = allRoots(grid).flatMap((root) => descendants(root, 4));
          const inside = cells.filter((cell) => !isBeyond(reach, boxOf(grid, cell)));
          const byCells = inside.every((cell) =>
            nodes.some(({ root, path }) => cell.root === root && cell.path.startsWith(path)),
          );
          expect(covered).toBe(byCells);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('of what obstacles leave never meets one with its inside', () => {
    fc.assert(
      fc.property(
        grids,
        fc.array(fc.tuple(fc.nat(), paths), { minLength: 1, maxLength: 6 }),
        (grid, list) => {
          const boxes = list.map(([root, path]) => boxOf(grid, { root: root % rootCount(grid), path }));
          const reach = reachWithout(grid, boxes);
          if (reach === null) {
            expect(boxes.some((box) => distanceFromZero(box) === 0)).toBe(true);
            return;
          }
          for (const box of boxes) expect(isBeyond(reach, box)).toBe(true);
        },
      ),
    );
  });
});
