import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Gpu, openDevice } from '@turnproof/core';
import { closeChecked, testAdapters } from '@turnproof/core/testing';
import * as shaders from '@turnproof/shaders';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nodeAssets } from '../assets.ts';
import { circumstances } from '../circumstances.ts';
import { isKernelCase } from './case.ts';
import { clockOf, compare } from './compare.ts';
import { toChromeTrace, toCsv } from './exports.ts';
import { kernelCases } from './kernel-cases.ts';
import { DEFAULT_KNOBS, type Knobs } from './knobs.ts';
import type { Patience } from './measure.ts';
import { planted } from './planted.ts';
import { parseResult, type Result, type Timeline } from './result.ts';
import { runSuite, scalingCurve, suiteCases } from './suite.ts';

const QUICK: Patience = { warmUps: 1, minRepeats: 3, maxRepeats: 3, budgetMs: 1, settled: 0.01 };
const SMALL: Knobs = {
  shapes: [{ channels: 1, height: 13, width: 14 }],
  batch: 8,
  betas: 2,
  boxes: 4,
};

it('every kernel of packages/shaders has a case', () => {
  const declared = Object.entries(shaders).flatMap(([name, value]) =>
    name.endsWith('Kernel') && typeof value === 'object' && 'bindings' in value ? [value.name] : [],
  );
  const timed = new Set(kernelCases(DEFAULT_KNOBS).map(({ kernel }) => kernel.name));
  const folders = readdirSync(join(import.meta.dirname, '../../../../packages/shaders/src/kernels'), {
    withFileTypes: true,
  });
  expect(declared.length).toBe(folders.filter((entry) => entry.isDirectory()).length);
  expect([...timed].sort()).toEqual(declared.sort());
});

it('names of cases are unique, or two results could not be compared', () => {
  const gpu = { adapter: { kind: 'software' } } as Gpu;
  const names = suiteCases(gpu, { assets: nodeAssets(['wasm', 'webgpu']) }).map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
});

describe.each((await testAdapters()).slice(-1))('the suite on %s', (adapter) => {
  let gpu: Gpu;
  let result: Result;
  beforeAll(async () => {
    gpu = await openDevice({ adapter });
    result = await runSuite(gpu, {
      knobs: SMALL,
      assets: nodeAssets(['wasm']),
      patience: QUICK,
      circumstances: circumstances(gpu),
      outside: [{ name: 'another program', command: 'other --fast', figure: '3 s' }],
    });
  });
  afterAll(() => closeChecked(gpu));

  it('runs every case and gives finite, positive, ordered figures', () => {
    const names = suiteCases(gpu, { knobs: SMALL, assets: nodeAssets(['wasm']) }).map(({ name }) => name);
    expect(result.measurements.map(({ name }) => name)).toEqual(names);
    for (const m of result.measurements) {
      for (const value of [m.work, m.perSecond, clockOf(m).min, m.wallMs.min]) {
        expect(value, m.name).toBeGreaterThan(0);
        expect(Number.isFinite(value), m.name).toBe(true);
      }
      for (const { min, median, p95 } of [m.wallMs, clockOf(m)]) {
        expect(median).toBeGreaterThanOrEqual(min);
        expect(p95).toBeGreaterThanOrEqual(median);
      }
      if (m.kind === 'kernel') expect(m.gigaopsPerSecond, m.name).toBeGreaterThan(0);
    }
  });

  it('sees the kernels and the classifier of a sampling loop in one timeline, inside its wall time', () => {
    const loop = result.timelines.find(({ name }) => name.startsWith('sampling loop'));
    const { wallMs = 0 } = loop?.shares ?? {};
    const labels = (lane: string) =>
      new Set(loop?.events.filter((event) => event.lane === lane).map(({ label }) => label));
    expect([...labels('gpu')].sort()).toEqual(['noise', 'warp_pre']);
    expect(labels('ort').size).toBeGreaterThan(0);
    expect(labels('submit').size).toBeGreaterThan(0);
    for (const { start, end } of loop?.events ?? []) {
      expect(end).toBeGreaterThanOrEqual(start);
      // The GPU's clock is fitted to the host's: its events may lie a little before the run, never after it.
      expect(start).toBeGreaterThan(-wallMs);
      expect(end).toBeLessThanOrEqual(wallMs + 1);
    }
    expect(loop?.shares.kernels).toBeGreaterThan(0);
    expect(loop?.shares.ort).toBeGreaterThan(0);
    expect(loop?.shares.rest).toBeLessThan(1);
  });

  it('times a classifier on the same device by the GPU: each call after the noise it is fed with, before the end', async () => {
    const { timelines } = await runSuite(gpu, {
      knobs: SMALL,
      assets: nodeAssets(['webgpu']),
      patience: QUICK,
      circumstances: circumstances(gpu),
      only: 'sampling loop',
    });
    const [{ events, shares }] = timelines as [Timeline];
    const calls = events.filter(({ lane }) => lane === 'ort');
    const noise = events.filter(({ label, lane }) => lane === 'gpu' && label === 'noise');
    expect(calls.length).toBe(noise.length);
    for (const [i, call] of calls.entries()) {
      // By the host's clock it would begin when the queue has it, before the noise is made.
      expect(call.start).toBeGreaterThan((noise[i]?.end ?? Number.NaN) - 0.01);
      expect(call.end).toBeGreaterThan(call.start);
      // The GPU's clock is fitted to the host's by what the host heard of during the run: late by no more than that.
      expect(call.end).toBeLessThanOrEqual(2 * shares.wallMs);
    }
  });

  it('leaves nobody watching, so that batches are not timed for nothing', () => {
    expect(gpu.watched).toBe(false);
  });

  it('survives the way through its file, and leads to CSV and a trace that say the same', () => {
    expect(parseResult('it', JSON.stringify(result))).toEqual(result);
    const lines = toCsv(result).trimEnd().split('\n');
    expect(lines.length).toBe(1 + result.measurements.length);
    const trace: { traceEvents: { ph: string; dur?: number }[] } = JSON.parse(toChromeTrace(result));
    const spans = trace.traceEvents.filter(({ ph }) => ph === 'X');
    expect(spans.length).toBe(result.timelines.reduce((sum, { events }) => sum + events.length, 0));
    expect(spans.every(({ dur }) => dur !== undefined && dur >= 0)).toBe(true);
  });

  it('measures a kernel at growing work', async () => {
    const work: number[] = [];
    const name = kernelCases(SMALL)[0]?.name ?? '';
    await scalingCurve(gpu, name, { knobs: SMALL, assets: null, patience: QUICK }, ({ measurement }) =>
      work.push(measurement.work),
    );
    expect(work).toEqual([1, 2, 4, 8, 16]);
  });

  it('times a kernel with a planted loop, which does the same work again', async () => {
    const cases = kernelCases(SMALL, planted('chord_error', 3)).filter(isKernelCase);
    const chord = cases.find(({ kernel }) => kernel.name === 'chord_error');
    expect(chord?.kernel.source).toContain('again < 3');
    const prepared = await chord?.prepare(gpu);
    const batch = gpu.batch('planted');
    prepared?.dispatch(batch, 0, 1);
    await batch.submit();
    prepared?.release();
    expect(() => kernelCases(SMALL, planted('warp', 3))).toThrow('fills no tile');
  });

  it('compared with itself shows no difference', () => {
    expect(compare(result, result).map(({ verdict }) => verdict)).toEqual(
      result.measurements.map(() => 'same'),
    );
  });
});
