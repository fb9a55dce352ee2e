/** One step of the inverse: what an image costs is some steps for each box. */
import { type ImageShape, InverseRunner, inverseItems, inverseKernel, pixelCount } from '@turnproof/shaders';
import type { KernelCase } from './case.ts';
import { angle, Held, rotating, WIDTH } from './held.ts';
import type { Patch } from './kernel-cases.ts';
import { nameOf, PRE, picture } from './knobs.ts';
import { imageBytes, operations } from './work.ts';

/** @param count - Boxes, at most 65,535. */
export function inverseCase(shape: ImageShape, count: number, patch: Patch): KernelCase {
  const kernel = patch(inverseKernel);
  const size = pixelCount(shape);
  const entries = Array.from({ length: count }, (_, slot) => ({
    image: 0,
    slot,
    box: { lower: [angle(slot, count)], upper: [angle(slot, count) + WIDTH / 8] },
  }));
  const items = () => inverseItems(entries, 0.5 / 255, 'rotation', shape);
  return {
    kind: 'kernel',
    name: `inverse ${nameOf(shape)}`,
    kernel,
    unit: 'boxes',
    work: count,
    bytes: imageBytes(shape, 1 + 4 * count) + items().byteLength + 4 * count,
    operations: operations(PRE).inverse * size * count,
    prepare: async (gpu) => {
      const held = new Held(gpu);
      const runner = await InverseRunner.create(gpu, shape, kernel);
      const one = picture(shape);
      // So wide that no box is refuted, which would end its work; on nothing else of them does it hang.
      const known = new Float32Array(count * 2 * size);
      for (let at = 0; at < known.length; at += 2 * size)
        known.fill(-1, at, at + size).fill(2, at + size, at + 2 * size);
      return rotating(
        held,
        count,
        () => ({
          images: held.f32(one),
          warped: held.f32(known),
          items: held.i32(items()),
          output: held.empty(count * 2 * size),
          refuted: held.u32(new Uint32Array(count)),
        }),
        (batch, arrays, n) => runner.dispatch(batch, arrays, n),
      );
    },
  };
}
