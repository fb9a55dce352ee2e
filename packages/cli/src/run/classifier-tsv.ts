/**
 * classifier.tsv: is the base classifier b, without attack, noise or smoothing, right on pre(x)? A line an image, in the
 * order of the certificates; -1 where the label is not known.
 */
export const CLASSIFIER_HEADER = 'idx\tlabel\tcorrect';

export interface ClassifierRow {
  readonly index: number;
  readonly label: number | null;
  readonly baseCorrect: boolean | null;
}

export function formatClassifierRow({ index, label, baseCorrect }: ClassifierRow): string {
  return [index, label ?? -1, baseCorrect === null ? -1 : baseCorrect ? 1 : 0].join('\t');
}

/** The third column of a row, read back. */
export function baseCorrectOf(row: string): boolean | null {
  const cell = row.split('\t')[2];
  return cell === '1' ? true : cell === '0' ? false : null;
}
