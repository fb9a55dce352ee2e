/**
 * What a person or a script sees: data on stdout, everything else on stderr. Nothing else in this package writes to
 * either.
 */
import { clearLine, cursorTo } from 'node:readline';
import type { OutputChoice } from './options/output.ts';
import { printableLines } from './printable.ts';

/** Off a terminal progress is a plain line, this often. */
const PLAIN_LINE_MS = 5000;
const BAR_MS = 100;
const BAR_LENGTH = 24;

export class Console {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly #bar: boolean;
  #barShown = false;
  #lastProgress: number;

  constructor({ json, quiet, verbose }: OutputChoice) {
    this.json = json;
    this.quiet = quiet;
    this.verbose = verbose;
    this.#bar = process.stderr.isTTY === true;
    this.#lastProgress = this.#restart();
  }

  /** A line of data. */
  data(line: string): void {
    this.#clear();
    process.stdout.write(`${this.json ? line : printableLines(line)}\n`);
  }

  /** A note about what is done. */
  note(line: string): void {
    if (!this.quiet) this.#error(line);
  }

  /** A note for those who want to know more. */
  detail(line: string): void {
    if (this.verbose) this.#error(line);
  }

  /** What must not be missed, even with --quiet. */
  warn(line: string): void {
    this.#error(`turnproof: ${line}`);
  }

  /** How far the work is: a bar on a terminal, else a line every few seconds. */
  progress(done: number, total: number, words: string): void {
    if (this.quiet) return;
    const now = performance.now();
    if (now - this.#lastProgress < (this.#bar ? BAR_MS : PLAIN_LINE_MS)) return;
    this.#lastProgress = now;
    const line = `${Math.floor(done)}/${total} ${words}`;
    if (!this.#bar) {
      this.#error(line);
      return;
    }
    const full = Math.round((BAR_LENGTH * Math.min(done, total)) / Math.max(1, total));
    const room = Math.max(20, (process.stderr.columns ?? 80) - BAR_LENGTH - 4);
    this.#clear();
    process.stderr.write(`[${'#'.repeat(full).padEnd(BAR_LENGTH, '.')}] ${line.slice(0, room)}`);
    this.#barShown = true;
  }

  /** Takes the bar away. */
  endProgress(): void {
    this.#clear();
    this.#lastProgress = this.#restart();
  }

  /** A bar is shown at once; a plain line only when the work has taken a while. */
  #restart(): number {
    return this.#bar ? Number.NEGATIVE_INFINITY : performance.now();
  }

  #error(line: string): void {
    this.#clear();
    process.stderr.write(`${printableLines(line)}\n`);
  }

  #clear(): void {
    if (!this.#barShown) return;
    clearLine(process.stderr, 0);
    cursorTo(process.stderr, 0);
    this.#barShown = false;
  }
}
