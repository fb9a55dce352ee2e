/** The self-test of the kernels that write images: warps, hulls and remainders. */
import type { Gpu } from '@turnproof/core';
import {
  boxHullKernel,
  boxItems,
  boxRemainderKernel,
  boxWidths,
  fixedMap,
  hullBudget,
  mapItems,
  type PixelKernel,
  PixelRunner,
  reachOf,
  remainderBudget,
  samplerBudget,
  WarpPreRunner,
  warpBudget,
  warpKernel,
} from '@turnproof/shaders';
import { boxHullOracle, boxRemainderOracle, warpOracle, warpPreOracle } from '@turnproof/shaders/oracle';
import { farthest, filled, type Measured, PRE, type Scene, SHAPE, SIZE, worstOf } from './scene.ts';

type Image = Float32Array<ArrayBuffer>;

const placeItems = ({ transform, places }: Scene) =>
  mapItems(places.map((place) => ({ image: 0, map: fixedMap(transform, place, SHAPE) })));

const pairBoxes = ({ transform, pairs }: Scene) =>
  boxItems(
    pairs.map(({ box }) => ({ image: 0, box })),
    transform,
    SHAPE,
  );

export async function checkWarp(gpu: Gpu, image: Image, scene: Scene): Promise<Measured> {
  const { transform, places } = scene;
  const got = await runPixels(gpu, warpKernel, image, placeItems(scene), places.length);
  const want = places.flatMap((place) => [...warpOracle(transform, place, image, SHAPE)]);
  return { difference: farthest(got, want), limit: warpBudget(SHAPE) };
}

export async function checkWarpPre(gpu: Gpu, image: Image, scene: Scene): Promise<Measured> {
  const { transform, places } = scene;
  const runner = await WarpPreRunner.create(gpu, SHAPE, PRE);
  try {
    const images = gpu.upload('f32', image, 'self-test image');
    const items = gpu.upload('i32', placeItems(scene), 'self-test items');
    const got = await filled(gpu, places.length * SIZE, [images, items], (batch, output) =>
      runner.dispatch(batch, { images, items, output }, places.length),
    );
    const distances = places.map((place, i) => {
      const want = warpPreOracle(transform, place, image, SHAPE, PRE);
      return Math.hypot(...want.map((value, k) => value - (got[i * SIZE + k] ?? Number.NaN)));
    });
    return { difference: Math.max(...distances), limit: samplerBudget(SHAPE, PRE) };
  } finally {
    runner.close();
  }
}

/** T_γ x at the lower end of each box. */
export function warpedPairs(gpu: Gpu, image: Image, { transform, pairs }: Scene): Promise<Image> {
  const maps = pairs.map(({ box }) => ({ image: 0, map: fixedMap(transform, box.lower, SHAPE) }));
  return runPixels(gpu, warpKernel, image, mapItems(maps), pairs.length);
}

export function remainders(gpu: Gpu, image: Image, scene: Scene): Promise<Image> {
  const { constants, pairs } = scene;
  return runPixels(gpu, boxRemainderKernel, image, pairBoxes(scene), pairs.length, { constants });
}

export function hulls(gpu: Gpu, image: Image, scene: Scene): Promise<Image> {
  return runPixels(gpu, boxHullKernel, image, pairBoxes(scene), scene.pairs.length, { perItem: 2 });
}

/** Never below the reference, and on the whole not far above it: cells that only rounding touches add to a few pixels. */
export async function checkRemainder(gpu: Gpu, image: Image, scene: Scene): Promise<Measured> {
  const { transform, pairs } = scene;
  const got = await remainders(gpu, image, scene);
  return worstOf(
    pairs.map(({ box }, i) => {
      const width = boxWidths(transform, box).reduce((a, b) => a + b, 0);
      const budget = remainderBudget(SHAPE, transform, width);
      const want = boxRemainderOracle(transform, box, image, SHAPE);
      let [above, total] = [0, 0];
      for (const [k, value] of want.entries()) {
        const one = (got[i * SIZE + k] ?? Number.NaN) + budget - value;
        if (!(one >= 0)) return { difference: Math.abs(one), limit: 0 };
        above += one;
        total += value;
      }
      return { difference: above, limit: 0.3 * total + SIZE * (2 * budget + 0.02 * width) };
    }),
  );
}

/** Ends never within those of the reference, and no farther beyond than an arc's allowance. */
export async function checkHull(gpu: Gpu, image: Image, scene: Scene): Promise<Measured> {
  const { transform, pairs } = scene;
  const got = await hulls(gpu, image, scene);
  const budget = hullBudget();
  return worstOf(
    pairs.map(({ box }, i) => {
      const [width = 0] = boxWidths(transform, box);
      const arc = transform === 'rotation' ? (reachOf(SHAPE) * width * width) / 8 : 0;
      let worst = 0;
      for (const [side, want] of boxHullOracle(transform, box, image, SHAPE).entries()) {
        for (const [k, value] of want.entries()) {
          const end = got[(2 * i + side) * SIZE + k] ?? Number.NaN;
          const beyond = (side === 0 ? value - end : end - value) + budget;
          if (!(beyond >= 0)) return { difference: Math.abs(beyond), limit: 0 };
          worst = Math.max(worst, beyond);
        }
      }
      return { difference: worst, limit: arc + 1e-4 };
    }),
  );
}

async function runPixels(
  gpu: Gpu,
  kernel: PixelKernel,
  image: Image,
  itemData: Int32Array<ArrayBuffer>,
  count: number,
  options: { readonly perItem?: number; readonly constants?: Readonly<Record<string, number>> } = {},
): Promise<Image> {
  const runner = await PixelRunner.create(gpu, kernel, SHAPE, options.constants);
  const images = gpu.upload('f32', image, 'self-test image');
  const items = gpu.upload('i32', itemData, 'self-test items');
  return filled(gpu, count * (options.perItem ?? 1) * SIZE, [images, items], (batch, output) =>
    runner.dispatch(batch, { images, items, output }, count),
  );
}
