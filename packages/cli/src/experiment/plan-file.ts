/**
 * An experiment's YAML file: a title, options that all runs share, and a list of runs. Scalars are taken as they are
 * written, as in --config. Checked here: names and structure; what the options mean is checked by the command itself.
 */
import { dirname } from 'node:path';
import { badInput } from '@turnproof/core';
import { nearest } from '../options/nearest.ts';
import type { OptionSpec } from '../options/values.ts';
import { printable } from '../printable.ts';
import { MAX_YAML, parseYaml, readText } from '../text-file.ts';

export type Options = Readonly<Record<string, string | boolean>>;

/** The options that each command of an experiment may have. */
export type Commands = Readonly<Record<string, readonly OptionSpec[]>>;

export interface PlannedRun {
  /** Also the name of its folder. */
  readonly name: string;
  readonly command: string;
  /** Earlier runs whose folders its options name. */
  readonly needs: readonly string[];
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
  /** Where the run of this name writes: what ${run:NAME} stands for. */
  readonly folderOf: (name: string) => string;
  /** Names of runs; empty: all. */
  readonly only: readonly string[];
}

const RUN_NAME = /\$\{run:([^}]*)\}/g;

type Mapping = Readonly<Record<string, unknown>>;

const TOP = ['title', 'about', 'options', 'full', 'runs'];
const RUN = ['name', 'command', 'options', 'full', 'paper', 'note'];
const NAME = /^[a-z0-9][a-z0-9._-]*$/i;

/**
 * @param commands what a run may be, and the options of each
 * @throws TurnproofError `bad-input` naming the place in the file and how to mend it
 */
export async function readExperiment(path: string, commands: Commands, wishes: Wishes): Promise<Experiment> {
  const text = await readText(path, MAX_YAML);
  if (text === null) throw badInput(`${path}: no such file`);
  return parseExperiment(path, text, commands, wishes);
}

export function parseExperiment(
  path: string,
  text: string,
  commands: Commands,
  { overrides, definitions, full, folderOf, only }: Wishes,
): Experiment {
  const top = mapping(path, parseYaml(path, text, 'Mend it there.'), TOP);
  const reader = new OptionReader(Object.values(commands).flat(), { here: dirname(path), ...definitions });
  const shared = reader.options(`${path}: options`, top.options);
  const sharedFull = reader.options(`${path}: full`, top.full);
  if (!Array.isArray(top.runs) || top.runs.length === 0) {
    throw badInput(`${path}: has no runs`, 'Add a list «runs:» of entries with «name:» and «options:».');
  }
  const earlier: string[] = [];
  const fillers = new Map<string, () => Options>();
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
    const known = Object.hasOwn(commands, command) ? commands[command] : undefined;
    if (known === undefined) {
      throw badInput(
        `${at}: command ${command} is none of an experiment's; nearest is ${nearest(command, Object.keys(commands))}`,
        `A run is one of: ${Object.keys(commands).join(', ')}.`,
      );
    }
    const folders = Object.fromEntries(earlier.map((one) => [`run:${one}`, folderOf(one)]));
    earlier.push(name);
    const mine = new OptionReader(known, { here: dirname(path), ...definitions, ...folders }, command);
    const own = mine.options(`${at}: options`, run.options);
    const ownFull = mine.options(`${at}: full`, run.full);
    // What all runs share is for those whose command has it.
    const sizes = full ? { ...mine.those(sharedFull), ...ownFull } : {};
    const options = { ...mine.those(shared), ...own, ...sizes, ...mine.those(overrides) };
    fillers.set(name, () => mine.filled(at, options));
    return {
      name,
      command,
      needs: mine.runsIn(options),
      options,
      paper: words(`${at}: paper`, run.paper),
      note: scalar(`${at}: note`, run.note),
    };
  });
  const names = runs.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw badInput(`${path}: two runs are called ${twice}`, 'Rename one of them.');
  for (const wanted of only) {
    if (names.some((name) => isWanted(name, wanted))) continue;
    throw badInput(
      `--only ${wanted}: ${path} has no such run; nearest is ${nearest(wanted, names)}`,
      `Its runs are: ${names.join(', ')}.`,
    );
  }
  const chosen =
    only.length === 0 ? runs : runs.filter(({ name }) => only.some((wanted) => isWanted(name, wanted)));
  return {
    title: scalar(`${path}: title`, top.title) ?? path,
    about: scalar(`${path}: about`, top.about),
    // Only what is run needs its placeholders defined.
    runs: chosen.map((run) => ({ ...run, options: fillers.get(run.name)?.() ?? run.options })),
  };
}

/** «signs-*»: all whose names begin so. */
function isWanted(name: string, wanted: string): boolean {
  return wanted.endsWith('*') ? name.startsWith(wanted.slice(0, -1)) : name === wanted;
}

/** Options by the names of the flags, checked against those that a run has. */
export class OptionReader {
  readonly #known: readonly OptionSpec[];
  readonly #definitions: Readonly<Record<string, string>>;
  readonly #whose: string;

  /** @param whose the command, for refusals */
  constructor(known: readonly OptionSpec[], definitions: Readonly<Record<string, string>>, whose = 'a run') {
    this.#known = known;
    this.#definitions = definitions;
    this.#whose = whose;
  }

  /** Those of the options that the command has. */
  those(options: Options): Options {
    return Object.fromEntries(
      Object.entries(options).filter(([name]) => this.#known.some((option) => option.name === name)),
    );
  }

  /** Runs that the options name as ${run:NAME}. */
  runsIn(options: Options): string[] {
    const words = Object.values(options).filter((value) => typeof value === 'string');
    return [...new Set(words.flatMap((word) => [...word.matchAll(RUN_NAME)].map(([, name = '']) => name)))];
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
        `${at}: «${name}» is no option of ${this.#whose} here; nearest is ${nearest(name, names)}`,
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
      if (name.startsWith('run:')) {
        throw badInput(`${at}: \${${name}} is no earlier run of the file`, 'Name one that stands above it.');
      }
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
      `${at}: «${printable(unknown)}» means nothing here; nearest is ${nearest(unknown, names)}`,
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
