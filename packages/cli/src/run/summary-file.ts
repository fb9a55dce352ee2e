/**
 * summary.json: written when a command is through, so it also says that its folder is whole. Cells for a table, as text;
 * experiments put them side by side.
 */
import { join } from 'node:path';
import { badInput } from '@turnproof/core';
import { z } from 'zod';
import { MAX_YAML, readText } from '../text-file.ts';
import { writeWhole } from './write-whole.ts';

export const SUMMARY = 'summary.json';

const schema = z.strictObject({
  schema: z.literal('turnproof/summary/1'),
  command: z.string(),
  columns: z.array(z.tuple([z.string(), z.string()])),
});

export interface Summary {
  readonly command: string;
  /** Title and cell, in order. */
  readonly columns: readonly (readonly [title: string, cell: string])[];
}

export function writeSummary(folder: string, { command, columns }: Summary): void {
  const content = { schema: 'turnproof/summary/1', command, columns };
  writeWhole(join(folder, SUMMARY), `${JSON.stringify(content, null, 2)}\n`);
}

/** Null: the folder is not complete. */
export async function readSummary(folder: string): Promise<Summary | null> {
  const path = join(folder, SUMMARY);
  const text = await readText(path, MAX_YAML);
  if (text === null) return null;
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    throw badInput(`${path}: is no JSON`, 'Remove the folder and run it again.');
  }
  const parsed = schema.safeParse(content);
  if (parsed.success) return parsed.data;
  throw badInput(`${path}: is no summary of a run`, 'Remove the folder and run it again.');
}
