/** The self-test of the inverse: what an image can have been before it was transformed. */
import type { Gpu } from '@turnproof/core';
import { InverseRunner, inverseItems } from '@turnproof/shaders';
import { anyImage, inverseOracle, warpOracle } from '@turnproof/shaders/oracle';
import { farthest, filled, type Measured, type Scene, SHAPE, SIZE } from './scene.ts';

/** How far an end may be from that of the reference, whose arcs are exact. */
const LIMIT = 1e-3;
const HALF_STEP = 1e-5;

/**
 * Two steps for small boxes around attacks that are known: the image itself must be inside (else the difference is infinite),
 * and the ends not far from the reference's.
 */
export async function checkInverse(
  gpu: Gpu,
  scene: Float32Array<ArrayBuffer>,
  { transform, attacks, nearAttack }: Scene,
): Promise<Measured> {
  // Much black: what an inverse needs to see anything.
  const image = scene.map((value) => Math.max(0, 1.6 * value - 0.6));
  const files = attacks.map((gamma) => Float32Array.from(warpOracle(transform, gamma, image, SHAPE)));
  const count = attacks.length;
  const entries = attacks.map((gamma, i) => ({
    image: i,
    box: { lower: gamma.map((g) => g - nearAttack[0]), upper: gamma.map((g) => g + nearAttack[1]) },
  }));
  const items = (known: boolean) =>
    gpu.upload(
      'i32',
      inverseItems(
        entries.map((entry, i) => ({ ...entry, slot: known ? i : null })),
        HALF_STEP,
        transform,
        SHAPE,
      ),
      'self-test items',
    );
  const stack = new Float32Array(count * SIZE);
  files.forEach((file, i) => {
    stack.set(file, i * SIZE);
  });
  const images = gpu.upload('f32', stack, 'self-test files');
  const [first, second] = [items(false), items(true)];
  const warped = gpu.array('f32', 2 * count * SIZE, 'self-test intervals');
  const refuted = gpu.upload('u32', new Uint32Array(count), 'self-test refutations');
  const runner = await InverseRunner.create(gpu, SHAPE);
  const inputs = [images, first, second, warped, refuted];
  const got = await filled(gpu, 2 * count * SIZE, inputs, (batch, output) => {
    runner.dispatch(batch, { images, items: first, output: warped, warped: output, refuted }, count);
    runner.dispatch(batch, { images, items: second, output, warped, refuted }, count);
  });
  let difference = 0;
  for (const [i, { box }] of entries.entries()) {
    const [lower = new Float32Array(0), upper = new Float32Array(0)] = [0, 1].map((end) =>
      got.subarray((2 * i + end) * SIZE, (2 * i + end + 1) * SIZE),
    );
    let reference = anyImage(SHAPE);
    for (let step = 0; step < 2; step++)
      reference = inverseOracle(transform, box, files[i] ?? [], HALF_STEP, reference, SHAPE);
    const holds = image.every((value, k) => (lower[k] ?? 2) <= value && value <= (upper[k] ?? -1));
    const ends = Math.max(farthest(lower, reference.lower), farthest(upper, reference.upper));
    difference = holds ? Math.max(difference, ends) : Number.POSITIVE_INFINITY;
  }
  return { difference, limit: LIMIT };
}
