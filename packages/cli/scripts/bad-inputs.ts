/**
 * Bad and odd inputs, given to the real program one by one; prints a Markdown table of what it said.
 *
 *     node --conditions=turnproof-source packages/cli/scripts/bad-inputs.ts [--only WORDS] [--from N] [--jobs N] [--built]
 *
 * Fails where the program crashes, hangs, shows a stack trace, ends with another status than it should, or leaves a half
 * file behind. As root (a container) it also tries full disks and files that another user may not read.
 */
import { spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import pMap from 'p-map';
import type { Case } from './bad-inputs/case.ts';
import { dataCases } from './bad-inputs/data-cases.ts';
import { modelCases } from './bad-inputs/model-cases.ts';
import { optionCases } from './bad-inputs/option-cases.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    from: { type: 'string', default: '1' },
    jobs: { type: 'string', default: '2' },
    built: { type: 'boolean', default: false },
  },
});
const SOURCE = ['--conditions=turnproof-source', '--no-warnings', '../src/bin.ts'];
const BUILT = ['../dist/bin.js'];
const LIMIT_MS = 20 * 60_000;
const NOBODY = 65_534;

async function casesIn(inputs: string): Promise<Case[]> {
  const all = [...(await modelCases(inputs)), ...(await dataCases(inputs)), ...(await optionCases(inputs))];
  const root = process.getuid?.() === 0;
  const left = all.filter(({ as, needsRoot }) => root || (as === undefined && !needsRoot));
  if (left.length < all.length) process.stderr.write(`${all.length - left.length} cases need root\n`);
  return left;
}

interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run({ args, as, shell }: Case, cwd: string): Promise<Ended> {
  const start = values.built ? BUILT : SOURCE;
  const bin = fileURLToPath(new URL(start.at(-1) ?? '', import.meta.url));
  const command = [process.execPath, ...start.slice(0, -1), bin, ...args];
  // A shell of our own words only: for redirections and mounts; the program's arguments stay arguments.
  const words = shell === undefined ? command : ['sh', '-c', shell, 'sh', ...command];
  return new Promise((resolve, reject) => {
    const [file = '', ...rest] = words;
    const child = spawn(file, rest, {
      cwd,
      env: { ...process.env, TURNPROOF_DEBUG: '', HOME: cwd },
      timeout: LIMIT_MS,
      killSignal: 'SIGKILL',
      ...(as === 'nobody' ? { uid: NOBODY, gid: NOBODY } : {}),
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}

const STACK = /^\s+at .+:\d+:\d+|node:internal|\.ts:\d+:\d+|Segmentation|core dumped|Aborted\(/m;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f\u202a-\u202e]/;

/** What is wrong with how a case ended; empty: nothing. */
async function faultsOf(expected: readonly number[], ended: Ended, cwd: string): Promise<string[]> {
  const faults: string[] = [];
  if (ended.signal !== null) faults.push(ended.signal === 'SIGKILL' ? 'hangs' : `killed by ${ended.signal}`);
  else if (!expected.includes(ended.code ?? -1))
    faults.push(`status ${ended.code}, not ${expected.join(' or ')}`);
  if (STACK.test(ended.stderr) || STACK.test(ended.stdout)) faults.push('stack trace');
  if (CONTROLS.test(ended.stderr)) faults.push('control characters');
  // What verify finds is data, and without a command there is the help; everything else says «turnproof: ...».
  const told =
    ended.code === 42 ? ended.stdout + ended.stderr : ended.stderr.replace(/^Usage/, 'turnproof: usage');
  if (ended.code !== 0 && !(ended.code === 42 ? /\S/ : /^turnproof: \S/m).test(told)) {
    faults.push('no line that says why');
  }
  for (const name of await readdir(cwd, { recursive: true })) {
    if (ended.code === 2) faults.push(`left ${name}`);
    else if (name.endsWith('.jsonl')) faults.push(...(await halfLines(join(cwd, name))));
    else if (/\.tmp|\.part/.test(name)) faults.push(`left ${name}`);
  }
  return faults;
}

async function halfLines(path: string): Promise<string[]> {
  const text = await readFile(path, 'utf8');
  const lines = text.split('\n');
  const last = lines.pop();
  const whole = lines.every((line) => {
    try {
      return typeof JSON.parse(line) === 'object';
    } catch {
      return false;
    }
  });
  return whole && last === '' ? [] : [`half a line in ${path}`];
}

const root = await mkdtemp(join(tmpdir(), 'turnproof-bad-'));
await chmod(root, 0o755);
const inputs = join(root, 'inputs');
await mkdir(inputs);
const from = Number(values.from) - 1;
const cases = (await casesIn(inputs)).slice(from).filter(({ what }) => what.includes(values.only ?? ''));
let failed = 0;
try {
  const rows = await pMap(
    cases,
    async (one, i) => {
      const cwd = join(root, `work-${i}`);
      await mkdir(cwd);
      await chmod(cwd, one.as === 'nobody' && one.readOnly ? 0o555 : 0o777);
      const ended = await run(one, cwd);
      const faults = await faultsOf(one.codes ?? [2], ended, cwd);
      if (faults.length > 0) failed += 1;
      const said = ended.stderr.split('\n').find((line) => line.startsWith('turnproof: '));
      const line = (said ?? ended.stdout.trim().split('\n').at(-1) ?? '').replace('turnproof: ', '');
      const shown = line.replaceAll(`${inputs}/`, '').replaceAll('|', '\\|');
      const fault = faults.length > 0 ? `**${faults.join('; ')}** ` : '';
      process.stderr.write(
        `${i + 1}/${cases.length} ${one.what}${faults.length > 0 ? `: ${faults}\n${ended.stderr.slice(0, 1500)}` : ''}\n`,
      );
      return `| ${i + 1} | ${one.what} | ${ended.code ?? ended.signal} | ${fault}${shown.length > 220 ? `${shown.slice(0, 220)}...` : shown} |`;
    },
    { concurrency: Number(values.jobs) },
  );
  console.log(['| | input | status | what it says |', '| --- | --- | --- | --- |', ...rows].join('\n'));
  console.log(`\n${cases.length - failed} of ${cases.length} end as they should`);
} finally {
  await rm(root, { recursive: true, force: true });
}
process.exitCode = failed === 0 ? 0 : 1;
