import { expectAtMost } from '@turnproof/core/testing';
import { normUp, sliceRemainderBudget } from '../../budgets.ts';
import { boxWidths } from '../../geometry.ts';
import { cornersOf, insideBox, runSliceRemainder, testProblems } from '../../kernel-runs.test-support.ts';
import { describeKernel, randomNumbers, testImages } from '../../kernel-suite.test-support.ts';
import { sliceDistance } from '../slice-distance/slice-distance.oracle.ts';
import { sliceRemainderKernel } from './slice-remainder.kernel.ts';
import { sliceRemainderOracle } from './slice-remainder.oracle.ts';

describeKernel({
  kernel: sliceRemainderKernel,
  proposition: 'with the distances at the box’s corners it bounds every sampled one, and is near its twin',
  check: async (gpu, kernel) => {
    const random = randomNumbers(22);
    for (const problem of testProblems(random, (s) => testImages(s, random))) {
      const { transform, shape, pre, image, pairs } = problem;
      for (const memory of [undefined, 3000]) {
        const options = memory === undefined ? { kernel } : { kernel, memory };
        const { partials, tiling, perItem } = await runSliceRemainder(gpu, problem, options);
        pairs.forEach(({ box }, i) => {
          const name = `${transform} box ${box.lower} to ${box.upper}, ${shape.width} x ${shape.height}`;
          const width = boxWidths(transform, box).reduce((a, b) => a + b, 0);
          const budget = sliceRemainderBudget(shape, pre, transform, width);
          const remainder = normUp(partials, i * perItem, (i + 1) * perItem, tiling, budget);
          // Against anything that stays: a corner, where the distance starts at 0, and a place outside the box.
          for (const center of [box.lower, box.upper.map((end) => end + 0.3)]) {
            const distance = (gamma: readonly number[]) =>
              sliceDistance(transform, gamma, center, image, shape, pre);
            const ends = Math.max(...cornersOf(box).map(distance));
            for (let sample = 0; sample < 4; sample++) {
              expectAtMost(`${name}, soundness`, distance(insideBox(box, random)), ends + remainder);
            }
          }
          const twin = sliceRemainderOracle(transform, box, image, shape, pre);
          expectAtMost(`${name}, at least the twin`, twin, remainder);
          expectAtMost(`${name}, tightness`, remainder, 1.3 * twin + 2 * budget + 0.3 * width);
        });
      }
    }
  },
  mutants: [
    {
      fault: 'half the remainder',
      find: 'return box.quarter_x * (speed.y - speed.x);',
      replace: 'return 0.5 * box.quarter_x * (speed.y - speed.x);',
    },
    {
      fault: 'a tenth of the remainder lost',
      find: 'return field;\n}\n\nfn magnitude',
      replace: 'return 0.9 * field;\n}\n\nfn magnitude',
    },
    {
      fault: 'other channel’s plane',
      find: 'plane_at(items[at], channel)',
      replace: 'plane_at(items[at], 0u)',
    },
    {
      fault: 'second axis of a translation forgotten',
      find: '+ box.quarter_y * (s.w - s.z)',
      replace: '',
    },
    {
      fault: 'blur’s weights sum to less than 1',
      find: 'sum += taps[u32(r - at + params.radius)] * rows',
      replace: 'sum += 0.97 * taps[u32(r - at + params.radius)] * rows',
    },
  ],
});
