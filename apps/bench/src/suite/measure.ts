/**
 * Times a case: GPU time by timestamps where the adapter has them (marked where not), wall time beside it; warm-up
 * apart; repeated until the median has settled or the time for it is over.
 */
import type { Gpu } from '@turnproof/core';
import { type BenchCase, isKernelCase, type KernelCase, type RunCase } from './case.ts';
import { Recorder } from './recorder.ts';
import type { Measurement, Timeline } from './result.ts';
import { sharesOf } from './shares.ts';
import { COARSE_STEP_NS, clockStep, doubts, medianError, summaryOf, unsettled } from './summary.ts';

export interface Patience {
  readonly warmUps: number;
  readonly minRepeats: number;
  readonly maxRepeats: number;
  /** Milliseconds after which no further repeat begins, once there are `minRepeats`. */
  readonly budgetMs: number;
  /** The median has settled when its standard error is below this share of it. */
  readonly settled: number;
}

export const PATIENCE: Patience = {
  warmUps: 2,
  minRepeats: 7,
  maxRepeats: 50,
  budgetMs: 1500,
  settled: 0.02,
};

export interface Measured {
  readonly measurement: Measurement;
  readonly timeline: Timeline | null;
  /** Nanoseconds; null without a GPU clock. */
  readonly clockStep: number | null;
}

export function measure(gpu: Gpu, benchCase: BenchCase, patience: Patience = PATIENCE): Promise<Measured> {
  return isKernelCase(benchCase)
    ? measureKernel(gpu, benchCase, patience)
    : measureRun(gpu, benchCase, patience);
}

/** Calls `once` until the times that it returns have settled; those of the warm-up are thrown away. */
async function repeat(
  once: (turn: number, warmUp: boolean) => Promise<number>,
  { warmUps, minRepeats, maxRepeats, budgetMs, settled }: Patience,
): Promise<{ warmUpMs: number; settled: boolean }> {
  const warm = performance.now();
  for (let turn = 0; turn < warmUps; turn++) await once(turn, true);
  const began = performance.now();
  const times: number[] = [];
  while (times.length < maxRepeats) {
    times.push(await once(warmUps + times.length, false));
    if (times.length < minRepeats) continue;
    if (medianError(summaryOf(times), times.length) < settled)
      return { warmUpMs: began - warm, settled: true };
    if (performance.now() - began > budgetMs) break;
  }
  return { warmUpMs: began - warm, settled: false };
}

async function measureKernel(gpu: Gpu, benchCase: KernelCase, patience: Patience): Promise<Measured> {
  const prepared = await benchCase.prepare(gpu);
  const wall: number[] = [];
  const onGpu: number[] = [];
  const stamps: number[] = [];
  let dropped = 0;
  const once = async (turn: number, share: number): Promise<{ gpuMs: number | null; wallMs: number }> => {
    const batch = gpu.batch(benchCase.name, { timing: true });
    prepared.dispatch(batch, turn, share);
    const started = performance.now();
    await batch.submit();
    if (!gpu.hasTimestamps) await gpu.device.queue.onSubmittedWorkDone();
    const wallMs = performance.now() - started;
    const [timing] = batch.timings;
    if (timing) stamps.push(timing.begin - (stamps[0] ?? 0), timing.nanoseconds ?? 0);
    return { gpuMs: timing?.nanoseconds == null ? null : timing.nanoseconds / 1e6, wallMs };
  };
  try {
    const { warmUpMs, settled } = await repeat(async (turn, warmUp) => {
      const { gpuMs, wallMs } = await once(turn, 1);
      if (warmUp) return wallMs;
      wall.push(wallMs);
      if (gpuMs !== null) onGpu.push(gpuMs);
      else if (gpu.hasTimestamps) dropped += 1;
      return gpuMs ?? wallMs;
    }, patience);
    const halves: number[] = [];
    for (let turn = 0; turn < 3; turn++) {
      const { gpuMs, wallMs } = await once(turn, 0.5);
      halves.push(gpuMs ?? wallMs);
    }
    const gpuMs = onGpu.length > 0 ? summaryOf(onGpu) : null;
    const wallMs = summaryOf(wall);
    const clock = gpuMs ?? wallMs;
    const step = gpuMs ? clockStep(stamps) : null;
    const { name, kind, kernel, unit, work, bytes, operations } = benchCase;
    const perSecond = 1000 / clock.median;
    const measurement: Measurement = {
      ...{ name, kind, kernel: kernel.name, unit, work, bytes, operations },
      ...{ repeats: wall.length, warmUpMs, clock: gpuMs ? 'gpu' : 'cpu', gpuMs, wallMs },
      perSecond: work * perSecond,
      gigabytesPerSecond: (bytes * perSecond) / 1e9,
      gigaopsPerSecond: (operations * perSecond) / 1e9,
      shares: null,
      warnings: doubts({
        summary: clock,
        repeats: wall.length,
        settled,
        stepMs: step === null ? null : step > COARSE_STEP_NS ? step / 1e6 : 0,
        half: summaryOf(halves).min / clock.min,
        dropped,
      }),
    };
    return { measurement, timeline: null, clockStep: step };
  } finally {
    prepared.release();
  }
}

