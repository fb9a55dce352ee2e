import { expectAtMost } from '@turnproof/core/testing';
import { normUp, sliceDistanceBudget } from '../../budgets.ts';
import { runSliceDistance, testProblems } from '../../kernel-runs.test-support.ts';
import { describeKernel, randomNumbers, testImages } from '../../kernel-suite.test-support.ts';
import { sliceDistanceKernel } from './slice-distance.kernel.ts';
import { sliceDistance } from './slice-distance.oracle.ts';

describeKernel({
  kernel: sliceDistanceKernel,
  proposition:
    'rounded up is never below the float64 distance, and above it by no more than twice the budget',
  check: async (gpu, kernel) => {
    const random = randomNumbers(21);
    for (const problem of testProblems(random, (s) => testImages(s, random))) {
      const { transform, shape, pre, image, pairs } = problem;
      const budget = sliceDistanceBudget(shape, pre);
      for (const memory of [undefined, 3000]) {
        const options = memory === undefined ? { kernel } : { kernel, memory };
        const { partials, tiling, perItem } = await runSliceDistance(gpu, problem, options);
        pairs.forEach(({ box }, i) => {
          const name = `${transform} ${box.lower} from ${box.upper}, ${shape.width} x ${shape.height}, ${memory} bytes`;
          const bound = normUp(partials, i * perItem, (i + 1) * perItem, tiling, budget);
          const truth = sliceDistance(transform, box.lower, box.upper, image, shape, pre);
          expectAtMost(`${name}, soundness`, truth, bound);
          expectAtMost(`${name}, tightness`, bound, truth * (1 + 1e-5) + 2 * budget);
        });
      }
    }
  },
  mutants: [
    {
      fault: 'centre left out',
      find: '- interpolate(source.base, source.center, x, y)',
      replace: '',
    },
    {
      fault: 'centre taken for γ',
      find: 'load_fine_map(at + 1u), load_fine_map(at + 1u + FINE_MAP_LENGTH)',
      replace: 'load_fine_map(at + 1u), load_fine_map(at + 1u)',
    },
    {
      fault: 'other channel’s plane',
      find: 'plane_at(items[at], channel)',
      replace: 'plane_at(items[at], 0u)',
    },
    {
      fault: 'blur of one pass only',
      find: 'sum += taps[u32(r - at + params.radius)] * rows',
      replace: 'sum += select(0.0, 1.0, r == at) * rows',
    },
    {
      fault: 'correction behind the point forgotten',
      find: 'let f = fraction(coordinate, cell) + correction * params.unit;',
      replace: 'let f = fraction(coordinate, cell) + 0.01 + 0.0 * correction;',
    },
  ],
});
