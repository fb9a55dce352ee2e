/**
 * One command as a step of a script: its output streams through, and whatever it started dies with it. It has all the
 * time it takes: a machine may be slow, and whoever starts the script can end it.
 */
import { spawn } from 'node:child_process';

/** No reports to the tools' makers; colours for people only. */
const QUIET = {
  TURBO_TELEMETRY_DISABLED: '1',
  DO_NOT_TRACK: '1',
  ...(process.stdout.isTTY ? {} : { NO_COLOR: '1' }),
};

/** Steps that still run, so that an interrupted script leaves nothing behind. */
const running = new Set();

const killGroup = (child, signal) => {
  try {
    process.kill(-child.pid, signal);
  } catch {
    // It has ended by itself.
  }
};

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    for (const child of running) killGroup(child, 'SIGKILL');
    process.exit(130);
  });
}

/**
 * @param {string} title - Printed before the command runs.
 * @param {readonly string[]} command - Program and arguments.
 * @returns {Promise<{ ok: boolean, why: string }>} Why it failed, in words; `why` is empty when it did not.
 */
export function runStep(title, command) {
  process.stdout.write(`\n== ${title}\n`);
  const [program, ...args] = command;
  const started = Date.now();
  return new Promise((resolve) => {
    // A process group of its own, so that its end is also that of what the command started.
    const child = spawn(program, args, {
      stdio: ['ignore', 'inherit', 'inherit'],
      detached: true,
      env: { ...process.env, ...QUIET },
    });
    running.add(child);
    const end = (why) => {
      running.delete(child);
      killGroup(child, 'SIGKILL');
      const seconds = ((Date.now() - started) / 1000).toFixed(1);
      process.stdout.write(`== ${title}: ${why === '' ? 'done' : `FAILED, ${why}`} (${seconds} s)\n`);
      resolve({ ok: why === '', why });
    };
    child.on('error', (error) => end(error.message));
    child.on('exit', (code, signal) => {
      if (signal) end(`ended by ${signal}`);
      else end(code === 0 ? '' : `exit code ${code}`);
    });
  });
}
