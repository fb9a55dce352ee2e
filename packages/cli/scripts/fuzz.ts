/**
 * `npm run fuzz -- --minutes N`: property tests and checks on fresh seeds, one kind after the other, until the time is
 * over. A line a round; the first failure ends it with its seed and the command that repeats just that.
 *
 *   [--minutes 20] [--only bounds,certificates,models,data,resume] [--seed N: one round of each kind, with this seed]
 *
 * Not for other properties: what is true of the code stands in its tests.
 */
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';

const ROOT = join(import.meta.dirname, '../../..');

interface Command {
  readonly env: Readonly<Record<string, string>>;
  readonly words: readonly string[];
}

interface Ended {
  readonly ok: boolean;
  readonly cases: number;
  /** What to show of a failure, and what repeats it; empty where all is well. */
  readonly faults: readonly { readonly what: string; readonly repeat: Command }[];
}

/** One of what a kind does in turn. */
type Round = (seed: number) => Promise<Ended>;

const PLAIN = /^[\w@%+=:,./-]+$/;
const quoted = (word: string) => (PLAIN.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);
const shown = ({ env, words }: Command) =>
  [...Object.entries(env).map(([name, value]) => `${name}=${value}`), ...words.map(quoted)].join(' ');

function run({ env, words }: Command): Promise<{ code: number | null; output: string }> {
  const [program = '', ...args] = words;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: ROOT, env: { ...process.env, NO_COLOR: '1', ...env } });
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output: Buffer.concat(chunks).toString() }));
  });
}

