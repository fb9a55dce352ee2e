/**
 * What the statistics' tests share: the golden vectors, the optional vectors beside the repository, and a small
 * seeded generator. For tests only.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export interface Bracket {
  readonly below: number;
  readonly above: number;
}

export interface Golden {
  readonly clopperPearson: readonly {
    readonly k: number;
    readonly n: number;
    readonly alpha: number;
    readonly lower?: Bracket;
    readonly upper?: Bracket;
  }[];
  readonly normalCdf: readonly ({ readonly x: number } & Bracket)[];
  readonly normalQuantile: readonly ({ readonly p: number } & Bracket)[];
  readonly binomialTwoSided: readonly ({ readonly k: number; readonly n: number } & Bracket)[];
  readonly stirlingRemainder: readonly { readonly n: number; readonly value: number }[];
  readonly sequential: readonly {
    readonly p0: number;
    readonly alpha: number;
    readonly n: number;
    readonly acceptAt: number;
  }[];
}

export interface SharedVectors {
  readonly clopper_pearson_lower: readonly { k: number; n: number; alpha: number; lower: number }[];
  readonly binomial_two_sided: readonly { k: number; n: number; p: number }[];
  readonly normal_quantile: readonly { p: number; z: number }[];
}

function read<T>(path: string): T {
  return JSON.parse(readFileSync(path, 'utf8')) as T;
}

export function loadGolden(): Golden {
  return read<Golden>(fileURLToPath(new URL('../vectors/statistics-golden.json', import.meta.url)));
}

/** The vectors of other libraries, where they lie beside the repository; undefined (and a line) elsewhere. */
export function loadSharedVectors(): SharedVectors | undefined {
  const folder =
    process.env.TURNPROOF_SHARED ?? fileURLToPath(new URL('../../../../shared', import.meta.url));
  const path = `${folder}/vectors/statistics.json`;
  if (existsSync(path)) return read<SharedVectors>(path);
  console.log(`skipped: comparison with other libraries' statistics (${path} is not there)`);
  return undefined;
}

/** Uniform numbers in [0, 1) from a 32-bit seed (G. Marsaglia's xorshift128, started by a multiplicative hash). */
export function seededUniform(seed: number): () => number {
  const state = new Uint32Array(4);
  for (let i = 0; i < 4; i++) state[i] = Math.imul(seed + i + 1, 0x9e3779b1) ^ (0x85ebca6b >>> i);
  return () => {
    const [x = 0, y = 0, z = 0, w = 0] = state;
    const mixed = x ^ (x << 11);
    const next = w ^ (w >>> 19) ^ mixed ^ (mixed >>> 8);
    state.set([y, z, w, next]);
    return (state[3] ?? 0) / 2 ** 32;
  };
}
