import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { openDevice } from '@turnproof/core';
import { closeChecked, expectClose, testAdapters } from '@turnproof/core/testing';
import { describe, expect, it } from 'vitest';
import { samplerBudget } from './budgets.ts';
import { fixedMap, type Transform } from './geometry.ts';
import { runPixels } from './kernel-runs.test-support.ts';
import { interpolationError } from './kernels/point-error/point-error.oracle.ts';
import { mapItems, warpKernel } from './kernels/warp/warp.kernel.ts';
import { warpOracle } from './kernels/warp/warp.oracle.ts';
import { WarpPreRunner } from './kernels/warp-pre/warp-pre.kernel.ts';
import { preOracle } from './kernels/warp-pre/warp-pre.oracle.ts';
import type { Preprocess, Vignette } from './preprocess.ts';

/** Answers of an independent float64 implementation on MNIST; not part of the repository. */
const shared = process.env.TURNPROOF_SHARED ?? join(import.meta.dirname, '../../../../shared');
const file = join(shared, 'vectors/transforms.json');
const present = existsSync(file);
// One name even where the vectors are absent: a file without any suite fails.
const adapters = present ? await testAdapters() : ['no adapter'];
if (!present)
  console.log('skipped: vectors of an independent implementation are not here (set TURNPROOF_SHARED)');

interface Vectors {
  rotate: { index: number; degrees: number; image: number[] }[];
  translate: { index: number; dx: number; dy: number; image: number[] }[];
  pre: {
    index: number;
    vignette: [Vignette['kind'], number] | null;
    blur: [number, number] | null;
    image: number[];
  }[];
  epsilon: {
    index: number;
    beta: number;
    gamma: number;
    vignette: [Vignette['kind'], number] | null;
    blur: [number, number] | null;
    error: number;
  }[];
}

const shape = { channels: 1, height: 28, width: 28 };
const digits = present
  ? gunzipSync(readFileSync(join(shared, 'data/mnist/t10k-images-idx3-ubyte.gz'))).subarray(16)
  : new Uint8Array();
const digit = (index: number) =>
  Float32Array.from(digits.subarray(index * 784, (index + 1) * 784), (v) => v / 255);
const exactDigit = (index: number) =>
  Float64Array.from(digits.subarray(index * 784, (index + 1) * 784), (v) => v / 255);

function preOf({ vignette, blur }: Pick<Vectors['pre'][number], 'vignette' | 'blur'>): Preprocess {
  return {
    vignette:
      vignette && vignette[0] !== 'none' ? { kind: vignette[0], offset: vignette[1] } : { kind: 'none' },
    blur: blur ? { size: blur[0], sigma: blur[1] } : null,
  } as Preprocess;
}

/** The vectors are printed with so many digits. */
const PRINTED = 1e-9;

describe.runIf(present)('the vectors of an independent float64 implementation', () => {
  const vectors = JSON.parse(present ? readFileSync(file, 'utf8') : '{}') as Vectors;
  const moves = () => [
    ...vectors.rotate.map((v) => ({ ...v, transform: 'rotation' as Transform, parameter: [v.degrees] })),
    ...vectors.translate.map((v) => ({
      ...v,
      transform: 'translation' as Transform,
      parameter: [v.dx, v.dy],
    })),
  ];

  it('rotations and translations are reproduced by the float64 twin', () => {
    expect(moves().length).toBeGreaterThan(4);
    for (const { index, transform, parameter, image } of moves()) {
      expectClose(
        `${transform} ${parameter}`,
        warpOracle(transform, parameter, exactDigit(index), shape),
        image,
        PRINTED,
      );
    }
  });

  it('pre is reproduced by the float64 twin', () => {
    for (const v of vectors.pre) {
      expectClose(`pre of ${v.index}`, preOracle(exactDigit(v.index), shape, preOf(v)), v.image, PRINTED);
    }
  });

  it('interpolation errors are reproduced by the float64 twin', () => {
    for (const v of vectors.epsilon) {
      const error = interpolationError('rotation', [v.beta], [v.gamma], exactDigit(v.index), shape, preOf(v));
      expect(Math.abs(error - v.error)).toBeLessThan(1e-8);
    }
  });

  it.each(adapters)('and by the kernels on %s within their budgets', async (adapter) => {
    const gpu = await openDevice({ adapter });
    try {
      for (const { index, transform, parameter, image } of moves()) {
        const items = mapItems([{ image: 0, map: fixedMap(transform, parameter, shape) }]);
        const got = await runPixels(gpu, warpKernel, shape, [digit(index)], items, 1);
        // Pixels are k/255 in float32; the budget is for real-valued ones.
        expectClose(`${transform} ${parameter}`, got, image, 1e-5);
      }
      for (const v of vectors.pre) {
        const pre = preOf(v);
        const runner = await WarpPreRunner.create(gpu, shape, pre);
        const arrays = {
          images: gpu.upload('f32', digit(v.index), 'digit'),
          items: gpu.upload(
            'i32',
            mapItems([{ image: 0, map: fixedMap('rotation', [0], shape) }]),
            'identity',
          ),
          output: gpu.array('f32', 784, 'pre'),
        };
        const batch = gpu.batch('pre');
        runner.dispatch(batch, arrays, 1);
        const got = batch.read(arrays.output);
        await batch.submit();
        runner.close();
        for (const array of Object.values(arrays)) array.release();
        expectClose(`pre of ${v.index}`, got.data, v.image, samplerBudget(shape, pre));
      }
    } finally {
      closeChecked(gpu);
    }
  });
});
