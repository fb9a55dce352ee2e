/**
 * The budgets against their derivation in SOUNDNESS.md («The float32 budget»), counted once more: roundings per pixel,
 * without the decimals that are rounded up there. A budget below its count is wrong; one far above it is another's.
 */
import { describe, expect, it } from 'vitest';
import {
  chordBudget,
  coordinateError,
  hullBudget,
  intervalBudget,
  maxSpeed,
  normAtLeast,
  normUp,
  pointBudget,
  remainderBudget,
  samplerBudget,
  sliceDistanceBudget,
  sliceRemainderBudget,
  warpBudget,
} from './budgets.ts';
import {
  bitsOfF32,
  boxWidths,
  fixedMap,
  fractionBits,
  type ImageShape,
  reachOf,
  writeBox,
} from './geometry.ts';
import { NO_PREPROCESS, type Tiling } from './layout.ts';
import type { Preprocess } from './preprocess.ts';

const u = 2 ** -23;
const shapes: ImageShape[] = [
  { channels: 1, height: 28, width: 28 },
  { channels: 3, height: 7, width: 41 },
  { channels: 1, height: 1, width: 1 },
  { channels: 3, height: 1024, width: 700 },
  // Fewest bits behind the point: here coordinates lose most.
  { channels: 1, height: 4096, width: 4096 },
];
const blurred = (size: number): Preprocess => ({ vignette: { kind: 'none' }, blur: { size, sigma: 1 } });
const cases = shapes.flatMap((shape) =>
  [0, 3, 9].map((taps) => ({ shape, taps, pre: taps === 0 ? NO_PREPROCESS : blurred(taps) })),
);

/** At least the count, and no more than the share above it that rounded decimals explain. */
function expectNear(budget: number, count: number, above = 1.12) {
  expect(budget).toBeGreaterThanOrEqual(count);
  expect(budget).toBeLessThanOrEqual(count * above);
}

