/**
 * All cases one after the other, and the result of them. The same on every host; a host adds where it ran.
 */
import type { Gpu } from '@turnproof/core';
import { type BenchCase, isKernelCase } from './case.ts';
import { clockOf } from './compare.ts';
import { kernelCases, type Patch } from './kernel-cases.ts';
import { DEFAULT_KNOBS, type Knobs } from './knobs.ts';
import { measure, PATIENCE, type Patience } from './measure.ts';
import {
  type Circumstances,
  FORMAT,
  type Measurement,
  type Outside,
  type Result,
  type Timeline,
} from './result.ts';
import { COPY_NAME, FMA_NAME, roofCases } from './roofs.ts';
import { type Assets, runCases } from './run-cases.ts';

export interface SuiteOptions {
  readonly knobs?: Knobs;
  readonly assets: Assets | null;
  readonly patience?: Patience;
  readonly circumstances: Circumstances;
  readonly outside?: Outside;
  /** Only cases whose name contains this; the roofs are measured in any case. */
  readonly only?: string;
  readonly patch?: Patch;
  /** Told of each case when it is measured. */
  readonly onMeasured?: (measurement: Measurement, done: number, of: number) => void;
}

/** Workgroups of the roofs: what a software adapter does in some milliseconds, and what keeps a GPU busy. */
const ROOF_GROUPS = { software: 1024, hardware: 16_384 } as const;

export function suiteCases(
  gpu: Gpu,
  options: Pick<SuiteOptions, 'knobs' | 'assets' | 'only' | 'patch'>,
): BenchCase[] {
  const { knobs = DEFAULT_KNOBS, assets, only = '', patch } = options;
  const cases = [...kernelCases(knobs, patch), ...runCases(knobs, assets)];
  return [...roofCases(ROOF_GROUPS[gpu.adapter.kind]), ...cases.filter(({ name }) => name.includes(only))];
}

/** @throws TurnproofError what a case throws */
export async function runSuite(gpu: Gpu, options: SuiteOptions): Promise<Result> {
  const { knobs = DEFAULT_KNOBS, patience = PATIENCE, circumstances, outside = [] } = options;
  const cases = suiteCases(gpu, options);
  const measurements: Measurement[] = [];
  const timelines: Timeline[] = [];
  let step: number | null = null;
  for (const benchCase of cases) {
    const measured = await measure(gpu, benchCase, patience);
    measurements.push(measured.measurement);
    if (measured.timeline) timelines.push(measured.timeline);
    step = measured.clockStep === null ? step : Math.min(step ?? measured.clockStep, measured.clockStep);
    options.onMeasured?.(measured.measurement, measurements.length, cases.length);
  }
  // A roof is the best that was ever seen, not the usual.
  const best = (name: string) => {
    const found = measurements.find((m) => m.name === name);
    return found ? found.work / clockOf(found).min / 1e6 : Number.NaN;
  };
  return {
    format: FORMAT,
    circumstances,
    knobs: { ...knobs, shapes: [...knobs.shapes] },
    roofs: {
      gigabytesPerSecond: best(COPY_NAME),
      gigaopsPerSecond: best(FMA_NAME),
    },
    clockStep: step,
    measurements,
    timelines,
    outside,
  };
}

/** Powers of two by which the work of a scaling curve grows. */
const DOUBLINGS = 5;

export interface ScalingPoint {
  readonly factor: number;
  readonly measurement: Measurement;
}

/**
 * Time against work: one case at 1/8, 1/4, ... 2 times the knobs' sizes. Where time stops falling with the work,
 * dispatching costs more than computing.
 */
export async function scalingCurve(
  gpu: Gpu,
  name: string,
  { knobs = DEFAULT_KNOBS, assets, patience = PATIENCE }: Pick<SuiteOptions, 'knobs' | 'assets' | 'patience'>,
  onPoint: (point: ScalingPoint) => void,
): Promise<void> {
  for (let i = 0; i < DOUBLINGS; i++) {
    const factor = 2 ** (i - DOUBLINGS + 2);
    const sized = (n: number) => Math.max(1, Math.round(n * factor));
    const scaledKnobs = { ...knobs, batch: sized(knobs.batch), boxes: sized(knobs.boxes) };
    const benchCase = suiteCases(gpu, { knobs: scaledKnobs, assets }).find((c) => c.name === name);
    if (!benchCase || !isKernelCase(benchCase)) return;
    onPoint({ factor, measurement: (await measure(gpu, benchCase, patience)).measurement });
  }
}
