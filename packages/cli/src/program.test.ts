import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TemporaryFolder, temporaryFolder } from './data/testing/files.ts';
import { runCli } from './run-cli.test-support.ts';

let folder: TemporaryFolder;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => folder.remove());

const run = (...args: string[]) => runCli(args, { cwd: folder.path });

describe('the help', () => {
  it.each([
    [
      [],
      [
        'doctor',
        'bound',
        'predict',
        'attack',
        'calibrate',
        'certify',
        'verify',
        'report',
        'experiment',
        'model',
        'Examples:',
        '130 interrupted',
      ],
    ],
    [['doctor'], ['--adapter', '--provider', '--json', '$ turnproof doctor']],
    [['bound'], ['--beta', '--betas', '--tolerance', '--target', '$ turnproof bound --data signs']],
    [['predict'], ['--method', '--model', '--seed', '$ turnproof predict --method base --data signs']],
    [['attack'], ['--attacks', '--choose', '--smoothed', '--png', '$ turnproof attack --data signs']],
    [['calibrate'], ['--n-images', '--n-betas', '--rho-e', '--errors', '$ turnproof calibrate --data signs']],
    [['certify'], ['--n-gamma', '--sigma-eps', '--out', '--config', '$ turnproof certify --data signs']],
    [['verify'], ['<run>', '$ turnproof verify']],
    [['report'], ['<run...>', '--out', '--data', '$ turnproof report']],
    [
      ['experiment'],
      ['<file>', '--full', '--set', '--define', '--reuse', '{here}', '$ turnproof experiment'],
    ],
    [
      ['model', 'inspect'],
      ['<file>', '$ turnproof model inspect signs'],
    ],
  ])('of %j goes to stdout with its words and an example', async (words, wanted) => {
    const { stdout, stderr, code } = await run(...words, '--help');
    for (const word of wanted) expect(stdout).toContain(word);
    expect(stderr).toBe('');
    expect(code).toBe(0);
  });

  it('is given on stderr, with status 2, where no command is', async () => {
    const { stdout, stderr, code } = await run();
    expect(stdout).toBe('');
    expect(stderr).toContain('Usage: turnproof');
    expect(code).toBe(2);
  });
});

describe('a mistyped', () => {
  it.each([
    ['command', ['certfy'], 'Did you mean certify?'],
    ['command of model', ['model', 'inspct', 'x'], 'Did you mean inspect?'],
    ['option', ['certify', '--sigma-gama', '3'], 'Did you mean --sigma-gamma?'],
    ['transformation', ['bound', '--transform', 'rotaton', '--range', '3'], 'nearest is rotation'],
    [
      'data set',
      ['bound', '--transform', 'rotation', '--range', '3', '--beta', '1', '--data', 'sgns'],
      'Nearest: signs',
    ],
    ['built-in model', ['model', 'inspect', 'signs:tran'], 'nearest is signs:trans'],
    ['provider', ['doctor', '--provider', 'webgp'], 'nearest is webgpu'],
  ])('%s is answered with the nearest one and status 2', async (_, args, answer) => {
    const { stdout, stderr, code } = await run(...args);
    expect(stderr).toContain(answer);
    expect(stderr.trimEnd().split('\n')).toHaveLength(2);
    expect(stderr).toMatch(/^turnproof: /);
    expect(stdout).toBe('');
    expect(code).toBe(2);
  });
});

describe('model inspect', () => {
  it('says what the built-in model takes and gives', async () => {
    const { stdout, code } = await run('model', 'inspect', 'signs', '--data', 'signs', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      inputName: 'image',
      inputShape: [null, 3, 32, 32],
      fixedBatch: null,
      classes: 10,
    });
  });
});
