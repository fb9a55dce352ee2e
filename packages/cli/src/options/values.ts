/**
 * The words that a command was given, by the long name of the option, whether from the command line or from
 * --config, before they mean anything. What they mean is decided by the module of each group of options.
 */
import { badInput } from '@turnproof/core';
import { nearest } from './nearest.ts';

/** One option as the help shows it. */
export interface OptionSpec {
  /** Without dashes: "sigma-gamma". */
  readonly name: string;
  /** What follows it in the help, such as "SPEC"; none for a switch. */
  readonly value?: string;
  readonly help: string;
  /** Shown and used where the option is absent. */
  readonly default?: string;
  /** May be given several times; read with `list`. */
  readonly repeats?: boolean;
}

/** What was given for an option; true for a switch, a list for one that repeats. */
export type Word = string | boolean | readonly string[];

/** Options under one heading of the help. */
export interface OptionGroup {
  readonly heading: string;
  readonly options: readonly OptionSpec[];
}

export class Values {
  readonly #words: Readonly<Record<string, Word | undefined>>;
  readonly #given: ReadonlySet<string>;

  /** @param given options that were not left at their defaults; all that are there, unless told otherwise */
  constructor(
    words: Readonly<Record<string, Word | undefined>>,
    given: Iterable<string> = Object.keys(words),
  ) {
    this.#words = words;
    this.#given = new Set(given);
  }

  /** Was it said, on the command line or in --config, and not left at its default? */
  isGiven(name: string): boolean {
    return this.#given.has(name);
  }

  /** These, with `others` in the place of what was not given. */
  over(others: Readonly<Record<string, Word>>): Values {
    const kept = Object.entries(this.#words).filter(([name]) => this.#given.has(name));
    return new Values({ ...this.#words, ...others, ...Object.fromEntries(kept) }, this.#given);
  }

  /** The words of an option, or undefined where it is absent and has no default. */
  text(name: string): string | undefined {
    const word = this.#words[name];
    return typeof word === 'string' ? word : undefined;
  }

  /** All words of an option that repeats, in order; a single one from --config is a list of one. */
  list(name: string): readonly string[] {
    const word = this.#words[name];
    if (typeof word === 'string') return [word];
    return typeof word === 'object' ? word : [];
  }

  /** Is the switch on? */
  flag(name: string): boolean {
    return this.#words[name] === true;
  }

  /** @throws TurnproofError `bad-input` where the option is absent */
  required(name: string, how: string): string {
    const word = this.text(name);
    if (word === undefined) throw badInput(`--${name} is missing`, how);
    return word;
  }

  /** @throws TurnproofError `bad-input` naming the nearest of the choices */
  choice<T extends string>(name: string, choices: readonly T[]): T | undefined {
    const word = this.text(name);
    if (word === undefined) return undefined;
    const found = choices.find((choice) => choice === word);
    if (found === undefined) {
      throw badInput(
        `--${name} ${word}: nearest is ${nearest(word, choices)}`,
        `Give one of: ${choices.join(', ')}.`,
      );
    }
    return found;
  }

  /** A finite decimal number. Its range is not judged here. */
  number(name: string): number | undefined {
    const word = this.text(name);
    return word === undefined ? undefined : parseNumber(`--${name}`, word);
  }

  /** A whole number of at least `least`. */
  whole(name: string, least: number): number | undefined {
    const word = this.text(name);
    if (word === undefined) return undefined;
    const value = /^\d+$/.test(word.trim()) ? Number(word) : Number.NaN;
    if (!Number.isSafeInteger(value) || value < least) {
      throw badInput(
        `--${name} ${word}: no whole number from ${least} on`,
        `Give --${name} ${least} or more.`,
      );
    }
    return value;
  }

  /** What was given, in the order of the names; for config.json. */
  toJSON(): Record<string, Word> {
    const given: Record<string, Word> = {};
    for (const [name, word] of Object.entries(this.#words)) if (word !== undefined) given[name] = word;
    return given;
  }
}

const NUMBER = /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i;

/** A finite decimal number, or a refusal that names `what`. */
export function parseNumber(what: string, word: string): number {
  const value = NUMBER.test(word) ? Number(word) : Number.NaN;
  if (!Number.isFinite(value))
    throw badInput(`${what} ${word}: not a number`, 'Give a number such as 30 or 0.3.');
  return value;
}
