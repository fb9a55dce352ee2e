/**
 * An experiment's YAML file: a title, options that all runs share, and a list of runs. Scalars are taken as they are
 * written, as in --config. Checked here: names and structure; what the options mean is checked by the command itself.
 */
import { dirname } from 'node:path';
import { badInput } from '@turnproof/core';
import { nearest } from '../options/nearest.ts';
import type { OptionSpec } from '../options/values.ts';
import { MAX_YAML, parseYaml, readText } from '../text-file.ts';

export type Options = Readonly<Record<string, string | boolean>>;

export interface PlannedRun {
  /** Also the name of its folder. */
  readonly name: string;
  /** By the names of the flags; paths and placeholders filled in. */
  readonly options: Options;
  /** Column of the table to what a paper prints there. */
  readonly paper: Readonly<Record<string, string>>;
  /** What differs from the paper. */
  readonly note: string | null;
}

export interface Experiment {
  readonly title: string;
  readonly about: string | null;
  /** Never empty. */
  readonly runs: readonly PlannedRun[];
}

export interface Wishes {
  /** --set: options of every run, over those of the file. */
  readonly overrides: Options;
  /** --define: what ${name} stands for. */
  readonly definitions: Readonly<Record<string, string>>;
  /** The sizes of the section `full`. */
  readonly full: boolean;
  /** Names of runs; empty: all. */
  readonly only: readonly string[];
}

type Mapping = Readonly<Record<string, unknown>>;

const TOP = ['title', 'about', 'options', 'full', 'runs'];
const RUN = ['name', 'command', 'options', 'full', 'paper', 'note'];
const NAME = /^[a-z0-9][a-z0-9._-]*$/i;

/**
 * @param known the options that a run may have
 * @throws TurnproofError `bad-input` naming the place in the file and how to mend it
 */
export async function readExperiment(
  path: string,
  known: readonly OptionSpec[],
  wishes: Wishes,
): Promise<Experiment> {
  const text = await readText(path, MAX_YAML);
  if (text === null) throw badInput(`${path}: no such file`);
  return parseExperiment(path, text, known, wishes);
}

export function parseExperiment(
  path: string,
  text: string,
  known: readonly OptionSpec[],
  { overrides, definitions, full, only }: Wishes,
): Experiment {
  const top = mapping(path, parseYaml(path, text, 'Mend it there.'), TOP);
  const reader = new OptionReader(known, { here: dirname(path), ...definitions });
  const shared = reader.options(`${path}: options`, top.options);
  const sharedFull = reader.options(`${path}: full`, top.full);
  if (!Array.isArray(top.runs) || top.runs.length === 0) {
    throw badInput(`${path}: has no runs`, 'Add a list «runs:» of entries with «name:» and «options:».');
  }
  const runs = top.runs.map((entry: unknown, i): PlannedRun => {
    const unnamed = `${path}: runs[${i}]`;
    const run = mapping(unnamed, entry, RUN);
    const name = scalar(`${unnamed}: name`, run.name);
    if (name === null || !NAME.test(name)) {
      throw badInput(
        `${unnamed}: ${name === null ? 'has no name' : `«${name}» is no name`}`,
        'Give it a name of letters, digits, dots and dashes: its folder has it too.',
      );
    }
    const at = `${path}: run ${name}`;
    const command = scalar(`${at}: command`, run.command) ?? 'certify';
    if (command !== 'certify') {
      throw badInput(
        `${at}: command ${command} is none of an experiment's`,
        'Experiments consist of runs of certify.',
      );
    }
    const own = reader.options(`${at}: options`, run.options);
    const ownFull = reader.options(`${at}: full`, run.full);
    const sizes = full ? { ...sharedFull, ...ownFull } : {};
    return {
      name,
      options: reader.filled(at, { ...shared, ...own, ...sizes, ...overrides }),
      paper: words(`${at}: paper`, run.paper),
      note: scalar(`${at}: note`, run.note),
    };
  });
  const names = runs.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw badInput(`${path}: two runs are called ${twice}`, 'Rename one of them.');
  for (const name of only) {
    if (names.includes(name)) continue;
    throw badInput(
      `--only ${name}: ${path} has no such run; nearest is ${nearest(name, names)}`,
      `Its runs are: ${names.join(', ')}.`,
    );
  }
  return {
    title: scalar(`${path}: title`, top.title) ?? path,
    about: scalar(`${path}: about`, top.about),
    runs: only.length === 0 ? runs : runs.filter(({ name }) => only.includes(name)),
  };
}

