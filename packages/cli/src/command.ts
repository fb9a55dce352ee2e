/**
 * What a command is: its words for the help, its options, and what it does. The program turns it into commander's
 * terms; the command itself sees values and a console.
 */
import { type Command, Option } from 'commander';
import { Console } from './console.ts';
import { readConfig } from './options/config-file.ts';
import { outputOptions, readOutput } from './options/output.ts';
import { type OptionGroup, type OptionSpec, Values, type Word } from './options/values.ts';

export interface CommandContext {
  readonly console: Console;
  readonly values: Values;
  /** Positional arguments, in order. */
  readonly operands: readonly string[];
  /** Told when the user interrupts: the last words before the process ends. */
  readonly setLastWords: (words: () => string) => void;
  /**
   * Called at the first interruption, once the command has asked for it: it then ends by itself, with status 130.
   * Otherwise, and at the second one, the process ends at once.
   */
  readonly setWindUp: (windUp: () => void) => void;
}

export interface CommandSpec {
  readonly name: string;
  /** One line, for the list of commands. */
  readonly summary: string;
  /** The paragraph above the options. */
  readonly description: string;
  /** Such as ['run', 'the folder of a run']; all are required. The last one may be «name...»: one or more. */
  readonly operands?: readonly (readonly [name: string, help: string])[];
  readonly groups: readonly OptionGroup[];
  /** A command line that works as it stands. */
  readonly example: string;
  /** The exit status, where it is not 0 or an error's. */
  readonly run: (context: CommandContext) => Promise<number>;
}

export interface Outcome {
  exitCode: number;
  verbose: boolean;
  lastWords: () => string;
  windUp: (() => void) | undefined;
}

/** Adds a command to `parent`; what it came to is written into `outcome`. */
export function addCommand(parent: Command, spec: CommandSpec, outcome: Outcome): void {
  const groups = [...spec.groups, outputOptions];
  const command = parent
    .command(spec.name)
    .summary(spec.summary)
    .description(spec.description)
    .addHelpText('after', `\nExample:\n  $ ${spec.example}`);
  for (const [name, help] of spec.operands ?? []) command.argument(`<${name}>`, help);
  const options = groups.flatMap((group) => group.options);
  for (const { heading, options: members } of groups) {
    for (const member of members) command.addOption(toCommander(member).helpGroup(heading));
  }
  command.action(async () => {
    outcome.verbose = command.getOptionValue('verbose') === true;
    const values = await mergedValues(command, options);
    const output = readOutput(values);
    outcome.verbose = output.verbose;
    const console = new Console(output);
    try {
      outcome.exitCode = await spec.run({
        console,
        values,
        operands: command.processedArgs.flat().map(String),
        setLastWords: (words) => {
          outcome.lastWords = words;
        },
        setWindUp: (windUp) => {
          outcome.windUp = windUp;
        },
      });
    } finally {
      console.endProgress();
    }
  });
}

function toCommander({ name, value, help, default: standard, repeats }: OptionSpec): Option {
  const option = new Option(value === undefined ? `--${name}` : `--${name} <${value}>`, help);
  if (repeats) option.argParser((word: string, before?: readonly string[]) => [...(before ?? []), word]);
  return standard === undefined ? option : option.default(standard, standard);
}

const isWord = (word: unknown): word is Word =>
  typeof word === 'string' ||
  word === true ||
  (Array.isArray(word) && word.every((w) => typeof w === 'string'));

/** Flags over --config over defaults. */
async function mergedValues(command: Command, options: readonly OptionSpec[]): Promise<Values> {
  const file: unknown = command.getOptionValue('config');
  const fromFile = typeof file === 'string' ? await readConfig(file, options) : {};
  const words: Record<string, Word | undefined> = {};
  const named: string[] = [];
  for (const { name, default: standard } of options) {
    const key = new Option(`--${name}`).attributeName();
    const word: unknown = command.getOptionValue(key);
    const given = command.getOptionValueSource(key) === 'cli' && isWord(word);
    words[name] = given ? word : (fromFile[name] ?? standard);
    if (given || fromFile[name] !== undefined) named.push(name);
  }
  return new Values(words, named);
}