/** Pipelines run for long: fewer repeats tell as much. */
const RUN_REPEATS = 3;

async function measureRun(gpu: Gpu, benchCase: RunCase, patience: Patience): Promise<Measured> {
  const recorder = new Recorder();
  const prepared = await benchCase.prepare(gpu, recorder);
  const { name, kind, unit } = benchCase;
  const wall: number[] = [];
  let work = 0;
  try {
    const { warmUpMs, settled } = await repeat(
      async (_, warmUp) => {
        const started = performance.now();
        work = await prepared.run();
        const took = performance.now() - started;
        if (!warmUp) wall.push(took);
        return took;
      },
      { ...patience, warmUps: 1, minRepeats: Math.min(RUN_REPEATS, patience.minRepeats) },
    );
    const wallMs = summaryOf(wall);
    // Watching times each dispatch, which costs a little: the recorded run is none of those above.
    const runs = wallMs.median > patience.budgetMs ? 1 : RECORDED;
    const timeline =
      kind === 'pipeline' ? await record(gpu, name, recorder, () => prepared.run(), runs) : null;
    const measurement: Measurement = {
      ...{ name, kind, kernel: null, unit, work, bytes: null, operations: null },
      ...{ repeats: wall.length, warmUpMs, clock: 'cpu', gpuMs: null, wallMs },
      perSecond: work / (wallMs.median / 1000),
      gigabytesPerSecond: null,
      gigaopsPerSecond: null,
      shares: timeline?.shares ?? null,
      warnings: settled ? [] : unsettled(wallMs, wall.length),
    };
    return { measurement, timeline, clockStep: null };
  } finally {
    await prepared.release();
  }
}

/** Runs that are recorded, long ones once; the one of median length is kept. */
const RECORDED = 3;

async function record(
  gpu: Gpu,
  name: string,
  recorder: Recorder,
  run: () => Promise<unknown>,
  runs: number,
): Promise<Timeline> {
  const timelines: Timeline[] = [];
  for (let i = 0; i < runs; i++) {
    recorder.start(gpu);
    const started = performance.now();
    try {
      await run();
    } catch (error) {
      // Of a lost device nothing can be read: the reason is what went wrong first.
      await recorder.stop().catch(() => undefined);
      throw error;
    }
    const wallMs = performance.now() - started;
    const events = await recorder.stop();
    timelines.push({ name, shares: sharesOf(events, wallMs), events });
  }
  timelines.sort((a, b) => a.shares.wallMs - b.shares.wallMs);
  const median = timelines[Math.floor(runs / 2)];
  if (!median) throw new RangeError('nothing was recorded');
  return median;
}
