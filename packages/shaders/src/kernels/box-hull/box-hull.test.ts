import { expectAtLeast, expectClose } from '@turnproof/core/testing';
import { hullBudget } from '../../budgets.ts';
import { pixelCount, reachOf } from '../../geometry.ts';
import { insideBox, runPixels, testProblems } from '../../kernel-runs.test-support.ts';
import { describeKernel, randomNumbers, testImages } from '../../kernel-suite.test-support.ts';
import { warpOracle } from '../warp/warp.oracle.ts';
import { boxHullKernel, boxItems } from './box-hull.kernel.ts';
import { boxHullOracle } from './box-hull.oracle.ts';

describeKernel({
  kernel: boxHullKernel,
  proposition: 'contains every sampled image of the box, and is hardly wider than the exact hull',
  check: async (gpu, kernel) => {
    const random = randomNumbers(5);
    for (const { transform, shape, image, pairs } of testProblems(random, (s) => testImages(s, random))) {
      const boxes = pairs.map(({ box }) => box);
      const items = boxItems(
        boxes.map((box) => ({ image: 0, box })),
        transform,
        shape,
      );
      const data = await runPixels(gpu, kernel, shape, [image], items, boxes.length, { imagesPerItem: 2 });
      const size = pixelCount(shape);
      const budget = hullBudget();
      boxes.forEach((box, i) => {
        const name = `${transform} ${box.lower} to ${box.upper}, ${shape.width} x ${shape.height}`;
        const lower = Float64Array.from(data.subarray(2 * i * size, (2 * i + 1) * size), (v) => v - budget);
        const upper = Float64Array.from(
          data.subarray((2 * i + 1) * size, (2 * i + 2) * size),
          (v) => v + budget,
        );
        for (let sample = 0; sample < 12; sample++) {
          const value = warpOracle(transform, insideBox(box, random), image, shape);
          expectAtLeast(`${name}, upper end`, upper, value);
          expectAtLeast(`${name}, lower end`, value, lower);
        }
        const [exactLower, exactUpper] = boxHullOracle(transform, box, image, shape);
        expectAtLeast(`${name}, exact upper end`, upper, exactUpper);
        expectAtLeast(`${name}, exact lower end`, exactLower, lower);
        // The arc's allowance, at most reach w^2 / 8 half pixels on each coordinate, moves a value by no more.
        const width =
          transform === 'rotation' ? (((box.upper[0] ?? 0) - (box.lower[0] ?? 0)) * Math.PI) / 180 : 0;
        const allowance = (reachOf(shape) * width * width) / 8 + 1e-4;
        expectClose(`${name}, tightness above`, upper, exactUpper, allowance);
        expectClose(`${name}, tightness below`, lower, exactLower, allowance);
      });
    }
  },
  mutants: [
    { fault: 'arc forgotten', find: 'let arc = box.sagitta * reach;', replace: 'let arc = 0;' },
    {
      fault: 'arc on the wrong side',
      find: 'range.u1 + arc, wide.u1 >= params.center_u',
      replace: 'range.u1 - arc, wide.u1 >= params.center_u',
    },
    {
      fault: 'only the box’s first end',
      find: 'let ub = map_column(box.b, x, y);',
      replace: 'let ub = map_column(box.a, x, y);',
    },
    {
      fault: 'last cell left out',
      find: 'column <= u1 >> params.frac_bits',
      replace: 'column <= max(u0 >> params.frac_bits, (u1 >> params.frac_bits) - 1)',
    },
    {
      fault: 'upper end from three corners',
      find: 'max(max(c.x, c.y), max(c.z, c.w))',
      replace: 'max(max(c.x, c.y), c.z)',
    },
    {
      fault: 'rows not clipped to the range',
      find: 'fraction(max(v0, top), row)',
      replace: 'fraction(top, row)',
    },
    {
      fault: 'rounding slack reversed',
      find: 'let slack = reach + 1;',
      replace: 'let slack = -4096 * (reach + 1);',
    },
  ],
});
