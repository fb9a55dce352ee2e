/**
 * `turnproof verify RUN`: every certificate of a run, recomputed from its counts. Not a replay: that the counts were
 * drawn as stated shows only when they are drawn again.
 */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { verifyCertificate } from '@turnproof/certify';
import { badInput } from '@turnproof/core';
import type { CommandContext, CommandSpec } from '../command.ts';
import { EXIT_FAILED, EXIT_OK } from '../failure.ts';

export const verify: CommandSpec = {
  name: 'verify',
  summary: 'check the certificates of a run without trusting it',
  description:
    'Recompute, for each certificate of a run, its thresholds, error probabilities, bounds and radius from its counts, ' +
    'and compare. Needs no GPU. Exit status 42 where a certificate does not hold.',
  operands: [['run', 'the folder of a run, or a file of certificates']],
  groups: [],
  example: 'turnproof verify runs/demo',
  run,
};

async function run({ console, operands }: CommandContext): Promise<number> {
  const [path = ''] = operands;
  const file = await certificatesIn(path);
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw badInput(`${file}: cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  });
  const lines = text.split('\n');
  // A whole file ends with a line end, so its last piece is empty.
  if (lines.at(-1) === '') lines.pop();
  if (lines.length === 0) throw badInput(`${file}: holds no certificate`, 'Name the folder of a run.');
  let failed = 0;
  const seen = new Map<unknown, number>();
  for (const [at, line] of lines.entries()) {
    console.progress(at, lines.length, 'certificates checked');
    const { index, problems } = check(line);
    const before = seen.get(index);
    if (index !== null && before !== undefined)
      problems.push(`image ${index} is certified in line ${before} already`);
    seen.set(index, at + 1);
    if (problems.length > 0) failed += 1;
    if (console.json)
      console.data(JSON.stringify({ line: at + 1, index, ok: problems.length === 0, problems }));
    else
      for (const problem of problems)
        console.data(`line ${at + 1}${index === null ? '' : ` (image ${index})`}: ${problem}`);
  }
  console.endProgress();
  const held = lines.length - failed;
  const words = `${held} of ${lines.length} certificates follow from their counts`;
  if (console.json) console.note(words);
  else console.data(words);
  return failed === 0 ? EXIT_OK : EXIT_FAILED;
}

async function certificatesIn(path: string): Promise<string> {
  const found = await stat(path).catch(() => null);
  if (found === null) throw badInput(`${path}: no such file or folder`, 'Name the folder of a run.');
  if (!found.isDirectory()) return path;
  const file = join(path, 'certificates.jsonl');
  if ((await stat(file).catch(() => null)) === null) {
    throw badInput(`${path}: holds no certificates.jsonl`, 'Name the folder of a run.');
  }
  return file;
}

function check(line: string): { index: number | null; problems: string[] } {
  let content: unknown;
  try {
    content = JSON.parse(line);
  } catch {
    return { index: null, problems: ['is no JSON: the line is cut or damaged'] };
  }
  const { problems } = verifyCertificate(content);
  const index = typeof content === 'object' && content !== null && 'index' in content ? content.index : null;
  return {
    index: typeof index === 'number' ? index : null,
    problems: problems.map(({ field, message }) => `${field}: ${message}`),
  };
}
