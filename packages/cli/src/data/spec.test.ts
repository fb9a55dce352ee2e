import { describe, expect, it } from 'vitest';
import { openDataset } from './index.ts';
import { editDistance, parseDataSpec, parsePair, withPaths } from './spec.ts';
import { refusalOf } from './testing/files.ts';

describe('editDistance', () => {
  it.each([
    ['kitten', 'sitting', 3],
    ['saturday', 'sunday', 3],
    ['', 'abc', 3],
    ['abc', '', 3],
    ['flaw', 'lawn', 2],
    ['same', 'same', 0],
  ])('%s to %s takes %i', (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
  });
});

describe('parseDataSpec', () => {
  it('splits at the first colon, so that a path may hold others', () => {
    expect(parseDataSpec('folder:C:/a:b')).toEqual({ kind: 'folder', argument: 'C:/a:b' });
  });

  it.each([
    ['minst:x', 'mnist'],
    ['MNIST:x', 'mnist'],
    ['mnist_train:x', 'mnist-train'],
    ['cifar:x', 'cifar10'],
    ['cifar-10:x', 'cifar10'],
    ['folders:x', 'folder'],
    ['numpy:x', 'npy'],
    ['sign', 'signs'],
  ])('%s is answered with %s and with the list of kinds', async (spec, nearest) => {
    const words = await refusalOf(() => parseDataSpec(spec));
    expect(words).toContain(`Nearest: ${nearest}.`);
    for (const kind of [
      'signs',
      'mnist:DIR',
      'mnist-train:DIR',
      'cifar10:FILE|DIR',
      'cifar100:FILE|DIR',
      'folder:DIR',
      'idx:IMAGES',
      'npy:IMAGES',
    ])
      expect(words).toContain(kind);
  });

  it.each(['mnist', 'mnist:', 'mnist-train', 'cifar10', 'cifar100', 'folder:', 'idx:', 'npy:'])(
    '%s without a path is refused with the form to write',
    async (spec) => {
      expect(await refusalOf(() => parseDataSpec(spec))).toMatch(/names no file or folder.*Write --data/);
    },
  );

  it.each(['signs:', 'signs:3'])('%s is refused, as signs takes nothing', async (spec) => {
    expect(await refusalOf(() => parseDataSpec(spec))).toContain('takes nothing');
  });

  it.each(['', ':', 'constructor:x', '__proto__:x', `${'m'.repeat(1_000_000)}:x`])(
    'an odd spec is no kind of data set (%#)',
    async (spec) => {
      const words = await refusalOf(() => openDataset(spec));
      expect(words).toContain('is no kind of data set');
      expect(words.length).toBeLessThan(400);
    },
  );
});

describe('parsePair', () => {
  it('takes one or two paths', () => {
    expect(parsePair('npy', 'a.npy')).toEqual({ images: 'a.npy', labels: null });
    expect(parsePair('npy', 'a.npy,b.npy')).toEqual({ images: 'a.npy', labels: 'b.npy' });
  });

  it.each([',', 'a.npy,', ',b.npy', 'a,b,c'])('%s is refused', async (argument) => {
    expect(await refusalOf(() => parsePair('npy', argument))).toContain('one or two paths');
  });
});

describe('withPaths', () => {
  it.each([
    ['signs', 'signs'],
    ['mnist:a', 'mnist:/a'],
    ['cifar100:a,b', 'cifar100:/a,b'],
    ['npy:a', 'npy:/a'],
    ['npy:a,b', 'npy:/a,/b'],
    ['idx:a,b', 'idx:/a,/b'],
  ])('changes every path of %s', (spec, wanted) => {
    expect(withPaths(spec, (path) => `/${path}`)).toBe(wanted);
  });
});
