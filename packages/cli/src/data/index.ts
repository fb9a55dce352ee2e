/**
 * Data sets by the words of `--data SPEC`. Everything that can be known to be wrong is refused on opening, before
 * anything is computed. Not for choosing a classifier's preprocessing: images come as they are stored.
 */

import { badInput } from '@turnproof/core';
import { openCifar10, openCifar100 } from './cifar.ts';
import { type FolderOptions, openFolder } from './folder.ts';
import { openIdxPair, openMnist } from './idx.ts';
import { openNpy } from './npy.ts';
import { openSigns } from './signs.ts';
import { parseDataSpec, parsePair } from './spec.ts';
import type { Dataset } from './types.ts';

export type { FolderOptions } from './folder.ts';
export { type Selection, selectIndices } from './selection.ts';
export { DATA_KINDS, type DataKind } from './spec.ts';
export type { DataImage, Dataset, Shape } from './types.ts';

/**
 * Opens the data set that `spec` names; the kinds are listed in `DATA_KINDS`. Relative paths start at the working
 * directory.
 *
 * @param options for folder:DIR alone
 * @throws TurnproofError 'bad-input' saying what is wrong with the spec or the files, where, and how to mend it.
 */
export async function openDataset(spec: string, options: FolderOptions = {}): Promise<Dataset> {
  const { kind, argument } = parseDataSpec(spec);
  const other = Object.entries(options).find(([, value]) => value !== undefined);
  if (kind !== 'folder' && other) {
    throw badInput(`--${other[0]} is for --data folder:DIR, not for ${kind}`, `Leave --${other[0]} out.`);
  }
  switch (kind) {
    case 'signs':
      return openSigns(spec);
    case 'mnist':
      return openMnist(spec, kind, argument, 't10k');
    case 'mnist-train':
      return openMnist(spec, kind, argument, 'train');
    case 'cifar10':
      return openCifar10(spec, argument);
    case 'cifar100':
      return openCifar100(spec, argument);
    case 'folder':
      return openFolder(spec, argument, options);
    case 'idx':
    case 'npy': {
      const { images, labels } = parsePair(kind, argument);
      return kind === 'idx' ? openIdxPair(spec, images, labels) : openNpy(spec, images, labels);
    }
  }
}
