import { describe, expect, it } from 'vitest';
import { refusalOf } from '../data/testing/files.ts';
import { parseBetas, readBetas } from './betas.ts';
import { parseConfig } from './config-file.ts';
import { resolveModel } from './model.ts';
import { nearest } from './nearest.ts';
import { parseBlur, parseVignette, readPipeline } from './pipeline.ts';
import { readPlan } from './plan.ts';
import { parseSeed, readSeed, withSeed } from './seed.ts';
import { parseNumber, Values } from './values.ts';

describe('a number', () => {
  it.each([
    ['30', 30],
    ['-0.5', -0.5],
    ['.5', 0.5],
    ['1e-3', 0.001],
    [' 7 ', 7],
  ])('%j is read as %d', (word, value) => {
    expect(parseNumber('--x', word)).toBe(value);
  });
  it.each(['', ' ', 'x', '3px', '0x10', 'NaN', 'Infinity', '1e999', '1,5'])('%j is refused', async (word) => {
    expect(await refusalOf(() => parseNumber('--x', word))).toContain('--x');
  });
  it.each(['1.5', '-1', '', '1e3', '99999999999999999999'])('%j is no count', async (word) => {
    expect(await refusalOf(() => new Values({ n: word }).whole('n', 0))).toContain('--n');
  });
});

describe('--vignette', () => {
  it('takes a circle, a rectangle or none', () => {
    expect(parseVignette('circle:2')).toEqual({ kind: 'circle', offset: 2 });
    expect(parseVignette('rect:0')).toEqual({ kind: 'rect', offset: 0 });
    expect(parseVignette('none')).toEqual({ kind: 'none' });
  });
  it.each(['circle', 'circle:', 'circle:-1', 'circle:1.5', 'square:2', 'none:1', ''])(
    'refuses %j',
    async (word) => {
      expect(await refusalOf(() => parseVignette(word))).toContain('--vignette');
    },
  );
});

describe('--blur', () => {
  it('takes a size and a sigma, or none', () => {
    expect(parseBlur('5:1.0')).toEqual({ size: 5, sigma: 1 });
    expect(parseBlur('none')).toBeNull();
  });
  it.each(['5', '5:', '4:1', '5:0', '5:-1', '5:1:2', 'x:1', ''])('refuses %j', async (word) => {
    expect(await refusalOf(() => parseBlur(word))).toContain('--blur');
  });
});

describe('--beta', () => {
  it('is degrees, or pairs of pixels', () => {
    expect(parseBetas('12,29.36', 'rotation')).toEqual([[12], [29.36]]);
    expect(parseBetas('0.7:-1.2,2.3:0.45', 'translation')).toEqual([
      [0.7, -1.2],
      [2.3, 0.45],
    ]);
  });
  it.each([
    ['12', 'translation'],
    ['1:2:3', 'translation'],
    ['1:2', 'rotation'],
    ['12,', 'rotation'],
    ['', 'rotation'],
  ] as const)('%j is refused for a %s', async (word, transform) => {
    expect(await refusalOf(() => parseBetas(word, transform))).toContain('--beta');
  });
  it('is drawn with the range as its deviation unless told otherwise', () => {
    expect(readBetas(new Values({ betas: '5', seed: '7' }), 'rotation', 30)).toEqual({
      kind: 'drawn',
      count: 5,
      sigmaGamma: 30,
      seed: 7n,
    });
  });
});

describe('--seed', () => {
  it('keeps all of its 64 bits', () => {
    expect(parseSeed('18446744073709551615')).toBe(2n ** 64n - 1n);
    expect(parseSeed('0xffffffffffffffff')).toBe(2n ** 64n - 1n);
  });
  it.each(['18446744073709551616', '-1', '1.5', '', 'x'])('%j is refused', async (word) => {
    expect(await refusalOf(() => parseSeed(word))).toContain('--seed');
  });
});

describe('a seed that was not given', () => {
  it('is drawn once, by the system, and given ones are left alone', () => {
    const [one, other] = [withSeed(new Values({})), withSeed(new Values({}))];
    expect(readSeed(one)).not.toBe(readSeed(other));
    expect(withSeed(one).text('seed')).toBe(one.text('seed'));
    expect(one.isGiven('seed')).toBe(false);
    expect(readSeed(withSeed(new Values({ seed: '0x10' })))).toBe(16n);
  });
  it('is never made up by those who read it: what is written would not name it', () => {
    expect(() => readPlan(new Values({}), 30, ['sweep'])).toThrow('no seed was drawn');
    expect(() => readBetas(new Values({ betas: '5' }), 'rotation', 30)).toThrow('no seed was drawn');
  });
});

