/**
 * Comparisons that say where two arrays part. All throw an Error with a table of the neighbourhood.
 */
import type { GpuArray } from '../buffers.ts';
import type { Gpu } from '../device.ts';

/** A comparison that failed: the only kind of failure that counts as the rejection of a mutant. */
export class ComparisonError extends Error {
  override readonly name = 'ComparisonError';
}

/** A value that no kernel writes by design: outputs are filled with it before a test, so unwritten slots show. */
export const SENTINEL = -12345.678710937;

/** Fills an output with {@link SENTINEL}. */
export function fillSentinel(gpu: Gpu, array: GpuArray<'f32'>): void {
  gpu.write(array, new Float32Array(array.length).fill(SENTINEL));
}

interface Numbers {
  readonly length: number;
  readonly [index: number]: number;
}

function table(name: string, got: Numbers, want: Numbers, first: number, faults: number): string {
  const rows = [`${name}: ${faults} of ${want.length} elements are wrong, the first at ${first}`];
  for (let i = Math.max(0, first - 2); i < Math.min(want.length, first + 6); i++) {
    const [g, w] = [got[i] ?? Number.NaN, want[i] ?? Number.NaN];
    rows.push(`${i === first ? '>' : ' '} [${i}] got ${g}  want ${w}  difference ${g - w}`);
  }
  return rows.join('\n');
}

function expectAll(
  name: string,
  got: Numbers,
  want: Numbers,
  fine: (got: number, want: number) => boolean,
): void {
  if (got.length !== want.length)
    throw new ComparisonError(`${name}: ${got.length} elements, wanted ${want.length}`);
  let first = -1;
  let faults = 0;
  for (let i = 0; i < want.length; i++) {
    if (fine(got[i] ?? Number.NaN, want[i] ?? Number.NaN)) continue;
    if (first < 0) first = i;
    faults += 1;
  }
  if (faults > 0) throw new ComparisonError(table(name, got, want, first, faults));
}

/** |got - want| <= tolerance everywhere; NaN and the sentinel are never fine. */
export function expectClose(name: string, got: Numbers, want: Numbers, tolerance: number): void {
  expectAll(name, got, want, (g, w) => Math.abs(g - w) <= tolerance);
}

/** value <= limit, with no slack; NaN is never fine. */
export function expectAtMost(name: string, value: number, limit: number): void {
  if (!(value <= limit)) throw new ComparisonError(`${name}: ${value} exceeds ${limit} by ${value - limit}`);
}

export function expectEqual(name: string, got: Numbers, want: Numbers): void {
  expectAll(name, got, want, (g, w) => g === w);
}

/** got >= want everywhere, with no slack at all. */
export function expectAtLeast(name: string, got: Numbers, want: Numbers): void {
  expectAll(name, got, want, (g, w) => g >= w);
}

/** lower <= value <= upper everywhere, with no slack at all. */
export function expectContained(name: string, value: Numbers, lower: Numbers, upper: Numbers): void {
  expectAll(`${name} (lower end)`, lower, value, (l, v) => l <= v);
  expectAll(`${name} (upper end)`, upper, value, (u, v) => u >= v);
}
