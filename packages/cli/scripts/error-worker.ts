/**
 * Worker of check-bounds.ts: interpolation errors in float64.
 */
import { parentPort } from 'node:worker_threads';
import type { ImageShape, Parameter, Preprocess, Transform } from '@turnproof/shaders';
import { interpolationError } from '@turnproof/shaders/oracle';

export interface ErrorTask {
  readonly id: number;
  readonly transform: Transform;
  readonly shape: ImageShape;
  readonly pre: Preprocess;
  readonly image: Float32Array;
  readonly points: readonly { readonly beta: Parameter; readonly gamma: Parameter }[];
}

parentPort?.on('message', ({ id, transform, shape, pre, image, points }: ErrorTask) => {
  const errors = points.map(({ beta, gamma }) =>
    interpolationError(transform, beta, gamma, image, shape, pre),
  );
  parentPort?.postMessage({ id, errors: Float64Array.from(errors) });
});
