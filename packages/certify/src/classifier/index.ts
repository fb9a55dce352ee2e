/**
 * The base classifier b: an ONNX file behind the {@link Classifier} interface, onnxruntime-web inside.
 */
import { badInput } from '@turnproof/core';
import type { Preparation } from './adaptation.ts';
import type { Classifier } from './classifier.ts';
import { prepareModel } from './free-batch.ts';
import { type ImageShape, type InspectedModel, inspectModel } from './model.ts';
import type { Provider } from './ort-runtime.ts';
import { WasmClassifier } from './wasm-classifier.ts';
import { WebgpuClassifier } from './webgpu-classifier.ts';
import { gapWords, webgpuGaps } from './webgpu-gaps.ts';

export { type Adaptation, adaptationWords, type Preparation } from './adaptation.ts';
export { argmaxRows, NO_CLASS } from './argmax.ts';
export type { Classifier } from './classifier.ts';
export { type PrepareOptions, prepareModel } from './free-batch.ts';
export { ParityGuard, type ParityGuardOptions } from './guard.ts';
export {
  type ImageShape,
  type InspectedModel,
  inspectModel,
  inspectModelBytes,
  type ModelInfo,
} from './model.ts';
export { defaultThreads, type Provider } from './ort-runtime.ts';
export {
  checkParity,
  isAnswerOf,
  PARITY_IMAGES,
  PARITY_TOLERANCE,
  type ParityCheck,
  type ParityReport,
} from './parity.ts';
export type { UnsteadyNode } from './unsteady.ts';
export { gapWords, type WebgpuGap, webgpuGaps } from './webgpu-gaps.ts';

export interface OpenClassifierOptions {
  /** A path, or what `inspectModel` made of it. */
  readonly model: string | InspectedModel;
  readonly provider: Provider;
  /** webgpu: the device that everything else uses. Its host must have set `navigator.gpu` (`openDevice` does). */
  readonly device?: GPUDevice;
  /** Shape of the data's images. */
  readonly shape: ImageShape;
  /** What the file does not say. A model that was adapted already is left as it is. */
  readonly preparation?: Preparation;
  /** wasm: threads, default one a core and at most 8. The first model of a process decides for all. */
  readonly threads?: number;
}

/**
 * Opens a model for images of a shape. It is run once by the wasm provider in any case (which shows the number of
 * classes, and a model that does not run at all), then once on the GPU where webgpu is asked for.
 *
 * @throws TurnproofError `bad-input` for a model that cannot serve; `gpu` when the runtime cannot use the device
 */
export async function openClassifier(options: OpenClassifierOptions): Promise<Classifier> {
  const { provider, device, shape, threads, preparation = {} } = options;
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1)) {
    throw badInput(`${threads} threads`, 'give a whole number from 1 on');
  }
  if (provider === 'webgpu' && !device) {
    throw badInput('the webgpu provider needs a GPU device', 'open one, or take --provider wasm');
  }
  const { output } = preparation;
  const inspected =
    typeof options.model === 'string'
      ? await inspectModel(options.model, { threads, output })
      : options.model;
  const model = await prepareModel(inspected, shape, preparation, { threads });
  const onHost = await WasmClassifier.open(model, shape, threads);
  if (provider === 'wasm' || !device) return onHost;
  const { classes } = onHost;
  await onHost.release();
  const gaps = await webgpuGaps(model, device);
  if (gaps.length > 0) {
    throw badInput(
      `${model.info.file}: the webgpu provider has no kernel for ${gapWords(gaps)}`,
      'take --provider wasm, or auto, which does so by itself',
    );
  }
  return WebgpuClassifier.open(model, shape, classes, device);
}
