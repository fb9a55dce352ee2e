/**
 * One submission: dispatches, clears, copies and readbacks that run in order. Commands are noted first and encoded
 * in `submit`, so that all uniforms travel in one write and every error has the batch's label.
 */
import { host } from '#host';
import { type GpuArray, type HostArray, hostArray } from './buffers.ts';
import type { CompiledKernel, Gpu } from './device.ts';
import { TurnproofError } from './errors.ts';
import type { Bindings, ScalarType, StorageBinding, UniformBinding } from './kernel.ts';

export interface BatchOptions {
  /** Time each dispatch with timestamp queries (see {@link Batch.timings}); costs a pass per dispatch. */
  readonly timing?: boolean;
}

/** The values that a kernel's bindings take. */
export type BindingValues<B extends Bindings> = {
  readonly [K in keyof B]: B[K] extends UniformBinding
    ? { readonly [F in keyof B[K]['fields']]: number }
    : B[K] extends StorageBinding
      ? GpuArray<B[K]['type']>
      : never;
};

export interface Timing {
  readonly label: string;
  /** null where the clock gave a zero or negative difference. */
  readonly nanoseconds: number | null;
  /** Nanoseconds of the GPU's own clock, whose zero is anywhere. */
  readonly begin: number;
}

/** One submission as {@link Gpu.watch} tells of it. Times are those of `performance.now()`. */
export interface BatchRecord {
  readonly label: string;
  /** Encoding began; the queue had the commands; everything asked for was back on the host. */
  readonly begun: number;
  readonly submitted: number;
  readonly done: number;
  /** Empty where the adapter has no clock. */
  readonly dispatches: readonly Timing[];
}

export interface Readback<T extends ScalarType> {
  /** Filled when `submit` has resolved. */
  readonly data: HostArray<T>;
}

interface Queries {
  readonly set: GPUQuerySet;
  readonly resolved: GPUBuffer;
  readonly staging: GPUBuffer;
  readonly count: number;
}

export type Workgroups = readonly [x: number, y?: number, z?: number];

interface DispatchCommand {
  readonly kind: 'dispatch';
  readonly compiled: CompiledKernel;
  readonly values: Readonly<Record<string, GpuArray | Readonly<Record<string, number>>>>;
  readonly workgroups: Workgroups;
}

type Command =
  | DispatchCommand
  | { readonly kind: 'clear'; readonly array: GpuArray; readonly bytes: number }
  | {
      readonly kind: 'read';
      readonly array: GpuArray;
      readonly first: number;
      readonly bytes: number;
      readonly staging: GPUBuffer;
    };

interface PendingRead {
  readonly staging: GPUBuffer;
  readonly bytes: number;
  readonly take: (bytes: ArrayBuffer) => void;
}

const UNIFORM_ALIGNMENT = 256;
const UNIFORM_USAGE = 0x40 | 0x08; // UNIFORM | COPY_DST
const STAGING_USAGE = 0x01 | 0x08; // MAP_READ | COPY_DST
const QUERY_USAGE = 0x200 | 0x04; // QUERY_RESOLVE | COPY_SRC

function isArray(value: GpuArray | Readonly<Record<string, number>> | undefined): value is GpuArray {
  return value !== undefined && typeof value.buffer === 'object';
}

export class Batch {
  readonly #gpu: Gpu;
  readonly #label: string;
  readonly #timing: boolean;
  readonly #commands: Command[] = [];
  readonly #reads: PendingRead[] = [];
  #submitted = false;
  /** GPU time of each dispatch, in order; filled by `submit` when asked for and the adapter has a clock. */
  readonly timings: Timing[] = [];

  constructor(gpu: Gpu, label: string, options: BatchOptions) {
    this.#gpu = gpu;
    this.#label = label;
    this.#timing = (gpu.watched || (options.timing ?? false)) && gpu.hasTimestamps;
  }

