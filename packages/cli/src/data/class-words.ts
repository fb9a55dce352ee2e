/**
 * What the words for classes mean, be they names of folders or labels of a CSV: plain numbers are the classes' numbers,
 * names are numbered in the order of their code points, so that a label is the same on every system.
 */
import { badInput } from '@turnproof/core';

export const MAX_LABEL = 2 ** 31 - 1;

export interface ClassWord {
  readonly word: string;
  /** Such as « (line 3)»; may be empty. */
  readonly where: string;
}

/** A class as the data call it. */
export interface NamedClass {
  readonly number: number;
  readonly name: string;
}

export interface Classes {
  /** By their numbers; null where the words are numbers. */
  readonly names: readonly string[] | null;
  readonly numberOf: ReadonlyMap<string, number>;
}

const FIX = 'Give class numbers (0, 1, 2, ...) throughout, or names throughout; class-7 is a name.';

/** «7», «007», and «7.0», as a table that once had a gap is written. */
const isNumber = (word: string): boolean => /^\d+(\.0*)?$/.test(word);

/** What somebody may have meant as a number. */
const isNumberLike = (word: string): boolean =>
  !Number.isNaN(Number(word)) || /^nan$/i.test(word) || (/^[-+]?[\d.,_']+$/.test(word) && /\d/.test(word));

/**
 * @param source file or folder, for messages
 * @param mixed names in any case where some words are numbers and some are not («0» to «9» and «a» to «z»)
 * @throws TurnproofError 'bad-input' for a missing word, one that is like a number and none, and what is mixed
 */
export function readClassWords(
  source: string,
  words: readonly ClassWord[],
  mixed: 'names' | 'refused',
): Classes {
  const shown = ({ word, where }: ClassWord): string =>
    `${JSON.stringify(word.length > 80 ? `${word.slice(0, 80)}...` : word)}${where}`;
  const empty = words.find(({ word }) => word === '');
  if (empty) throw badInput(`${source}: a label is missing${empty.where}`, FIX);
  const odd = words.find(({ word }) => (isNumber(word) ? Number(word) > MAX_LABEL : isNumberLike(word)));
  if (odd) throw badInput(`${source}: ${shown(odd)} is no class number from 0 to ${MAX_LABEL}`, FIX);
  const number = words.find(({ word }) => isNumber(word));
  const name = words.find(({ word }) => !isNumber(word));
  if (!name) {
    return { names: null, numberOf: new Map(words.map(({ word }) => [word, Number(word)])) };
  }
  if (number && mixed === 'refused') {
    throw badInput(`${source}: class numbers and names are mixed: ${shown(number)}, ${shown(name)}`, FIX);
  }
  const names = [...new Set(words.map(({ word }) => word))].sort((a, b) =>
    Buffer.compare(Buffer.from(a), Buffer.from(b)),
  );
  return { names, numberOf: new Map(names.map((word, i) => [word, i])) };
}

/** In the order in which the words were given. */
export function namedClasses(numberOf: Classes['numberOf']): NamedClass[] {
  return Array.from(numberOf, ([name, number]) => ({ number, name }));
}

/** Classes that a line names. */
const NAMED = 12;

/**
 * One line where the classes of the data need not be those of the model: there are more or fewer, they have other
 * numbers, or numbers that are names could have been meant otherwise. Null where there is nothing to say.
 *
 * @param named in the order of the data
 */
export function classRemark(named: readonly NamedClass[] | null, modelClasses: number): string | null {
  if (named === null) return null;
  const found = [...new Set(named.map(({ number }) => number))];
  const areNumbers = named.every(({ name, number }) => Number(name) === number);
  // Folders «0» to «11» in the order of their names: 0, 1, 10, 11, 2 ...
  const inOtherOrder =
    areNumbers && found.length === modelClasses && found.some((number, rank) => number !== rank);
  const misleading = named.some(({ name, number }) => isNumber(name) && Number(name) !== number);
  const theSame = found.length === modelClasses && found.every((number) => number < modelClasses);
  if (theSame && !inOtherOrder && !misleading) return null;
  const shown = named
    .toSorted((a, b) => a.number - b.number)
    .slice(0, NAMED)
    .map(({ number, name }) => (Number(name) === number ? `${number}` : `${number}=${name}`));
  if (named.length > NAMED) shown.push('...');
  const order = inOtherOrder
    ? "; the numbers are taken as they are, not in the order of the names, as torchvision's ImageFolder does"
    : '';
  return `the data have ${found.length} classes (${shown.join(', ')}), the model ${modelClasses}${order}`;
}
