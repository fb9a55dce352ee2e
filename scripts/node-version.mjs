/**
 * Runs the calling script again under the Node that the lock file brings, where the one in use is too old for the
 * project. Only what old Nodes understand may stand here, and the scripts may load nothing newer before this.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

const OLDEST = [22, 12];

const isEnough = (version) => {
  const [major, minor] = version.split('.').map(Number);
  return major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);
};

/** Gives up with a message on stderr where neither the Node in use nor the packaged one will do. */
function giveUp(message) {
  process.stderr.write(`${message}\n`);
  process.exit(42);
}

/**
 * Returns under Node 22.12 or newer with the packages installed; otherwise does not return.
 * Puts node_modules/.bin first on PATH, so that child processes get the same Node and the project's own tools.
 */
export function ensureNode() {
  const bin = join(root, 'node_modules', '.bin');
  if (!existsSync(bin)) giveUp('The packages are not installed. Run: npm ci');
  process.chdir(root);
  process.env.PATH = `${bin}:${process.env.PATH ?? ''}`;
  if (isEnough(process.versions.node)) return;
  const packaged = join(root, 'node_modules', 'node', 'bin', 'node');
  if (!existsSync(packaged) || realpathSync(packaged) === realpathSync(process.execPath)) {
    giveUp(
      `Node ${process.versions.node} is older than ${OLDEST.join('.')}, and the Node that npm ci installs is ` +
        'missing (its install script may have been switched off). Install Node 22, then run: npm ci',
    );
  }
  const again = spawnSync(packaged, process.argv.slice(1), { stdio: 'inherit' });
  process.exit(again.status ?? 42);
}
