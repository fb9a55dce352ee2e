/**
 * Holds back what native code writes to stderr while some work is under way. Dawn warns there, whoever listens, of
 * drivers that are not installed and limits that it rounds, with the folders of the machine that it was built on.
 * Linux only: elsewhere, with TURNPROOF_DEBUG set, and where no file can be made for it, nothing is held back.
 */
import { randomUUID } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const STDERR = 2;

export interface Held<T> {
  readonly result: T;
  /** The first line of each warning, without its mark. */
  readonly warnings: readonly string[];
}

/** Runs the work; whatever was written meanwhile and is no warning is written once it is over. One call at a time. */
export async function withoutWarnings<T>(work: () => Promise<T>): Promise<Held<T>> {
  const release = await hold();
  try {
    const result = await work();
    const { warnings, rest } = sift(release());
    if (rest !== '') process.stderr.write(rest);
    return { result, warnings };
  } catch (error) {
    // Everything may say what went wrong.
    process.stderr.write(release());
    throw error;
  }
}

/** Warnings apart from the rest. A warning is a line that says so, with the indented and empty lines behind it. */
export function sift(text: string): { readonly warnings: readonly string[]; readonly rest: string } {
  const warnings: string[] = [];
  const rest: string[] = [];
  let within = false;
  for (const line of text.match(/[^\n]*\n|[^\n]+$/g) ?? []) {
    const [, warning] = /^Warning: (.*)/.exec(line) ?? [];
    if (warning !== undefined) warnings.push(warning);
    within = warning !== undefined || (within && /^\s/.test(line));
    if (!within) rest.push(line);
  }
  return { warnings, rest: rest.join('') };
}

/** Turns stderr to a file. The function returned turns it back, once, and gives what was written. */
async function hold(): Promise<() => string> {
  const nothing = () => '';
  if (process.platform !== 'linux' || (process.env.TURNPROOF_DEBUG ?? '') !== '') return nothing;
  const { default: koffi } = await import('koffi');
  const system = koffi.load(null);
  const dup = system.func('int dup(int)');
  const dup2 = system.func('int dup2(int, int)');
  const path = join(tmpdir(), `turnproof-stderr-${randomUUID()}`);
  let file: number;
  try {
    file = openSync(path, 'wx+', 0o600);
    unlinkSync(path);
  } catch {
    return nothing;
  }
  const own: number = dup(STDERR);
  if (own < 0 || dup2(file, STDERR) < 0) {
    closeSync(file);
    return nothing;
  }
  let held = true;
  return () => {
    if (!held) return '';
    held = false;
    dup2(own, STDERR);
    closeSync(own);
    const bytes = Buffer.alloc(fstatSync(file).size);
    readSync(file, bytes, 0, bytes.length, 0);
    closeSync(file);
    return bytes.toString();
  };
}
