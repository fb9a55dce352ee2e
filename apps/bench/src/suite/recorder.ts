/**
 * Notes what happens when, in three lanes: commands being handed to the GPU, dispatches on the GPU by its own clock,
 * the classifier in onnxruntime. Not for judging: see shares.ts for what follows from it.
 */
import type { BatchRecord, Gpu } from '@turnproof/core';
import { QueueStamps } from './queue-stamps.ts';

export type LaneName = 'submit' | 'gpu' | 'ort';

/** Milliseconds since the recording began. */
export interface LaneEvent {
  readonly lane: LaneName;
  readonly label: string;
  readonly start: number;
  readonly end: number;
}

export class Recorder {
  #started = 0;
  #batches: BatchRecord[] = [];
  #ort: LaneEvent[] = [];
  #ortOnGpu: { readonly label: string; readonly stamps: QueueStamps }[] = [];
  #stop: (() => void) | undefined;

  start(gpu: Gpu): void {
    this.#batches = [];
    this.#ort = [];
    this.#ortOnGpu = [];
    this.#stop = gpu.watch((record) => this.#batches.push(record));
    this.#started = performance.now();
  }

  /** Times a call of the classifier. */
  async ort<T>(label: string, work: () => Promise<T>): Promise<T> {
    const start = performance.now();
    try {
      return await work();
    } finally {
      this.#ort.push({
        lane: 'ort',
        label,
        start: start - this.#started,
        end: performance.now() - this.#started,
      });
    }
  }

  /**
   * Times the classifier on our own device: its call ends as soon as the queue has the work. From when the queue had done
   * what came before to when it has done that work, by the GPU's clock; by the host's where there is no such clock.
   */
  async ortOnGpu<T>(label: string, gpu: Gpu, work: () => Promise<T>): Promise<T> {
    if (!gpu.hasTimestamps || !this.#stop) return this.ort(label, work);
    const stamps = new QueueStamps(gpu);
    stamps.stamp();
    const result = await work();
    stamps.stamp();
    this.#ortOnGpu.push({ label, stamps });
    return result;
  }

  /** Everything since `start`, by its start. */
  async stop(): Promise<LaneEvent[]> {
    this.#stop?.();
    this.#stop = undefined;
    const zero = this.#started;
    const offset = clockOffset(this.#batches);
    const submits = this.#batches.map(
      ({ label, begun, submitted }): LaneEvent => ({
        lane: 'submit',
        label,
        start: begun - zero,
        end: submitted - zero,
      }),
    );
    const onGpu = this.#batches.flatMap(({ dispatches }) =>
      dispatches.map(({ label, begin, nanoseconds }): LaneEvent => {
        const start = begin / 1e6 + offset - zero;
        return { lane: 'gpu', label, start, end: start + (nanoseconds ?? 0) / 1e6 };
      }),
    );
    const ort = this.#ort;
    for (const { label, stamps } of this.#ortOnGpu) {
      const { begin, end } = await stamps.read();
      const hostTime = (nanoseconds: number) => nanoseconds / 1e6 + offset - zero;
      ort.push({ lane: 'ort', label, start: hostTime(begin), end: hostTime(end) });
    }
    return [...submits, ...onGpu, ...ort].sort((a, b) => a.start - b.start);
  }
}

/**
 * What to add to the GPU's milliseconds to get the host's. Work ends before the host hears of it and begins after the
 * queue had it; of what that allows the latest is taken, because ends are heard of sooner than starts happen.
 */
export function clockOffset(batches: readonly BatchRecord[]): number {
  let latest = Number.POSITIVE_INFINITY;
  for (const { dispatches, done } of batches) {
    for (const { begin, nanoseconds } of dispatches) {
      latest = Math.min(latest, done - (begin + (nanoseconds ?? 0)) / 1e6);
    }
  }
  return Number.isFinite(latest) ? latest : 0;
}
