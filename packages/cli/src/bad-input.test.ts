/**
 * Every kind of bad input, given to the real program: status 2, one line that says what and where, one that says how
 * to mend it, no file left behind, and no GPU asked for anything.
 */
import { readdir, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { linearModel, onnxModel, someFloats } from '../../certify/src/classifier/onnx-writer.test-support.ts';
import {
  idxImages,
  idxLabels,
  npy,
  png,
  type TemporaryFolder,
  temporaryFolder,
} from './data/testing/files.ts';
import { ManyCommands, runCli } from './run-cli.test-support.ts';

const SIZE = 4;
const PIXELS = SIZE * SIZE;

let inputs: TemporaryFolder;
let work: TemporaryFolder;
let program: ManyCommands;

/** Options of a run on 4 x 4 grey images that would be fine. */
const good = (): Record<string, string> => ({
  data: `mnist:${join(inputs.path, 'mnist')}`,
  model: join(inputs.path, 'model.onnx'),
  method: 'dist-x',
  transform: 'rotation',
  range: '30',
  out: 'run',
});

const npyOf = (values: number[], shape: string) =>
  npy(
    `{'descr': '<f4', 'fortran_order': False, 'shape': ${shape}, }`,
    new Uint8Array(Float32Array.from(values).buffer),
  );

const greyPng = (shade: number) =>
  png({
    width: SIZE,
    height: SIZE,
    bitDepth: 8,
    colourType: 0,
    rows: Array.from({ length: SIZE }, () => Array<number>(SIZE).fill(shade)),
  });

/** Nine words, nine times over, nine times over ... */
function laughs(): string {
  const names = [...'abcdefghi'];
  const lines = names.map(
    (name, i) => `${name}: &${name} [${Array(9).fill(i === 0 ? 'x' : `*${names[i - 1]}`)}]`,
  );
  return `${lines.join('\n')}\n`;
}

/** A linear model whose weights «w» are said to lie above its folder. */
function withExternalWeights(bytes: Uint8Array): Uint8Array {
  // Field 5 (initializer) of field 7 (graph): a tensor «w» (field 8) with location (field 13) EXTERNAL (field 14).
  const field = (number: number, content: Uint8Array | string) =>
    Buffer.concat([Buffer.from([8 * number + 2, content.length]), Buffer.from(content)]);
  const entry = Buffer.concat([field(1, 'location'), field(2, '../secret.bin')]);
  const tensor = Buffer.concat([
    Buffer.from([8, 1, 16, 1]),
    field(8, 'w'),
    field(13, entry),
    Buffer.from([112, 1]),
  ]);
  // Messages put one after the other are merged.
  return Buffer.concat([bytes, field(7, field(5, tensor))]);
}

async function writeMnist(name: string, images: Uint8Array, labels: Uint8Array): Promise<void> {
  await inputs.write(`${name}/t10k-images-idx3-ubyte`, images);
  await inputs.write(`${name}/t10k-labels-idx1-ubyte`, labels);
}

beforeAll(async () => {
  inputs = await temporaryFolder();
  work = await temporaryFolder();
  program = new ManyCommands({ cwd: work.path });
  const images = idxImages(
    [3, SIZE, SIZE],
    Uint8Array.from({ length: 3 * PIXELS }, (_, i) => 5 * i),
  );
  await writeMnist('mnist', images, idxLabels([0, 1, 2]));
  await writeMnist('cut', images.subarray(0, images.length - 7), idxLabels([0, 1, 2]));
  await writeMnist(
    'magic',
    Buffer.concat([Buffer.from([0, 0, 9, 3]), images.subarray(4)]),
    idxLabels([0, 1, 2]),
  );
  await writeMnist('label', images, idxLabels([0, 1, 7]));
  await inputs.write('cifar.bin', Buffer.alloc(3073 + 100));
  await inputs.write(
    'nan.npy',
    npyOf([Number.NaN, ...Array<number>(PIXELS - 1).fill(0.5)], `(1, 1, ${SIZE}, ${SIZE})`),
  );
  await inputs.write(
    'high.npy',
    npyOf([1.5, ...Array<number>(PIXELS - 1).fill(0.5)], `(1, 1, ${SIZE}, ${SIZE})`),
  );
  await inputs.write('empty.npy', npyOf([], `(0, 1, ${SIZE}, ${SIZE})`));
  await inputs.write('cutpng/a/1.png', greyPng(10));
  const cut = await inputs.write('cutpng/a/2.png', greyPng(20));
  await truncate(cut, greyPng(20).length - 20);
  await inputs.write('damagedpng/a/1.png', greyPng(10));
  const damaged = greyPng(20);
  // Inside the compressed pixels: header and end mark stay as they are.
  damaged.fill(0xff, damaged.indexOf('IDAT') + 4, damaged.indexOf('IDAT') + 12);
  await inputs.write('damagedpng/a/2.png', damaged);
  const image = [1, SIZE, SIZE];
  await inputs.write('model.onnx', linearModel({ image, classes: 3 }).bytes);
  await inputs.write('text.onnx', 'this is no ONNX file\n');
  await inputs.write('cut.onnx', linearModel({ image, classes: 3 }).bytes.subarray(0, 150));
  await inputs.write('channels.onnx', linearModel({ image: [3, SIZE, SIZE], classes: 3 }).bytes);
  await inputs.write('size.onnx', linearModel({ image: [1, 5, 5], classes: 3 }).bytes);
  await inputs.write('cube.onnx', linearModel({ image: [1, SIZE, SIZE, 1], classes: 3 }).bytes);
  const two = onnxModel({
    inputs: [
      { name: 'a', shape: ['n', PIXELS] },
      { name: 'b', shape: ['n', PIXELS] },
    ],
    outputs: [{ name: 'y', shape: ['n', 3] }],
    weights: [{ name: 'w', shape: [PIXELS, 3], data: someFloats(3 * PIXELS, 1) }],
    nodes: [
      { op: 'Add', inputs: ['a', 'b'], outputs: ['sum'] },
      { op: 'MatMul', inputs: ['sum', 'w'], outputs: ['y'] },
    ],
  });
  await inputs.write('two.onnx', two);
  await inputs.write('other-run/certificates.jsonl', '{}\n');
  await inputs.write('notes/todo.txt', 'mine\n');
  await inputs.write('unknown.yaml', 'transform: rotation\nsigma-gama: 3\n');
  await inputs.write('laughs.yaml', laughs());
  await inputs.write('labels.csv', 'file,label\na/1.png,0\na/9.png,1\n');
  await inputs.write('bomb.npz', Buffer.from('PK\x03\x04', 'latin1'));
  await inputs.write('outside.onnx', withExternalWeights(linearModel({ image, classes: 3 }).bytes));
  await inputs.write('broken.yaml', 'transform: [rotation\n');
});
afterAll(async () => {
  // Dawn and onnxruntime would say something there.
  expect(await program.end()).toBe('');
  await inputs.remove();
  await work.remove();
});

/** Words that must be in the answer, and the options that lead to it; `null` leaves an option out. */
type Case = readonly [what: string, answer: RegExp, changes: () => Record<string, string | null>];

const at = (name: string) => join(inputs.path, name);

const CASES: readonly Case[] = [
  ['a missing data folder', /nowhere.*no such folder/, () => ({ data: `mnist:${at('nowhere')}` })],
  ['a truncated IDX file', /cut.*t10k-images.*ends early, at byte/, () => ({ data: `mnist:${at('cut')}` })],
  ['a wrong IDX magic number', /magic.*t10k-images/, () => ({ data: `mnist:${at('magic')}` })],
  [
    'a truncated CIFAR file',
    /cifar\.bin.*not a whole number/,
    () => ({ data: `cifar10:${at('cifar.bin')}` }),
  ],
  ['a truncated PNG', /2\.png.*ends early/, () => ({ data: `folder:${at('cutpng')}` })],
  ['a PNG damaged inside', /2\.png.*cannot be decoded/, () => ({ data: `folder:${at('damagedpng')}` })],
  ['a NaN pixel', /nan\.npy/, () => ({ data: `npy:${at('nan.npy')}` })],
  ['a pixel above 1', /high\.npy/, () => ({ data: `npy:${at('high.npy')}` })],
  ['a data set without images', /empty\.npy/, () => ({ data: `npy:${at('empty.npy')}` })],
  ['an empty selection', /--limit 0 selects nothing/, () => ({ limit: '0' })],
  ['a selection beyond the data', /--skip 3 leaves nothing/, () => ({ skip: '3' })],
  ['an index out of range', /index 9 is out of range/, () => ({ index: '1,9' })],
  ['a label beyond the classes', /image 2 .*label 7.*3 classes/, () => ({ data: `mnist:${at('label')}` })],
  ['no data', /--data is missing/, () => ({ data: null })],
  ['no model', /--model is missing/, () => ({ model: null })],
  ['a missing model', /nowhere\.onnx: no such file/, () => ({ model: at('nowhere.onnx') })],
  ['a model that is no ONNX', /text\.onnx/, () => ({ model: at('text.onnx') })],
  ['a truncated model', /cut\.onnx/, () => ({ model: at('cut.onnx') })],
  ['a model without image input', /cube\.onnx.*images come as/, () => ({ model: at('cube.onnx') })],
  ['a model for other channels', /\[3, 4, 4\].*\[1, 4, 4\]/, () => ({ model: at('channels.onnx') })],
  ['a model for another size', /\[1, 5, 5\].*\[1, 4, 4\]/, () => ({ model: at('size.onnx') })],
  ['a model with two inputs', /two\.onnx.*2 inputs/, () => ({ model: at('two.onnx') })],
  ['a range of 0', /range 0/, () => ({ range: '0' })],
  ['a negative range', /range -3/, () => ({ range: '-3' })],
  ['a range that is no number', /--range wide/, () => ({ range: 'wide' })],
  ['a sigma_gamma of 0', /sigma_gamma = 0/, () => ({ 'sigma-gamma': '0' })],
  ['a negative sigma_eps', /sigma_eps = -1/, () => ({ 'sigma-eps': '-1' })],
  ['too few β', /n_gamma = 3 can never certify.*at least \d+ are needed/, () => ({ 'n-gamma': '3' })],
  ['too few noise samples', /n_eps = 5 can never certify.*at least \d+ are needed/, () => ({ 'n-eps': '5' })],
  ['too few β that test E', /n_test_e = 2 can never certify.*at least \d+/, () => ({ 'n-test-e': '2' })],
  [
    'slices wider than the range',
    /floor 31 degrees.*no wider than the range, 30/,
    () => ({ method: 'sweep', floor: '31' }),
  ],
  ['a sweep without noise', /sigma_eps = 0/, () => ({ method: 'sweep', 'sigma-eps': '0' })],
  [
    'a sweep of too few samples',
    /n_eps = 3 can never certify.*at least 24 are needed/,
    () => ({ method: 'sweep', 'n-eps': '3', confidence: '0.999999' }),
  ],
  ['a sweep over nothing', /range 0/, () => ({ method: 'sweep', range: '0' })],
  [
    'all translations that there are',
    /--range max is for rotation/,
    () => ({ method: 'sweep', transform: 'translation', range: 'max' }),
  ],
  ['a method that is none', /--method swep: nearest is sweep/, () => ({ method: 'swep' })],
  ['a confidence of 1', /confidence 1/, () => ({ confidence: '1' })],
  ['a vignette that leaves nothing', /vignette circle:2.*leaves nothing/, () => ({ vignette: 'circle:2' })],
  ['an even blur', /--blur 4:1: the size is even/, () => ({ blur: '4:1' })],
  ['a seed beyond 64 bits', /--seed/, () => ({ seed: '18446744073709551616' })],
  ['a folder that holds another run', /other-run: holds another run/, () => ({ out: at('other-run') })],
  ['a folder that holds something else', /notes: is not empty/, () => ({ out: at('notes') })],
  ['a file in place of the folder', /model\.onnx: is not a folder/, () => ({ out: at('model.onnx') })],
  ['a missing configuration', /nowhere\.yaml: no such file/, () => ({ config: at('nowhere.yaml') })],
  [
    'an unknown name in the configuration',
    /sigma-gama.*nearest is sigma-gamma/,
    () => ({ config: at('unknown.yaml') }),
  ],
  [
    'a configuration that repeats itself billions of times',
    /laughs\.yaml: no YAML: .*alias/,
    () => ({ config: at('laughs.yaml') }),
  ],
  ['a configuration without end', /\/dev\/zero: is not a regular file/, () => ({ config: '/dev/zero' })],
  ['two means for one channel', /--mean has 2 numbers.*1 channel/, () => ({ mean: '0.1,0.2' })],
  ['a mean that is no number', /--mean 0\.1,x|--mean x: not a number/, () => ({ mean: '0.1,x' })],
  ['a deviation of 0', /--std 0: not above 0/, () => ({ std: '0' })],
  ['a layout that is none', /--layout nhcw: nearest is nchw/, () => ({ layout: 'nhcw' })],
  ['a layout that does not fit', /\[4, 1, 4\] as nhwc/, () => ({ layout: 'nhwc' })],
  ['an output that is none', /no output «scores», but: logits/, () => ({ output: 'scores' })],
  ['a crop of what is no folder', /--fit is for --data folder/, () => ({ fit: 'crop:3' })],
  [
    'a resizing',
    /--fit resize:28: no crop/,
    () => ({ fit: 'resize:28', data: `folder:${at('damagedpng')}` }),
  ],
  [
    'labels of files that are not there',
    /labels\.csv names .*a\/9\.png: no such file/,
    () => ({ labels: at('labels.csv'), data: `folder:${at('damagedpng')}` }),
  ],
  ['an archive of arrays', /bomb\.npz: is an \.npz archive/, () => ({ data: `npy:${at('bomb.npz')}` })],
  [
    'weights above the folder of their model',
    /outside\.onnx: weight «w» lies in "\.\.\/secret\.bin"/,
    () => ({ model: at('outside.onnx') }),
  ],
  ['a configuration that is no YAML', /broken\.yaml: no YAML/, () => ({ config: at('broken.yaml') })],
];

describe('certify', () => {
  it.each(CASES)('refuses %s', async (_, answer, changes) => {
    const options = Object.entries({ ...good(), ...changes() });
    const args = options.flatMap(([name, value]) => (value === null ? [] : [`--${name}`, value]));
    const before = await readdir(inputs.path, { recursive: true });
    const { stdout, stderr, code } = await program.run(['certify', ...args]);
    const lines = stderr.trimEnd().split('\n');
    expect(lines[0]).toMatch(answer);
    expect(lines[0]).toMatch(/^turnproof: /);
    // What is wrong, and how to mend it; a GPU that is opened is told there, too.
    expect(lines.length, stderr).toBeLessThanOrEqual(2);
    if (lines.length === 2) expect(lines[1]).toMatch(/^ {2}fix: /);
    expect(stdout).toBe('');
    expect(code).toBe(2);
    expect(await readdir(work.path)).toEqual([]);
    expect(await readdir(inputs.path, { recursive: true })).toEqual(before);
  });
});

describe('bound', () => {
  it.each([
    ['no β', /no β is given/, []],
    ['β twice', /exclude each other/, ['--beta', '3', '--betas', '4']],
    ['a β that is no number', /--beta x: not a number/, ['--beta', 'x']],
    ['a pair of pixels as an angle', /is no rotation/, ['--beta', '1:2']],
    ['an exact bound of rotations', /exact/, ['--beta', '3', '--bound', 'exact']],
    ['a target of 0', /--target 0/, ['--beta', '3', '--target', '0']],
    ['a time limit below 0', /--time-limit -1/, ['--beta', '3', '--time-limit=-1']],
    [
      'a time limit for exact bounds',
      /not refined/,
      ['--beta', '3:1', '--transform', 'translation', '--range', '3', '--time-limit', '1'],
    ],
  ])('refuses %s', async (_, answer, more) => {
    const args = ['--data', 'signs', '--limit', '1', '--transform', 'rotation', '--range', '30', ...more];
    const { stdout, stderr, code } = await program.run(['bound', ...args]);
    expect(stderr).toMatch(answer);
    expect(stderr.trimEnd().split('\n').length).toBeLessThanOrEqual(2);
    expect(stdout).toBe('');
    expect(code).toBe(2);
  });
});

/** Throws from a timer, outside every promise, as soon as the program listens for that. */
const FAULT = `const timer = setInterval(() => {
  if (process.listenerCount('uncaughtException') === 0) return;
  clearInterval(timer);
  throw new Error('from a timer');
}, 1);`;

describe('a failure that nobody foresaw', () => {
  it('is one line and status 42, with a stack only when debugging', async () => {
    const fault = await inputs.write('fault.mjs', FAULT);
    const env = { NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} --import ${fault}` };
    const args = ['model', 'inspect', 'signs', '--data', 'signs'];
    const plain = await runCli(args, { cwd: work.path, env });
    expect(plain.stderr).toBe(
      'turnproof: unexpected failure: Error: from a timer\n  fix: run it again with --verbose and report what it prints\n',
    );
    expect(plain.code).toBe(42);
    const debugging = await runCli(args, { cwd: work.path, env: { ...env, TURNPROOF_DEBUG: '1' } });
    expect(debugging.stderr).toContain('fault.mjs');
    expect(debugging.code).toBe(42);
  });
});
