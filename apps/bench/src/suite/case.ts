/**
 * What can be timed: a kernel's dispatch, or a run of something larger.
 */
import type { Batch, Gpu, Kernel } from '@turnproof/core';
import type { Recorder } from './recorder.ts';

export type Unit = 'images' | 'pairs' | 'boxes' | 'points' | 'samples' | 'rows' | 'bytes' | 'operations';

interface Named {
  /** Unique in a suite; equal names of two results are compared. */
  readonly name: string;
  /** What one run works off, in the unit that people count. */
  readonly unit: Unit;
}

export interface KernelCase extends Named {
  readonly kind: 'kernel' | 'roof';
  readonly kernel: Kernel;
  readonly work: number;
  /** Bytes that one dispatch must move at least, and its arithmetic operations (work.ts). */
  readonly bytes: number;
  readonly operations: number;
  /** Makes the inputs. */
  prepare(gpu: Gpu): Promise<PreparedKernel>;
}

export interface PreparedKernel {
  /**
   * Notes one dispatch of `share` of the work.
   *
   * @param turn - Counts up: neighbouring turns use different buffers, so that no cache holds the last one's.
   */
  dispatch(batch: Batch, turn: number, share: number): void;
  release(): void;
}

export interface RunCase extends Named {
  readonly kind: 'pipeline' | 'baseline';
  /** What one run does, for who reads the table. */
  readonly about: string;
  prepare(gpu: Gpu, recorder: Recorder): Promise<PreparedRun>;
}

export interface PreparedRun {
  /** @returns the work done, in the case's unit */
  run(): Promise<number>;
  release(): Promise<void>;
}

export type BenchCase = KernelCase | RunCase;

export const isKernelCase = (benchCase: BenchCase): benchCase is KernelCase => 'kernel' in benchCase;
