import { TurnproofError } from '@turnproof/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { classRemark, namedClasses, readClassWords } from './class-words.ts';

const read = (words: readonly string[], mixed: 'names' | 'refused' = 'names') =>
  readClassWords(
    'x',
    words.map((word) => ({ word, where: '' })),
    mixed,
  );
const named = (...words: string[]) => namedClasses(read(words).numberOf);

describe('words for classes', () => {
  it.each([
    ['7', 7],
    ['0', 0],
    ['007', 7],
    ['7.0', 7],
    ['7.', 7],
    ['2147483647.00', 2147483647],
  ])('«%s» is the number %d', (word, number) => {
    expect(read([word])).toEqual({ names: null, numberOf: new Map([[word, number]]) });
  });

  it.each([
    '7.5',
    '-1',
    '+3',
    '1e1',
    '0x7',
    '1_000',
    "1'000",
    '7,0',
    'NaN',
    'nan',
    'Infinity',
    '.5',
    '2147483648',
  ])('«%s» is neither a number nor a name', (word) => {
    for (const mixed of ['names', 'refused'] as const) {
      for (const others of [[], ['1'], ['cat']]) {
        expect(() => read([...others, word], mixed)).toThrow(`x: "${word}" is no class number`);
      }
    }
  });

  it.each(['cat', 'class-7', '7th', 'v1.2', '2024-01-01', '٧', '-', '.'])('«%s» is a name', (word) => {
    expect(read([word]).names).toEqual([word]);
  });

  it('are looked at in time, however long', () => {
    const word = `${'1'.repeat(60_000)}x`;
    expect(read(Array.from({ length: 50 }, (_, i) => `${word}${i}`)).names).toHaveLength(50);
  });

  it('that are all numbers are themselves; else each has its place in the order of names', () => {
    const word = fc.oneof(fc.nat(99).map(String), fc.constantFrom('a', 'b', 'ä', '7.0', '-2', ''));
    fc.assert(
      fc.property(fc.array(word, { minLength: 1 }), (words) => {
        try {
          const { names, numberOf } = read(words);
          expect(words).not.toContain('-2');
          expect(words).not.toContain('');
          expect(names === null).toBe(words.every((w) => /^[\d.]+$/.test(w)));
          for (const w of words) expect(numberOf.get(w)).toBe(names ? names.indexOf(w) : Number(w));
        } catch (error) {
          if (!(error instanceof TurnproofError)) throw error;
          expect(words.includes('-2') || words.includes('')).toBe(true);
        }
      }),
    );
  });
});

describe('a line on the classes of the data', () => {
  it.each<[string | null, string[], number]>([
    [null, ['cat', 'dog'], 2],
    ['the data have 2 classes (0=cat, 1=dog), the model 10', ['cat', 'dog'], 10],
    ['the data have 3 classes (0=cat, 1=cow, 2=dog), the model 2', ['cat', 'dog', 'cow'], 2],
    [null, ['0', '1', '2'], 3],
    ['the data have 4 classes (0, 2, 7, 9), the model 10', ['0', '2', '7', '9'], 10],
    // One too high: the labels of a set that counts from 1.
    [
      "the data have 3 classes (1, 2, 3), the model 3; the numbers are taken as they are, not in the order of the names, as torchvision's ImageFolder does",
      ['1', '2', '3'],
      3,
    ],
    [
      "the data have 11 classes (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10), the model 11; the numbers are taken as they are, not in the order of the names, as torchvision's ImageFolder does",
      ['0', '1', '10', '2', '3', '4', '5', '6', '7', '8', '9'],
      11,
    ],
    [null, ['00', '01', '02', '03', '04', '05', '06', '07', '08', '09', '10'], 11],
    ['the data have 3 classes (0=20, 1=30, 2=stop), the model 3', ['20', '30', 'stop'], 3],
    [null, ['0', '1', 'a'], 3],
    [
      'the data have 14 classes (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, ...), the model 20',
      Array.from({ length: 14 }, (_, i) => String(i)),
      20,
    ],
  ])('is «%s» for %j and a model of %i', (line, words, classes) => {
    expect(classRemark(named(...words), classes)).toBe(line);
  });

  it('is not there where the data do not say what their classes are', () => {
    expect(classRemark(null, 10)).toBeNull();
  });
});