describe('each budget is its count of roundings', () => {
  it.each(cases)('$shape.height x $shape.width x $shape.channels, $taps taps', ({ shape, taps, pre }) => {
    const { channels, height, width } = shape;
    const reach = width + height - 2;
    const pixels = Math.sqrt(channels * height * width);
    // The correction: 4 roundings of 0.51 (|X| + |Y| + 1) units; its sum with the fraction; moving that into [0, 1].
    const coordinate = 2 * u + 4 * u * 0.51 * (reach + 1) * 2 ** -fractionBits(shape);
    expectNear(coordinateError(shape), coordinate);
    // Two nested lerps of 1 - t, two products and a sum.
    const values = 6 * u;
    expectNear(hullBudget(), values);
    const warp = 2 * coordinate + values;
    expectNear(warpBudget(shape), warp);
    // Two passes: half an ULP for each weight, a product and a sum for each tap. Without blur the vignette alone.
    const blur = taps === 0 ? 2 * u : (2 * taps + 1) * u;
    expectNear(samplerBudget(shape, pre), pixels * (warp + blur));
    expectNear(pointBudget(shape, pre), pixels * (3 * warp + u + blur));
    expectNear(sliceDistanceBudget(shape, pre), pixels * (2 * warp + u + blur));
    // Two hulls, T_β on one of them with its weights multiplied first, and the difference.
    expectNear(intervalBudget(shape, pre), pixels * (2 * coordinate + 2 * values + 7 * u + u + blur));
    for (const transform of ['rotation', 'translation'] as const) {
      // Pixels per radian on both axes together; pixels per pixel.
      const speed = transform === 'rotation' ? reach / 2 : 1;
      expect(maxSpeed(shape, transform)).toBeGreaterThanOrEqual(speed);
      expect(maxSpeed(shape, transform)).toBeLessThanOrEqual(transform === 'rotation' ? 1.4 * speed + 2 : 1);
      const v = maxSpeed(shape, transform);
      for (const wide of [1e-4, 0.03, 1.5]) {
        const quarter = wide / 4;
        // M - m within 28.4 u v; with the quarter width and the product 33 u.
        const remainder = 33 * u * quarter * v;
        const largest = 4 * quarter * v;
        expectNear(remainderBudget(shape, transform, wide), remainder);
        expectNear(sliceRemainderBudget(shape, pre, transform, wide), pixels * (remainder + largest * blur));
        expectNear(
          chordBudget(shape, pre, transform, wide),
          pixels * (2 * remainder + largest * (2 * coordinate + values + 2 * u + 2 * blur)),
        );
      }
    }
  });

  it.each([4, 16])('a sum of squares may have lost what its additions lose: %i threads on a side', (side) => {
    for (const [tileWidth, tileHeight] of [
      [28, 28],
      [64, 12],
      [5, 33],
      [100, 3],
      [3, 100],
    ] as const) {
      const overrides = { TILE_WIDTH: 0, TILE_HEIGHT: 0, REGION_SIZE: 0, ROWS_SIZE: 0, SIDE: side };
      const tiling: Tiling = { tileWidth, tileHeight, tilesX: 1, tiles: 1, side, overrides };
      const additions = Math.ceil(tileWidth / side) * Math.ceil(tileHeight / side) + 2 * side + 1;
      for (const sums of [[2.5], [0.1, 0.7, 1.7], [3e-9]]) {
        const norm = Math.sqrt(sums.reduce((a, b) => a + b, 0));
        const upper = normUp(sums, 0, sums.length, tiling, 0);
        // The root halves a sum's relative error; twice that is taken.
        expect(upper - norm).toBeGreaterThan((norm * additions * u) / 2);
        expect(upper - norm).toBeLessThan(norm * (additions + 2) * u * 1.02 + 1e-16);
        expect(normUp(sums, 0, sums.length, tiling, 0.125) - upper).toBeCloseTo(0.125, 12);
        const lower = normAtLeast(upper, tiling, 0);
        expect(norm - lower).toBeGreaterThan((norm * additions * u) / 2);
        expect(norm - lower).toBeLessThan(norm * (additions + 2) * u * 2.05 + 1e-15);
        expect(normAtLeast(upper, tiling, 1e-6)).toBeLessThanOrEqual(Math.max(0, lower - 2e-6 + 1e-18));
      }
    }
  });

  it('a part of the sums is a part, and one that is not there is no bound', () => {
    const overrides = { TILE_WIDTH: 0, TILE_HEIGHT: 0, REGION_SIZE: 0, ROWS_SIZE: 0, SIDE: 4 };
    const tiling: Tiling = { tileWidth: 8, tileHeight: 8, tilesX: 1, tiles: 1, side: 4, overrides };
    expect(normUp([9, 16, 25], 1, 2, tiling, 0)).toBeCloseTo(4, 4);
    expect(normUp([9, 16, 25], 0, 2, tiling, 0)).toBeCloseTo(5, 4);
    expect(normUp([9, 16], 0, 3, tiling, 0)).toBe(Number.POSITIVE_INFINITY);
    expect(normAtLeast(Number.NaN, tiling, 0)).toBe(0);
    expect(normUp([0], 0, 1, tiling, 0)).toBeGreaterThan(0);
    expect(normAtLeast(normUp([0], 0, 1, tiling, 0), tiling, 0)).toBe(0);
    expect(normAtLeast(1e-5, tiling, 1e-5)).toBe(0);
  });
});

