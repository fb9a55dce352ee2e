/** Node's way to the files that the suite needs. */
import { createRequire } from 'node:module';
import { inspectModel } from '@turnproof/certify/classifier';
import type { Assets } from './suite/run-cases.ts';

export const signsModel = (): string =>
  createRequire(import.meta.url).resolve('@turnproof/signs/models/signs_rot.onnx');

export function nodeAssets(providers: Assets['providers']): Assets {
  return { model: () => inspectModel(signsModel()), providers };
}
