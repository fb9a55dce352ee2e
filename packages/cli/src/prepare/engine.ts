/**
 * GPU and classifier of a run, opened and compared with each other before anything is computed with them.
 */
import {
  type Classifier,
  checkParity,
  gapWords,
  type InspectedModel,
  openClassifier,
  PARITY_IMAGES,
  ParityGuard,
  type ParityReport,
  type Plan,
  type Provider,
  webgpuGaps,
} from '@turnproof/certify';
import { type AdapterDescription, type Gpu, openDevice } from '@turnproof/core';
import type { Console } from '../console.ts';
import type { Shape } from '../data/index.ts';
import type { DeviceChoice } from '../options/device.ts';
import { requireKernels } from '../self-test/verdict.ts';
import { type HostModel, imagesToCompare, type SelectedData } from './inputs.ts';

export interface Engine {
  readonly gpu: Gpu;
  readonly classifier: Classifier;
  /** The model on the wasm provider: what the classifier is held against. It may be the classifier itself. */
  readonly reference: Classifier;
  readonly parity: ParityReport;
  /** Repeats the comparison while the run goes on, with batches of the run's size; `unchecked`: see ParityGuard. */
  guard(batch: number, unchecked?: readonly number[]): ParityGuard;
  close(): Promise<void>;
}

/**
 * Opens a GPU whose kernels have passed the self-test.
 *
 * @throws TurnproofError `parity` when a kernel computes wrongly there; see also openDevice
 */
export async function openGpu(adapter: string, console: Console): Promise<Gpu> {
  const gpu = await openUntestedGpu(adapter, console);
  try {
    await requireKernels(gpu, console);
    return gpu;
  } catch (error) {
    gpu.close();
    throw error;
  }
}

/** Opens the GPU and says so; a software adapter is never used silently. */
export async function openUntestedGpu(adapter: string, console: Console): Promise<Gpu> {
  const gpu = await openDevice({ adapter, onSoftware: (message) => console.note(message) });
  if (gpu.adapter.kind === 'hardware') console.note(`adapter ${gpu.adapter.name}`);
  console.detail(`chosen because: ${gpu.reason}`);
  return gpu;
}

/** On a software adapter the CPU runs the classifier many times faster than the adapter would. */
export function chooseProvider(choice: DeviceChoice['provider'], adapter: AdapterDescription): Provider {
  if (choice !== 'auto') return choice;
  return adapter.kind === 'hardware' ? 'webgpu' : 'wasm';
}

/**
 * Opens the GPU and the classifier beside it, and compares its logits: batch 1 with batch N, twice, and webgpu with
 * wasm. Takes `host` over: it is the
 * classifier, or stays open as what the classifier is held against.
 *
 * @throws TurnproofError `parity` when logits differ: nothing may be certified then
 */
export async function openEngine(
  choice: DeviceChoice,
  { model, host }: HostModel,
  selected: SelectedData,
  plan: Pick<Plan, 'sigmaEps' | 'seed'>,
  console: Console,
): Promise<Engine> {
  const { shape } = selected.data;
  let gpu: Gpu | undefined;
  let classifier = host;
  try {
    gpu = await openGpu(choice.adapter, console);
    if (chooseProvider(choice.provider, gpu.adapter) === 'webgpu') {
      classifier = (await openOnGpu(choice, model, gpu, shape, console)) ?? host;
    }
    const { provider } = classifier;
    const noise = { sigma: plan.sigmaEps, seed: BigInt(plan.seed) };
    const images = await imagesToCompare(selected.data, selected.indices, noise);
    const parity = await checkParity(classifier, host, images(PARITY_IMAGES, 0));
    console.note(`classifier on ${provider}: ${parity.checks.length} comparisons of logits passed`);
    for (const { name, difference, limit } of parity.checks) {
      console.detail(`  ${name}: ${difference.toExponential(1)} (allowed ${limit.toExponential(1)})`);
    }
    const opened = { gpu, classifier, reference: host };
    return {
      ...opened,
      parity,
      guard: (batch, unchecked = []) => new ParityGuard({ ...opened, images, batch, unchecked }),
      close: async () => {
        await opened.classifier.release();
        if (opened.classifier !== host) await host.release();
        opened.gpu.close();
      },
    };
  } catch (error) {
    if (classifier !== host) await classifier.release();
    await host.release();
    gpu?.close();
    throw error;
  }
}

/**
 * The model on the webgpu provider. Where the choice was left to us and the provider lacks an operator of the model:
 * null, after one line that says so.
 */
export async function openOnGpu(
  { provider, threads }: Pick<DeviceChoice, 'provider' | 'threads'>,
  model: InspectedModel,
  { device }: Gpu,
  shape: Shape,
  console: Console,
): Promise<Classifier | null> {
  const gaps = provider === 'auto' ? await webgpuGaps(model, device) : [];
  if (gaps.length > 0) {
    console.note(
      `${model.info.file}: the webgpu provider has no kernel for ${gapWords(gaps)}; the wasm provider runs the model`,
    );
    return null;
  }
  return openClassifier({
    model,
    provider: 'webgpu',
    device,
    shape,
    ...(threads === undefined ? {} : { threads }),
  });
}
