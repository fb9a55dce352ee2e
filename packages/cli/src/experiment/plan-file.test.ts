import { describe, expect, it } from 'vitest';
import { attack } from '../commands/attack.ts';
import { calibrate } from '../commands/calibrate.ts';
import { certify } from '../commands/certify.ts';
import { refusalOf } from '../data/testing/files.ts';
import { parseExperiment, type Wishes } from './plan-file.ts';
import { flagsOf } from './run-child.ts';
import { asMarkdown } from './tables.ts';

const known = Object.fromEntries(
  [certify, attack, calibrate].map(({ name, groups }) => [name, groups.flatMap(({ options }) => options)]),
);
const none: Wishes = {
  overrides: {},
  definitions: {},
  full: false,
  folderOf: (name) => `out/${name}`,
  only: [],
};
const parse = (text: string, wishes: Partial<Wishes> = {}) =>
  parseExperiment('dir/x.yaml', text, known, { ...none, ...wishes });

const FILE = `
title: Two runs
options: { data: 'mnist:\${here}/data', limit: 5, n-gamma: 40, index: [1, 2, 5-9] }
full: { limit: 100 }
runs:
  - name: a
    options: { range: 10 }
    full: { n-gamma: 200 }
    paper: { images: 1000, adv. acc.: .93 }
    note: other models
  - name: b
    options: { range: 30, model: '\${model}', limit: 7 }
`;
const definitions = { model: 'm.onnx' };

describe('an experiment file', () => {
  it('gives every run the shared options and its own over them', () => {
    const { title, runs } = parse(FILE, { definitions });
    expect(title).toBe('Two runs');
    expect(runs).toEqual([
      {
        name: 'a',
        command: 'certify',
        needs: [],
        options: { data: 'mnist:dir/data', limit: '5', 'n-gamma': '40', index: '1,2,5-9', range: '10' },
        paper: { images: '1000', 'adv. acc.': '.93' },
        note: 'other models',
      },
      {
        name: 'b',
        command: 'certify',
        needs: [],
        options: {
          data: 'mnist:dir/data',
          limit: '7',
          'n-gamma': '40',
          index: '1,2,5-9',
          range: '30',
          model: 'm.onnx',
        },
        paper: {},
        note: null,
      },
    ]);
  });
  it('puts the full sizes over both, and what --set says over all', () => {
    const sizes = (wishes: Partial<Wishes>) =>
      parse(FILE, { definitions, ...wishes }).runs.map(({ options }) => [options.limit, options['n-gamma']]);
    expect(sizes({ full: true })).toEqual([
      ['100', '200'],
      ['100', '40'],
    ]);
    expect(sizes({ full: true, overrides: { limit: '3' } })).toEqual([
      ['3', '200'],
      ['3', '40'],
    ]);
  });
  it('gives each command the shared options that it has, and the folders of earlier runs', () => {
    const { runs } = parse(
      `
options: { range: 10, n-choose-e: 7, n-betas: 9, attacks: 4 }
full: { n-betas: 8000 }
runs:
  - { name: made, command: calibrate }
  - { name: hit, command: attack }
  - { name: used, options: { calibration: '\${run:made}/calibration.json', data: 'npy:\${run:hit}/i,\${run:hit}/l' } }
`,
      { full: true, overrides: { attacks: '5' } },
    );
    expect(runs.map(({ command, needs, options }) => [command, needs, options])).toEqual([
      ['calibrate', [], { range: '10', 'n-betas': '8000' }],
      ['attack', [], { range: '10', attacks: '5' }],
      [
        'certify',
        ['made', 'hit'],
        {
          range: '10',
          'n-choose-e': '7',
          calibration: 'out/made/calibration.json',
          data: 'npy:out/hit/i,out/hit/l',
        },
      ],
    ]);
  });
  it('may be run in parts', () => {
    expect(parse(FILE, { definitions, only: ['b'] }).runs.map(({ name }) => name)).toEqual(['b']);
    const text = `runs: [{ name: s-a }, { name: s-b }, { name: t, options: { model: '\${nobody}' } }]`;
    expect(parse(text, { only: ['s-*'] }).runs.map(({ name }) => name)).toEqual(['s-a', 's-b']);
  });

  const run = (words: string) => `runs: [{ name: a, ${words} }]`;
  it.each([
    [
      'a mistyped option',
      run('options: { n-gama: 3 }'),
      /run a: options: «n-gama» is no option.*nearest is n-gamma/,
    ],
    [
      'a mistyped shared option',
      'options: { limitt: 3 }\nruns: [{ name: a }]',
      /x.yaml: options: «limitt».*nearest is limit/,
    ],
    [
      'a mistyped part',
      'option: { limit: 3 }\nruns: [{ name: a }]',
      /«option» means nothing here; nearest is options/,
    ],
    [
      'a mistyped part of a run',
      run('papers: { images: 3 }'),
      /«papers» means nothing here; nearest is paper/,
    ],
    [
      'a placeholder that nobody defined',
      run(`options: { model: '\${mdel}/x' }`),
      /run a: model: \$\{mdel\} is not defined.*--define mdel=/,
    ],
    ['a command of another kind', run('command: verify'), /run a: command verify is none of an experiment's/],
    [
      'an option of another command',
      run('command: attack, options: { n-choose-e: 3 }'),
      /run a: options: «n-choose-e» is no option of attack/,
    ],
    [
      'the folder of a run that stands below it',
      `runs: [{ name: a, options: { data: 'npy:\${run:b}/x' } }, { name: b }]`,
      /run a: data: \$\{run:b\} is no earlier run/,
    ],
    ['a run without a name', 'runs: [{ options: { limit: 3 } }]', /runs\[0\]: has no name/],
    ['a name that leads elsewhere', 'runs: [{ name: ../a }]', /«\.\.\/a» is no name/],
    ['two runs of one name', 'runs: [{ name: a }, { name: a }]', /two runs are called a/],
    ['no runs', 'title: x', /has no runs/],
    ['an empty list of runs', 'runs: []', /has no runs/],
    ['runs that are a word', 'runs: a', /has no runs/],
    ['a list', '- a', /is no mapping/],
    ['nothing', '', /is no mapping/],
    ['no YAML', 'runs: [', /no YAML/],
    [
      'options in options',
      run('options: { limit: { a: 3 } }'),
      /«limit» is neither a word nor a list of words/,
    ],
    ['a switch with a number', run('options: { dry-run: 3 }'), /«dry-run» is a switch/],
  ])('is refused with %s', async (_, text, words) => {
    expect(await refusalOf(() => parse(text))).toMatch(words);
  });
  it('is refused with a wish for a run that it has not', async () => {
    const refusal = await refusalOf(() => parse(FILE, { definitions, only: ['bb'] }));
    expect(refusal).toMatch(/--only bb: .*nearest is b \| Its runs are: a, b/);
  });
});

describe('flags of a run', () => {
  it('are one word each, so that a value may begin with a dash', () => {
    expect(flagsOf({ beta: '-3', json: true, quiet: false })).toEqual(['--beta=-3', '--json']);
  });
});

describe('a table as Markdown', () => {
  it('keeps its cells apart, whatever they hold', () => {
    const table = { title: 'Rotation', columns: ['run', 'x'], rows: [['a|b', '<i>\nc']] };
    expect(asMarkdown('T', [table], ['a: differs'])).toBe(
      '# T\n\n## Rotation\n\n| run | x |\n| --- | --- |\n| a\\|b | &lt;i> c |\n\n- a: differs\n',
    );
  });
});
