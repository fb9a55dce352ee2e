/**
 * Where the larger data sets and models lie that the repository does not ship: `shared` beside the repository, or
 * the folder in TURNPROOF_SHARED. Test support only; tests that need it say so when it is missing.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';

const folder =
  process.env.TURNPROOF_SHARED ?? fileURLToPath(new URL('../../../../../shared', import.meta.url));

/** The paths below the shared folder, or undefined (with a printed line) when one is missing. */
export function sharedFiles(...names: string[]): string[] | undefined {
  const paths = names.map((name) => join(folder, name));
  const missing = paths.find((path) => !existsSync(path));
  if (missing === undefined) return paths;
  console.log(`skipped: ${missing} is not there`);
  return undefined;
}

const IMAGE_HEADER = 16;
const LABEL_HEADER = 8;

/** The first `count` images of a gzipped MNIST pair, `[count, 1, 28, 28]` in [0, 1], with their labels. */
export function mnist(imagesFile: string, labelsFile: string, count: number) {
  const length = 28 * 28;
  const pixels = gunzipSync(readFileSync(imagesFile)).subarray(IMAGE_HEADER, IMAGE_HEADER + count * length);
  const labels = gunzipSync(readFileSync(labelsFile)).subarray(LABEL_HEADER, LABEL_HEADER + count);
  return { images: Float32Array.from(pixels, (v) => v / 255), labels: [...labels] };
}