  dispatch<B extends Bindings>(
    compiled: CompiledKernel<B>,
    values: BindingValues<B>,
    workgroups: Workgroups,
  ): void {
    const limit = this.#gpu.device.limits.maxComputeWorkgroupsPerDimension;
    if (workgroups.some((n) => n === undefined || !Number.isInteger(n) || n < 1 || n > limit)) {
      throw new TurnproofError(
        'internal',
        `«${compiled.kernel.name}» dispatched with ${workgroups.join(' x ')} workgroups (1 to ${limit} each)`,
      );
    }
    this.#commands.push({
      kind: 'dispatch',
      compiled: compiled as unknown as CompiledKernel,
      values: values as DispatchCommand['values'],
      workgroups,
    });
  }

  /** Sets every element to 0, or the first `length` of them. */
  clear(array: GpuArray, length: number = array.length): void {
    this.#commands.push({ kind: 'clear', array, bytes: 4 * length });
  }

  /** Copies the array as it is at this point of the batch to the host, or `length` elements of it from `first` on. */
  read<T extends ScalarType>(
    array: GpuArray<T>,
    first = 0,
    length: number = array.length - first,
  ): Readback<T> {
    if (!(first >= 0 && length >= 0 && first + length <= array.length)) {
      throw new TurnproofError(
        'internal',
        `${length} elements from ${first} on are not in «${array.label}» (${array.length})`,
      );
    }
    const bytes = 4 * length;
    const staging = this.#gpu.pool.acquire(`staging of ${array.label}`, bytes, STAGING_USAGE);
    this.#commands.push({ kind: 'read', array, first, bytes, staging });
    let data: HostArray<T> | undefined;
    this.#reads.push({
      staging,
      bytes,
      take: (mapped) => {
        data = hostArray(array.type, mapped);
      },
    });
    const label = this.#label;
    return {
      get data() {
        if (!data)
          throw new TurnproofError('internal', `readback of batch «${label}» used before it was submitted`);
        return data;
      },
    };
  }

  /**
   * Encodes and submits at once (before the first `await`), resolves when the readbacks are filled.
   *
   * @throws TurnproofError `gpu`, `out-of-memory` or `device-lost`, with this batch's label.
   */
  async submit(): Promise<void> {
    if (this.#submitted) throw new TurnproofError('internal', `batch «${this.#label}» is submitted twice`);
    this.#submitted = true;
    const gpu = this.#gpu;
    gpu.check();
    const begun = performance.now();
    const scope = gpu.errorScope();
    const uniforms = this.#packUniforms();
    const queries = this.#timing ? this.#makeQueries() : undefined;
    try {
      gpu.device.queue.submit([this.#encode(uniforms, queries)]);
      const submitted = performance.now();
      const mapped = this.#reads.map(({ staging, bytes }) => staging.mapAsync(1, 0, Math.max(4, bytes)));
      if (queries) mapped.push(queries.staging.mapAsync(1, 0, 8 * queries.count));
      const settled = await host.wait(Promise.allSettled([scope.end(), ...mapped]));
      gpu.check();
      for (const result of settled) if (result.status === 'rejected') throw result.reason;
      for (const { staging, bytes, take } of this.#reads) take(staging.getMappedRange(0, bytes).slice(0));
      if (queries) this.#takeTimings(queries);
      if (gpu.watched) {
        const done = performance.now();
        gpu.tell({ label: this.#label, begun, submitted, done, dispatches: this.timings });
      }
    } catch (cause) {
      const code = cause instanceof TurnproofError ? cause.code : 'gpu';
      const fix = cause instanceof TurnproofError ? cause.fix : undefined;
      throw new TurnproofError(code, `GPU batch «${this.#label}»: ${(cause as Error).message}`, {
        cause,
        ...(fix === undefined ? {} : { fix }),
      });
    } finally {
      for (const { staging } of this.#reads) {
        if (staging.mapState === 'mapped') staging.unmap();
        gpu.pool.release(staging);
      }
      if (uniforms) gpu.pool.release(uniforms.buffer);
      if (queries) {
        queries.set.destroy();
        gpu.pool.release(queries.resolved);
        if (queries.staging.mapState === 'mapped') queries.staging.unmap();
        gpu.pool.release(queries.staging);
      }
    }
  }

  /** All uniforms of the batch in one buffer, each at an aligned offset. */
  #packUniforms(): { buffer: GPUBuffer; offsets: Map<DispatchCommand, Map<string, number>> } | undefined {
    const offsets = new Map<DispatchCommand, Map<string, number>>();
    const blocks: {
      at: number;
      fields: UniformBinding['fields'];
      values: Readonly<Record<string, number>>;
    }[] = [];
    let size = 0;
    for (const command of this.#commands) {
      if (command.kind !== 'dispatch') continue;
      const own = new Map<string, number>();
      for (const [name, binding] of Object.entries(command.compiled.kernel.bindings)) {
        if (binding.kind !== 'uniform') continue;
        const values = command.values[name];
        if (values === undefined || isArray(values))
          throw new TurnproofError('internal', `no values for «${name}»`);
        own.set(name, size);
        blocks.push({ at: size, fields: binding.fields, values });
        size += Math.ceil((4 * Object.keys(binding.fields).length) / UNIFORM_ALIGNMENT) * UNIFORM_ALIGNMENT;
      }
      offsets.set(command, own);
    }
    if (size === 0) return undefined;
    const bytes = new DataView(new ArrayBuffer(size));
    for (const { at, fields, values } of blocks) {
      Object.entries(fields).forEach(([field, type], i) => {
        const value = values[field] ?? Number.NaN;
        if (type === 'f32') bytes.setFloat32(at + 4 * i, value, true);
        else if (type === 'u32') bytes.setUint32(at + 4 * i, value, true);
        else bytes.setInt32(at + 4 * i, value, true);
      });
    }
    const buffer = this.#gpu.pool.acquire(`uniforms of ${this.#label}`, size, UNIFORM_USAGE);
    this.#gpu.device.queue.writeBuffer(buffer, 0, bytes.buffer);
    return { buffer, offsets };
  }

  #makeQueries(): Queries | undefined {
    const count = 2 * this.#commands.filter((c) => c.kind === 'dispatch').length;
    if (count === 0) return undefined;
    const { device, pool } = this.#gpu;
    return {
      set: device.createQuerySet({ label: this.#label, type: 'timestamp', count }),
      resolved: pool.acquire(`timestamps of ${this.#label}`, 8 * count, QUERY_USAGE),
      staging: pool.acquire('timestamps', 8 * count, STAGING_USAGE),
      count,
    };
  }

  #encode(
    uniforms: { buffer: GPUBuffer; offsets: Map<DispatchCommand, Map<string, number>> } | undefined,
    queries: Queries | undefined,
  ): GPUCommandBuffer {
    const { device } = this.#gpu;
    const encoder = device.createCommandEncoder({ label: this.#label });
    let pass: GPUComputePassEncoder | undefined;
    let timed = 0;
    const endPass = () => {
      pass?.end();
      pass = undefined;
    };
    for (const command of this.#commands) {
      if (command.kind === 'dispatch') {
        const { compiled, workgroups } = command;
        if (queries) {
          endPass();
          pass = encoder.beginComputePass({
            label: compiled.kernel.name,
            timestampWrites: {
              querySet: queries.set,
              beginningOfPassWriteIndex: timed,
              endOfPassWriteIndex: timed + 1,
            },
          });
          timed += 2;
        }
        pass ??= encoder.beginComputePass({ label: this.#label });
        pass.setPipeline(compiled.pipeline);
        pass.setBindGroup(0, this.#bind(command, uniforms));
        pass.dispatchWorkgroups(workgroups[0], workgroups[1] ?? 1, workgroups[2] ?? 1);
        continue;
      }
      endPass();
      const { buffer } = command.array;
      if (command.kind === 'clear') encoder.clearBuffer(buffer, 0, command.bytes);
      else encoder.copyBufferToBuffer(buffer, 4 * command.first, command.staging, 0, command.bytes);
    }
    endPass();
    if (queries) {
      encoder.resolveQuerySet(queries.set, 0, queries.count, queries.resolved, 0);
      encoder.copyBufferToBuffer(queries.resolved, 0, queries.staging, 0, 8 * queries.count);
    }
    return encoder.finish();
  }

  #bind(
    command: DispatchCommand,
    uniforms: { buffer: GPUBuffer; offsets: Map<DispatchCommand, Map<string, number>> } | undefined,
  ): GPUBindGroup {
    const { kernel, layout } = command.compiled;
    const entries = Object.entries(kernel.bindings).map(([name, binding], index): GPUBindGroupEntry => {
      if (binding.kind === 'uniform') {
        const offset = uniforms?.offsets.get(command)?.get(name);
        if (!uniforms || offset === undefined)
          throw new TurnproofError('internal', `uniform «${name}» has no place`);
        const size = Math.ceil((4 * Object.keys(binding.fields).length) / 16) * 16;
        return { binding: index, resource: { buffer: uniforms.buffer, offset, size } };
      }
      const array = command.values[name];
      if (!isArray(array) || array.type !== binding.type) {
        throw new TurnproofError(
          'internal',
          `«${kernel.name}» needs an array of ${binding.type} for «${name}»`,
        );
      }
      return { binding: index, resource: { buffer: array.buffer, size: Math.max(4, 4 * array.length) } };
    });
    return this.#gpu.device.createBindGroup({ label: kernel.name, layout, entries });
  }

  #takeTimings({ staging, count }: Queries): void {
    const stamps = new BigUint64Array(staging.getMappedRange(0, 8 * count).slice(0));
    const kernels = this.#commands.flatMap((c) => (c.kind === 'dispatch' ? [c.compiled.kernel.name] : []));
    kernels.forEach((label, i) => {
      const [begin = 0n, end = 0n] = stamps.subarray(2 * i, 2 * i + 2);
      const span = Number(end - begin);
      this.timings.push({ label, nanoseconds: span > 0 ? span : null, begin: Number(begin) });
    });
  }
}
