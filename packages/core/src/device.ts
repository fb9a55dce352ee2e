/**
 * The GPU as a resource: one open device, its arrays, its compiled kernels, its failures.
 */

import { host } from '#host';
import { Batch, type BatchOptions, type BatchRecord } from './batch.ts';
import { BufferPool, type GpuArray, type HostArray } from './buffers.ts';
import { TurnproofError } from './errors.ts';
import type { AdapterChoice, AdapterDescription } from './host.ts';
import { type Bindings, checkDeclaration, type Kernel, type ScalarType } from './kernel.ts';

export interface OpenOptions {
  readonly adapter?: AdapterChoice;
  /** Told once when the adapter is a software one: it is never used silently. */
  readonly onSoftware?: (message: string) => void;
}

export interface CompiledKernel<B extends Bindings = Bindings> {
  readonly kernel: Kernel<B>;
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

/** What we ask of the adapter: as much as it has of each. */
const WANTED_LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupSizeY',
  'maxComputeWorkgroupsPerDimension',
] as const;

/** Used where present: our clock, and what onnxruntime-web looks for. */
const WANTED_FEATURES: readonly GPUFeatureName[] = ['timestamp-query', 'shader-f16', 'subgroups'];

const STORAGE_USAGE = 0x80 | 0x04 | 0x08; // STORAGE | COPY_SRC | COPY_DST

export class Gpu {
  readonly device: GPUDevice;
  readonly adapter: AdapterDescription;
  /** Why this adapter. */
  readonly reason: string;
  readonly pool: BufferPool;
  readonly #compiled = new Map<string, Promise<CompiledKernel>>();
  readonly #watchers = new Set<(record: BatchRecord) => void>();
  #failure: TurnproofError | undefined;
  #closed = false;
  #lost = false;

