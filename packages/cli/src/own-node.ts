/**
 * Which Node the program runs under. Started by its own path it gets whatever Node comes first on PATH; where that one is
 * too old, the npm package `node`, which the lock file names, has another. Only what old Nodes understand may stand here.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isatty } from 'node:tty';
import { fileURLToPath } from 'node:url';

/** As package.json's `engines` says. */
export const OLDEST = '22.12';
/** Set for the second start: one that is too old again ends the program. */
export const AGAIN = 'TURNPROOF_STARTED_AGAIN';

const EXIT_USAGE = 2;

export function isEnough(version: string): boolean {
  const [major, minor] = version.split('.').map(Number);
  const [oldestMajor, oldestMinor] = OLDEST.split('.').map(Number);
  return (
    Number(major) > Number(oldestMajor) || (major === oldestMajor && Number(minor) >= Number(oldestMinor))
  );
}

/** The Node that lies beside the program or above it; null where none was installed. */
export function ownNode(script: string): string | null {
  const name = process.platform === 'win32' ? 'node.exe' : 'node';
  for (let folder = dirname(script); ; folder = dirname(folder)) {
    const node = join(folder, 'node_modules', 'node', 'bin', name);
    if (existsSync(node)) return node;
    if (dirname(folder) === folder) return null;
  }
}

/** The same command line under its own Node, or one line that says what is needed; ends the process in any case. */
export function runAgain(module: string): void {
  const script = fileURLToPath(module);
  const node = ownNode(script);
  if (node === null || process.env[AGAIN] !== undefined) {
    giveUp(
      `needs Node ${OLDEST} or newer, this is Node ${process.versions.node}: install it, or start npx turnproof where npm ci was run`,
    );
    return;
  }
  const child = spawn(node, [...process.execArgv, script, ...process.argv.slice(2)], {
    stdio: 'inherit',
    env: { ...process.env, [AGAIN]: '1' },
  });
  // Ctrl-C at a terminal reaches the child by itself; twice would end it at once.
  const atTerminal = isatty(0) || isatty(1) || isatty(2);
  process.on('SIGINT', () => {
    if (!atTerminal) child.kill('SIGINT');
  });
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  process.on('SIGHUP', () => child.kill('SIGHUP'));
  child.on('error', (error) =>
    giveUp(`needs Node ${OLDEST} or newer, and ${node} does not start: ${error.message}`),
  );
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code === null ? EXIT_USAGE : code);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

function giveUp(words: string): void {
  process.stderr.write(`turnproof: ${words}\n`);
  process.exit(EXIT_USAGE);
}
