/**
 * A result in other programs' formats: CSV for tables, Chrome's trace JSON for Perfetto.
 */
import { clockOf } from './compare.ts';
import type { LaneName } from './recorder.ts';
import type { Result } from './result.ts';

const COLUMNS = [
  'name',
  'kind',
  'unit',
  'work',
  'clock',
  'repeats',
  'min_ms',
  'median_ms',
  'p95_ms',
  'spread',
  'wall_median_ms',
  'work_per_second',
  'gb_per_second',
  'gop_per_second',
  'share_kernels',
  'share_ort',
  'share_rest',
  'warnings',
] as const;

/** Quoted where it must be (RFC 4180). */
const cell = (value: string | number | null): string => {
  const text = value === null ? '' : String(value);
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

export function toCsv({ measurements }: Result): string {
  const rows = measurements.map((m) => {
    const { min, median, p95, spread } = clockOf(m);
    return [
      ...[m.name, m.kind, m.unit, m.work, m.clock, m.repeats, min, median, p95, spread, m.wallMs.median],
      ...[m.perSecond, m.gigabytesPerSecond, m.gigaopsPerSecond],
      ...[m.shares?.kernels ?? null, m.shares?.ort ?? null, m.shares?.rest ?? null, m.warnings.join('; ')],
    ];
  });
  return `${[[...COLUMNS], ...rows].map((row) => row.map(cell).join(',')).join('\n')}\n`;
}

export const LANES: readonly { readonly lane: LaneName; readonly title: string }[] = [
  { lane: 'submit', title: 'CPU: encode and submit' },
  { lane: 'gpu', title: 'GPU: our kernels' },
  { lane: 'ort', title: 'onnxruntime' },
];

/** Chrome's trace event format (JSON object form), which Perfetto opens: a process a timeline, a thread a lane. */
export function toChromeTrace({ timelines, circumstances }: Result): string {
  const traceEvents = timelines.flatMap(({ name, events }, index) => {
    const pid = index + 1;
    const named = [
      { name: 'process_name', ph: 'M', pid, args: { name } },
      ...LANES.map(({ title }, tid) => ({ name: 'thread_name', ph: 'M', pid, tid, args: { name: title } })),
    ];
    const spans = events.map(({ lane, label, start, end }) => ({
      name: label,
      cat: lane,
      ph: 'X',
      pid,
      tid: LANES.findIndex((known) => known.lane === lane),
      // Microseconds.
      ts: 1000 * start,
      dur: 1000 * (end - start),
    }));
    return [...named, ...spans];
  });
  return `${JSON.stringify({ traceEvents, displayTimeUnit: 'ms', otherData: circumstances })}\n`;
}
