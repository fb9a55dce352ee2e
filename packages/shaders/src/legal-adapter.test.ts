/**
 * The budgets against the worst adapters that WGSL allows (see legal-adapter.test-support.ts). Adapters at hand round to
 * the nearest, where even no budget at all would often do; these do not.
 */
import { defineKernel, type Gpu, openDevice, storage } from '@turnproof/core';
import { closeChecked, mutate, testAdapters } from '@turnproof/core/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chordBudget, intervalBudget, normUp, pointBudget, samplerBudget, warpBudget } from './budgets.ts';
import { boxWidths, fixedMap, type ImageShape, pixelCount } from './geometry.ts';
import {
  type Problem,
  runChordError,
  runIntervalError,
  runInverse,
  runPixels,
  runPointError,
} from './kernel-runs.test-support.ts';
import { randomNumbers } from './kernel-suite.test-support.ts';
import { boxHullKernel } from './kernels/box-hull/box-hull.kernel.ts';
import { boxRemainderKernel } from './kernels/box-remainder/box-remainder.kernel.ts';
import { chordErrorKernel } from './kernels/chord-error/chord-error.kernel.ts';
import { chordErrorOracle } from './kernels/chord-error/chord-error.oracle.ts';
import { intervalErrorKernel } from './kernels/interval-error/interval-error.kernel.ts';
import { inverseKernel } from './kernels/inverse/inverse.kernel.ts';
import { pointErrorKernel } from './kernels/point-error/point-error.kernel.ts';
import { interpolationError, l2Norm } from './kernels/point-error/point-error.oracle.ts';
import { mapItems, warpKernel } from './kernels/warp/warp.kernel.ts';
import { warpOracle } from './kernels/warp/warp.oracle.ts';
import { WarpPreRunner, warpPreKernel } from './kernels/warp-pre/warp-pre.kernel.ts';
import { warpPreOracle } from './kernels/warp-pre/warp-pre.oracle.ts';
import type { Tiling } from './layout.ts';
import { ARITHMETIC, onLegalAdapter } from './legal-adapter.test-support.ts';

// The same integers on every adapter, so one will do; SwiftShader did not get through compiling them in ten minutes.
const adapter = (await testAdapters()).find((name) => name !== 'swiftshader');
if (!adapter)
  console.log('skipped: the worst adapters that WGSL allows take too long to compile on SwiftShader');

const shape: ImageShape = { channels: 1, height: 24, width: 24 };
const pre = { vignette: { kind: 'circle', offset: 3 }, blur: { size: 5, sigma: 1 } } as const;
const random = randomNumbers(3);

/** A bowl (or, turned over, a dome): resampling it twice lifts every pixel, so each difference has the same sign. */
function bowl(over: boolean, low: number, high: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: pixelCount(shape) }, (_, k) => {
    const [x, y] = [(k % 24) - 11.5, Math.floor(k / 24) - 11.5];
    const height = (x * x + y * y) / (2 * 11.5 * 11.5);
    return low + (high - low) * (over ? 1 - height : height);
  });
}

const betas = Array.from({ length: 24 }, () => 170 * (random() - 0.5));
/** Boxes of no width: a bound has no slack there but its budget. */
const points = (image: Float32Array<ArrayBuffer>): Problem => ({
  transform: 'rotation',
  shape,
  pre,
  image,
  pairs: betas.map((beta) => {
    const gamma = 40 * (random() - 0.5);
    return { beta: [beta], box: { lower: [gamma], upper: [gamma] } };
  }),
});

interface Sums {
  readonly partials: Float32Array;
  readonly tiling: Tiling;
  readonly perItem: number;
}

/**
 * What must be needed of a budget. More than nothing: dropped or subtracted it would be too small. And no more than the
 * worst adapter needs today, so that a budget that is halved by mistake is noticed though it would still do here.
 */
function expectShare(share: number, least: number, most: number): void {
  expect(share).toBeGreaterThan(least);
  expect(share).toBeLessThan(most);
}

/** How much of its budget the neediest truth takes: above 1 the budget is too small, above 0 it cannot be left out. */
function shareNeeded(
  { partials, tiling, perItem }: Sums,
  truths: readonly number[],
  budgetOf: (pair: number) => number,
): number {
  return Math.max(
    ...truths.map((truth, i) => {
      const bare = normUp(partials, i * perItem, (i + 1) * perItem, tiling, 0);
      return (truth - bare) / budgetOf(i);
    }),
  );
}

