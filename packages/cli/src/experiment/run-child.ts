/**
 * One run of an experiment: this very program as a child process, so that each run has a GPU and a runtime of its own,
 * and ends as it would alone.
 */
import { spawn } from 'node:child_process';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EXIT_FAILED, EXIT_INTERRUPTED } from '../failure.ts';
import type { Options } from './plan-file.ts';

/** bin.ts beside the sources, bin.js beside what is built. */
const BIN = fileURLToPath(new URL(`../bin${extname(import.meta.url)}`, import.meta.url));

export function flagsOf(options: Options): string[] {
  return Object.entries(options).flatMap(([name, value]) => {
    if (value === false) return [];
    // One word, so that a value may begin with a dash.
    return value === true ? [`--${name}`] : [`--${name}=${value}`];
  });
}

/** Resolves with the exit status. What the child says on stdout goes to stderr, which is for people. */
export function runChild(args: readonly string[], quiet: boolean): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...process.execArgv, BIN, ...args], {
      stdio: ['ignore', quiet ? 'ignore' : process.stderr, process.stderr],
    });
    // Ctrl-C reaches the child by itself; a signal to this process alone does not.
    const end = (): void => {
      child.kill('SIGTERM');
    };
    process.once('exit', end);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      process.removeListener('exit', end);
      resolve(code ?? (signal === 'SIGINT' || signal === 'SIGTERM' ? EXIT_INTERRUPTED : EXIT_FAILED));
    });
  });
}
