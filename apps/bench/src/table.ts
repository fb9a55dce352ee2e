/** Results as tables of text. */
import { clockOf, compare, type Difference, obstacles } from './suite/compare.ts';
import type { Measurement, Result } from './suite/result.ts';

const ms = (value: number): string => value.toPrecision(3);
const rate = (value: number | null): string => (value === null ? '' : value.toPrecision(3));
const percent = (value: number): string => `${(100 * value).toFixed(1)} %`;

export const HEAD = `${'case'.padEnd(42)}${[
  'work',
  '',
  'min ms',
  'median',
  'p95',
  'spread',
  'work/s',
  'GB/s',
  'Gop/s',
]
  .map((word, i) => (i === 1 ? word.padEnd(11) : word.padStart(9)))
  .join('')}`;

export function line(m: Measurement): string {
  const { min, median, p95, spread } = clockOf(m);
  const rates = [m.perSecond, m.gigabytesPerSecond, m.gigaopsPerSecond].map((value) =>
    rate(value).padStart(9),
  );
  const times = [ms(min), ms(median), ms(p95), percent(spread)].map((word) => word.padStart(9));
  const mark = m.clock === 'gpu' ? '' : ' (wall)';
  const cells = [String(Math.round(m.work)).padStart(9), ` ${m.unit}`.padEnd(11), ...times, ...rates];
  const notes = m.warnings.map((warning) => `\n    ! ${warning}`).join('');
  const shares = m.shares
    ? `\n    kernels ${percent(m.shares.kernels)}, onnxruntime ${percent(m.shares.ort)}, neither ${percent(m.shares.rest)}`
    : '';
  return `${m.name.padEnd(42)}${cells.join('')}${mark}${shares}${notes}`;
}

export function heading({ circumstances: c }: Pick<Result, 'circumstances'>): string {
  const commit =
    c.commit === null ? 'no commit' : `commit ${c.commit.slice(0, 9)}${c.modified ? ', modified' : ''}`;
  const software = c.adapterKind === 'software' ? ' [software adapter]' : '';
  return `${c.adapter}${software}\n${c.runtime}, ${c.platform}, ${c.cores} processors, ${commit}, ${c.date}`;
}

export function comparison(before: Result, after: Result): string {
  const marks: Readonly<Record<Difference['verdict'], string>> = {
    slower: 'SLOWER',
    faster: 'faster',
    same: '',
    'only before': 'only before',
    'only after': 'only after',
  };
  const rows = compare(before, after).map(({ name, before: a, after: b, ratio, margin, verdict }) => {
    const times = [a, b].map((m) => (m ? ms(clockOf(m).median) : '').padStart(10));
    const words = ratio === null ? ['', ''] : [`x ${ratio.toFixed(2)}`, `± ${percent(margin)}`];
    return `${name.padEnd(42)}${times.join('')}${words.map((word) => word.padStart(10)).join('')}  ${marks[verdict]}`;
  });
  const head = `${'case'.padEnd(42)}${['before ms', 'after ms', 'time', 'margin'].map((w) => w.padStart(10)).join('')}`;
  return [...obstacles(before, after).map((words) => `! ${words}`), head, ...rows].join('\n');
}