interface Report {
  readonly numPassedTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly message: string;
    readonly status: string;
    readonly assertionResults: readonly {
      readonly ancestorTitles: readonly string[];
      readonly title: string;
      readonly status: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

const escaped = (text: string) => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');

/** Test files, their properties tried `times` as often as `npm test` tries them; of them the tests that `only` names. */
function tests(files: readonly string[], times: number, only?: string): Round {
  return async (seed) => {
    const [report, counts] = [join(scratch, 'report.json'), join(scratch, 'counts')];
    writeFileSync(counts, '');
    const env = { TURNPROOF_FUZZ_SEED: String(seed), TURNPROOF_FUZZ_TIMES: String(times) };
    const vitest = (...rest: string[]): Command => ({ env, words: ['npx', 'vitest', 'run', ...rest] });
    const command = vitest(
      ...files,
      ...(only === undefined ? [] : ['-t', only]),
      ...['--reporter=json', `--outputFile=${report}`],
    );
    rmSync(report, { force: true });
    const { code, output } = await run({ ...command, env: { ...env, TURNPROOF_FUZZ_COUNT: counts } });
    const cases = readFileSync(counts, 'utf8')
      .split('\n')
      .reduce((sum, line) => sum + Number(line), 0);
    let found: Report;
    try {
      found = JSON.parse(readFileSync(report, 'utf8'));
    } catch {
      return { ok: false, cases, faults: [{ what: output, repeat: command }] };
    }
    const faults = found.testResults.flatMap((file) => {
      const name = relative(ROOT, file.name);
      const failed = file.assertionResults.filter(({ status }) => status === 'failed');
      if (failed.length === 0 && file.status === 'failed')
        return [{ what: `${name}: ${file.message}`, repeat: vitest(name) }];
      return failed.map(({ ancestorTitles, title, failureMessages }) => {
        const test = [...ancestorTitles, title].join(' > ');
        return {
          what: `${name}: ${test}\n${failureMessages.join('\n')}`,
          repeat: vitest(name, '-t', `^${escaped(test)}$`),
        };
      });
    });
    if (faults.length > 0) return { ok: false, cases, faults };
    // Nothing tried is nothing found.
    const ok = code === 0 && found.numPassedTests > 0 && cases > 0;
    return { ok, cases, faults: ok ? [] : [{ what: output, repeat: command }] };
  };
}

/** A script of this folder that takes a seed, and says how much it tried: the first number that `tried` finds. */
function script(name: string, options: readonly string[], tried: RegExp): Round {
  return async (seed) => {
    const words = ['node', '--conditions=turnproof-source', `packages/cli/scripts/${name}`, ...options];
    const command = { env: {}, words: [...words, '--seed', String(seed)] };
    const { code, output } = await run(command);
    const cases = Number(tried.exec(output)?.[1] ?? 0);
    const ok = code === 0 && cases > 0;
    return { ok, cases, faults: ok ? [] : [{ what: output, repeat: command }] };
  };
}

const CERTIFY = 'packages/certify/src';
const CLI = 'packages/cli/src';
const KINDS: Readonly<Record<string, readonly Round[]>> = {
  bounds: [
    tests([`${CERTIFY}/bounds/fuzz.test.ts`, `${CERTIFY}/bounds/slices.test.ts`], 3),
    script('check-bounds.ts', ['--points', '50000'], /^(\d+) points on/m),
  ],
  certificates: [tests([`${CERTIFY}/certificate/fuzz.test.ts`], 20)],
  models: [
    tests(
      ['adapt-fuzz', 'onnx-mutants'].map((name) => `${CERTIFY}/classifier/${name}.test.ts`),
      5,
    ),
  ],
  data: [
    tests(
      [`${CLI}/data/fuzz.test.ts`, `${CLI}/data/fit-and-labels.test.ts`, `${CLI}/readers-fuzz.test.ts`],
      5,
    ),
  ],
  resume: [tests([`${CLI}/commands/resume.test.ts`, `${CLI}/run/run-lines.test.ts`], 2, 'wherever')],
};

function optionsOf() {
  const { values } = parseArgs({
    options: { minutes: { type: 'string' }, only: { type: 'string' }, seed: { type: 'string' } },
  });
  const only = values.only?.split(',') ?? Object.keys(KINDS);
  for (const kind of only) {
    if (!(kind in KINDS)) throw new Error(`--only ${kind}: there are ${Object.keys(KINDS).join(', ')}`);
  }
  const minutes = Number(values.minutes ?? 20);
  if (!(minutes > 0)) throw new Error(`--minutes ${values.minutes}: give a number above 0`);
  if (values.seed !== undefined && !/^\d{1,9}$/.test(values.seed))
    throw new Error(`--seed ${values.seed}: give a whole number below 10^9`);
  return { only, minutes, seed: values.seed === undefined ? null : Number(values.seed) };
}

/** Does one round and tells of it; false where it failed. */
async function tried(kind: string, round: Round, seed: number): Promise<boolean> {
  const { ok, cases, faults } = await round(seed);
  process.stdout.write(`${kind}: seed ${seed}, ${cases} cases${ok ? '' : ': FAILED'}\n`);
  for (const { what, repeat } of faults)
    process.stdout.write(`\n${what.trimEnd()}\n\nseed ${seed}; repeat it: ${shown(repeat)}\n`);
  return ok;
}

async function fuzz(): Promise<boolean> {
  const { only, minutes, seed } = optionsOf();
  const end = performance.now() + minutes * 60_000;
  for (let turn = 0; ; turn++) {
    for (const kind of only) {
      const rounds = KINDS[kind] ?? [];
      for (const [i, round] of rounds.entries()) {
        // With a seed: all of the kind, once.
        if (seed === null && turn % rounds.length !== i) continue;
        if (!(await tried(kind, round, seed ?? randomInt(1e9)))) return false;
        if (seed === null && performance.now() >= end) return true;
      }
    }
    if (seed !== null) return true;
  }
}

const scratch = mkdtempSync(join(tmpdir(), 'turnproof-fuzz-'));
try {
  const ok = await fuzz();
  process.exitCode = ok ? 0 : 1;
} catch (error) {
  process.stderr.write(`fuzz: ${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 2;
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
