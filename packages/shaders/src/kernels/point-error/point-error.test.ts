import { expectAtMost } from '@turnproof/core/testing';
import { normUp, pointBudget } from '../../budgets.ts';
import { runPointError, testProblems } from '../../kernel-runs.test-support.ts';
import { describeKernel, randomNumbers, testImages } from '../../kernel-suite.test-support.ts';
import { pointErrorKernel } from './point-error.kernel.ts';
import { interpolationError } from './point-error.oracle.ts';

describeKernel({
  kernel: pointErrorKernel,
  proposition: 'rounded up is never below the float64 error, and above it by no more than twice the budget',
  check: async (gpu, kernel) => {
    const random = randomNumbers(7);
    for (const problem of testProblems(random, (s) => testImages(s, random))) {
      const { transform, shape, pre, image, pairs } = problem;
      const budget = pointBudget(shape, pre);
      for (const memory of [undefined, 3000]) {
        const options = memory === undefined ? { kernel } : { kernel, memory };
        const { partials, tiling, perItem } = await runPointError(gpu, problem, options);
        pairs.forEach(({ beta, box }, i) => {
          const name = `${transform} beta ${beta} gamma ${box.lower}, ${shape.width} x ${shape.height}, ${memory} bytes`;
          const bound = normUp(partials, i * perItem, (i + 1) * perItem, tiling, budget);
          const truth = interpolationError(transform, beta, box.lower, image, shape, pre);
          expectAtMost(`${name}, soundness`, truth, bound);
          expectAtMost(`${name}, tightness`, bound, truth * (1 + 1e-5) + 2 * budget);
        });
      }
    }
  },
  mutants: [
    {
      fault: 'one of the two images left out',
      find: '- interpolate(source.base, source.both, x, y)',
      replace: '',
    },
    {
      fault: 'both maps the same',
      find: 'load_fine_map(at + 2u + FINE_MAP_LENGTH));',
      replace: 'load_fine_map(at + 2u));',
    },
    { fault: 'norm instead of its square', find: 'sum += value * value;', replace: 'sum += abs(value);' },
    {
      fault: 'one thread row left out of the sum',
      find: 'total += partial[i * SIDE];',
      replace: 'total += partial[max(i, 1u) * SIDE];',
    },
    {
      fault: 'second stack read without its slot',
      find: 'plane_at(items[at + 1u], channel), load_fine_map',
      replace: 'plane_at(0, channel), load_fine_map',
    },
    {
      fault: 'vignette of the wrong rows',
      find: 'var value = Field();\n      if (kept(x, y)) {',
      replace: 'var value = Field();\n      if (kept(x, y + 2)) {',
    },
    {
      fault: 'tiles overlap by a row',
      find: 'let y = i32((index / tiles_x) * TILE_HEIGHT);',
      replace: 'let y = max(0, i32((index / tiles_x) * TILE_HEIGHT) - 1);',
    },
  ],
});
