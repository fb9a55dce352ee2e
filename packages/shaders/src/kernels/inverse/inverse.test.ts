import type { Gpu } from '@turnproof/core';
import { ComparisonError, expectAtMost, expectContained } from '@turnproof/core/testing';
import { describe, expect, it } from 'vitest';
import type { ImageShape, ParameterBox, Transform } from '../../geometry.ts';
import { pixelCount } from '../../geometry.ts';
import { runInverse } from '../../kernel-runs.test-support.ts';
import { describeKernel, randomNumbers, testImages } from '../../kernel-suite.test-support.ts';
import { warpOracle } from '../warp/warp.oracle.ts';
import { type InverseKernel, inverseKernel } from './inverse.kernel.ts';
import { anyImage, type IntervalImage, impliedInterval, inverseOracle } from './inverse.oracle.ts';

type Floats = Float32Array<ArrayBuffer>;

const SHAPES: readonly ImageShape[] = [
  { channels: 1, height: 9, width: 9 },
  { channels: 3, height: 7, width: 12 },
  { channels: 1, height: 20, width: 19 },
];
/** Half a unit in the last place below 1: what rounding T x to a float32 may do. */
const HALF_ULP = 2 ** -25;

interface Case {
  readonly transform: Transform;
  readonly shape: ImageShape;
  readonly x: Floats;
  readonly gamma: readonly number[];
  /** x' as float32, or of 8 bits. */
  readonly image: Floats;
  readonly halfStep: number;
  /** Holds gamma. */
  readonly box: ParameterBox;
}

function casesOf(random: () => number): Case[] {
  return SHAPES.flatMap((shape) =>
    testImages(shape, random).flatMap((x) =>
      (['rotation', 'translation'] as const).flatMap((transform) =>
        [0, 0.1, 1].flatMap((width) =>
          [false, true].map((u8): Case => {
            const scale = transform === 'rotation' ? [1] : [0.3, 0.2];
            const gamma = scale.map(() => (transform === 'rotation' ? 40 : 4) * (random() - 0.5));
            const lower = gamma.map((g, i) => g - width * (scale[i] ?? 0) * random());
            const upper = lower.map((a, i) => Math.max(gamma[i] ?? 0, a + width * (scale[i] ?? 0)));
            const exact = warpOracle(transform, gamma, x, shape);
            const image = Float32Array.from(exact, (v) => (u8 ? Math.round(v * 255) / 255 : v));
            const halfStep = HALF_ULP + (u8 ? 0.5 / 255 : 0);
            return { transform, shape, x, gamma, image, halfStep, box: { lower, upper } };
          }),
        ),
      ),
    ),
  );
}

const endsAt = (ends: Floats, i: number, size: number) => ({
  lower: ends.subarray(2 * i * size, (2 * i + 1) * size),
  upper: ends.subarray((2 * i + 1) * size, (2 * i + 2) * size),
});

/** The image from which x' was made is inside, for every box that holds the parameter. */
async function checkContainment(gpu: Gpu, kernel: InverseKernel): Promise<void> {
  for (const one of casesOf(randomNumbers(21))) {
    const { transform, shape, x, gamma, box, halfStep } = one;
    for (const steps of [1, 4]) {
      const { ends, refuted } = await runInverse(gpu, one, [one], { halfStep, steps, kernel });
      const name = `${transform} ${gamma} in ${box.lower} to ${box.upper}, half a step ${halfStep}, ${steps} steps`;
      const { lower, upper } = endsAt(ends, 0, pixelCount(shape));
      expectContained(name, x, lower, upper);
      if (refuted[0]) throw new ComparisonError(`${name}: refuted`);
    }
  }
}

