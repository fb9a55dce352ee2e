/** Real runs of the built-in signs in a folder of their own, for tests of reports on them. */
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Certificate } from '@turnproof/certify';
import { expect } from 'vitest';
import { temporaryFolder } from '../data/testing/files.ts';
import { runCli } from '../run-cli.test-support.ts';

export const COMMON = [
  ...['--data', 'signs', '--model', 'signs', '--transform', 'rotation', '--range', '10'],
  ...['--vignette', 'circle:2', '--blur', '5:1', '--adapter', 'software', '--seed', '5', '--quiet'],
];

export type Runs = Awaited<ReturnType<typeof makeRuns>>;

/** Makes a folder and certifies into it, once for each list of arguments beyond the common ones. */
export async function makeRuns(runs: readonly (readonly string[])[]) {
  const folder = await temporaryFolder();
  const at = (...names: string[]) => join(folder.path, ...names);
  const cli = (...args: string[]) => runCli(args, { cwd: folder.path });
  const linesOf = async (run: string) =>
    (await readFile(at(run, 'certificates.jsonl'), 'utf8')).trimEnd().split('\n');
  for (const args of runs) {
    const { stderr, code } = await cli('certify', ...COMMON, ...args);
    expect(code, stderr).toBe(0);
  }
  return {
    folder,
    at,
    cli,
    linesOf,
    pageOf: (...names: string[]) => readFile(at(...names, 'report.html'), 'utf8'),
    /** A copy of a run with its certificates changed. */
    copyRun: async (
      from: string,
      to: string,
      change: (certificate: Certificate) => unknown = (certificate) => certificate,
    ): Promise<void> => {
      await rm(at(to), { recursive: true, force: true });
      await cp(at(from), at(to), { recursive: true });
      const lines = (await linesOf(from)).map((line) => `${JSON.stringify(change(JSON.parse(line)))}\n`);
      await writeFile(at(to, 'certificates.jsonl'), lines.join(''));
    },
  };
}
