/**
 * log.tsv as the scripts of Cohen, Rosenfeld and Kolter read it: index, label, predict (-1: abstained), radius,
 * correct, time. Labels that are not known are -1 too.
 */
export const LOG_HEADER = 'idx\tlabel\tpredict\tradius\tcorrect\ttime';

export interface LogRow {
  readonly index: number;
  readonly label: number | null;
  readonly predicted: number | null;
  /** Rounded down already. */
  readonly radius: number | null;
  /** Null where the label is not known. */
  readonly correct: boolean | null;
  readonly seconds: number;
}

export function formatLogRow({ index, label, predicted, radius, correct, seconds }: LogRow): string {
  const cells = [index, label ?? -1, predicted ?? -1, radius ?? 0, correct ? 1 : 0, formatDuration(seconds)];
  return cells.join('\t');
}

/** As Python's `str(timedelta)`: 0:01:02.345678. */
export function formatDuration(seconds: number): string {
  const micros = Math.max(0, Math.round(seconds * 1e6));
  const whole = Math.floor(micros / 1e6);
  const two = (value: number) => String(value).padStart(2, '0');
  const clock = `${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
  return micros % 1e6 === 0 ? clock : `${clock}.${String(micros % 1e6).padStart(6, '0')}`;
}