/** From intervals that are known before: never narrower than the twin, and seldom wider. */
async function checkTwin(gpu: Gpu, kernel: InverseKernel): Promise<void> {
  const random = randomNumbers(22);
  let [pixels, wide] = [0, 0];
  for (const one of casesOf(random)) {
    const { transform, shape, x, image, box, halfStep } = one;
    const before: IntervalImage = {
      lower: Float64Array.from(x, (v) => Math.fround(Math.max(0, v - 0.4 * random()))),
      upper: Float64Array.from(x, (v) => Math.fround(Math.min(1, v + 0.4 * random()))),
    };
    for (const known of [undefined, before]) {
      const given = known ? { ...one, before: known } : one;
      const { ends } = await runInverse(gpu, one, [given], { halfStep, steps: 1, kernel });
      const { lower, upper } = endsAt(ends, 0, pixelCount(shape));
      const twin = inverseOracle(transform, box, image, halfStep, known ?? anyImage(shape), shape);
      const name = `${transform} ${box.lower} to ${box.upper}, ${known ? 'after' : 'before'} the first step`;
      expectContained(
        `${name}: twin`,
        twin.lower,
        lower,
        Float64Array.from(twin.lower, () => 2),
      );
      expectContained(
        `${name}: twin`,
        twin.upper,
        Float64Array.from(twin.upper, () => -1),
        upper,
      );
      lower.forEach((value, i) => {
        pixels += 2;
        if (Math.abs(value - (twin.lower[i] ?? Number.NaN)) > 1e-3) wide += 1;
        if (Math.abs((upper[i] ?? Number.NaN) - (twin.upper[i] ?? Number.NaN)) > 1e-3) wide += 1;
      });
    }
  }
  expectAtMost('share of ends that are wider than the twin’s', wide / pixels, 0.001);
}

/** Where all is known and all pixels are nearly equal, only float32's own errors are left. */
async function checkRounding(gpu: Gpu, kernel: InverseKernel): Promise<void> {
  const random = randomNumbers(23);
  const shape = { channels: 1, height: 20, width: 20 };
  for (let run = 0; run < 12; run++) {
    const x = Float32Array.from({ length: 400 }, () => 0.7 + 2e-6 * random());
    const gamma = [40 * random()];
    const image = Float32Array.from(warpOracle('rotation', gamma, x, shape));
    const before = { lower: Float64Array.from(x), upper: Float64Array.from(x) };
    const problem = { transform: 'rotation', shape } as const;
    const given = [{ image, box: { lower: gamma, upper: gamma }, before }];
    const { ends, refuted } = await runInverse(gpu, problem, given, { halfStep: HALF_ULP, steps: 1, kernel });
    const { lower, upper } = endsAt(ends, 0, 400);
    expectContained(`known pixels, ${gamma}`, x, lower, upper);
    if (refuted[0]) throw new ComparisonError(`known pixels, ${gamma}: refuted`);
  }
}

/** Narrow boxes that do not hold the parameter are refuted, most of them even for noise. */
async function checkRefutation(gpu: Gpu, kernel: InverseKernel): Promise<void> {
  const random = randomNumbers(24);
  const shape = { channels: 1, height: 20, width: 20 };
  let [boxes, kept] = [0, 0];
  for (const x of testImages(shape, random).slice(0, 2)) {
    const image = Float32Array.from(warpOracle('rotation', [3.3], x, shape));
    const cases = [-9, -4, 0, 1, 5, 8].map((a) => ({ image, box: { lower: [a], upper: [a + 0.1] } }));
    const options = { halfStep: HALF_ULP, steps: 10, kernel };
    const { refuted } = await runInverse(gpu, { transform: 'rotation', shape }, cases, options);
    boxes += cases.length;
    kept += refuted.filter((flag) => !flag).length;
  }
  expectAtMost('share of boxes without the parameter that are kept', kept / boxes, 0.3);
}

/**
 * The paper's example: R_[23°,26°] of 6 x 6 pixels, what the pixel of x' at (5, 1) says of (3, 3). The paper does not print
 * its value; the lower ends 0.73 and 0.72 in the two cells leave 0.898. The others are such that they say nothing.
 */
const EXAMPLE = {
  shape: { channels: 1, height: 6, width: 6 },
  box: { lower: [23], upper: [26] },
  value: 0.898,
  image: Float32Array.from({ length: 36 }, (_, i) => (i === 3 * 6 + 5 ? 0.898 : 0.5)),
  /** (3, 3). */
  at: 4 * 6 + 4,
};

/** The kernel on an x' with that pixel, made from an image that has the value all around it. */
async function checkExample(gpu: Gpu, kernel: InverseKernel): Promise<void> {
  const { shape, box, value, at } = EXAMPLE;
  const x = Float32Array.from({ length: 36 }, (_, i) =>
    i % 6 >= 4 && Math.floor(i / 6) >= 3 && Math.floor(i / 6) < 5 ? value : 0.5,
  );
  const image = Float32Array.from(warpOracle('rotation', [24.5], x, shape));
  const problem = { transform: 'rotation', shape } as const;
  const { ends } = await runInverse(gpu, problem, [{ image, box }], { halfStep: HALF_ULP, steps: 1, kernel });
  const lower = ends[at] ?? Number.NaN;
  expectAtMost('the paper’s example, its pixel', Math.abs((image[3 * 6 + 5] ?? 0) - value), 1e-6);
  expectAtMost('the paper’s example, from below', 0.72, lower);
  expectAtMost('the paper’s example, from above', lower, value);
}