describe('--model', () => {
  it.each([
    ['signs', /signs_rot\.onnx$/],
    ['signs:rot', /signs_rot\.onnx$/],
    ['signs:trans', /signs_trans\.onnx$/],
    ['signs:clean', /signs_clean\.onnx$/],
    ['./signs', /^\.\/signs$/],
  ])('%s is %s', (word, path) => {
    expect(resolveModel(word)).toMatch(path);
  });
});

describe('the pipeline', () => {
  it('is read from its five options', () => {
    const values = new Values({
      transform: 'translation',
      range: '2.5',
      vignette: 'rect:4',
      blur: '5:1',
      'attack-quantization': 'u8',
    });
    expect(readPipeline(values)).toEqual({
      transform: 'translation',
      range: 2.5,
      pre: { vignette: { kind: 'rect', offset: 4 }, blur: { size: 5, sigma: 1 } },
      quantization: 'u8',
    });
  });
  it('wants transformation and range to be given', async () => {
    expect(await refusalOf(() => readPipeline(new Values({ range: '3' })))).toContain(
      '--transform is missing',
    );
    expect(await refusalOf(() => readPipeline(new Values({ transform: 'rotation' })))).toContain(
      '--range is missing',
    );
  });
});

describe('the plan', () => {
  it('for sweep has fewer samples a slice, and the floor of its transformation unless it is given', () => {
    const plan = readPlan(new Values({ seed: '0' }), 30, ['sweep', 'dist-x']);
    expect(plan).toMatchObject({ method: 'sweep', nEps: 1000, maxSamples: 40_000 });
    expect(plan.floor).toBeUndefined();
    expect(readPlan(new Values({ floor: '0.5', seed: '0' }), 30, ['sweep']).floor).toBe(0.5);
  });

  it('has the defaults that the help names', () => {
    expect(readPlan(new Values({ seed: '0' }), 30, ['dist-x', 'base'])).toEqual({
      method: 'dist-x',
      sigmaGamma: 30,
      sigmaEps: 0.3,
      confidence: 0.99,
      n0: 20,
      nGamma: 200,
      nEps: 10_000,
      inner: 'sequential',
      nChooseE: 100,
      nTestE: 400,
      radiusRule: 'tight',
      seed: 0n,
      batch: 'auto',
      maxSamples: 40_000,
    });
  });
  it('calls the smoothed prediction dist, as the command does', () => {
    expect(readPlan(new Values({ method: 'dist', seed: '0' }), 30, ['base', 'dist']).method).toBe('dist-x');
  });
  it('refuses a method that the command does not have', async () => {
    const refused = refusalOf(() =>
      readPlan(new Values({ method: 'dist-y', seed: '0' }), 30, ['dist-x', 'base']),
    );
    expect(await refused).toContain('nearest is dist-x');
  });
});

describe('--config', () => {
  const options = [
    { name: 'range', value: 'R', help: '' },
    { name: 'beta', value: 'LIST', help: '' },
    { name: 'seed', value: 'N', help: '' },
    { name: 'json', help: '' },
    { name: 'config', value: 'FILE', help: '' },
  ];
  const parse = (text: string) => parseConfig('c.yaml', text, options);

  it('takes values as they are written, lists with commas between, and switches', () => {
    const text = 'range: 30.0 # degrees\nbeta: [12, 29.36]\nseed: 18446744073709551615\njson: true\n';
    expect(parse(text)).toEqual({
      range: '30.0',
      beta: '12,29.36',
      seed: '18446744073709551615',
      json: true,
    });
    expect(parse('')).toEqual({});
  });
  it.each([
    ['rnge: 3', /rnge.*nearest is range/],
    ['config: other.yaml', /config/],
    ['json: maybe', /switch/],
    ['range: {a: 1}', /range/],
    ['- range', /holds no options/],
    ['range: [3', /no YAML/],
    ['range: 3\nrange: 4', /no YAML/],
  ])('%j is refused', async (text, answer) => {
    expect(await refusalOf(() => parse(text))).toMatch(answer);
  });
});

describe('the nearest word', () => {
  it('is the one with the fewest changes', () => {
    expect(nearest('rotaton', ['rotation', 'translation'])).toBe('rotation');
    expect(nearest('n_gamma', ['n-gamma', 'sigma-gamma'])).toBe('n-gamma');
  });
});
