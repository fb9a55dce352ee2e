/** --bound: which bound of the interpolation error. */
import type { BoundMethod } from '@turnproof/certify';
import { badInput } from '@turnproof/core';
import type { Transform } from '@turnproof/shaders';
import type { OptionSpec, Values } from './values.ts';

const METHODS: readonly BoundMethod[] = ['auto', 'interval', 'chord', 'exact'];

export const boundOption: OptionSpec = {
  name: 'bound',
  value: 'auto|interval|chord|exact',
  help: 'of the interpolation error; auto: exact for translation, chord for rotation',
  default: 'auto',
};

/** @throws TurnproofError `bad-input` for exact bounds of rotations */
export function readBoundMethod(values: Values, transform: Transform): BoundMethod {
  const method = values.choice('bound', METHODS) ?? 'auto';
  if (method === 'exact' && transform === 'rotation') {
    throw badInput(
      '--bound exact: exact bounds are for translation alone',
      'Take --bound auto, chord or interval.',
    );
  }
  return method;
}
