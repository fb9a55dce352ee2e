/**
 * Kernels made slow on purpose, to see that the bench notices. Results stay right: the same work is done again.
 */
import { badInput } from '@turnproof/core';
import type { Patch } from './kernel-cases.ts';

/** Rounds that stand out from the scatter of a busy machine. */
export const PLANTED_ROUNDS = 16;

/** A call that may be repeated, in each kind of kernel. */
const REPEATABLE = [
  'fill_region(tile, source, thread);',
  'fill_region(tile, Source(base, load_fine_map(item + 1u)), local.xy);',
];

/**
 * Lets one kernel fill its tiles `rounds` times.
 *
 * @throws TurnproofError `bad-input` for a kernel without tiles, when its case is made
 */
export function planted(name: string, rounds: number): Patch {
  return (kernel) => {
    if (kernel.name !== name) return kernel;
    const call = REPEATABLE.find((text) => kernel.source.split(text).length === 2);
    if (!call)
      throw badInput(`kernel «${name}» fills no tile that could be filled again`, 'take a pair kernel');
    const loop = `for (var again = 0; again < ${rounds}; again++) { ${call} }`;
    return { ...kernel, source: kernel.source.replace(call, loop) };
  };
}
