/** Whatever the data's shape and the model's layout, an adapted model gives what plain loops give. */
import { cases } from '@turnproof/core/testing';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { inspectModelBytes, openClassifier } from './index.ts';
import { linearModel, linearOracle, someFloats } from './onnx-writer.test-support.ts';

const CLASSES = 3;

const situations = fc
  .record({
    channels: fc.integer({ min: 1, max: 4 }),
    height: fc.integer({ min: 1, max: 6 }),
    width: fc.integer({ min: 1, max: 6 }),
    order: fc.constantFrom('nchw' as const, 'nhwc' as const),
    flat: fc.constantFrom(null, 'alone', 'before 1', 'after 1'),
    batch: fc.constantFrom('n', 1, 2, 5),
    images: fc.integer({ min: 1, max: 7 }),
    seed: fc.nat(1000),
  })
  .chain((situation) => {
    const { channels } = situation;
    const numbers = (min: number, max: number) =>
      fc.option(
        fc
          .constantFrom(1, channels)
          .chain((length) =>
            fc.array(fc.double({ min, max, noNaN: true }), { minLength: length, maxLength: length }),
          ),
        { nil: undefined },
      );
    return fc
      .record({ mean: numbers(-2, 2), std: numbers(0.1, 4) })
      .map((pixels) => ({ ...situation, ...pixels }));
  });

it('an adapted model gives what plain loops give', async () => {
  await fc.assert(
    fc.asyncProperty(
      situations,
      async ({ channels, height, width, order, flat, batch, mean, std, ...more }) => {
        const plane = height * width;
        const features = channels * plane;
        const images = someFloats(more.images * features, more.seed);
        const planes = order === 'nchw' ? [channels, height, width] : [height, width, channels];
        const image = { alone: [features], 'before 1': [features, 1], 'after 1': [1, features] };
        const { bytes, w, b } = linearModel({ image: flat ? image[flat] : planes, classes: CLASSES, batch });
        const classifier = await openClassifier({
          model: await inspectModelBytes('m.onnx', bytes),
          provider: 'wasm',
          shape: { channels, height, width },
          preparation: { order, ...(mean ? { mean } : {}), ...(std ? { std } : {}) },
        });
        try {
          const wanted = new Float32Array(images.length);
          for (let n = 0; n < more.images; n++) {
            for (let c = 0; c < channels; c++) {
              for (let at = 0; at < plane; at++) {
                const pixel = images[n * features + c * plane + at] ?? Number.NaN;
                const place = order === 'nchw' ? c * plane + at : at * channels + c;
                wanted[n * features + place] =
                  (pixel - (mean?.[c] ?? mean?.[0] ?? 0)) / (std?.[c] ?? std?.[0] ?? 1);
              }
            }
          }
          const logits = await classifier.logits(images, more.images);
          const oracle = linearOracle(wanted, w, b);
          expect(logits.length).toBe(oracle.length);
          for (const [i, value] of oracle.entries())
            expect(Math.abs((logits[i] ?? Number.NaN) - value)).toBeLessThan(1e-4 * features);
        } finally {
          await classifier.release();
        }
      },
    ),
    { numRuns: cases(60) },
  );
});
