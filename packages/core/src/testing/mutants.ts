/**
 * Mutants: a kernel with one deliberate fault, which the kernel's own check must reject. A check that a mutant
 * passes proves nothing.
 */
import type { Bindings, Kernel } from '../kernel.ts';
import { ComparisonError } from './compare.ts';

export interface Mutant {
  /** What is wrong with it, such as «wrong sign of the sine». */
  readonly fault: string;
  /** Text that occurs exactly once in the kernel's WGSL, its imports included. */
  readonly find: string;
  readonly replace: string;
}

export function mutate<B extends Bindings>(kernel: Kernel<B>, mutant: Mutant): Kernel<B> {
  const parts = kernel.source.split(mutant.find);
  if (parts.length !== 2) {
    throw new Error(`mutant «${mutant.fault}»: its text occurs ${parts.length - 1} times in ${kernel.name}`);
  }
  return { ...kernel, source: parts.join(mutant.replace) };
}

/**
 * Runs a kernel's check on a mutant and returns the failure that it provoked.
 *
 * @throws Error when the check passes, or fails because the mutant does not run at all (that proves nothing).
 */
export async function rejectionOf(fault: string, check: () => Promise<void>): Promise<string> {
  try {
    await check();
  } catch (error) {
    if (error instanceof ComparisonError) return error.message;
    throw new Error(
      `mutant «${fault}» does not run: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  throw new Error(`mutant «${fault}» passes the check`);
}