describe.runIf(adapter)(`the worst adapters that WGSL allows, played on ${adapter}`, () => {
  let gpu: Gpu;
  beforeAll(async () => {
    gpu = await openDevice({ adapter: adapter ?? 'auto' });
  });
  afterAll(() => closeChecked(gpu));

  it('round sums and products to the neighbour above or below, and leave exact ones alone', async () => {
    const kernel = defineKernel({
      name: 'arithmetic',
      source: `const AT_START: i32 = 1;
        ${ARITHMETIC}
        @group(0) @binding(0) var<storage, read> numbers: array<f32>;
        @group(0) @binding(1) var<storage, read_write> output: array<f32>;
        @compute @workgroup_size(64) fn arithmetic(@builtin(global_invocation_id) id: vec3u) {
          let a = numbers[2u * id.x];
          let b = numbers[2u * id.x + 1u];
          output[4u * id.x] = add(a, b, true);
          output[4u * id.x + 1u] = add(a, b, false);
          output[4u * id.x + 2u] = multiply(a, b, true);
          output[4u * id.x + 3u] = multiply(a, b, false);
        }`,
      bindings: { numbers: storage('f32', 'read'), output: storage('f32', 'read_write') },
    });
    const count = 64 * 512;
    const random = randomNumbers(5);
    const some = () => (random() - 0.5) * 2 ** Math.floor(60 * (random() - 0.5) * random());
    const numbers = Float32Array.from({ length: 2 * count }, (_, k) => (k % 37 === 0 ? 0 : some()));
    // Near cancellation, and numbers of few bits whose sums and products are exact.
    for (let k = 0; k < count; k += 5) numbers[2 * k + 1] = -(numbers[2 * k] ?? 0) * (1 + 2 ** -22 * (k % 7));
    for (let k = 1; k < count; k += 5) numbers.set([(k % 64) / 8, -(k % 13) / 4], 2 * k);
    const compiled = await gpu.compile(kernel, {});
    const arrays = {
      numbers: gpu.upload('f32', numbers, 'numbers'),
      output: gpu.array('f32', 4 * count, 'results'),
    };
    const batch = gpu.batch('arithmetic');
    batch.dispatch(compiled, arrays, [count / 64]);
    const result = batch.read(arrays.output);
    await batch.submit();
    const { data } = result;
    for (const array of Object.values(arrays)) array.release();

    const bits = new DataView(new ArrayBuffer(4));
    const step = (x: number, by: 1 | -1) => {
      bits.setFloat32(0, x);
      bits.setInt32(0, bits.getInt32(0) + (x > 0 ? by : -by));
      return bits.getFloat32(0);
    };
    /** The float32 next to value + rest (|rest| far below value's own last place) on the asked side. */
    const directed = (value: number, rest: number, up: boolean) => {
      const nearest = Math.fround(value);
      const off = nearest === value ? -rest : nearest - value;
      if (off === 0 || off > 0 === up) return nearest;
      return step(nearest, up ? 1 : -1);
    };
    for (let k = 0; k < count; k++) {
      const [a, b] = [numbers[2 * k] ?? Number.NaN, numbers[2 * k + 1] ?? Number.NaN];
      const sum = a + b;
      const back = sum - a;
      const lost = a - (sum - back) + (b - back);
      const want = [
        directed(sum, lost, true),
        directed(sum, lost, false),
        directed(a * b, 0, true),
        directed(a * b, 0, false),
      ];
      const got = Array.from({ length: 4 }, (_, i) => data[4 * k + i]);
      if (want.some((w, i) => w !== got[i])) expect([a, b, ...got]).toEqual([a, b, ...want]);
    }
  });

  it('rotated values need 15 to 30 % of the warp’s budget', async () => {
    const images = [bowl(false, 0.51, 0.99), Float32Array.from({ length: 576 }, (_, k) => (k * 7) % 2)];
    for (const wanted of [1, -1] as const) {
      let worst = 0;
      for (const image of images) {
        const maps = betas.map((beta) => ({ image: 0, map: fixedMap('rotation', [beta], shape) }));
        const data = await runPixels(
          gpu,
          onLegalAdapter(warpKernel, wanted),
          shape,
          [image],
          mapItems(maps),
          betas.length,
        );
        betas.forEach((beta, i) => {
          warpOracle('rotation', [beta], image, shape).forEach((value, k) => {
            worst = Math.max(worst, Math.abs(value - (data[i * image.length + k] ?? Number.NaN)));
          });
        });
      }
      expectShare(worst / warpBudget(shape), 0.15, 0.3);
    }
  });

  it('what the classifier sees needs 5 to 10 % of the sampler’s budget', async () => {
    const image = bowl(false, 0.51, 0.99);
    const items = gpu.upload(
      'i32',
      mapItems(betas.map((beta) => ({ image: 0, map: fixedMap('rotation', [beta], shape) }))),
      'items',
    );
    const stack = gpu.upload('f32', image, 'image');
    const output = gpu.array('f32', betas.length * image.length, 'preprocessed');
    for (const wanted of [1, -1] as const) {
      const runner = await WarpPreRunner.create(gpu, shape, pre, {
        kernel: onLegalAdapter(warpPreKernel, wanted),
      });
      const batch = gpu.batch('warp_pre');
      runner.dispatch(batch, { images: stack, items, output }, betas.length);
      const result = batch.read(output);
      await batch.submit();
      const { data } = result;
      runner.close();
      const distances = betas.map((beta, i) =>
        l2Norm(
          warpPreOracle('rotation', [beta], image, shape, pre).map(
            (value, k) => value - (data[i * image.length + k] ?? Number.NaN),
          ),
        ),
      );
      const share = Math.max(...distances) / samplerBudget(shape, pre);
      expectShare(share, 0.05, 0.1);
    }
    for (const array of [items, stack, output]) array.release();
  });

  // Bowls' differences are above 0, domes' below: the worst adapter moves them towards 0.
  const shapes = [
    ['a bowl', false, -1],
    ['a dome', true, 1],
  ] as const;

  it.each(shapes)('errors at points of %s need 3 to 7 % of their budget', async (_, over, wanted) => {
    const problem = points(bowl(over, 0.51, 0.99));
    const truths = problem.pairs.map(({ beta, box }) =>
      interpolationError('rotation', beta, box.lower, problem.image, shape, pre),
    );
    const sums = await runPointError(gpu, problem, {
      kernel: onLegalAdapter(pointErrorKernel, wanted),
      first: onLegalAdapter(warpKernel, wanted),
    });
    const share = shareNeeded(sums, truths, () => pointBudget(shape, pre));
    expectShare(share, 0.03, 0.07);
  });

  it.each(shapes)('interval bounds of %s need 3 to 8 % of their budget', async (_, over, wanted) => {
    const problem = points(bowl(over, 0.9, 0.99));
    const truths = problem.pairs.map(({ beta, box }) =>
      interpolationError('rotation', beta, box.lower, problem.image, shape, pre),
    );
    const sums = await runIntervalError(gpu, problem, {
      kernel: onLegalAdapter(intervalErrorKernel, wanted),
      first: onLegalAdapter(boxHullKernel, wanted),
    });
    const share = shareNeeded(sums, truths, () => intervalBudget(shape, pre));
    expectShare(share, 0.03, 0.08);
  });

  it('remainders of boxes need 0.5 to 1.2 % of the chord bound’s budget', async () => {
    // Steep slopes that hardly vary within a cell, and boxes that cross no cell line: remainders of a few ULP.
    const image = Float32Array.from(
      { length: pixelCount(shape) },
      (_, k) => 0.8 * ((k % 24) % 2) + (0.2 * (k % 24) * Math.floor(k / 24)) / 23 ** 2,
    );
    const flat = { vignette: { kind: 'rect', offset: 3 }, blur: null } as const;
    const pairs = betas.map(() => {
      const lower = [0.1 + 0.3 * random(), 0.1 + 0.3 * random()];
      const upper = lower.map((end) => end + 0.0013);
      return { beta: [0.05 + 0.4 * random(), 0.05 + 0.4 * random()], box: { lower, upper } };
    });
    const problem: Problem = { transform: 'translation', shape, pre: flat, image, pairs };
    const truths = pairs.map(({ beta, box }) =>
      chordErrorOracle('translation', beta, box, image, shape, flat),
    );
    const sums = await runChordError(gpu, problem, {
      kernel: onLegalAdapter(chordErrorKernel, -1),
      first: onLegalAdapter(boxRemainderKernel, -1),
    });
    const share = shareNeeded(sums, truths, (i) => {
      const { box } = pairs[i] ?? { box: { lower: [], upper: [] } };
      const width = boxWidths('translation', box).reduce((a, b) => a + b, 0);
      return chordBudget(shape, flat, 'translation', width);
    });
    expectShare(share, 0.005, 0.012);
  });

  it('the inverse needs 1 to 2 of the 16 ULP that it allows for rounding', async () => {
    // Shifts by eighths of pixels of ten bits: x' and all coordinates are exact, nothing hides a rounding.
    const exact = mutate(onLegalAdapter(inverseKernel, 1), {
      fault: 'no allowance for coordinates',
      find: 'let slack = reach + 1;',
      replace: 'let slack = 0;',
    });
    const small: ImageShape = { channels: 1, height: 12, width: 12 };
    const escapes = async (ulps: string) => {
      const find = 'const LOSS = 16.0 *';
      const kernel = mutate(exact, { fault: 'another allowance', find, replace: `const LOSS = ${ulps} *` });
      let count = 0;
      for (let run = 0; run < 24; run++) {
        const x = Float32Array.from({ length: 144 }, () => Math.floor(1025 * random()) / 1024);
        const gamma = [Math.floor(17 * random()) / 8, Math.floor(17 * random()) / 8];
        const image = Float32Array.from(warpOracle('translation', gamma, x, small));
        const before = { lower: Float64Array.from(x), upper: Float64Array.from(x) };
        const cases = [{ image, box: { lower: gamma, upper: gamma }, before }];
        const problem = { transform: 'translation', shape: small } as const;
        const { ends } = await runInverse(gpu, problem, cases, { halfStep: 0, steps: 1, kernel });
        x.forEach((value, k) => {
          if (!((ends[k] ?? 2) <= value && value <= (ends[144 + k] ?? -1))) count += 1;
        });
      }
      return count;
    };
    expect(await escapes('16.0')).toBe(0);
    expect(await escapes('2.0')).toBe(0);
    expect(await escapes('1.0')).toBeGreaterThan(0);
  });
});
