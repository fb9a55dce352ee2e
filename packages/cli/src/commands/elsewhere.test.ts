/** A run folder is all that a run needs: gone on with, drawn again and merged from other folders than it was begun in. */
import { cpSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { linearModel } from '../../../certify/src/classifier/onnx-writer.test-support.ts';
import { npy, refusalOf, type TemporaryFolder, temporaryFolder } from '../data/testing/files.ts';
import { mergeRuns } from '../run/merge-runs.ts';
import { lastingRun } from '../run/same-run.test-support.ts';
import { runCli } from '../run-cli.test-support.ts';

const SIZE = 6;
const IMAGES = 3;
const RUN = [
  ...['--method', 'base', '--n-gamma', '30', '--n0', '5', '--confidence', '0.9', '--seed', '5'],
  ...['--transform', 'rotation', '--range', '3', '--adapter', 'software', '--threads', '1'],
];
const OWN = ['--data', 'npy:x.npy,y.npy', '--model', 'm.onnx'];

let folder: TemporaryFolder;
const at = (...names: string[]) => join(folder.path, ...names);

async function inputs(where: string, labels = [0, 1, 2]): Promise<void> {
  const pixels = Float32Array.from({ length: IMAGES * SIZE * SIZE }, (_, i) => ((7 * i) % 31) / 31);
  const array = (descr: string, shape: string, values: Float32Array | BigInt64Array) =>
    npy(`{'descr': '${descr}', 'fortran_order': False, 'shape': ${shape}, }`, new Uint8Array(values.buffer));
  await folder.write(join(where, 'x.npy'), array('<f4', `(${IMAGES}, 1, ${SIZE}, ${SIZE})`, pixels));
  await folder.write(join(where, 'y.npy'), array('<i8', `(${IMAGES},)`, BigInt64Array.from(labels, BigInt)));
  await folder.write(join(where, 'm.onnx'), linearModel({ image: [1, SIZE, SIZE], classes: 3 }).bytes);
}

async function cli(cwd: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await runCli(args, { cwd: at(cwd) });
  expect(code, stderr).toBe(0);
  return `${stdout}${stderr}`;
}

beforeAll(async () => {
  folder = await temporaryFolder();
  await inputs('begun');
  await folder.write('other/readme', '');
  await cli('begun', 'certify', ...OWN, ...RUN, '--out', 'runs/one');
});
afterAll(() => folder.remove());

/** As an interruption leaves it, with the first certificate. */
function cut(run: string): void {
  for (const [name, lines] of [
    ['certificates.jsonl', 1],
    ['log.tsv', 2],
    ['classifier.tsv', 2],
  ] as const) {
    const text = readFileSync(at(run, name), 'utf8').split('\n');
    writeFileSync(at(run, name), text.slice(0, lines).concat('').join('\n'));
  }
}

describe('a run that was begun in another folder', () => {
  it('is gone on with, and drawn again', async () => {
    const whole = lastingRun(at('begun/runs/one'));
    cut('begun/runs/one');
    expect(await cli('other', 'certify', '--out', '../begun/runs/one', '--resume')).toContain('2 to go');
    expect(lastingRun(at('begun/runs/one'))).toEqual(whole);
    const replayed = await cli('other', 'verify', '../begun/runs/one', '--replay', '2');
    expect(replayed).toContain('2 of 2 certificates are what drawing them again gives');
  });
  it('is drawn again when it was moved together with its data, and says so where those are gone', async () => {
    cpSync(at('begun'), at('copied'), { recursive: true });
    renameSync(at('begun'), at('away'));
    expect(await cli('other', 'verify', '../copied/runs/one', '--replay', '1')).toContain('1 of 1');
    expect(readFileSync(at('copied/runs/one/report.html'), 'utf8')).toContain('data:image/png');
    expect(await cli('other', 'report', '../copied/runs/one')).toContain('report.html');
    expect(readFileSync(at('copied/runs/one/report.html'), 'utf8')).toContain('data:image/png');
    rmSync(at('copied/m.onnx'));
    const { code, stderr } = await runCli(['verify', '../copied/runs/one', '--replay', '1'], {
      cwd: at('other'),
    });
    expect(code).toBe(2);
    expect(stderr).toContain(
      `the model of the run cannot be found: ${at('copied/m.onnx')} and ${at('begun/m.onnx')}`,
    );
    expect(stderr).toContain('Give --model as it is now');
    const said = ['--replay', '1', '--model', '../away/m.onnx'];
    expect(await cli('other', 'verify', '../copied/runs/one', ...said)).toContain('1 of 1');
  });
});

describe('shards that find the same images in other places', () => {
  it('are merged; images or labels that differ are not, whatever the words say', async () => {
    await inputs('node1');
    await inputs('node2');
    const part = (place: string, word: string, out: string) => {
      const own = ['--data', `npy:${place}/x.npy,${place}/y.npy`, '--model', `${place}/m.onnx`];
      return cli('.', 'certify', ...own, ...RUN, '--shard', word, '--out', out);
    };
    await part('node1', '1/2', 'parts');
    await part('node2', '2/2', 'parts');
    const merged = await mergeRuns([at('parts/shard-1-of-2'), at('parts/shard-2-of-2')], at('merged'));
    expect(merged).toMatchObject({ images: IMAGES, shards: 2 });
    // Found from the merged folder, which lies elsewhere than the shards'.
    expect(await cli('other', 'verify', '../merged', '--replay', '1')).toContain('1 of 1');

    // The same path and the same images of its own, but another shard's image has another label.
    await inputs('node2', [2, 1, 2]);
    await part('node2', '2/2', 'changed');
    const refusal = await refusalOf(() =>
      mergeRuns([at('parts/shard-1-of-2'), at('changed/shard-2-of-2')], at('wrong')),
    );
    expect(refusal).toMatch(/data\.selection: [0-9a-f]{64} in \S+, [0-9a-f]{64} in /);
  });
});
