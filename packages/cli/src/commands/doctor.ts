/** `turnproof doctor`: what this machine has, and whether it computes rightly. */
import {
  checkParity,
  defaultThreads,
  inspectModel,
  openClassifier,
  PARITY_IMAGES,
  type ParityCheck,
  type Provider,
} from '@turnproof/certify/classifier';
import { type Gpu, TurnproofError } from '@turnproof/core';
import type { CommandContext, CommandSpec } from '../command.ts';
import type { Console } from '../console.ts';
import { openDataset } from '../data/index.ts';
import { EXIT_FAILED, EXIT_OK } from '../failure.ts';
import { deviceOptions, readDevice } from '../options/device.ts';
import { resolveModel } from '../options/model.ts';
import { chooseProvider, openUntestedGpu } from '../prepare/engine.ts';
import { imagesToCompare } from '../prepare/inputs.ts';
import { type FoundAdapter, findAdapters } from '../self-test/adapters.ts';
import type { KernelCheck } from '../self-test/kernels.ts';
import { testKernels } from '../self-test/verdict.ts';
import { columnsOf, formatHeader, formatRow } from '../table.ts';

export const doctor: CommandSpec = {
  name: 'doctor',
  summary: 'what this machine has, and whether it computes rightly',
  description:
    'List the adapters and the runtime, then run every kernel of the chosen adapter against its float64 twin and the ' +
    'built-in classifier on both providers against each other. Exit status 0 only if certifying is safe here.',
  groups: [deviceOptions],
  example: 'turnproof doctor --adapter auto',
  run,
};

interface ProviderReport {
  readonly provider: Provider;
  readonly passed: boolean;
  readonly checks: readonly ParityCheck[];
  /** The same bits at every run. */
  readonly repeatable: boolean | null;
  readonly failure: string | null;
}

const LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
] as const;

async function run({ console, values }: CommandContext): Promise<number> {
  const choice = readDevice(values);
  const adapters = await findAdapters();
  if (!console.json) showAdapters(console, adapters);
  const gpu = await openUntestedGpu(choice.adapter, console);
  try {
    if (!console.json) showChosen(console, gpu);
    const kernels = await testKernels(gpu);
    if (!console.json) showKernels(console, kernels);
    const chosen = chooseProvider(choice.provider, gpu.adapter);
    const providers = await checkProviders(gpu, choice.threads);
    if (!console.json) showProviders(console, providers, chosen);
    // The other provider may fail: it is not the one that certifies.
    const logits = providers.find(({ provider }) => provider === chosen)?.passed === true;
    const safe = kernels.every(({ passed }) => passed) && logits;
    if (console.json) {
      const { name, kind, adapterClass } = gpu.adapter;
      const adapter = { name, kind, driver: adapterClass, reason: gpu.reason, limits: limitsOf(gpu) };
      const features = [...gpu.device.features].sort();
      const node = process.versions.node;
      console.data(
        JSON.stringify({
          safe,
          node,
          adapters,
          adapter,
          features,
          kernels,
          provider: chosen,
          providers,
          threads: choice.threads ?? defaultThreads(),
        }),
      );
    } else {
      console.data(`\n${safe ? 'Certifying is safe here.' : 'Do NOT certify here: see what failed above.'}`);
    }
    return safe ? EXIT_OK : EXIT_FAILED;
  } finally {
    gpu.close();
  }
}

function limitsOf(gpu: Gpu): Record<string, number> {
  return Object.fromEntries(LIMITS.map((name) => [name, gpu.device.limits[name]]));
}

/** wasm with itself, webgpu with wasm, on the built-in model. */
async function checkProviders(gpu: Gpu, threads: number | undefined): Promise<ProviderReport[]> {
  const data = await openDataset('signs');
  const { shape } = data;
  const model = await inspectModel(resolveModel('signs'), { threads });
  const images = await imagesToCompare(data, [0, 1, 2, 3], { sigma: 0.3, seed: 0n });
  const options = { model, shape, ...(threads === undefined ? {} : { threads }) };
  const host = await openClassifier({ ...options, provider: 'wasm' });
  try {
    const reports: ProviderReport[] = [];
    for (const provider of ['wasm', 'webgpu'] as const) {
      try {
        const classifier =
          provider === 'wasm' ? host : await openClassifier({ ...options, provider, device: gpu.device });
        try {
          const { checks, repeatable } = await checkParity(classifier, host, images(PARITY_IMAGES, 0));
          reports.push({ provider, passed: true, checks, repeatable, failure: null });
        } finally {
          if (classifier !== host) await classifier.release();
        }
      } catch (error) {
        if (!(error instanceof TurnproofError)) throw error;
        reports.push({ provider, passed: false, checks: [], repeatable: null, failure: error.message });
      }
    }
    return reports;
  } finally {
    await host.release();
  }
}

function showAdapters(console: Console, adapters: readonly FoundAdapter[]): void {
  console.data(`turnproof on Node ${process.versions.node}, ${process.platform} ${process.arch}\n\nAdapters`);
  for (const { choice, name, failure } of adapters) {
    console.data(`  ${choice.padEnd(12)} ${name ?? `none (${failure})`}`);
  }
}

function showChosen(console: Console, gpu: Gpu): void {
  const { name, kind, adapterClass } = gpu.adapter;
  console.data(`\nChosen: ${name} (${kind}, driver ${adapterClass})\n  because: ${gpu.reason}`);
  for (const [limit, value] of Object.entries(limitsOf(gpu))) console.data(`  ${limit.padEnd(34)} ${value}`);
  console.data(`  features: ${[...gpu.device.features].sort().join(', ') || 'none'}`);
}

const KERNEL_COLUMNS = columnsOf(['  kernel', -16], ['difference', 10], ['allowed', 10], ['result', -8]);

function showKernels(console: Console, kernels: readonly KernelCheck[]): void {
  console.data(`\nKernels against float64\n${formatHeader(KERNEL_COLUMNS)}`);
  for (const { name, difference, limit, passed, failure } of kernels) {
    const result = passed ? 'ok' : `FAILED${failure === null ? '' : `: ${failure}`}`;
    const cells = [`  ${name}`, difference?.toExponential(1) ?? 'none', limit.toExponential(1), result];
    console.data(formatRow(KERNEL_COLUMNS, cells));
  }
}

function showProviders(console: Console, providers: readonly ProviderReport[], chosen: Provider): void {
  console.data('\nClassifier (onnxruntime-web)');
  for (const { provider, passed, checks, failure, repeatable } of providers) {
    const mark = provider === chosen ? ' (chosen)' : '';
    const again = repeatable ? 'the same bits every time' : 'not the same bits every time';
    console.data(`  ${provider}${mark}: ${passed ? `ok, ${again}` : `FAILED: ${failure}`}`);
    for (const check of checks) {
      console.data(
        `    ${check.name}: ${check.difference.toExponential(1)} (allowed ${check.limit.toExponential(1)})`,
      );
    }
  }
}
