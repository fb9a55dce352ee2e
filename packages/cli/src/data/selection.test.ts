import { describe, expect, it } from 'vitest';
import { type Selection, selectIndices } from './selection.ts';
import { refusalOf } from './testing/files.ts';

const taken: [string, number, Selection, number[]][] = [
  ['no option takes every image', 4, {}, [0, 1, 2, 3]],
  ['skip leaves out the first ones', 5, { skip: 2 }, [2, 3, 4]],
  ['limit takes so many', 5, { limit: 2 }, [0, 1]],
  ['a limit beyond the end takes all', 3, { limit: 10 }, [0, 1, 2]],
  ['stride takes every so many-th', 7, { stride: 3 }, [0, 3, 6]],
  ['a stride beyond the end takes the first', 3, { stride: 50 }, [0]],
  ['limit counts the images taken, not the images passed', 20, { skip: 1, limit: 3, stride: 4 }, [1, 5, 9]],
  ['skip may leave one', 3, { skip: 2 }, [2]],
  ['options left undefined count as not given', 2, { index: undefined, skip: undefined }, [0, 1]],
  ['numbers and ranges keep their order', 20, { index: '3,7,10-13,1' }, [3, 7, 10, 11, 12, 13, 1]],
  ['a range of one is one image', 9, { index: '8-8' }, [8]],
  ['spaces do no harm', 9, { index: ' 1 , 3 - 4 ' }, [1, 3, 4]],
  ['leading zeros do no harm', 9, { index: '007' }, [7]],
];

const refused: [string, number, Selection, RegExp][] = [
  ['an index beyond the end', 10, { index: '3,12' }, /index 12 .*10 images.*0 to 9/],
  ['the index equal to the size', 10, { index: '10' }, /index 10 .*10 images/],
  ['a range that ends beyond the end', 10, { index: '8-10' }, /8-10.*10 images/],
  ['a range to an enormous number', 10, { index: '0-99999999999999999999' }, /out of range/],
  ['a word', 10, { index: '1,two,3' }, /"two"/],
  ['a negative number', 10, { index: '-3' }, /"-3"/],
  ['a fraction', 10, { index: '1.5' }, /"1\.5"/],
  ['hexadecimal', 10, { index: '0x3' }, /"0x3"/],
  ['an open range', 10, { index: '3-' }, /"3-"/],
  ['an empty part', 10, { index: '3,,4' }, /""/],
  ['a trailing comma', 10, { index: '3,' }, /""/],
  ['an empty list', 10, { index: ' ' }, /--index is empty/],
  ['a range that runs backwards', 20, { index: '19-10' }, /"19-10".*Write 10-19/],
  ['an image named twice', 10, { index: '3,1-4' }, /"1-4" names image 3 a second time/],
  ['index with skip', 10, { index: '3', skip: 0 }, /--index and --skip/],
  ['index with limit', 10, { index: '3', limit: 1 }, /--index and --limit/],
  ['index with stride', 10, { index: '3', stride: 1 }, /--index and --stride/],
  ['skipping all', 10, { skip: 10 }, /--skip 10 leaves nothing.*10 images/],
  ['a limit of none', 10, { limit: 0 }, /--limit 0/],
  ['a stride of none', 10, { stride: 0 }, /--stride 0/],
  ['a negative skip', 10, { skip: -1 }, /--skip -1/],
  ['a limit that is no number', 10, { limit: Number.NaN }, /--limit NaN/],
  ['a fractional stride', 10, { stride: 1.5 }, /--stride 1\.5/],
  ['anything of an empty data set', 0, {}, /no images/],
];

describe('selectIndices', () => {
  it.each(taken)('%s', (_, size, selection, expected) => {
    expect(selectIndices(size, selection)).toEqual(expected);
  });

  it.each(refused)('%s is refused with the offending part', async (_, size, selection, words) => {
    expect(await refusalOf(() => selectIndices(size, selection))).toMatch(words);
  });
});
