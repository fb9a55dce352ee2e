/** The tables of an experiment: our rows, the paper's below them where the file gives one, and what differs. */
import { comparisonTables, type TextTable } from '../report/figures.ts';
import type { ReportedRun } from '../report/read-run.ts';
import type { Summary } from '../run/summary-file.ts';
import { columnsOf, formatHeader, formatRow } from '../table.ts';
import type { PlannedRun } from './plan-file.ts';

/** What a run that certifies nothing came to. */
export interface SummarisedRun {
  readonly name: string;
  readonly summary: Summary;
}

const TITLES: Readonly<Record<string, string>> = {
  attack: 'Attack',
  bound: 'Interpolation error',
  calibrate: 'Calibration',
  predict: 'Predictions',
};

/** A table for each command, a row a run. */
function summaryTables(runs: readonly SummarisedRun[]): TextTable[] {
  return [...new Set(runs.map(({ summary }) => summary.command))].map((command) => {
    const members = runs.filter(({ summary }) => summary.command === command);
    const titles = [...new Set(members.flatMap(({ summary }) => summary.columns.map(([title]) => title)))];
    const rows = members.map(({ name, summary }) => [
      name,
      ...titles.map((title) => summary.columns.find(([own]) => own === title)?.[1] ?? ''),
    ]);
    return { title: TITLES[command] ?? command, caption: '', columns: ['run', ...titles], rows };
  });
}

export function experimentTables(
  runs: readonly ReportedRun[],
  others: readonly SummarisedRun[],
  plans: readonly PlannedRun[],
): TextTable[] {
  return [...summaryTables(others), ...comparisonTables(runs)].map((table) => {
    const planOf = (row: readonly string[]) => plans.find(({ name }) => name === row[0]);
    const more = [...new Set(table.rows.flatMap((row) => Object.keys(planOf(row)?.paper ?? {})))];
    const columns = [...table.columns, ...more.filter((column) => !table.columns.includes(column))];
    const rows = table.rows.flatMap((row) => {
      const ours = columns.map((_, i) => row[i] ?? '');
      const paper = planOf(row)?.paper ?? {};
      if (Object.keys(paper).length === 0) return [ours];
      return [ours, columns.map((column, i) => (i === 0 ? `${row[0]} (paper)` : (paper[column] ?? '')))];
    });
    return { ...table, columns, rows };
  });
}

/** «name: what differs», for runs whose entry has a note. */
export function notesOf(plans: readonly PlannedRun[]): string[] {
  return plans.flatMap(({ name, note }) => (note === null ? [] : [`${name}: ${note}`]));
}

export function asText(tables: readonly TextTable[]): string {
  return tables
    .map(({ columns, rows }) => {
      const width = (i: number) => Math.max(...[columns, ...rows].map((row) => (row[i] ?? '').length));
      const layout = columnsOf(...columns.map((title, i) => [title, i < 2 ? -width(i) : width(i)] as const));
      return [formatHeader(layout), ...rows.map((row) => formatRow(layout, row))].join('\n');
    })
    .join('\n\n');
}

export function asMarkdown(title: string, tables: readonly TextTable[], notes: readonly string[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |`;
  const parts = tables.map(({ title: heading, columns, rows }) =>
    [`## ${heading}`, '', line(columns), line(columns.map(() => '---')), ...rows.map(line)].join('\n'),
  );
  const list = notes.length === 0 ? [] : [notes.map((note) => `- ${text(note)}`).join('\n')];
  return `${[`# ${text(title)}`, ...parts, ...list].join('\n\n')}\n`;
}

const text = (words: string): string =>
  words.replace(/\s+/g, ' ').replace(/[<&]/g, (c) => (c === '<' ? '&lt;' : '&amp;'));
const cell = (words: string): string => text(words).replaceAll('|', '\\|');
