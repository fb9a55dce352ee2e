/**
 * The command line from argument list to exit status: every error ends here, and nothing is thrown. It takes the
 * process over: signals and errors that no promise carries are its own.
 */
import type { Outcome } from './command.ts';
import { describeFailure, EXIT_INTERRUPTED, EXIT_OK } from './failure.ts';
import { printableLines } from './printable.ts';
import { buildProgram } from './program.ts';

const debugging = (): boolean => (process.env.TURNPROOF_DEBUG ?? '') !== '';

/** @param args without Node and the script */
export async function main(args: readonly string[]): Promise<number> {
  const outcome: Outcome = {
    exitCode: EXIT_OK,
    verbose: false,
    lastWords: () => 'interrupted',
    windUp: undefined,
  };
  const fail = (error: unknown): number => {
    const { lines, exitCode } = describeFailure(error, outcome.verbose || debugging());
    for (const line of lines) process.stderr.write(`${printableLines(line)}\n`);
    return exitCode;
  };
  const work = buildProgram(outcome)
    .parseAsync([...args], { from: 'user' })
    .then(() => outcome.exitCode, fail);
  const exitCode = await Promise.race([work, interruption(outcome), failureElsewhere().then(fail)]);
  if (exitCode === EXIT_INTERRUPTED) process.stderr.write(`\nturnproof: ${outcome.lastWords()}\n`);
  return exitCode;
}

/**
 * Resolves at the first SIGINT or SIGTERM (of a command that winds up by itself: the second), and when nobody reads
 * stdout any more. Lines of a run are written whole before the next event is heard, so ending here keeps them.
 */
function interruption(outcome: Outcome): Promise<number> {
  return new Promise((resolve) => {
    const interrupt = (): void => resolve(EXIT_INTERRUPTED);
    let heard = 0;
    const signalled = (): void => {
      heard += 1;
      if (heard > 1 || outcome.windUp === undefined) interrupt();
      else outcome.windUp();
    };
    process.on('SIGINT', signalled);
    process.on('SIGTERM', signalled);
    process.stdout.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') interrupt();
      // A full disk, for instance: no promise carries it, so it goes where such errors go.
      else process.emit('uncaughtException', error);
    });
  });
}

/** Resolves with the first error that no promise of ours carries: from inside a runtime, a worker, a driver. */
function failureElsewhere(): Promise<unknown> {
  return new Promise((resolve) => {
    process.on('uncaughtException', resolve);
    process.on('unhandledRejection', resolve);
  });
}
