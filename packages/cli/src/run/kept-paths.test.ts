import { mkdirSync } from 'node:fs';
import { join, sep } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { refusalOf, type TemporaryFolder, temporaryFolder } from '../data/testing/files.ts';
import { findKept, moved, pathsToKeep } from './kept-paths.ts';

let folder: TemporaryFolder;
const at = (...names: string[]) => join(folder.path, ...names);
beforeAll(async () => {
  folder = await temporaryFolder();
  for (const name of ['begun/x.npy', 'begun/y.npy', 'begun/m.onnx']) await folder.write(name, '');
});
afterAll(() => folder.remove());

const keep = (words: Readonly<Record<string, string>>) =>
  pathsToKeep((name) => words[name], at('begun', 'runs', 'one'), at('begun'));

describe('the paths of a run', () => {
  it('are kept as seen from the run folder and absolute; what is built in has none', () => {
    const kept = keep({ data: 'npy:x.npy,y.npy', model: 'm.onnx', labels: at('begun', 'l.csv') });
    const up = ['..', '..'].join(sep);
    expect(kept).toEqual({
      data: {
        relative: `npy:${join(up, 'x.npy')},${join(up, 'y.npy')}`,
        absolute: `npy:${at('begun', 'x.npy')},${at('begun', 'y.npy')}`,
      },
      labels: { relative: join(up, 'l.csv'), absolute: at('begun', 'l.csv') },
      model: { relative: join(up, 'm.onnx'), absolute: at('begun', 'm.onnx') },
    });
    expect(keep({ data: 'signs', model: 'signs:trans' })).toEqual({});
  });
  it('are found when the run folder alone was moved, and when all was', async () => {
    const kept = keep({ data: 'mnist:digits', model: 'm.onnx' });
    const model = (run: string) => findKept(run, kept, 'model', 'm.onnx');
    expect(model(at('elsewhere'))).toBe(at('begun', 'm.onnx'));
    await folder.write('copy/m.onnx', '');
    // Both are there: the one that came with the run.
    expect(model(at('copy', 'runs', 'one'))).toBe(at('copy', 'm.onnx'));
    mkdirSync(at('copy', 'digits'));
    expect(findKept(at('copy', 'runs', 'one'), kept, 'data', undefined)).toBe(
      `mnist:${at('copy', 'digits')}`,
    );
    const refusal = await refusalOf(() => findKept(at('elsewhere'), kept, 'data', 'mnist:digits'));
    expect(refusal).toContain(`mnist:${at('begun', 'digits')}`);
    expect(refusal).toContain(`mnist:${join(folder.path, '..', 'digits')}`);
    expect(refusal).toContain('Give --data as it is now');
  });
  it('follow when another folder takes the place of the run’s', () => {
    const kept = moved(keep({ model: 'm.onnx' }), at('begun', 'runs', 'one'), at('merged'));
    expect(kept).toEqual({
      model: { relative: join('..', 'begun', 'm.onnx'), absolute: at('begun', 'm.onnx') },
    });
  });
  it('are the words of the run where it keeps none, as earlier versions did', () => {
    expect(findKept(at('elsewhere'), undefined, 'data', 'npy:x.npy')).toBe('npy:x.npy');
  });
});
