import { expectClose, fillSentinel } from '@turnproof/core/testing';
import { warpBudget } from '../../budgets.ts';
import { fixedMap, pixelCount, type Transform } from '../../geometry.ts';
import {
  concatenated,
  describeKernel,
  randomNumbers,
  TEST_SHAPES,
  testImages,
} from '../../kernel-suite.test-support.ts';
import { PixelRunner } from '../pixel-kernel.ts';
import { mapItems, warpKernel } from './warp.kernel.ts';
import { warpOracle } from './warp.oracle.ts';

const PARAMETERS: readonly (readonly [Transform, readonly number[]])[] = [
  ['rotation', [0]],
  ['rotation', [17.3]],
  ['rotation', [-45]],
  ['rotation', [90]],
  ['rotation', [181.7]],
  ['translation', [1.25, -2.5]],
  ['translation', [-3, 0.4]],
  ['translation', [1000, 0]],
];

describeKernel({
  kernel: warpKernel,
  proposition: 'agrees with its float64 twin to within its stated budget',
  check: async (gpu, kernel) => {
    const random = randomNumbers(1);
    for (const shape of TEST_SHAPES) {
      const images = testImages(shape, random);
      const entries = images.flatMap((_, image) =>
        PARAMETERS.map(([transform, parameter]) => ({ image, transform, parameter })),
      );
      const stack = gpu.upload('f32', concatenated(images), 'images');
      const items = gpu.upload(
        'i32',
        mapItems(
          entries.map(({ image, transform, parameter }) => ({
            image,
            map: fixedMap(transform, parameter, shape),
          })),
        ),
        'items',
      );
      const size = pixelCount(shape);
      const output = gpu.array('f32', entries.length * size, 'warped');
      fillSentinel(gpu, output);
      try {
        const runner = await PixelRunner.create(gpu, kernel, shape);
        const batch = gpu.batch('warp');
        runner.dispatch(batch, { images: stack, items, output }, entries.length);
        const result = batch.read(output);
        await batch.submit();
        entries.forEach(({ image, transform, parameter }, i) => {
          const want = warpOracle(transform, parameter, images[image] ?? [], shape);
          const got = result.data.subarray(i * size, (i + 1) * size);
          const name = `${transform} ${parameter.join(', ')} of image ${image}, ${shape.width} x ${shape.height}`;
          expectClose(name, got, want, warpBudget(shape));
        });
      } finally {
        for (const array of [stack, items, output]) array.release();
      }
    }
  },
  mutants: [
    {
      fault: 'row and column swapped in the map',
      find: 'm.m2 * x + m.m3 * y',
      replace: 'm.m3 * x + m.m2 * y',
    },
    { fault: 'weight of the wrong corner', find: 'a * (1.0 - t) + b * t', replace: 'b * (1.0 - t) + a * t' },
    {
      fault: 'half a pixel off',
      find: 'coordinate - (cell << params.frac_bits)',
      replace: 'coordinate + 4096 - (cell << params.frac_bits)',
    },
    {
      fault: 'correction forgotten',
      find: 'fraction(coordinate, cell) + correction * params.unit',
      replace: 'fraction(coordinate, cell)',
    },
    {
      fault: 'cell not followed by a correction below 0',
      find: 'return Located(cell + step, f - f32(step));',
      replace: 'return Located(cell, f - f32(step));',
    },
    {
      fault: 'edge pixels repeated outside',
      find: 'select(0.0, images[',
      replace: 'select(images[base], images[',
    },
    {
      fault: 'every channel reads the first',
      find: 'plane_at(image, place.channel)',
      replace: 'plane_at(image, 0u)',
    },
  ],
});
