/** Data whose classes need not be the model's: one line says so, wherever somebody may look. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { linearModel } from '../../certify/src/classifier/onnx-writer.test-support.ts';
import { png, type TemporaryFolder, temporaryFolder } from './data/testing/files.ts';
import { runCli } from './run-cli.test-support.ts';

const LINE = 'the data have 3 classes (0, 2, 3), the model 4';

let folder: TemporaryFolder;
beforeAll(async () => {
  folder = await temporaryFolder();
  const picture = png({
    width: 8,
    height: 8,
    bitDepth: 8,
    colourType: 0,
    rows: Array<number[]>(8).fill(Array<number>(8).fill(90)),
  });
  for (const name of ['0', '2', '3']) await folder.write(`data/${name}/x.png`, picture);
  // It answers the same whatever it sees: what is looked at here are the words.
  await folder.write('model.onnx', linearModel({ image: [1, 8, 8], classes: 4, scale: 0 }).bytes);
});
afterAll(() => folder.remove());

const cli = (...args: string[]) => runCli(args, { cwd: folder.path });
const RUN = [
  ...['--data', 'folder:data', '--model', 'model.onnx', '--adapter', 'software', '--transform', 'rotation'],
  ...['--range', '1', '--sigma-eps', '0.3', '--vignette', 'none', '--blur', 'none'],
];

it('is on stderr and in the report of a run, and does not hinder its going on', async () => {
  const ran = await cli('certify', ...RUN, '--limit', '1', '--out', 'run');
  expect(ran.code, ran.stderr).toBe(0);
  expect(ran.stderr.split('\n').filter((line) => line === LINE)).toHaveLength(1);
  expect(await readFile(join(folder.path, 'run/report.html'), 'utf8')).toContain(`Classes: ${LINE}.`);
  const again = await cli('certify', '--out', 'run', '--resume');
  expect(again.code, again.stderr).toBe(0);
});

it('is on stderr of an attack, whose labels are the numbers of the folders', async () => {
  const { stdout, stderr, code } = await cli('attack', ...RUN, '--attacks', '2', '--json');
  expect(code, stderr).toBe(0);
  expect(stderr.split('\n')).toContain(LINE);
  const lines = stdout.trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line).label)).toEqual([0, 2, 3]);
});

it('is among what model inspect says', async () => {
  const words = await cli('model', 'inspect', 'model.onnx', '--data', 'folder:data');
  expect(words.stdout.split('\n')).toContain(`classes  ${LINE}`);
  const json = await cli('model', 'inspect', 'model.onnx', '--data', 'folder:data', '--json');
  expect(JSON.parse(json.stdout).remark).toBe(LINE);
});
