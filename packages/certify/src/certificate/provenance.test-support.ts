/** Circumstances of a certificate that nobody ran: for tests of what is made of a method's outcome. */
import { extraError } from '../bounds/index.ts';
import type { MethodContext } from '../methods/method.ts';
import { noiseOf, samplerError } from '../noise.ts';
import type { Provenance } from './build.ts';
import { VERSIONS } from './versions.ts';

/** A simulated setting, with the noise and the errors that images of {@link SHAPE} really have. */
export function asCertified<C extends MethodContext>(context: C): C & { readonly extraError: number } {
  const { plan, pipeline } = context;
  const noise = noiseOf(plan, SHAPE);
  return {
    ...context,
    noise,
    samplerError: samplerError(SHAPE, pipeline.pre, noise),
    extraError: extraError(SHAPE, pipeline, noise),
  };
}

export const SHA = 'ab'.repeat(32);
export const SHAPE = { channels: 1, height: 4, width: 4 };

export const PROVENANCE: Provenance = {
  index: 11,
  label: 0,
  model: { sha256: SHA, file: 'simulated.onnx' },
  image: { sha256: SHA, shape: SHAPE },
  shaders: { sha256: SHA },
  adapter: { name: 'none', kind: 'software', adapterClass: 'none' },
  provider: 'wasm',
  versions: VERSIONS,
};
