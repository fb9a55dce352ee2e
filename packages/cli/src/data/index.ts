/**
 * Data sets by the words of `--data SPEC`. Everything that can be known to be wrong is refused on opening, before
 * anything is computed. Not for choosing a classifier's preprocessing: images come as they are stored.
 */
import { openCifar10 } from './cifar.ts';
import { openFolder } from './folder.ts';
import { openMnist } from './idx.ts';
import { openNpy } from './npy.ts';
import { openSigns } from './signs.ts';
import { parseDataSpec, parseNpyArgument } from './spec.ts';
import type { Dataset } from './types.ts';

export { type Selection, selectIndices } from './selection.ts';
export { DATA_KINDS, type DataKind } from './spec.ts';
export type { DataImage, Dataset, Shape } from './types.ts';

/**
 * Opens the data set that `spec` names: signs, mnist:DIR, mnist-train:DIR, cifar10:FILE|DIR, folder:DIR or
 * npy:IMAGES[,LABELS]. Relative paths start at the working directory.
 *
 * @throws TurnproofError 'bad-input' saying what is wrong with the spec or the files, where, and how to mend it.
 */
export async function openDataset(spec: string): Promise<Dataset> {
  const { kind, argument } = parseDataSpec(spec);
  switch (kind) {
    case 'signs':
      return openSigns(spec);
    case 'mnist':
      return openMnist(spec, kind, argument, 't10k');
    case 'mnist-train':
      return openMnist(spec, kind, argument, 'train');
    case 'cifar10':
      return openCifar10(spec, argument);
    case 'folder':
      return openFolder(spec, argument);
    case 'npy': {
      const { images, labels } = parseNpyArgument(argument);
      return openNpy(spec, images, labels);
    }
  }
}
