/**
 * Times a case: GPU time by timestamps where the adapter has them, wall time beside it; warm-up apart; the median of
 * enough repeats.
 */
import type { Gpu } from '@turnproof/core';
import type { BenchCase } from './cases.ts';

export interface Measurement {
  readonly name: string;
  readonly unit: string;
  readonly work: number;
  readonly repeats: number;
  /** Milliseconds of one dispatch. */
  readonly gpuMs: { readonly min: number; readonly median: number; readonly p95: number } | null;
  readonly wallMs: { readonly min: number; readonly median: number; readonly p95: number };
  /** Work a second at the median, by the GPU's clock where there is one. */
  readonly perSecond: number;
}

function quantiles(values: readonly number[]) {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
  return { min: at(0), median: at(0.5), p95: at(0.95) };
}

export async function measure(
  gpu: Gpu,
  benchCase: BenchCase,
  { repeats = 9, warmUps = 2 }: { repeats?: number; warmUps?: number } = {},
): Promise<Measurement> {
  const { dispatch, release } = await benchCase.prepare(gpu);
  const wall: number[] = [];
  const onGpu: number[] = [];
  try {
    for (let i = 0; i < warmUps + repeats; i++) {
      const batch = gpu.batch(benchCase.name, { timing: true });
      dispatch(batch);
      const started = performance.now();
      await batch.submit();
      await gpu.device.queue.onSubmittedWorkDone();
      if (i < warmUps) continue;
      wall.push(performance.now() - started);
      const nanoseconds = batch.timings[0]?.nanoseconds;
      if (nanoseconds != null) onGpu.push(nanoseconds / 1e6);
    }
  } finally {
    release();
  }
  const { name, unit, work } = benchCase;
  const gpuMs = onGpu.length > 0 ? quantiles(onGpu) : null;
  const wallMs = quantiles(wall);
  return { name, unit, work, repeats, gpuMs, wallMs, perSecond: work / ((gpuMs ?? wallMs).median / 1000) };
}
