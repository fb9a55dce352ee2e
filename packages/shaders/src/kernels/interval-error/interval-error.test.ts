import type { Gpu } from '@turnproof/core';
import { expectAtMost } from '@turnproof/core/testing';
import { intervalBudget, normUp } from '../../budgets.ts';
import { boxWidths, reachOf } from '../../geometry.ts';
import { insideBox, runIndivError, runIntervalError, testProblems } from '../../kernel-runs.test-support.ts';
import { describeKernel, randomNumbers, testImages } from '../../kernel-suite.test-support.ts';
import { interpolationError, l2Norm } from '../point-error/point-error.oracle.ts';
import { warpOracle } from '../warp/warp.oracle.ts';
import { preOracle } from '../warp-pre/warp-pre.oracle.ts';
import { intervalErrorKernel } from './interval-error.kernel.ts';
import { indivErrorOracle, intervalErrorOracle } from './interval-error.oracle.ts';

/** Indiv's use of it: one image moved by beta against an interval image over the moved box. */
async function checkIntervalImages(gpu: Gpu, kernel: typeof intervalErrorKernel): Promise<void> {
  const random = randomNumbers(19);
  for (const problem of testProblems(random, (s) => testImages(s, random).slice(0, 2))) {
    const { transform, shape, pre, image, pairs } = problem;
    const known = {
      lower: Float64Array.from(image, (v) => Math.fround(Math.max(0, v - 0.3 * random()))),
      upper: Float64Array.from(image, (v) => Math.fround(Math.min(1, v + 0.3 * random()))),
    };
    const between = () =>
      known.lower.map((low, i) => {
        const t = random();
        return low + ((known.upper[i] ?? low) - low) * (t < 0.4 ? 0 : t > 0.6 ? 1 : random());
      });
    const { partials, tiling, perItem } = await runIndivError(gpu, problem, known, { kernel });
    const budget = intervalBudget(shape, pre);
    pairs.forEach(({ beta, box }, i) => {
      const name = `${transform} beta ${beta} box ${box.lower} to ${box.upper}, an interval image`;
      const bound = normUp(partials, i * perItem, (i + 1) * perItem, tiling, budget);
      const moved = warpOracle(transform, beta, image, shape);
      for (let sample = 0; sample < 4; sample++) {
        const both = insideBox(box, random).map((gamma, axis) => gamma + (beta[axis] ?? Number.NaN));
        const other = warpOracle(transform, both, between(), shape);
        const difference = moved.map((value, k) => value - (other[k] ?? Number.NaN));
        expectAtMost(`${name}, soundness`, l2Norm(preOracle(difference, shape, pre)), bound);
      }
      const twin = indivErrorOracle(transform, beta, box, image, known, shape, pre);
      expectAtMost(`${name}, at least the twin`, twin, bound);
      const width = transform === 'rotation' ? (boxWidths(transform, box)[0] ?? 0) : 0;
      const arcs = (Math.sqrt(image.length) * reachOf(shape) * width * width) / 4;
      expectAtMost(`${name}, tightness`, bound, twin * (1 + 1e-4) + 2 * budget + arcs);
    });
  }
}

describeKernel({
  kernel: intervalErrorKernel,
  proposition: 'bounds every sampled error of the box, and is near its float64 twin',
  check: async (gpu, kernel) => {
    const random = randomNumbers(9);
    for (const problem of testProblems(random, (s) => testImages(s, random))) {
      const { transform, shape, pre, image, pairs } = problem;
      const budget = intervalBudget(shape, pre);
      for (const memory of [undefined, 4000]) {
        const options = memory === undefined ? { kernel } : { kernel, memory };
        const { partials, tiling, perItem } = await runIntervalError(gpu, problem, options);
        pairs.forEach(({ beta, box }, i) => {
          const name = `${transform} beta ${beta} box ${box.lower} to ${box.upper}, ${shape.width} x ${shape.height}`;
          const bound = normUp(partials, i * perItem, (i + 1) * perItem, tiling, budget);
          for (let sample = 0; sample < 6; sample++) {
            const gamma = insideBox(box, random);
            expectAtMost(
              `${name}, soundness`,
              interpolationError(transform, beta, gamma, image, shape, pre),
              bound,
            );
          }
          const twin = intervalErrorOracle(transform, beta, box, image, shape, pre);
          expectAtMost(`${name}, at least the twin`, twin, bound);
          const width = transform === 'rotation' ? (boxWidths(transform, box)[0] ?? 0) : 0;
          const arcs = (Math.sqrt(image.length) * reachOf(shape) * width * width) / 4;
          expectAtMost(`${name}, tightness`, bound, twin * (1 + 1e-4) + 2 * budget + arcs);
        });
      }
    }
    await checkIntervalImages(gpu, kernel);
  },
  mutants: [
    {
      fault: 'an interval image taken for its lower end',
      find: 'hull(source.lower, source.upper,',
      replace: 'hull(source.lower, source.lower,',
    },
    {
      fault: 'an interval image taken for its upper end',
      find: 'let base = select(upper_base, lower_base, end == 0);',
      replace: 'let base = upper_base;',
    },
    {
      fault: 'ends of the two intervals swapped',
      find: 'field - ends.yx',
      replace: 'field - ends',
    },
    {
      fault: 'lower end only',
      find: 'return max(abs(field.x), abs(field.y));',
      replace: 'return abs(field.x);',
    },
    {
      fault: 'larger end without its sign',
      find: 'return max(abs(field.x), abs(field.y));',
      replace: 'return abs(max(field.x, field.y));',
    },
    {
      fault: 'weights of the two rows swapped',
      find: 'select(1.0 - v.fraction, v.fraction, (k >> 1) == 1)',
      replace: 'select(v.fraction, 1.0 - v.fraction, (k >> 1) == 1)',
    },
    {
      fault: 'upper hull read for both',
      find: 'plane_at(items[at + 2u], channel)',
      replace: 'plane_at(items[at + 3u], channel)',
    },
    {
      fault: 'bound moved inward by the slack',
      find: 'let slack = reach + 1;',
      replace: 'let slack = -64 * (reach + 1);',
    },
    {
      fault: 'box not moved by beta',
      find: 'load_box(at + 4u + FINE_MAP_LENGTH));',
      replace: 'load_box(at + 4u));',
    },
  ],
});