describe('what kernels are told of a box', () => {
  const floats = new DataView(new ArrayBuffer(4));
  const floatOf = (bits: number) => {
    floats.setInt32(0, bits);
    return floats.getFloat32(0);
  };

  it('is never narrower than the box, nor its arc flatter', () => {
    for (const shape of shapes) {
      const half = 2 ** (fractionBits(shape) - 1);
      for (let i = 1; i <= 60; i++) {
        const [a, wide] = [((i * 37.7) % 340) - 170, 90 * (i / 60) ** 3];
        const radians = ((a + wide - a) * Math.PI) / 180;
        const items = new Int32Array(15);
        writeBox(items, 0, 'rotation', { lower: [a], upper: [a + wide] }, [i], shape);
        const [arc = 0, quarter = 0, second = 0] = items.subarray(12);
        expect(arc).toBeGreaterThanOrEqual(((radians * radians) / 8) * half);
        expect(arc).toBeLessThanOrEqual(((radians * radians) / 8) * half * (1 + 1e-5) + 2);
        expect(floatOf(quarter)).toBeGreaterThanOrEqual(radians / 4);
        expect(floatOf(quarter)).toBeLessThanOrEqual((radians / 4) * (1 + 1e-5));
        expect(floatOf(second)).toBe(0);
        expect([...items.subarray(0, 6)]).toEqual(fixedMap('rotation', [a + i], shape).integers);
        expect([...items.subarray(6, 12)]).toEqual(fixedMap('rotation', [a + wide + i], shape).integers);
        const box = { lower: [a, -i], upper: [a + wide / 90, -i / 3] };
        writeBox(items, 0, 'translation', box, [0, 0], shape);
        const widths = [wide / 90, (2 * i) / 3];
        expect(items[12]).toBe(0);
        widths.forEach((w, axis) => {
          expect(floatOf(items[13 + axis] ?? 0)).toBeGreaterThanOrEqual((w / 4) * (1 - 1e-12));
          expect(floatOf(items[13 + axis] ?? 0)).toBeLessThanOrEqual((w / 4) * (1 + 1e-5));
          expect(boxWidths('translation', box)[axis]).toBeGreaterThanOrEqual(w * (1 - 1e-12));
        });
      }
    }
  });

  it('a map’s integers are the nearest ones, and what they leave is kept', () => {
    for (const shape of shapes) {
      const half = 2 ** (fractionBits(shape) - 1);
      const { height, width } = shape;
      for (let i = 0; i < 40; i++) {
        const degrees = 9.37 * i - 180;
        const [c, s] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
        const rotation = [c, -s, s, c, width - 1, height - 1];
        const [dx, dy] = [width * (i / 20 - 1), height * (1 - i / 20)];
        const shift = [1, 0, 0, 1, width - 1 - 2 * dx, height - 1 - 2 * dy];
        for (const [map, real] of [
          [fixedMap('rotation', [degrees], shape), rotation],
          [fixedMap('translation', [dx, dy], shape), shift],
        ] as const) {
          real.forEach((value, k) => {
            const [integer = Number.NaN, residual = Number.NaN] = [map.integers[k], map.residuals[k]];
            expect(Math.abs(integer - value * half)).toBeLessThanOrEqual(0.5 + 1e-6);
            expect(Math.abs(integer + residual - value * half)).toBeLessThan(1e-6);
          });
        }
      }
      // Far outside nothing of the image is left: as far as one pixel beyond its own size, and no farther.
      const far = fixedMap('translation', [1e9, -1e9], shape).integers;
      expect(far.slice(4)).toEqual([
        (width - 1 - 2 * (width + 1)) * half,
        (height - 1 + 2 * (height + 1)) * half,
      ]);
    }
  });

  it('coordinates stay below 2^31, and have as many bits as that allows', () => {
    for (const shape of [...shapes, { channels: 1, height: 2, width: 4096 }]) {
      const bits = fractionBits(shape);
      const side = Math.max(shape.height, shape.width);
      const reach = shape.height + shape.width - 2;
      // In half pixels: a rotated coordinate and its arc, the centre, a translation of an image and a pixel.
      const largest = Math.max(1.32 * reach + side, reach + side + 2 * (side + 1)) + 1;
      expect(largest * 2 ** (bits - 1)).toBeLessThan(2 ** 31);
      expect(bits === 24 || 4 * largest * 2 ** (bits - 1) > 2 ** 31).toBe(true);
    }
    // 4 of the longer side, 2 of |X| + |Y| and 4 units fit into 31 bits; fractions have 24.
    for (const [height, width, bits] of [
      [28, 28, 24],
      [224, 224, 21],
      [300, 200, 20],
      [700, 700, 19],
      [4096, 4096, 17],
      [4096, 3, 17],
    ] as const) {
      expect(fractionBits({ channels: 1, height, width }), `${height} x ${width}`).toBe(bits);
      expect(reachOf({ channels: 5, height, width })).toBe(height + width - 2);
    }
    for (const side of [0, 4097, Number.NaN, -1]) {
      expect(() => fractionBits({ channels: 1, height: side, width: 5 })).toThrow('sides of 1 to 4096');
      expect(() => fractionBits({ channels: 1, height: 5, width: side })).toThrow('sides of 1 to 4096');
    }
    expect(floatOf(bitsOfF32(0.1))).toBe(Math.fround(0.1));
  });
});