describeKernel({
  kernel: inverseKernel,
  proposition:
    'holds the image that x’ was made from, is near its float64 twin, and refutes boxes that do not hold the parameter',
  check: async (gpu, kernel) => {
    await checkExample(gpu, kernel);
    await checkContainment(gpu, kernel);
    await checkTwin(gpu, kernel);
    await checkRounding(gpu, kernel);
    await checkRefutation(gpu, kernel);
  },
  mutants: [
    {
      fault: 'one corner of the range shrunk towards the pixel',
      find: 'let a = odds(select(near_u, far_u, (corner & 4) == 4));',
      replace: 'let a = odds(select(near_u, far_u, (corner & 12) == 4));',
    },
    {
      fault: 'one cell of the four left out',
      find: 'if (far_u < 0 || far_v < 0) {',
      replace: 'if (far_u < 0 || far_v < 0 || (su == 1 && sv == -1)) {',
    },
    { fault: 'lower end from a neighbour’s lower end', find: '(low - h.y)', replace: '(low - h.x)' },
    { fault: 'upper end from a neighbour’s upper end', find: '(high - t.x)', replace: '(high - t.y)' },
    { fault: 'diagonal pixel left out', find: ' + a * b * (low - d.y)', replace: '' },
    {
      fault: 'diagonal pixel on the wrong side',
      find: 'let d = near[4 + su + 3 * sv];',
      replace: 'let d = near[4 + su - 3 * sv];',
    },
    { fault: 'half a step forgotten', find: 'let low = value - half_step;', replace: 'let low = value;' },
    {
      fault: 'half a step inwards',
      find: 'let high = value + half_step;',
      replace: 'let high = value - half_step;',
    },
    { fault: 'rounding dropped', find: 'const LOSS = 16.0 *', replace: 'const LOSS = 0.0 *' },
    { fault: 'rounding inwards', find: 'const LOSS = 16.0 *', replace: 'const LOSS = -16.0 *' },
    {
      fault: 'pixels taken that leave the four cells',
      find: 'let reach = cell - (cell >> 6u);',
      replace: 'let reach = 2 * cell;',
    },
    {
      fault: 'what lies outside the image taken for unknown',
      find: 'vec2f(0.0, select(0.0, 1.0, inside))',
      replace: 'vec2f(0.0, 1.0)',
    },
    {
      fault: 'what was known before is forgotten',
      find: 'var ends = near[4];',
      replace: 'var ends = vec2f(0.0, 1.0);',
    },
    {
      fault: 'nothing is refuted',
      find: 'atomicOr(&refuted[id.z], 1u)',
      replace: 'atomicOr(&refuted[id.z], 0u)',
    },
    { fault: 'only the middle row of candidates', find: 'k / 3;', replace: '1;' },
  ],
});

describe('the paper’s example, its pixel at (5, 1)', () => {
  /** Coordinates of the paper, two to a pixel, relative to (3, 3), in pixels. */
  const [u0 = 0, u1 = 0, v0 = 0, v1 = 0] = [4.06, 4.21, 2.85, 3.11].map((c) => (c - 3) / 2);
  const unknown = (): [number, number] => [0, 1];

  it('gives 0.73 in the cell above (3, 3) and 0.72 in the one below it', () => {
    const [above] = impliedInterval([EXAMPLE.value, EXAMPLE.value], [u0, u1, 0, v1], unknown);
    const [below] = impliedInterval([EXAMPLE.value, EXAMPLE.value], [u0, u1, v0, 0], unknown);
    expect(above).toBeCloseTo(0.73, 2);
    expect(below).toBeCloseTo(0.72, 2);
  });

  it('is no wider with exact coordinates, which lie inside the paper’s', () => {
    const { shape, box, image, at } = EXAMPLE;
    const { lower, upper } = inverseOracle('rotation', box, image, 0, anyImage(shape), shape);
    expect(lower[at]).toBeGreaterThanOrEqual(0.72);
    expect(lower[at]).toBeLessThan(0.76);
    expect(upper[at]).toBe(1);
  });
});
