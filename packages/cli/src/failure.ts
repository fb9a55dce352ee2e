/**
 * What a failure looks like from outside: lines for stderr and an exit status. The one place where errors end.
 */
import { EXIT_CODES, TurnproofError } from '@turnproof/core';
import { CommanderError } from 'commander';

export const EXIT_OK = 0;
export const EXIT_USAGE = EXIT_CODES['bad-input'];
export const EXIT_FAILED = EXIT_CODES.internal;
/** 128 + SIGINT, as shells have it. */
export const EXIT_INTERRUPTED = 130;

export interface Failure {
  readonly lines: readonly string[];
  readonly exitCode: number;
}

/** @param withStack show where an error that nobody foresaw comes from */
export function describeFailure(error: unknown, withStack: boolean): Failure {
  if (error instanceof CommanderError) return describeUsage(error);
  if (error instanceof TurnproofError) {
    const lines = [`turnproof: ${error.message}`];
    if (error.fix !== undefined) lines.push(`  fix: ${error.fix}`);
    if (withStack && error.stack !== undefined && error.code !== 'bad-input') lines.push(error.stack);
    return { lines, exitCode: EXIT_CODES[error.code] };
  }
  const words = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const [first] = words.split('\n');
  const lines = [`turnproof: unexpected failure: ${first}`];
  if (withStack && error instanceof Error && error.stack !== undefined) lines.push(error.stack);
  else lines.push('  fix: run it again with --verbose and report what it prints');
  return { lines, exitCode: EXIT_FAILED };
}

/** Commander's words: «error: unknown option '--x'», then perhaps «(Did you mean --y?)». */
function describeUsage(error: CommanderError): Failure {
  if (error.exitCode === 0) return { lines: [], exitCode: EXIT_OK };
  if (error.code === 'commander.help') return { lines: [], exitCode: EXIT_USAGE };
  const [message = '', guess] = error.message.replace(/^error: /, '').split('\n');
  const lines = [`turnproof: ${message}`];
  lines.push(guess === undefined ? '  fix: see --help' : `  fix: ${guess.replace(/^\(|\)$/g, '')}`);
  return { lines, exitCode: EXIT_USAGE };
}
