import { expectAtMost } from '@turnproof/core/testing';
import { intervalBudget, normUp } from '../../budgets.ts';
import { boxWidths, reachOf } from '../../geometry.ts';
import { insideBox, runIntervalError, testProblems } from '../../kernel-runs.test-support.ts';
import { describeKernel, randomNumbers, testImages } from '../../kernel-suite.test-support.ts';
import { interpolationError } from '../point-error/point-error.oracle.ts';
import { intervalErrorKernel } from './interval-error.kernel.ts';
import { intervalErrorOracle } from './interval-error.oracle.ts';

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
  },
  mutants: [
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
      find: 'let slot = 2 * items[at + 1u];',
      replace: 'let slot = 2 * items[at + 1u] + 1;',
    },
    {
      fault: 'bound moved inward by the slack',
      find: 'let slack = reach + 1;',
      replace: 'let slack = -64 * (reach + 1);',
    },
    {
      fault: 'box not moved by beta',
      find: 'load_box(at + 2u + FINE_MAP_LENGTH));',
      replace: 'load_box(at + 2u));',
    },
  ],
});
