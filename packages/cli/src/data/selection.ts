/**
 * Which images of a data set a run takes: --index, or --skip, --limit and --stride. Not for reading them.
 */
import { badInput } from '@turnproof/core';
import { outOfRange } from './types.ts';

/** The options as they were given; those left out are undefined. */
export interface Selection {
  /** "3,7,10-19": numbers and ranges (both ends included), in the order of processing. */
  readonly index?: string | undefined;
  /** Images left out at the start. Default 0. */
  readonly skip?: number | undefined;
  /** At most so many images. Default: all. */
  readonly limit?: number | undefined;
  /** Every so many-th image after the skipped ones. Default 1. */
  readonly stride?: number | undefined;
}

/**
 * The indices that `selection` takes out of `size` images: as listed by `index`, else skip, skip + stride,
 * skip + 2 stride, ... up to `limit` of them.
 *
 * @throws TurnproofError 'bad-input' naming the offending part: no number, a range from high to low, an index twice
 *   or out of range, an empty selection, `index` together with one of the others.
 */
export function selectIndices(size: number, selection: Selection): number[] {
  const { index, skip, limit, stride } = selection;
  if (size < 1) throw badInput('the data set has no images', 'Give one that has.');
  if (index === undefined) return bySteps(size, skip ?? 0, limit ?? size, stride ?? 1);
  const other = Object.entries({ skip, limit, stride }).find(([, value]) => value !== undefined);
  if (other !== undefined) {
    throw badInput(`--index and --${other[0]} exclude each other`, 'Give one of them.');
  }
  return listed(size, index);
}

function bySteps(size: number, skip: number, limit: number, stride: number): number[] {
  wholeFrom(0, '--skip', skip);
  wholeFrom(0, '--limit', limit);
  wholeFrom(1, '--stride', stride);
  if (skip >= size) {
    throw badInput(
      `--skip ${skip} leaves nothing: the data set has ${size} ${size === 1 ? 'image' : 'images'}`,
      'Skip fewer.',
    );
  }
  if (limit === 0) throw badInput('--limit 0 selects nothing', 'Give a limit of at least 1.');
  const count = Math.min(limit, Math.ceil((size - skip) / stride));
  return Array.from({ length: count }, (_, i) => skip + i * stride);
}

function wholeFrom(least: number, option: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= least) return;
  throw badInput(`${option} ${value} is no whole number from ${least}`, `Give ${option} ${least} or more.`);
}

function listed(size: number, text: string): number[] {
  if (text.trim() === '') throw badInput('--index is empty', 'Give numbers and ranges, such as 3,7,10-19.');
  const taken = new Set<number>();
  for (const part of text.split(',')) {
    const match = /^\s*(\d+)(?:\s*-\s*(\d+))?\s*$/.exec(part);
    const first = Number(match?.[1]);
    const last = Number(match?.[2] ?? match?.[1]);
    if (match === null) {
      throw badInput(
        `--index: "${part}" is neither a number nor a range`,
        'Give numbers and ranges, such as 3,7,10-19.',
      );
    }
    if (last < first) {
      throw badInput(`--index: the range "${part.trim()}" runs backwards`, `Write ${last}-${first}.`);
    }
    // Before the range is written out: its end may be any number.
    if (last >= size) throw outOfRange(part.trim(), size);
    for (let i = first; i <= last; i++) {
      if (taken.has(i)) {
        throw badInput(`--index: "${part.trim()}" names image ${i} a second time`, 'Name each image once.');
      }
      taken.add(i);
    }
  }
  return [...taken];
}
