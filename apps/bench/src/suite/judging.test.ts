import { describe, expect, it } from 'vitest';
import { compare, obstacles } from './compare.ts';
import { clockOffset } from './recorder.ts';
import { exampleResult, slowedBy } from './result.test-support.ts';
import { type Measurement, parseOutside, parseResult, type Result } from './result.ts';
import { covered, sharesOf } from './shares.ts';
import { clockStep, doubts, summaryOf } from './summary.ts';

const span = (lane: 'submit' | 'gpu' | 'ort', start: number, end: number) => ({
  lane,
  label: lane,
  start,
  end,
});

describe('shares of wall time', () => {
  it('count what overlaps once, and only what lies inside the run', () => {
    const events = [span('gpu', -5, 10), span('gpu', 5, 20), span('gpu', 30, 40), span('gpu', 95, 120)];
    expect(covered(events, 100)).toBe(20 + 10 + 5);
  });

  it('leave as the rest what neither kernels nor classifier did; submitting is part of it', () => {
    const shares = sharesOf([span('gpu', 0, 40), span('ort', 30, 70), span('submit', 70, 90)], 100);
    expect(shares.kernels).toBeCloseTo(0.4, 12);
    expect(shares.ort).toBeCloseTo(0.4, 12);
    expect(shares.submit).toBeCloseTo(0.2, 12);
    expect(shares.rest).toBeCloseTo(0.3, 12);
  });
});

describe('the clocks of GPU and host', () => {
  it('are fitted so that no work ends after the host heard of it', () => {
    const record = (begin: number, nanoseconds: number, done: number) => ({
      label: '',
      begun: 0,
      submitted: 0,
      done,
      dispatches: [{ label: '', begin, nanoseconds }],
    });
    // The host hears 3 ms and 1 ms late of work that ends at 12 and 25 ms of a clock that is 1,000 ms behind.
    expect(clockOffset([record(10e6, 2e6, 1015), record(20e6, 5e6, 1026)])).toBeCloseTo(1001, 9);
  });

  it('have the step that all readings are multiples of', () => {
    expect(clockStep([200_000, 500_000, 0, 700_000])).toBe(100_000);
    expect(clockStep([1, 65_536])).toBe(1);
    expect(clockStep([])).toBe(0);
  });
});

describe('a summary of times', () => {
  it('has quartiles, not moments: one outlier changes neither median nor spread', () => {
    const calm = summaryOf([10, 11, 12, 13, 14, 15, 16, 17, 18]);
    const wild = summaryOf([10, 11, 12, 13, 14, 15, 16, 17, 1000]);
    expect(calm).toEqual({ min: 10, median: 14, p95: 18, spread: 4 / 14 });
    expect({ ...wild, p95: 0 }).toEqual({ ...calm, p95: 0 });
  });

  it('is doubted where the clock is coarse, the work too small, the median unsettled', () => {
    const summary = summaryOf([1, 1, 2]);
    const fine = { summary, repeats: 9, settled: true, stepMs: 0.001, half: 0.5, dropped: 0 };
    expect(doubts(fine)).toEqual([]);
    expect(doubts({ ...fine, stepMs: 0.1 }).join()).toContain('10 of its steps');
    expect(doubts({ ...fine, half: 0.9 }).join()).toContain('90 % of the time');
    expect(doubts({ ...fine, settled: false }).join()).toContain('not settled');
    expect(doubts({ ...fine, stepMs: null }).join()).toContain('no GPU clock');
    expect(doubts({ ...fine, dropped: 2 }).join()).toContain('2 times dropped');
  });
});

describe('two results compared', () => {
  const before = exampleResult();
  const verdicts = (after: Result) =>
    Object.fromEntries(compare(before, after).map(({ name, verdict }) => [name, verdict]));

  it('show a slower and a faster kernel, and nothing else', () => {
    const after = slowedBy(slowedBy(before, 'chord_error 28x28x1', 2), 'warp 28x28x1', 0.5);
    expect(verdicts(after)).toEqual({
      'roof: copy': 'same',
      'warp 28x28x1': 'faster',
      'chord_error 28x28x1': 'slower',
      'bound waves, chord 28x28x1': 'same',
    });
  });

  it('call a difference within the scatter of both no difference', () => {
    const scattered = (m: Measurement): Measurement => ({
      ...m,
      gpuMs: m.gpuMs && { ...m.gpuMs, spread: 0.2 },
      wallMs: { ...m.wallMs, spread: 0.2 },
    });
    const noisy = { ...before, measurements: before.measurements.map(scattered) };
    const after = slowedBy(noisy, 'chord_error 28x28x1', 1.4);
    expect(new Set(compare(noisy, after).map(({ verdict }) => verdict))).toEqual(new Set(['same']));
    expect(verdicts(slowedBy(before, 'chord_error 28x28x1', 1.4))).toMatchObject({
      'chord_error 28x28x1': 'slower',
    });
  });

  it('are compared by time for one unit of work, so a bigger dispatch is no regression', () => {
    const measurements = before.measurements.map((m) =>
      m.kind === 'kernel'
        ? { ...m, work: 2 * m.work, gpuMs: m.gpuMs && { ...m.gpuMs, median: 2 * m.gpuMs.median } }
        : m,
    );
    expect(new Set(Object.values(verdicts({ ...before, measurements })))).toEqual(new Set(['same']));
  });

  it('name what only one of them has, and what speaks against comparing', () => {
    const after = {
      ...before,
      circumstances: { ...before.circumstances, adapter: 'another', cores: 64 },
      measurements: before.measurements.slice(1),
    };
    expect(verdicts(after)).toMatchObject({ 'roof: copy': 'only before' });
    expect(obstacles(before, after).join()).toMatch(/different adapters.*processors/);
    expect(obstacles(before, before)).toEqual([]);
  });
});

describe('a file that is no result', () => {
  it.each([
    ['no JSON', '{', 'is not JSON'],
    ['another program’s JSON', '{"a": 1}', 'no result of the bench at format'],
    [
      'a time that is no number',
      JSON.stringify(exampleResult()).replace('"median":2', '"median":"2"'),
      'median',
    ],
    ['a negative figure', JSON.stringify(exampleResult()).replace('"min":1', '"min":-1'), 'min'],
  ])('is refused with its place: %s', (_, text, words) => {
    expect(() => parseResult('other.json', text)).toThrow(words);
  });

  it('or no list of outside measurements, neither', () => {
    expect(parseOutside('o', '[{"name": "a", "command": "b", "figure": "c"}]').length).toBe(1);
    expect(() => parseOutside('o.json', '[{"name": "a"}]')).toThrow(
      'o.json is no result of the bench at 0.command',
    );
  });
});
