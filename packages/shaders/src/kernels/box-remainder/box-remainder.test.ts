import { expectAtLeast, expectAtMost } from '@turnproof/core/testing';
import { remainderBudget } from '../../budgets.ts';
import { boxWidths, pixelCount } from '../../geometry.ts';
import { insideBox, runPixels, testProblems } from '../../kernel-runs.test-support.ts';
import { describeKernel, randomNumbers, testImages } from '../../kernel-suite.test-support.ts';
import { boxItems } from '../box-hull/box-hull.kernel.ts';
import { warpOracle } from '../warp/warp.oracle.ts';
import { boxRemainderKernel } from './box-remainder.kernel.ts';
import { boxRemainderOracle } from './box-remainder.oracle.ts';

/** The corner values' multilinear interpolant at gamma: the chord of a rotation box. */
function chordAt(
  corner: (ends: readonly ('lower' | 'upper')[]) => Float64Array,
  at: readonly number[],
): Float64Array {
  const [s = 0, t] = at;
  const mix = (a: Float64Array, b: Float64Array, w: number) => a.map((v, i) => v * (1 - w) + (b[i] ?? 0) * w);
  if (t === undefined) return mix(corner(['lower']), corner(['upper']), s);
  return mix(
    mix(corner(['lower', 'lower']), corner(['upper', 'lower']), s),
    mix(corner(['lower', 'upper']), corner(['upper', 'upper']), s),
    t,
  );
}

describeKernel({
  kernel: boxRemainderKernel,
  proposition: 'bounds every sampled departure from the chord, and is hardly above its float64 twin',
  check: async (gpu, kernel) => {
    const random = randomNumbers(6);
    for (const { transform, shape, image, pairs } of testProblems(random, (s) => testImages(s, random))) {
      const boxes = pairs.map(({ box }) => box);
      const items = boxItems(
        boxes.map((box) => ({ image: 0, box })),
        transform,
        shape,
      );
      const constants = { TRANSLATION: transform === 'translation' ? 1 : 0 };
      const data = await runPixels(gpu, kernel, shape, [image], items, boxes.length, { constants });
      const size = pixelCount(shape);
      boxes.forEach((box, i) => {
        const name = `${transform} ${box.lower} to ${box.upper}, ${shape.width} x ${shape.height}`;
        const widths = boxWidths(transform, box);
        const width = widths.reduce((a, b) => a + b, 0);
        const budget = remainderBudget(shape, transform, width);
        const bound = Float64Array.from(data.subarray(i * size, (i + 1) * size), (v) => v + budget);
        const corner = (ends: readonly ('lower' | 'upper')[]) =>
          warpOracle(
            transform,
            ends.map((end, axis) => box[end][axis] ?? 0),
            image,
            shape,
          );
        for (let sample = 0; sample < 12; sample++) {
          const gamma = insideBox(box, random);
          const place = gamma.map((g, axis) => {
            const a = box.lower[axis] ?? 0;
            return (g - a) / ((box.upper[axis] ?? 0) - a);
          });
          const chord = chordAt(corner, place);
          const departure = warpOracle(transform, gamma, image, shape).map((v, k) =>
            Math.abs(v - (chord[k] ?? 0)),
          );
          // Float64's own error in the chord of a narrow box.
          expectAtLeast(
            name,
            bound.map((v) => v + 1e-12),
            departure,
          );
        }
        const twin = boxRemainderOracle(transform, box, image, shape);
        expectAtLeast(`${name}, at least the twin`, bound, twin);
        // Cells that only the rounding slack touches may add to a pixel's remainder; on the whole it is the twin's.
        const sum = (values: Float64Array) => values.reduce((a, b) => a + b, 0);
        expectAtMost(`${name}, total`, sum(bound), 1.3 * sum(twin) + size * (budget + 0.02 * width));
      });
    }
  },
  mutants: [
    {
      fault: 'a quarter of the quarter',
      find: 'return box.quarter_x * (speed.y - speed.x);',
      replace: 'return 0.25 * box.quarter_x * (speed.y - speed.x);',
    },
    {
      fault: 'speeds of the two axes swapped',
      find: 'product(s.xy, u_speed) + product(s.zw, v_speed)',
      replace: 'product(s.xy, v_speed) + product(s.zw, u_speed)',
    },
    {
      fault: 'column’s speed forgotten',
      find: 'product(s.xy, u_speed) + product(s.zw, v_speed)',
      replace: 'product(s.zw, v_speed)',
    },
    {
      fault: 'row’s slope at one end of the range only',
      find: 'let du1 = lerp(p01 - p00, p11 - p10, fv1);',
      replace: 'let du1 = lerp(p01 - p00, p11 - p10, fv0);',
    },
    {
      fault: 'product takes two corners only',
      find: 'max(max(p.x, p.y), max(p.z, p.w))',
      replace: 'max(p.x, p.w)',
    },
    { fault: 'second axis of a translation forgotten', find: '+ box.quarter_y * (s.w - s.z)', replace: '' },
    {
      fault: 'image’s edge taken as smooth',
      find: 'let outside = u0 != range.u0 || u1 != range.u1 || v0 != range.v0 || v1 != range.v1;',
      replace: 'let outside = false;',
    },
  ],
});
