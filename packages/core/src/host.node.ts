/**
 * Where Node's adapters come from: Dawn (npm package `webgpu`) over the Vulkan drivers of this machine, else over
 * the SwiftShader that travels in the npm package `@sparticuz/chromium`.
 *
 * Dawn reads VK_DRIVER_FILES when an instance is made, so each candidate gets an instance of its own.
 */
import { existsSync, readdirSync } from 'node:fs';
import { badInput } from './errors.ts';
import { type AdapterChoice, describeAdapter, type Host, type OpenedAdapter, refuseAdapter } from './host.ts';
import { withoutWarnings } from './native-stderr.node.ts';
import { loadPackagedVulkanLoader, unpackSwiftShader } from './swiftshader.node.ts';

const ICD_FOLDERS = ['/usr/share/vulkan/icd.d', '/usr/local/share/vulkan/icd.d', '/etc/vulkan/icd.d'];

/**
 * What Dawn is told to leave out. GPU clocks are quantised to 65,536 ns unless told otherwise. Workgroup memory is
 * zeroed by loops instead of by a Vulkan extension, which SwiftShader turns into one store an element: a kernel with
 * 8 KiB of it then compiles for seconds.
 */
const DAWN_SWITCHES = [
  'disable-dawn-features=timestamp_quantization,use_vulkan_zero_initialize_workgroup_memory_extension',
];

interface Candidate {
  readonly what: string;
  readonly reason: string;
  /** Value for VK_DRIVER_FILES; null leaves the environment as it is. */
  readonly drivers: () => Promise<string | null>;
}

const systemDrivers: Candidate = {
  what: 'drivers of this machine',
  reason: 'a hardware adapter of this machine',
  drivers: async () => null,
};

const lavapipe: Candidate = {
  what: 'installed lavapipe',
  reason: 'no hardware adapter; lavapipe is installed and Dawn accepts it',
  drivers: async () => {
    for (const folder of ICD_FOLDERS) {
      if (!existsSync(folder)) continue;
      const icd = readdirSync(folder).find((name) => /^lvp_icd.*\.json$/.test(name));
      if (icd) return `${folder}/${icd}`;
    }
    throw new Error('no lavapipe driver file is installed');
  },
};

const swiftShader: Candidate = {
  what: 'packaged SwiftShader',
  reason: 'no hardware adapter and no faster software one; the packaged SwiftShader serves everywhere',
  drivers: async () => (await unpackSwiftShader()).icd,
};

const message = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** One at a time: the environment variable is the process's, not the call's. */
let turn: Promise<unknown> = Promise.resolve();

/**
 * Dawn's instances by the drivers that they were made for. Kept until the process ends: when an instance is
 * collected while objects of its devices still wait for collection, Dawn 0.6.2 aborts or hangs.
 */
const instances = new Map<string, GPU>();

/** An instance and the adapter that it gives. Dawn reads the environment at the first request, not in `create`. */
async function adapterFor(
  drivers: string | null,
): Promise<{ gpu: GPU; adapter: GPUAdapter | null; warnings: readonly string[] }> {
  const before = process.env.VK_DRIVER_FILES;
  if (drivers !== null) process.env.VK_DRIVER_FILES = drivers;
  // Vulkan's loader complains on stderr where this is unset; the folder is not written to.
  process.env.XDG_RUNTIME_DIR ??= '/tmp';
  try {
    const { create, globals } = await import('webgpu');
    // Code for the browser (onnxruntime-web's) reads GPUBufferUsage and its kin as globals.
    for (const [name, value] of Object.entries(globals)) {
      if (!(name in globalThis))
        Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
    }
    const gpu = instances.get(drivers ?? '') ?? create([...DAWN_SWITCHES]);
    instances.set(drivers ?? '', gpu);
    const { result: adapter, warnings } = await withoutWarnings(() =>
      gpu.requestAdapter({ powerPreference: 'high-performance' }),
    );
    return { gpu, adapter, warnings };
  } finally {
    if (before === undefined) delete process.env.VK_DRIVER_FILES;
    else process.env.VK_DRIVER_FILES = before;
  }
}

