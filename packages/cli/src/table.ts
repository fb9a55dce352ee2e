/** Plain text tables for people. Not for scripts: they have --json. */

export interface Column {
  readonly title: string;
  /** Least number of characters. */
  readonly width: number;
  /** Numbers stand to the right. */
  readonly align: 'left' | 'right';
}

/** A line of cells in columns that are known before the rows are, so that rows can be shown as they come. */
export function formatRow(columns: readonly Column[], cells: readonly string[]): string {
  return columns
    .map(({ width, align }, i) => {
      const cell = cells[i] ?? '';
      return align === 'right' ? cell.padStart(width) : cell.padEnd(width);
    })
    .join('  ')
    .trimEnd();
}

export function formatHeader(columns: readonly Column[]): string {
  return formatRow(
    columns,
    columns.map(({ title }) => title),
  );
}

/** Columns from [title, width]: a negative width stands for words, to the left. */
export function columnsOf(...list: readonly (readonly [title: string, width: number])[]): Column[] {
  return list.map(([title, width]) => ({
    title,
    width: Math.abs(width),
    align: width < 0 ? 'left' : 'right',
  }));
}
