/** The program from its arguments to its end. A runtime that still holds threads or devices must not keep the process alive. */
import { EXIT_FAILED, EXIT_OK } from './failure.ts';
import { main } from './main.ts';

/** Resolves when all is written, or with the reason why it never will be. */
const flushed = (stream: NodeJS.WriteStream): Promise<NodeJS.ErrnoException | null> =>
  new Promise((resolve) => {
    if (stream.destroyed || stream.errored) resolve(stream.errored);
    else stream.write('', (error) => resolve(error ?? stream.errored));
  });

const exitCode = await main(process.argv.slice(2));
const failure = await flushed(process.stdout);
// Nobody reads on (EPIPE): fine. A full disk is not.
const lost = failure !== null && failure.code !== 'EPIPE' && exitCode === EXIT_OK;
if (lost) process.stderr.write(`turnproof: stdout: ${failure.message}\n`);
await flushed(process.stderr);
process.exit(lost ? EXIT_FAILED : exitCode);
