/**
 * Typed arrays on the GPU, in labelled buffers that a pool takes back.
 */
import { TurnproofError } from './errors.ts';
import type { ScalarType } from './kernel.ts';

export type HostArray<T extends ScalarType> = T extends 'f32'
  ? Float32Array<ArrayBuffer>
  : T extends 'u32'
    ? Uint32Array<ArrayBuffer>
    : Int32Array<ArrayBuffer>;

/** A typed array of 4-byte elements in GPU memory. Release it once, in a `finally`. */
export interface GpuArray<T extends ScalarType = ScalarType> {
  readonly type: T;
  /** Elements, not bytes. */
  readonly length: number;
  readonly buffer: GPUBuffer;
  readonly label: string;
  release(): void;
}

export function hostArray<T extends ScalarType>(type: T, bytes: ArrayBuffer): HostArray<T> {
  const array =
    type === 'f32'
      ? new Float32Array(bytes)
      : type === 'u32'
        ? new Uint32Array(bytes)
        : new Int32Array(bytes);
  return array as HostArray<T>;
}

const MIN_BYTES = 256;
const STORAGE = 0x80;

/** Buffers by usage and size class (powers of two), so that waves of varying length reuse them. */
export class BufferPool {
  readonly #device: GPUDevice;
  readonly #free = new Map<string, GPUBuffer[]>();
  /** Bytes of all buffers alive, free ones included. */
  #bytes = 0;

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  get bytes(): number {
    return this.#bytes;
  }

  acquire(label: string, byteLength: number, usage: GPUBufferUsageFlags): GPUBuffer {
    const { maxBufferSize, maxStorageBufferBindingSize } = this.#device.limits;
    // A larger one could be made, but no kernel could be given all of it.
    const most = usage & STORAGE ? Math.min(maxBufferSize, maxStorageBufferBindingSize) : maxBufferSize;
    if (byteLength > most) {
      throw new TurnproofError(
        'out-of-memory',
        `«${label}» needs a buffer of ${byteLength} bytes, the adapter allows ${most}`,
        { fix: 'use a smaller --batch' },
      );
    }
    const size = Math.min(Math.max(MIN_BYTES, 2 ** Math.ceil(Math.log2(byteLength))), most);
    const buffer = this.#free.get(`${usage}:${size}`)?.pop();
    if (buffer) {
      buffer.label = label;
      return buffer;
    }
    this.#bytes += size;
    return this.#device.createBuffer({ label, size, usage });
  }

  release(buffer: GPUBuffer): void {
    const key = `${buffer.usage}:${buffer.size}`;
    const list = this.#free.get(key);
    if (list) list.push(buffer);
    else this.#free.set(key, [buffer]);
  }

  /** Destroys the free buffers; those in use stay. */
  trim(): void {
    for (const list of this.#free.values()) {
      for (const buffer of list) {
        this.#bytes -= buffer.size;
        buffer.destroy();
      }
    }
    this.#free.clear();
  }
}
