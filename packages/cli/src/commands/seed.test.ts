/** The seed of a command that was given none: nobody's choice, told, kept, and enough to repeat what was drawn. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { linearModel } from '../../../certify/src/classifier/onnx-writer.test-support.ts';
import { refusalOf, type TemporaryFolder, temporaryFolder } from '../data/testing/files.ts';
import { Values } from '../options/values.ts';
import { mergeRuns } from '../run/merge-runs.ts';
import { lastingRun } from '../run/same-run.test-support.ts';
import { claimShardSeed, withShardSeed } from '../run/shard-seed.ts';
import { runCli } from '../run-cli.test-support.ts';

const PIPELINE = ['--data', 'signs', '--transform', 'rotation', '--range', '3', '--adapter', 'software'];
const MODEL = ['--model', 'm.onnx', '--threads', '1'];
const BASE = ['--method', 'base', '--n-gamma', '30', '--confidence', '0.9'];
const CERTIFY = ['certify', ...PIPELINE, ...MODEL, ...BASE, '--n0', '5', '--limit', '2'];

let folder: TemporaryFolder;
const at = (...names: string[]) => join(folder.path, ...names);
const cli = (...args: string[]) => runCli(args, { cwd: folder.path });
const configOf = (run: string) => JSON.parse(readFileSync(at(run, 'config.json'), 'utf8'));

/** The seed that a command told, which its config.json names, too. */
async function toldBy(out: string, ...args: string[]): Promise<string> {
  const { code, stderr } = await cli(...args, '--out', out);
  expect(code, stderr).toBe(0);
  const seed = /^seed (\d+) \(--seed repeats the draws\)$/m.exec(stderr)?.[1] ?? expect.fail(stderr);
  expect(configOf(out).options.seed).toBe(seed);
  return seed;
}

beforeAll(async () => {
  folder = await temporaryFolder();
  await folder.write('m.onnx', linearModel({ image: [3, 32, 32], classes: 10 }).bytes);
});
afterAll(() => folder.remove());

describe('a seed that nobody gave', () => {
  it('is another each time, told, in config.json and in each certificate, and repeats the run', async () => {
    const seed = await toldBy('first', ...CERTIFY);
    expect(configOf('first').plan.seed).toBe(seed);
    const lines = readFileSync(at('first', 'certificates.jsonl'), 'utf8').trimEnd().split('\n');
    for (const line of lines) expect(String(JSON.parse(line).seed)).toBe(seed);
    expect(await toldBy('second', ...CERTIFY)).not.toBe(seed);
    const again = await cli(...CERTIFY, '--seed', seed, '--out', 'again');
    expect(again.code, again.stderr).toBe(0);
    expect(again.stderr).not.toContain('repeats the draws');
    expect(lastingRun(at('again'))).toEqual(lastingRun(at('first')));
  });

  it.each([
    ['predict', [...MODEL, ...BASE, '--limit', '1']],
    ['attack', [...MODEL, '--attacks', '3', '--limit', '1']],
    ['bound', ['--betas', '1', '--sigma-gamma', '1', '--limit', '1']],
    ['calibrate', ['--n-betas', '7', '--rho-e', '0.9', '--alpha-inner', '0.1', '--limit', '4']],
  ])('is told and kept by %s', async (command, more) => {
    const seed = await toldBy(command, command, ...PIPELINE, ...more);
    expect(BigInt(seed)).toBeLessThan(2n ** 64n);
    expect(seed).not.toBe('0');
  });
});

describe('shards without a seed', () => {
  it('share one, whoever begins first, and refuse another', async () => {
    const shard = (word: string, ...more: string[]) =>
      cli(...CERTIFY, '--shard', word, '--out', 'parts', ...more);
    const ended = await Promise.all([shard('1/2'), shard('2/2')]);
    for (const { code, stderr } of ended) expect(code, stderr).toBe(0);
    const seeds = ['shard-1-of-2', 'shard-2-of-2'].map((name) => configOf(`parts/${name}`).plan.seed);
    expect(seeds[0]).toBe(seeds[1]);
    expect(await mergeRuns([at('parts/shard-1-of-2'), at('parts/shard-2-of-2')], at('merged'))).toMatchObject(
      {
        images: 2,
      },
    );
    const other = await shard('1/3', '--seed', '5');
    expect([other.code, other.stdout]).toEqual([2, '']);
    expect(other.stderr).toContain(`--seed 5: the shards in parts have seed ${seeds[0]}`);
  });

  it('have the seed of the one that is there first, however many ask at once', async () => {
    const held = await Promise.all(
      Array.from({ length: 20 }, async (_, i) => {
        // Half of them know of none yet, as if all looked at the same moment.
        const values =
          i % 2 === 0
            ? new Values({ seed: String(i + 1) }, [])
            : await withShardSeed(new Values({}), at('many'));
        return (await claimShardSeed(values, at('many'))).text('seed');
      }),
    );
    expect(new Set(held).size).toBe(1);
    const given = new Values({ seed: '0x7' });
    expect(await refusalOf(() => claimShardSeed(given, at('many')))).toContain('--seed 0x7: the shards in');
    expect((await claimShardSeed(given, at('hexadecimal'))).text('seed')).toBe('0x7');
    expect((await withShardSeed(new Values({}), at('hexadecimal'))).text('seed')).toBe('7');
  });

  it('are refused where the file of their seed is damaged', async () => {
    await folder.write('damaged/seed.json', '{"schema":"turnproof/seed/1","seed":"x"}\n');
    expect(await refusalOf(() => withShardSeed(new Values({}), at('damaged')))).toContain('holds no seed');
  });
});
