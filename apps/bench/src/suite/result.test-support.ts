/** A small made-up result, for tests of what reads results. Not for what measures. */
import { FORMAT, type Measurement, type Result } from './result.ts';

function measurement(name: string, kind: Measurement['kind'], median: number): Measurement {
  const summary = { min: 1, median, p95: 3 * median, spread: 0.01 };
  const isKernel = kind !== 'pipeline';
  return {
    name,
    kind,
    kernel: isKernel ? (name.split(' ')[0] ?? name) : null,
    unit: 'pairs',
    work: 512,
    bytes: isKernel ? 1e6 : null,
    operations: isKernel ? 1e7 : null,
    repeats: 9,
    warmUpMs: 10,
    clock: isKernel ? 'gpu' : 'cpu',
    gpuMs: isKernel ? summary : null,
    wallMs: summary,
    perSecond: 512_000 / median,
    gigabytesPerSecond: isKernel ? 1 / median : null,
    gigaopsPerSecond: isKernel ? 10 / median : null,
    shares: isKernel ? null : { wallMs: median, kernels: 0.7, ort: 0, submit: 0.1, rest: 0.3 },
    warnings: [],
  };
}

export function exampleResult(): Result {
  const chord = 'bound waves, chord 28x28x1';
  const pipeline = measurement(chord, 'pipeline', 20);
  return {
    format: FORMAT,
    circumstances: {
      adapter: 'Some GPU',
      driver: 'driver 1.2',
      adapterKind: 'hardware',
      runtime: 'node 22.0.0',
      platform: 'linux-x64',
      cores: 8,
      commit: '0123456789abcdef',
      modified: false,
      date: '2026-01-02T03:04:05.000Z',
      limits: { maxBufferSize: 1024 },
      features: ['timestamp-query'],
    },
    knobs: { shapes: [{ channels: 1, height: 28, width: 28 }], batch: 64, betas: 8, boxes: 64 },
    roofs: { gigabytesPerSecond: 20, gigaopsPerSecond: 100 },
    clockStep: 1,
    measurements: [
      measurement('roof: copy', 'roof', 2),
      measurement('warp 28x28x1', 'kernel', 2),
      measurement('chord_error 28x28x1', 'kernel', 8),
      pipeline,
    ],
    timelines: [
      {
        name: chord,
        shares: pipeline.shares ?? { wallMs: 20, kernels: 0, ort: 0, submit: 0, rest: 1 },
        events: [
          { lane: 'submit', label: 'bounds', start: 0, end: 2 },
          { lane: 'gpu', label: 'chord_error', start: 3, end: 17 },
        ],
      },
    ],
    outside: [],
  };
}

/** The same result with one measurement's times multiplied. */
export function slowedBy(result: Result, name: string, factor: number): Result {
  const measurements = result.measurements.map((m) => {
    if (m.name !== name) return m;
    const slow = (s: Measurement['wallMs']) => ({
      ...s,
      min: factor * s.min,
      median: factor * s.median,
      p95: factor * s.p95,
    });
    return { ...m, gpuMs: m.gpuMs && slow(m.gpuMs), wallMs: slow(m.wallMs), perSecond: m.perSecond / factor };
  });
  return { ...result, measurements };
}
