/** --shard: which part of the selected images this process takes. */
import { badInput } from '@turnproof/core';
import type { OptionSpec } from './values.ts';

export const shardOption: OptionSpec = {
  name: 'shard',
  value: 'I/N|auto',
  help:
    'every Nth image from the Ith on, into OUT/shard-I-of-N; auto: from the variables of a Slurm array or a Kubernetes ' +
    'indexed job',
};

export interface ShardChoice {
  /** From 1 to `count`. */
  readonly index: number;
  readonly count: number;
}

/** Set by hand where the job system does not tell its size, as Kubernetes does not. */
export const SHARDS = 'TURNPROOF_SHARDS';

type Environment = Readonly<Record<string, string | undefined>>;

/** @throws TurnproofError `bad-input` for another form, a part beyond the whole, or variables that do not fit together */
export function parseShard(word: string, env: Environment): ShardChoice {
  if (word === 'auto') return shardFrom(env);
  const match = /^(\d+)\/(\d+)$/.exec(word);
  const [index, count] = [Number(match?.[1]), Number(match?.[2])];
  if (!match || !(index >= 1 && index <= count)) {
    throw badInput(`--shard ${word}: is no part I/N with I from 1 to N`, 'Give --shard 1/4, or auto.');
  }
  return { index, count };
}

function shardFrom(env: Environment): ShardChoice {
  const number = (name: string): number | undefined => {
    const word = env[name];
    if (word === undefined || word === '') return undefined;
    if (!/^\d+$/.test(word))
      throw badInput(`--shard auto: ${name} is «${word}»`, 'It must be a whole number.');
    return Number(word);
  };
  const task = number('SLURM_ARRAY_TASK_ID');
  const index = number('JOB_COMPLETION_INDEX');
  if (task !== undefined) return slurmShard(task, number);
  if (index === undefined) {
    throw badInput(
      '--shard auto: neither SLURM_ARRAY_TASK_ID nor JOB_COMPLETION_INDEX is set',
      'Start it from a Slurm array or a Kubernetes indexed job, or give --shard I/N.',
    );
  }
  const count = number(SHARDS);
  if (count === undefined || index >= count) {
    throw badInput(
      `--shard auto: JOB_COMPLETION_INDEX is ${index}, but ${SHARDS} is ${count ?? 'not set'}`,
      `Set ${SHARDS} to the job's spec.completions: Kubernetes does not tell a container.`,
    );
  }
  return { index: index + 1, count };
}

function slurmShard(task: number, number: (name: string) => number | undefined): ShardChoice {
  const told = (name: string): number => {
    const value = number(name);
    if (value !== undefined) return value;
    throw badInput(
      `--shard auto: SLURM_ARRAY_TASK_ID is ${task}, but ${name} is not set`,
      'Pass all of the SLURM_ARRAY_TASK variables on, into a container too, or give --shard I/N.',
    );
  };
  const count = told('SLURM_ARRAY_TASK_COUNT');
  const min = told('SLURM_ARRAY_TASK_MIN');
  const max = told('SLURM_ARRAY_TASK_MAX');
  const step = number('SLURM_ARRAY_TASK_STEP') || 1;
  const at = (task - min) / step;
  if ((max - min) / step + 1 !== count || !(at >= 0 && at < count) || at % 1 !== 0) {
    throw badInput(
      `--shard auto: array task ${task} of ${min}-${max}:${step}, ${count} in all: has gaps`,
      'Submit an array such as 1-8 without gaps, or give --shard I/N for the tasks that are to be done again.',
    );
  }
  return { index: at + 1, count };
}

/** The images of a part: strided, so that parts take equally long where neighbours are alike. */
export function imagesOf(indices: readonly number[], { index, count }: ShardChoice): number[] {
  return indices.filter((_, i) => i % count === index - 1);
}

/** A folder for each, below the one that all are given: a whole array has one command line. */
export function shardFolderName({ index, count }: ShardChoice): string {
  return `shard-${index}-of-${count}`;
}
