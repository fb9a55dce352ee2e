/**
 * What went wrong, in the one form that every package throws. Not for abstentions: those are values.
 */
export type ErrorCode =
  /** Input that cannot be used: files, shapes, option values. The command line exits with 2. */
  | 'bad-input'
  /** No adapter of the wanted kind. */
  | 'no-adapter'
  /** The GPU refused a shader, a pipeline, a binding or a dispatch. */
  | 'gpu'
  /** The device went away; another try may work. */
  | 'device-lost'
  /** The adapter has not enough memory for this batch; a smaller one may do. */
  | 'out-of-memory'
  /** Another process works on the same thing; when it has ended, another try may work. */
  | 'busy'
  /** Two ways of computing the same thing disagree, or what is computed is no number: nothing may be certified here. */
  | 'parity'
  /** A promise that the code makes to itself is broken. */
  | 'internal';

/** Process exit status for each code (design: 2 bad input, 42 failed for good, 75 worth another try). */
export const EXIT_CODES: Readonly<Record<ErrorCode, number>> = {
  'bad-input': 2,
  'no-adapter': 42,
  gpu: 42,
  'device-lost': 75,
  'out-of-memory': 75,
  busy: 75,
  parity: 42,
  internal: 42,
};

export interface TurnproofErrorOptions {
  /** How to mend it, as an imperative sentence. */
  readonly fix?: string;
  readonly cause?: unknown;
}

/** An error that says what is wrong and where (message), and how to mend it (fix). */
export class TurnproofError extends Error {
  override readonly name = 'TurnproofError';
  readonly code: ErrorCode;
  readonly fix: string | undefined;

  constructor(code: ErrorCode, message: string, options: TurnproofErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.fix = options.fix;
  }
}

/** Shorthand for the commonest kind: the caller handed over something that cannot be used. */
export function badInput(message: string, fix?: string): TurnproofError {
  return new TurnproofError('bad-input', message, fix === undefined ? {} : { fix });
}