async function tryCandidate(candidate: Candidate): Promise<OpenedAdapter> {
  await loadPackagedVulkanLoader();
  const { gpu, adapter, warnings } = await adapterFor(await candidate.drivers());
  if (!adapter) {
    const why = warnings.length === 0 ? '' : ` (${warnings.join('; ')})`;
    throw new Error(`Dawn accepts none of them${why}`);
  }
  installNavigatorGpu(gpu);
  return { adapter, description: describeAdapter(adapter), reason: candidate.reason };
}

let navigatorGpu: GPU | undefined;

/** onnxruntime-web looks for `navigator.gpu`, as in a browser. */
function installNavigatorGpu(gpu: GPU): void {
  navigatorGpu = gpu;
  Object.defineProperty(globalThis.navigator, 'gpu', { get: () => navigatorGpu, configurable: true });
}

const isClass =
  (adapterClass: string) =>
  ({ description }: OpenedAdapter): boolean =>
    description.adapterClass === adapterClass;

/** Which candidates a choice allows, best first, and what the adapter found must be. */
function plan(choice: AdapterChoice): {
  candidates: Candidate[];
  accept: (opened: OpenedAdapter) => boolean;
} {
  switch (choice) {
    case 'auto':
      return {
        candidates: [systemDrivers, lavapipe, swiftShader],
        // The system's loader may list a software driver first; those are asked for by name below.
        accept: (opened) => opened.reason !== systemDrivers.reason || opened.description.kind === 'hardware',
      };
    case 'hardware':
      return { candidates: [systemDrivers], accept: (opened) => opened.description.kind === 'hardware' };
    case 'software':
      return { candidates: [lavapipe, swiftShader], accept: () => true };
    case 'lavapipe':
      return { candidates: [{ ...lavapipe, reason: 'asked for by name' }], accept: isClass(choice) };
    case 'swiftshader':
      return { candidates: [{ ...swiftShader, reason: 'asked for by name' }], accept: isClass(choice) };
    default: {
      const wanted = choice.toLowerCase();
      return {
        candidates: [systemDrivers, lavapipe, swiftShader],
        accept: ({ description: { name, vendor, adapterClass } }) =>
          `${name} ${vendor} ${adapterClass}`.toLowerCase().includes(wanted),
      };
    }
  }
}

async function open(choice: AdapterChoice): Promise<OpenedAdapter> {
  if (globalThis.navigator === undefined) {
    const version = process.versions.node;
    throw badInput(
      `turnproof needs Node 22.12 or newer, this is Node ${version}`,
      'run it under a newer Node',
    );
  }
  const { candidates, accept } = plan(choice);
  const tried: string[] = [];
  for (const candidate of candidates) {
    try {
      const opened = await tryCandidate(candidate);
      if (accept(opened)) return opened;
      tried.push(`${candidate.what}: only ${opened.description.name}`);
    } catch (error) {
      tried.push(`${candidate.what}: ${message(error)}`);
    }
  }
  throw refuseAdapter(choice, tried);
}

/** Nobody wakes it: `Atomics.wait` on it is a nap. */
const bed = new Int32Array(new SharedArrayBuffer(4));
/** Longest nap, and the share of the time waited so far that a nap may add. */
const NAP_MS = 1;
const NAP_SHARE = 0.1;

/** When each of the waits that are not over began. */
const waits = new Set<{ readonly began: number }>();
let resting = false;

/**
 * While anything is pending Dawn asks for it at every turn of the event loop, and thereby keeps a whole core busy,
 * which a software adapter computes on. Naps between the turns give it back.
 */
function rest(): void {
  resting = waits.size > 0;
  if (!resting) return;
  const youngest = Math.max(...[...waits].map(({ began }) => began));
  Atomics.wait(bed, 0, 0, Math.min(NAP_MS, NAP_SHARE * (performance.now() - youngest)));
  setImmediate(rest);
}

function wait<T>(work: Promise<T>): Promise<T> {
  const own = { began: performance.now() };
  waits.add(own);
  // However many wait, one naps.
  if (!resting) setImmediate(rest);
  resting = true;
  return work.finally(() => waits.delete(own));
}

export const host: Host = {
  wait,
  open(choice) {
    const result = turn.then(() => open(choice));
    turn = result.catch(() => undefined);
    return result;
  },
};
