/**
 * Where the wall time of a run went: our kernels, onnxruntime, neither.
 */
import type { LaneEvent, LaneName } from './recorder.ts';

export interface Shares {
  readonly wallMs: number;
  /** Shares of the wall time during which ... a dispatch of ours ran, ... the classifier ran. They may overlap. */
  readonly kernels: number;
  readonly ort: number;
  /** ... commands were being encoded and submitted. */
  readonly submit: number;
  /** ... neither our kernels nor the classifier ran. */
  readonly rest: number;
}

/** Total length of the union of intervals, clipped to [0, wall]. */
export function covered(events: readonly LaneEvent[], wall: number): number {
  const spans = events
    .map(({ start, end }) => ({ start: Math.max(0, start), end: Math.min(wall, end) }))
    .filter(({ start, end }) => end > start)
    .sort((a, b) => a.start - b.start);
  let total = 0;
  let reach = 0;
  for (const { start, end } of spans) {
    if (end <= reach) continue;
    total += end - Math.max(start, reach);
    reach = end;
  }
  return total;
}

export function sharesOf(events: readonly LaneEvent[], wallMs: number): Shares {
  const share = (...lanes: LaneName[]) =>
    covered(
      events.filter(({ lane }) => lanes.includes(lane)),
      wallMs,
    ) / wallMs;
  return {
    wallMs,
    kernels: share('gpu'),
    ort: share('ort'),
    submit: share('submit'),
    rest: 1 - share('gpu', 'ort'),
  };
}
