import { expectAtMost, expectClose, fillSentinel } from '@turnproof/core/testing';
import { samplerBudget } from '../../budgets.ts';
import { fixedMap, pixelCount } from '../../geometry.ts';
import {
  concatenated,
  describeKernel,
  randomNumbers,
  TEST_SHAPES,
  testImages,
} from '../../kernel-suite.test-support.ts';
import { tilingFor, workgroupSide } from '../../layout.ts';
import type { Preprocess } from '../../preprocess.ts';
import { mapItems } from '../warp/warp.kernel.ts';
import { WarpPreRunner, warpPreKernel } from './warp-pre.kernel.ts';
import { warpPreOracle } from './warp-pre.oracle.ts';

const PREPROCESSES: readonly Preprocess[] = [
  { vignette: { kind: 'circle', offset: 1 }, blur: { size: 5, sigma: 1 } },
  { vignette: { kind: 'rect', offset: 1 }, blur: { size: 3, sigma: 0.7 } },
  { vignette: { kind: 'none' }, blur: { size: 9, sigma: 2 } },
  { vignette: { kind: 'circle', offset: 0 }, blur: null },
];
const ANGLES = [0, 12.5, -77.7];

describeKernel({
  kernel: warpPreKernel,
  proposition: 'agrees with its float64 twin, in one tile and in many',
  check: async (gpu, kernel) => {
    const random = randomNumbers(2);
    for (const shape of TEST_SHAPES) {
      for (const pre of PREPROCESSES) {
        const images = testImages(shape, random).slice(0, 2);
        const entries = images.flatMap((_, image) => ANGLES.map((angle) => ({ image, angle })));
        const stack = gpu.upload('f32', concatenated(images), 'images');
        const maps = entries.map(({ image, angle }) => ({
          image,
          map: fixedMap('rotation', [angle], shape),
        }));
        const items = gpu.upload('i32', mapItems(maps), 'items');
        const size = pixelCount(shape);
        const output = gpu.array('f32', entries.length * size, 'preprocessed');
        try {
          // Memory for the whole image, and so little that tiles with halos are needed.
          const whole = gpu.device.limits.maxComputeWorkgroupStorageSize;
          for (const [memory, side] of [
            [whole, workgroupSide(gpu)],
            [3000, 16],
          ] as const) {
            fillSentinel(gpu, output);
            const runner = await WarpPreRunner.create(gpu, shape, pre, {
              kernel,
              tiling: tilingFor(shape, pre, 4, memory, side),
            });
            const batch = gpu.batch('warp_pre');
            runner.dispatch(batch, { images: stack, items, output }, entries.length);
            const result = batch.read(output);
            await batch.submit();
            runner.close();
            entries.forEach(({ image, angle }, i) => {
              const want = warpPreOracle('rotation', [angle], images[image] ?? [], shape, pre);
              const got = result.data.subarray(i * size, (i + 1) * size);
              // The budget is for the whole image's norm; no pixel may differ by more.
              const name = `pre of image ${image} at ${angle}, ${shape.width} x ${shape.height}, ${memory} bytes`;
              expectClose(name, got, want, samplerBudget(shape, pre));
              const distance = Math.hypot(...got.map((value, k) => value - (want[k] ?? Number.NaN)));
              expectAtMost(`${name}, l2 distance`, distance, samplerBudget(shape, pre));
            });
          }
        } finally {
          for (const array of [stack, items, output]) array.release();
        }
      }
    }
  },
  mutants: [
    {
      fault: 'halo forgotten',
      find: 'let region_x = max(0, x - params.radius);',
      replace: 'let region_x = x;',
    },
    {
      fault: 'circle one ring too wide',
      find: 'x * x + y * y <= params.keep_r2',
      replace: 'x * x + y * y <= params.keep_r2 + 9',
    },
    { fault: 'vignette after blur', find: 'if (kept(x, y)) {', replace: 'if (true) {' },
    {
      fault: 'blur shifted by one tap',
      find: 'taps[u32(c - at + params.radius)]',
      replace: 'taps[u32(max(0, c - at + params.radius - 1))]',
    },
    {
      fault: 'last row of the halo left out',
      find: 'min(tile.region_height - 1, at + params.radius)',
      replace: 'min(tile.region_height - 2, at + params.radius)',
    },
    {
      fault: 'no barrier’s worth of rows: the field of another channel',
      find: 'let channel = group.y / tiles;',
      replace: 'let channel = 0u * tiles;',
    },
  ],
});
