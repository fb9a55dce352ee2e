/** The example's images and models, as the project ships them. Test support only. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { CertifierImage } from './certifier.ts';
import type { Plan } from './plan.ts';

const example = (path: string) => fileURLToPath(new URL(`../../../examples/signs/${path}`, import.meta.url));

export const signsShape = { channels: 3, height: 32, width: 32 };
/** Trained for rotations. */
export const signsModel = example('models/signs_rot.onnx');

const RECORD = 1 + 3 * 32 * 32;
const records = readFileSync(example('data/test.bin'));

/** As small as a plan can be and still certify signs at 90 %. */
export const SMALL_PLAN = {
  sigmaGamma: 8,
  sigmaEps: 0.3,
  confidence: 0.9,
  nGamma: 10,
  n0: 5,
  nEps: 600,
  inner: 'sequential',
  nChooseE: 15,
  nTestE: 40,
  radiusRule: 'tight',
} as const satisfies Partial<Plan>;

export function signAt(index: number): CertifierImage {
  const bytes = records.subarray(RECORD * index, RECORD * (index + 1));
  const pixels = Float32Array.from(bytes.subarray(1), (value) => value / 255);
  const sha256 = createHash('sha256').update(new Uint8Array(pixels.buffer)).digest('hex');
  return { index, pixels, sha256, label: bytes[0] ?? null };
}
