/** Circumstances of a certificate that nobody ran: for tests of what is made of a method's outcome. */
import type { Provenance } from './build.ts';
import { VERSIONS } from './versions.ts';

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
