/** Options that every command has: what is printed, and --config. */
import { badInput } from '@turnproof/core';
import type { OptionGroup, Values } from './values.ts';

export const outputOptions: OptionGroup = {
  heading: 'General:',
  options: [
    { name: 'json', help: 'one JSON object a line on stdout' },
    { name: 'quiet', help: 'neither progress nor notes on stderr' },
    { name: 'verbose', help: 'more on stderr, and the stack of an unexpected error' },
    { name: 'config', value: 'FILE.yaml', help: 'options by the names of the flags; flags win' },
  ],
};

export interface OutputChoice {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
}

export function readOutput(values: Values): OutputChoice {
  const choice = { json: values.flag('json'), quiet: values.flag('quiet'), verbose: values.flag('verbose') };
  if (choice.quiet && choice.verbose)
    throw badInput('--quiet and --verbose exclude each other', 'Give one of them.');
  return choice;
}
