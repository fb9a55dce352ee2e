/**
 * The words of `--data SPEC`, taken apart. Not for opening what they name.
 */
import { badInput } from '@turnproof/core';

/** The kinds in the order in which they are listed to people, with what follows each. */
export const DATA_KINDS = {
  signs: 'signs',
  mnist: 'mnist:DIR',
  'mnist-train': 'mnist-train:DIR',
  cifar10: 'cifar10:FILE|DIR',
  cifar100: 'cifar100:FILE|DIR',
  folder: 'folder:DIR',
  idx: 'idx:IMAGES[,LABELS]',
  npy: 'npy:IMAGES[,LABELS]',
} as const;

export type DataKind = keyof typeof DATA_KINDS;

/** Kinds of two files. */
type PairKind = 'idx' | 'npy';

/** A kind and what followed its colon, as it was written. */
export interface DataSpec {
  readonly kind: DataKind;
  readonly argument: string;
}

/**
 * Splits "kind:argument".
 *
 * @throws TurnproofError 'bad-input' for an unknown kind (with the nearest one) and a missing or superfluous argument.
 */
export function parseDataSpec(spec: string): DataSpec {
  const colon = spec.indexOf(':');
  const kind = colon < 0 ? spec : spec.slice(0, colon);
  const argument = colon < 0 ? '' : spec.slice(colon + 1);
  if (!isKind(kind)) throw unknownKind(kind);
  if (kind === 'signs') {
    if (colon >= 0) throw badInput(`--data ${spec}: signs takes nothing after it`, 'Write --data signs.');
  } else if (argument === '') {
    throw badInput(`--data ${spec}: names no file or folder`, `Write --data ${DATA_KINDS[kind]}.`);
  }
  return { kind, argument };
}

/**
 * Splits "IMAGES[,LABELS]". A path with a comma in it cannot be written.
 *
 * @throws TurnproofError 'bad-input' for an empty path or more than two.
 */
export function parsePair(kind: PairKind, argument: string): { images: string; labels: string | null } {
  const [images = '', labels = null, ...more] = argument.split(',');
  if (images === '' || labels === '' || more.length > 0) {
    throw badInput(
      `--data ${kind}:${argument}: wanted are one or two paths`,
      `Write --data ${DATA_KINDS[kind]}, the paths without commas.`,
    );
  }
  return { images, labels };
}

/** The same words with each path in them changed. */
export function withPaths(spec: string, change: (path: string) => string): string {
  const { kind, argument } = parseDataSpec(spec);
  if (kind === 'signs') return spec;
  if (!isPair(kind)) return `${kind}:${change(argument)}`;
  const { images, labels } = parsePair(kind, argument);
  return `${kind}:${change(images)}${labels === null ? '' : `,${change(labels)}`}`;
}

/** Levenshtein's distance: insertions, deletions and replacements that turn `a` into `b`. */
export function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

function isPair(kind: DataKind): kind is PairKind {
  return kind === 'idx' || kind === 'npy';
}

function isKind(kind: string): kind is DataKind {
  return Object.hasOwn(DATA_KINDS, kind);
}

function unknownKind(kind: string): Error {
  // Anything may be typed here; the distance takes time by the product of the lengths.
  const typed = kind.toLowerCase().slice(0, 64);
  const ranked = Object.keys(DATA_KINDS)
    .map((name) => ({ name, distance: editDistance(typed, name) }))
    .sort((a, b) => a.distance - b.distance);
  const [nearest] = ranked;
  const guess = nearest === undefined ? '' : ` Nearest: ${nearest.name}.`;
  const shown = kind.length > 64 ? `${kind.slice(0, 64)}...` : kind;
  return badInput(
    `--data: "${shown}" is no kind of data set.${guess}`,
    `Use one of: ${Object.values(DATA_KINDS).join(', ')}.`,
  );
}
