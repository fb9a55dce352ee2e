/**
 * Watches a run of turnproof certify from outside: memory, open files and threads as images are finished, and the time
 * from the last certificate to the end of the process. Linux.
 *
 *   node --conditions=turnproof-source packages/cli/scripts/watch-run.ts [--every 100] -- certify --out DIR ...
 */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const BIN = fileURLToPath(new URL('../src/bin.ts', import.meta.url));
const { values, positionals } = parseArgs({
  options: { every: { type: 'string', default: '100' } },
  allowPositionals: true,
});
const every = Number(values.every);
const out = positionals[positionals.indexOf('--out') + 1] ?? '';
const file = join(out, 'certificates.jsonl');
const node = ['--conditions=turnproof-source', '--no-warnings', BIN];
const child = spawn(process.execPath, [...node, ...positionals], { stdio: ['ignore', 'ignore', 'inherit'] });

let [bytes, lines, last, shown] = [0, 0, performance.now(), 0];
/** CPU seconds of the process so far, and at the last certificate: they do not depend on what else the machine does. */
let [cpu, cpuAtLast] = [0, 0];
const row = (cells: readonly (string | number)[]) =>
  process.stdout.write(`${cells.map((cell) => String(cell).padStart(9)).join('')}\n`);
row(['images', 'RSS MB', 'peak MB', 'files', 'threads', 'seconds']);
const started = performance.now();

/** Fields 14 and 15 of its stat, in hundredths of a second. */
function cpuSeconds(): number {
  try {
    const stat = readFileSync(`/proc/${child.pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return cpu;
  }
}

function look(): void {
  cpu = Math.max(cpu, cpuSeconds());
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size === bytes) return;
  bytes = size;
  last = performance.now();
  cpuAtLast = cpu;
  lines = readFileSync(file, 'utf8').split('\n').length - 1;
  if (lines < shown + every) return;
  shown = lines - (lines % every);
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
  const field = (name: string) => Number(new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(status)?.[1]);
  const megabytes = (name: string) => Math.round(field(name) / 1024);
  const files = readdirSync(`/proc/${child.pid}/fd`).length;
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  row([lines, megabytes('VmRSS'), megabytes('VmHWM'), files, field('Threads'), seconds]);
}

const timer = setInterval(look, 20);
child.on('close', (code) => {
  const ended = performance.now();
  clearInterval(timer);
  process.stdout.write(
    `ended with status ${code}, ${((ended - last) / 1000).toFixed(2)} s after certificate ${lines} ` +
      `(${(cpu - cpuAtLast).toFixed(2)} s of CPU)\n`,
  );
});
