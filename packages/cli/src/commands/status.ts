/** `turnproof status RUN...`: how far runs are, read from their folders while they run or after. Changes nothing. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { badInput } from '@turnproof/core';
import type { CommandContext, CommandSpec } from '../command.ts';
import { EXIT_OK } from '../failure.ts';
import { readRunConfig } from '../run/run-config.ts';
import { CERTIFICATES } from '../run/run-lines.ts';
import { currentHolder, type Holder } from '../run/run-lock.ts';
import { readSuspects } from '../run/run-notes.ts';
import { formatLeft, paceWords, readRunState } from '../run/run-state.ts';
import { withShards } from '../run/shard-folders.ts';

export const status: CommandSpec = {
  name: 'status',
  summary: 'how far runs are',
  description:
    'Read how far runs are from their folders, from any machine that sees them, whether they run, have ended or were ' +
    'killed. A folder that holds shards stands for them.',
  operands: [['run...', 'the folders of runs, or of shards']],
  groups: [],
  example: 'turnproof status runs/signs',
  run,
};

export interface RunStatus {
  readonly run: string;
  /** killed: it ended without saying so. */
  readonly state: 'running' | 'complete' | 'interrupted' | 'failed' | 'killed';
  readonly done: number;
  readonly total: number;
  /** Images with an answer. */
  readonly certified: number;
  /** Of the running process; null where none runs. */
  readonly perSecond: number | null;
  readonly secondsLeft: number | null;
  readonly phase: string | null;
  readonly holder: Pick<Holder, 'pid' | 'host' | 'since'> | null;
  /** What ended it. */
  readonly error: string | null;
  readonly suspects: number;
  /** Images that were done again, because the device was lost or memory did not suffice. */
  readonly recovered: number;
}

async function run({ console, operands }: CommandContext): Promise<number> {
  const found: RunStatus[] = [];
  for (const path of withShards(operands)) found.push(await statusOf(path));
  for (const one of found) console.data(console.json ? JSON.stringify(one) : wordsOf(one));
  if (!console.json && found.length > 1) console.data(sumWords(found));
  return EXIT_OK;
}

/** @throws TurnproofError `bad-input` for a folder that holds no run */
export async function statusOf(path: string): Promise<RunStatus> {
  const config = readRunConfig(path);
  if (config === null)
    throw badInput(`${path}: holds no run`, 'Name the folder that turnproof certify writes to.');
  const { done, certified, recovered } = countLines(join(path, CERTIFICATES));
  const total = config.data.indices.length;
  const holder = currentHolder(path);
  const state = readRunState(path);
  const suspects = await readSuspects(path);
  const ended = state === null || state.state === 'running' ? 'killed' : state.state;
  const { pid, host, since } = holder ?? {};
  return {
    run: path,
    state: holder ? 'running' : done === total && !suspects ? 'complete' : ended,
    ...{ done, total, certified },
    perSecond: holder ? (state?.perSecond ?? null) : null,
    secondsLeft: holder ? (state?.secondsLeft ?? null) : null,
    phase: holder ? (state?.phase ?? null) : null,
    holder: pid !== undefined && host !== undefined && since !== undefined ? { pid, host, since } : null,
    error: holder ? null : (state?.error ?? null),
    suspects: suspects?.images.size ?? 0,
    recovered,
  };
}

/** Whole lines; the last one may be being written. */
function countLines(file: string): Pick<RunStatus, 'done' | 'certified' | 'recovered'> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return { done: 0, certified: 0, recovered: 0 };
  }
  const lines = text.split('\n').slice(0, -1);
  const answered = lines.filter((line) => !line.includes('"predicted":null'));
  const recovered = lines.filter((line) => line.includes('"recovered":['));
  return { done: lines.length, certified: answered.length, recovered: recovered.length };
}

function wordsOf(one: RunStatus): string {
  const parts = [`${one.run}: ${one.state}`, `${one.done}/${one.total} images`, paceWords(one)];
  if (one.phase !== null && one.phase !== 'certifying') parts.push(one.phase);
  if (one.holder) parts.push(`process ${one.holder.pid} on ${one.holder.host}`);
  if (one.suspects > 0) parts.push(`${one.suspects} suspect`);
  if (one.recovered > 0) parts.push(`${one.recovered} done again (recovered)`);
  if (one.error !== null) parts.push(`last error: ${one.error}`);
  return parts.join(', ');
}

/** Shards run side by side: all are done when the slowest is. */
function sumWords(found: readonly RunStatus[]): string {
  const sum = (pick: (one: RunStatus) => number) => found.reduce((total, one) => total + pick(one), 0);
  const parts = [
    `all: ${sum(({ done }) => done)}/${sum(({ total }) => total)} images`,
    `${sum(({ certified }) => certified)} certified`,
    `${sum(({ state }) => (state === 'running' ? 1 : 0))} of ${found.length} running`,
  ];
  const left = Math.max(...found.map(({ secondsLeft }) => secondsLeft ?? 0));
  if (left > 0) parts.push(`${formatLeft(left)} left`);
  return parts.join(', ');
}
