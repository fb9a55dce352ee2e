/**
 * When the GPU was done with what somebody else handed to our queue: passes without work before and after it, each of
 * which writes down the GPU's clock.
 */
import type { Gpu } from '@turnproof/core';

/** Two stamps. */
const BYTES = 16;

export class QueueStamps {
  readonly #device: GPUDevice;
  readonly #set: GPUQuerySet;
  #stamped = 0;

  constructor({ device }: Gpu) {
    this.#device = device;
    this.#set = device.createQuerySet({ label: 'queue stamps', type: 'timestamp', count: 2 });
  }

  /** Call it twice. What was submitted before is before the stamp. */
  stamp(): void {
    const encoder = this.#device.createCommandEncoder({ label: 'queue stamp' });
    const timestampWrites = { querySet: this.#set, beginningOfPassWriteIndex: this.#stamped++ };
    encoder.beginComputePass({ label: 'queue stamp', timestampWrites }).end();
    this.#device.queue.submit([encoder.finish()]);
  }

  /** Nanoseconds of the GPU's clock. Frees everything. */
  async read(): Promise<{ begin: number; end: number }> {
    const device = this.#device;
    const resolved = device.createBuffer({
      size: BYTES,
      usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC,
    });
    const staging = device.createBuffer({
      size: BYTES,
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
    });
    try {
      const encoder = device.createCommandEncoder({ label: 'read queue stamps' });
      encoder.resolveQuerySet(this.#set, 0, 2, resolved, 0);
      encoder.copyBufferToBuffer(resolved, 0, staging, 0, BYTES);
      device.queue.submit([encoder.finish()]);
      await staging.mapAsync(GPUMapMode.READ);
      const [begin = 0n, end = 0n] = new BigUint64Array(staging.getMappedRange());
      return { begin: Number(begin), end: Number(end) };
    } finally {
      this.#set.destroy();
      resolved.destroy();
      staging.destroy();
    }
  }
}