  constructor(device: GPUDevice, adapter: AdapterDescription, reason: string) {
    this.device = device;
    this.adapter = adapter;
    this.reason = reason;
    this.pool = new BufferPool(device);
    device.addEventListener('uncapturederror', (event) => {
      const { error } = event;
      // By name: what the class is called does not depend on where it comes from.
      const memory = error.constructor.name === 'GPUOutOfMemoryError';
      this.#failure ??= new TurnproofError(
        memory ? 'out-of-memory' : 'gpu',
        `uncaptured GPU error: ${memory ? firstLine(error.message) : error.message}`,
        memory ? { fix: 'use a smaller --batch' } : {},
      );
    });
    void device.lost.then((info) => {
      if (this.#closed) return;
      this.#lost = true;
      this.#failure = new TurnproofError(
        'device-lost',
        `the GPU device was lost: ${info.message || info.reason}`,
        {
          fix: 'run the command again; finished work is kept',
        },
      );
    });
  }

  /** Somebody wants to know of every batch, so each is timed. */
  get watched(): boolean {
    return this.#watchers.size > 0;
  }

  /** Tells `watcher` of every batch from now on, when it is done; until the returned function is called. */
  watch(watcher: (record: BatchRecord) => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** For {@link Batch} alone. */
  tell(record: BatchRecord): void {
    for (const watcher of this.#watchers) watcher(record);
  }

  get hasTimestamps(): boolean {
    return this.device.features.has('timestamp-query');
  }

  /** Has the device gone away by itself? Other errors may come before it is known. */
  get lost(): boolean {
    return this.#lost;
  }

  /** Throws what the device has complained of since it was opened, if anything. */
  check(): void {
    if (this.#failure) throw this.#failure;
    if (this.#closed) throw new TurnproofError('internal', 'the GPU device is used after it was closed');
  }

  /** An array with whatever the pool's last user left in it: clear or fill it before reading. */
  array<T extends ScalarType>(type: T, length: number, label: string): GpuArray<T> {
    this.check();
    const buffer = this.pool.acquire(label, Math.max(4, 4 * length), STORAGE_USAGE);
    let released = false;
    return {
      type,
      length,
      buffer,
      label,
      release: () => {
        if (released) throw new TurnproofError('internal', `«${label}» is released twice`);
        released = true;
        this.pool.release(buffer);
      },
    };
  }

  upload<T extends ScalarType>(type: T, data: HostArray<T>, label: string): GpuArray<T> {
    const array = this.array(type, data.length, label);
    this.write(array, data);
    return array;
  }

  write<T extends ScalarType>(array: GpuArray<T>, data: HostArray<T>, offset = 0): void {
    if (offset + data.length > array.length) {
      throw new TurnproofError('internal', `${data.length} elements at ${offset} overrun «${array.label}»`);
    }
    this.device.queue.writeBuffer(array.buffer, 4 * offset, data.buffer, data.byteOffset, data.byteLength);
  }

  batch(label: string, options: BatchOptions = {}): Batch {
    this.check();
    return new Batch(this, label, options);
  }

  /** Reads an array back at once, in a batch of its own. */
  async read<T extends ScalarType>(array: GpuArray<T>): Promise<HostArray<T>> {
    const batch = this.batch(`read ${array.label}`);
    const result = batch.read(array);
    await batch.submit();
    return result.data;
  }

  /**
   * The kernel's pipeline for these override values, built once.
   *
   * @throws TurnproofError `gpu` with line, column and source of each compiler message.
   */
  compile<B extends Bindings>(
    kernel: Kernel<B>,
    overrides: Readonly<Record<string, number>> = {},
  ): Promise<CompiledKernel<B>> {
    const key = `${kernel.name}\n${JSON.stringify(overrides)}\n${kernel.source}`;
    let compiled = this.#compiled.get(key);
    if (!compiled) {
      compiled = this.#build(kernel, overrides);
      this.#compiled.set(key, compiled);
    }
    return compiled as Promise<CompiledKernel<B>>;
  }

  async #build(kernel: Kernel, overrides: Readonly<Record<string, number>>): Promise<CompiledKernel> {
    checkDeclaration(kernel);
    const { device } = this;
    // Everything up to scope.end() is issued without an await: the device's stack of scopes is shared.
    const scope = this.errorScope();
    const module = device.createShaderModule({ label: kernel.name, code: kernel.source });
    const layout = device.createBindGroupLayout({
      label: kernel.name,
      entries: Object.values(kernel.bindings).map((binding, index) => ({
        binding: index,
        visibility: 4, // GPUShaderStage.COMPUTE
        buffer: {
          type:
            binding.kind === 'uniform'
              ? 'uniform'
              : binding.access === 'read'
                ? 'read-only-storage'
                : 'storage',
        },
      })),
    });
    const building = device.createComputePipelineAsync({
      label: kernel.name,
      layout: device.createPipelineLayout({ label: kernel.name, bindGroupLayouts: [layout] }),
      compute: { module, entryPoint: kernel.entryPoint, constants: { ...overrides } },
    });
    const [built, scoped, info] = await Promise.all([
      building.catch((error: unknown) => error),
      scope.end().catch((error: unknown) => error),
      module.getCompilationInfo(),
    ]);
    const lines = kernel.source.split('\n');
    const errors = info.messages
      .filter((m) => m.type === 'error')
      .map(
        (m) =>
          `${kernel.name}.wgsl:${m.lineNum}:${m.linePos}: ${m.message}\n    ${lines[m.lineNum - 1] ?? ''}`,
      );
    if (errors.length > 0) {
      throw new TurnproofError('gpu', `shader «${kernel.name}» does not compile:\n${errors.join('\n')}`);
    }
    const refusal = scoped ?? (built instanceof Error ? built : undefined);
    if (refusal !== undefined) {
      const words = refusal instanceof Error ? refusal.message : String(refusal);
      throw new TurnproofError('gpu', `pipeline «${kernel.name}» is refused: ${words}`, { cause: refusal });
    }
    const pipeline = built as GPUComputePipeline;
    return { kernel, pipeline, layout };
  }

  /**
   * Catches every error of the GPU commands issued between this call and `end()` (no `await` in between but the
   * device's own promises of the same scope), and throws it there.
   */
  errorScope(): { end(): Promise<void> } {
    const { device } = this;
    device.pushErrorScope('validation');
    device.pushErrorScope('internal');
    device.pushErrorScope('out-of-memory');
    return {
      end: async () => {
        const [memory, internal, validation] = await Promise.all([
          device.popErrorScope(),
          device.popErrorScope(),
          device.popErrorScope(),
        ]);
        if (memory) {
          throw new TurnproofError('out-of-memory', firstLine(memory.message), {
            fix: 'use a smaller --batch',
          });
        }
        const error = validation ?? internal;
        if (error) throw new TurnproofError('gpu', error.message);
        this.check();
      },
    };
  }

  /** Frees the device. Nothing of it may be used afterwards. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.pool.trim();
    this.device.destroy();
  }
}

/** Behind it Dawn names the place in its own sources. */
function firstLine(message: string): string {
  return message.split('\n', 1)[0] ?? message;
}

/**
 * Opens the best adapter that the choice allows: hardware, else an installed software driver that Dawn accepts
 * (lavapipe), else the packaged SwiftShader.
 *
 * @throws TurnproofError `no-adapter` with the list of what was tried.
 */
export async function openDevice(options: OpenOptions = {}): Promise<Gpu> {
  const opened = await host.open(options.adapter ?? 'auto');
  const { adapter, description } = opened;
  const requiredLimits: Record<string, number> = {};
  for (const name of WANTED_LIMITS) requiredLimits[name] = adapter.limits[name];
  const device = await adapter.requestDevice({
    label: 'turnproof',
    requiredLimits,
    requiredFeatures: WANTED_FEATURES.filter((feature) => adapter.features.has(feature)),
  });
  if (description.kind === 'software') {
    options.onSoftware?.(`software adapter ${description.name}: right, but slow (${opened.reason})`);
  }
  return new Gpu(device, description, opened.reason);
}
