/**
 * Kills a run with SIGKILL at random moments, goes on with it by --resume, and compares what it comes to with a run that
 * nobody disturbed: all bytes but times.
 *
 *   node --conditions=turnproof-source packages/cli/scripts/kill-and-resume.ts [--kills 30] [--images 60]
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { lastingRun } from '../src/run/same-run.test-support.ts';

const BIN = fileURLToPath(new URL('../src/bin.ts', import.meta.url));
const { values } = parseArgs({
  options: { kills: { type: 'string', default: '30' }, images: { type: 'string', default: '60' } },
});
const kills = Number(values.kills);
const folder = mkdtempSync(join(tmpdir(), 'turnproof-kills-'));
const args = [
  ...['--data', 'signs', '--model', 'signs', '--limit', values.images, '--threads', '1'],
  ...['--transform', 'rotation', '--range', '10', '--vignette', 'circle:2', '--blur', '5:1'],
  ...['--max-samples', '2000', '--quiet'],
];

/** Resolves with the exit status, null after a kill. */
async function certify(
  out: string,
  options: readonly string[],
  killAfterMs?: number,
): Promise<number | null> {
  const node = ['--conditions=turnproof-source', '--no-warnings', BIN, 'certify', '--out', out];
  const child = spawn(process.execPath, [...node, ...options], { stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = new Promise<number | null>((resolve) => child.on('close', (code) => resolve(code)));
  if (killAfterMs !== undefined) {
    await Promise.race([sleep(killAfterMs), ended]);
    child.kill('SIGKILL');
  }
  return ended;
}

const linesIn = (out: string): number => {
  try {
    return readFileSync(join(out, 'certificates.jsonl'), 'utf8').split('\n').length - 1;
  } catch {
    return 0;
  }
};

const calm = join(folder, 'calm');
const started = performance.now();
if ((await certify(calm, args)) !== 0) throw new Error('the undisturbed run failed');
const took = performance.now() - started;
const wanted = JSON.stringify(lastingRun(calm));
const files = readdirSync(calm).sort().join(' ');
process.stdout.write(`undisturbed: ${linesIn(calm)} certificates in ${(took / 1000).toFixed(1)} s\n`);
let [same, killed] = [0, 0];
while (killed < kills) {
  const out = join(folder, String(killed));
  const at = Math.random() * took;
  const first = await certify(out, [...args, '--resume'], at);
  const there = linesIn(out);
  // The options again: a run that was killed before it had begun has none to go on with.
  const code = await certify(out, [...args, '--resume']);
  const equal =
    code === 0 && JSON.stringify(lastingRun(out)) === wanted && readdirSync(out).sort().join(' ') === files;
  // One that had ended by then was not killed; another moment is drawn.
  const counts = first === null || !equal;
  if (counts) killed += 1;
  if (counts && equal) same += 1;
  const ended = first === null ? 'killed' : `ended with ${first}`;
  const words = equal ? 'the same' : `NOT the same (exit status ${code})`;
  process.stdout.write(
    `${ended} after ${(at / 1000).toFixed(1)} s with ${there} certificates, resumed: ${words}\n`,
  );
  if (equal) rmSync(out, { recursive: true });
}
process.stdout.write(`${same} of ${kills} resumed runs are the same as the undisturbed one, but for times\n`);
if (same === kills) rmSync(folder, { recursive: true });
else process.stdout.write(`see ${folder}\n`);
process.exitCode = same === kills ? 0 : 1;
