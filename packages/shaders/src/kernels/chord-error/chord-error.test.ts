import { expectAtMost } from '@turnproof/core/testing';
import { chordBudget, normUp } from '../../budgets.ts';
import { boxWidths } from '../../geometry.ts';
import { cornersOf, insideBox, runChordError, testProblems } from '../../kernel-runs.test-support.ts';
import { describeKernel, randomNumbers, testImages } from '../../kernel-suite.test-support.ts';
import { interpolationError } from '../point-error/point-error.oracle.ts';
import { chordErrorKernel } from './chord-error.kernel.ts';
import { chordErrorOracle } from './chord-error.oracle.ts';

describeKernel({
  kernel: chordErrorKernel,
  proposition:
    'with the errors at the box’s corners it bounds every sampled error of the box, and is near its twin',
  check: async (gpu, kernel) => {
    const random = randomNumbers(8);
    for (const problem of testProblems(random, (s) => testImages(s, random))) {
      const { transform, shape, pre, image, pairs } = problem;
      for (const memory of [undefined, 3000]) {
        const options = memory === undefined ? { kernel } : { kernel, memory };
        const { partials, tiling, perItem } = await runChordError(gpu, problem, options);
        pairs.forEach(({ beta, box }, i) => {
          const name = `${transform} beta ${beta} box ${box.lower} to ${box.upper}, ${shape.width} x ${shape.height}`;
          const width = boxWidths(transform, box).reduce((a, b) => a + b, 0);
          const budget = chordBudget(shape, pre, transform, width);
          const remainder = normUp(partials, i * perItem, (i + 1) * perItem, tiling, budget);
          const error = (gamma: readonly number[]) =>
            interpolationError(transform, beta, gamma, image, shape, pre);
          const ends = Math.max(...cornersOf(box).map(error));
          for (let sample = 0; sample < 6; sample++) {
            expectAtMost(`${name}, soundness`, error(insideBox(box, random)), ends + remainder);
          }
          const twin = chordErrorOracle(transform, beta, box, image, shape, pre);
          // Never below the twin's norm; above it by the cells that only the rounding slack and the arcs touch.
          expectAtMost(`${name}, at least the twin`, twin, remainder);
          expectAtMost(`${name}, tightness`, remainder, 1.3 * twin + 2 * budget + 0.3 * width);
        });
      }
    }
  },
  mutants: [
    { fault: 'one remainder only', find: '+ remainder(source.base, source.box, x, y)', replace: '' },
    {
      fault: 'remainder of the other image not moved by beta',
      find: 'interpolate_second(source.slot, source.beta, x, y)',
      replace:
        'interpolate_second(source.slot, FineMap(Map(i32(1u << (params.frac_bits - 1u)), 0, 0, i32(1u << (params.frac_bits - 1u)), params.center_u, params.center_v), 0.0, 0.0, 0.0, 0.0, 0.0, 0.0), x, y)',
    },
    {
      fault: 'half the remainder',
      find: 'return box.quarter_x * (speed.y - speed.x);',
      replace: 'return 0.5 * box.quarter_x * (speed.y - speed.x);',
    },
    {
      fault: 'box not moved by beta',
      find: 'load_box(at + 2u + FINE_MAP_LENGTH));',
      replace: 'load_box(at + 2u));',
    },
    {
      fault: 'blur’s weights sum to less than 1',
      find: 'sum += taps[u32(r - at + params.radius)] * rows',
      replace: 'sum += 0.97 * taps[u32(r - at + params.radius)] * rows',
    },
  ],
});
