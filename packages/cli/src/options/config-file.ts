/**
 * --config FILE.yaml: options by the names of their flags, without dashes. What the flags say wins. Scalars are taken
 * as they are written (no YAML typing), so `seed: 0x10` and `range: 30` mean what they mean as flags.
 */
import { badInput } from '@turnproof/core';
import { printable } from '../printable.ts';
import { MAX_YAML, parseYaml, readText } from '../text-file.ts';
import { nearest } from './nearest.ts';
import type { OptionSpec } from './values.ts';

const FIX = 'Write a line "name: value" for each option, with the names of the flags.';

/**
 * The options that a file gives, checked against those that the command has.
 *
 * @throws TurnproofError `bad-input` for a file that cannot be read or is no YAML mapping, an unknown name (with the
 *   nearest one), a value that is no scalar or list of scalars, a switch that is neither true nor false
 */
export async function readConfig(
  path: string,
  options: readonly OptionSpec[],
): Promise<Record<string, string | boolean>> {
  const text = await readText(path, MAX_YAML, `--config ${path}`);
  if (text === null) throw badInput(`--config ${path}: no such file`);
  return parseConfig(path, text, options);
}

export function parseConfig(
  path: string,
  text: string,
  options: readonly OptionSpec[],
): Record<string, string | boolean> {
  const content = parseYaml(path, text, FIX);
  if (content === null || content === undefined || content === '') return {};
  if (typeof content !== 'object' || Array.isArray(content)) throw badInput(`${path}: holds no options`, FIX);
  const known = options.filter(({ name }) => name !== 'config');
  const values: Record<string, string | boolean> = {};
  for (const [name, value] of Object.entries(content)) {
    const option = known.find((candidate) => candidate.name === name);
    if (!option) {
      const names = known.map((candidate) => candidate.name);
      throw badInput(
        `${path}: «${printable(name)}» is no option of this command; nearest is ${nearest(name, names)}`,
        `Use the names of its flags: ${names.join(', ')}.`,
      );
    }
    values[name] = readValue(path, option, value);
  }
  return values;
}

function readValue(path: string, { name, value: takes }: OptionSpec, value: unknown): string | boolean {
  const scalars = Array.isArray(value) ? value : [value];
  if (!scalars.every((scalar) => typeof scalar === 'string') || scalars.length === 0) {
    throw badInput(`${path}: «${name}» has a value that is neither a word nor a list of words`, FIX);
  }
  const word = scalars.join(',');
  if (takes !== undefined) return word;
  if (word !== 'true' && word !== 'false') {
    throw badInput(
      `${path}: «${name}» is a switch, not «${word}»`,
      `Write "${name}: true" or "${name}: false".`,
    );
  }
  return word === 'true';
}