/** Options by the names of the flags, checked against those that a run has. */
export class OptionReader {
  readonly #known: readonly OptionSpec[];
  readonly #definitions: Readonly<Record<string, string>>;

  constructor(known: readonly OptionSpec[], definitions: Readonly<Record<string, string>>) {
    this.#known = known;
    this.#definitions = definitions;
  }

  options(at: string, content: unknown): Options {
    const options: Record<string, string | boolean> = {};
    for (const [name, value] of Object.entries(words(at, content)))
      options[name] = this.option(at, name, value);
    return options;
  }

  option(at: string, name: string, value: string): string | boolean {
    const option = this.#known.find((candidate) => candidate.name === name);
    if (option === undefined) {
      const names = this.#known.map((candidate) => candidate.name);
      throw badInput(
        `${at}: «${name}» is no option of certify here; nearest is ${nearest(name, names)}`,
        `Use the names of its flags: ${names.join(', ')}.`,
      );
    }
    if (option.value !== undefined) return value;
    if (value === 'true' || value === 'false') return value === 'true';
    throw badInput(
      `${at}: «${name}» is a switch, not «${value}»`,
      `Write "${name}: true" or "${name}: false".`,
    );
  }

  /** With every ${name} replaced. */
  filled(at: string, options: Options): Options {
    const filled: Record<string, string | boolean> = {};
    for (const [name, value] of Object.entries(options)) {
      filled[name] = typeof value === 'string' ? this.#fill(`${at}: ${name}`, value) : value;
    }
    return filled;
  }

  #fill(at: string, value: string): string {
    return value.replace(/\$\{([^}]*)\}/g, (_, name: string) => {
      const found = Object.hasOwn(this.#definitions, name) ? this.#definitions[name] : undefined;
      if (found !== undefined) return found;
      throw badInput(`${at}: \${${name}} is not defined`, `Say what it is: --define ${name}=VALUE.`);
    });
  }
}

function mapping(at: string, content: unknown, names: readonly string[]): Mapping {
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw badInput(`${at}: is no mapping`, `Write lines "name: value" with: ${names.join(', ')}.`);
  }
  const unknown = Object.keys(content).find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw badInput(
      `${at}: «${unknown}» means nothing here; nearest is ${nearest(unknown, names)}`,
      `Known are: ${names.join(', ')}.`,
    );
  }
  return { ...content };
}

function scalar(at: string, content: unknown): string | null {
  if (content === undefined || content === '') return null;
  if (typeof content !== 'string') throw badInput(`${at}: is no text`, 'Write one word or sentence.');
  return content.trim();
}

/** Names to words; a list of words is joined by commas. */
function words(at: string, content: unknown): Record<string, string> {
  if (content === undefined || content === '') return {};
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw badInput(`${at}: is no mapping`, 'Write lines "name: value".');
  }
  return Object.fromEntries(
    Object.entries(content).map(([name, value]: [string, unknown]) => {
      const scalars: unknown[] = Array.isArray(value) ? value : [value];
      if (scalars.length === 0 || !scalars.every((one) => typeof one === 'string')) {
        throw badInput(`${at}: «${name}» is neither a word nor a list of words`, 'Write "name: value".');
      }
      return [name, scalars.join(',')];
    }),
  );
}
