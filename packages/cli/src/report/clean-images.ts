/**
 * The images of a run, read again from its data set as long as they are the ones that were certified. Whatever stands
 * in the way (moved, changed, another data set) is a reason that the report states, never an error.
 */

import type { Certificate } from '@turnproof/certify';
import { TurnproofError } from '@turnproof/core';
import sharp from 'sharp';
import { type Dataset, openDataset } from '../data/index.ts';
import { findKept } from '../run/kept-paths.ts';
import type { ReportedRun } from './read-run.ts';

export interface CleanImage {
  /** [channels, height, width], in [0, 1]. */
  readonly pixels: Float32Array;
  /** As the data set calls it. */
  readonly name: string;
}

export interface CleanImages {
  /** Names of the classes; null where they are not known. */
  readonly classes: readonly string[] | null;
  /** The image that was certified, or why it cannot be shown. */
  read(certificate: Certificate): Promise<CleanImage | string>;
}

/** @param spec the data set, where it lies elsewhere than the run says */
export async function openCleanImages({ path, config }: ReportedRun, spec?: string): Promise<CleanImages> {
  const wanted = spec ?? config?.data.spec;
  const none = (why: string): CleanImages => ({ classes: null, read: () => Promise.resolve(why) });
  if (wanted === undefined) return none('the run does not say where it came from');
  let data: Dataset;
  try {
    const word = (name: string) => {
      const value = config?.options[name];
      return typeof value === 'string' ? value : undefined;
    };
    const find = (name: 'data' | 'labels', words: string | undefined) =>
      findKept(path, config?.paths, name, words);
    const folder = { fit: word('fit'), labels: find('labels', word('labels')) };
    data = await openDataset(spec ?? find('data', wanted) ?? wanted, folder);
  } catch (error) {
    return none(`data set ${wanted} cannot be opened here: ${reasonOf(error)}`);
  }
  return {
    classes: data.classes,
    async read({ index, image }) {
      try {
        const { pixels, name, sha256 } = await data.read(index);
        if (sha256 !== image.sha256) return `image ${index} of ${wanted} is not the one that was certified`;
        return { pixels, name };
      } catch (error) {
        return reasonOf(error);
      }
    },
  };
}

function reasonOf(error: unknown): string {
  if (error instanceof TurnproofError) return error.message;
  throw error;
}

/** Grey and colour can be shown. */
export function canBeShown({ channels }: { readonly channels: number }): boolean {
  return channels === 1 || channels === 3;
}

interface ImageSize {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/** A PNG as a data URI; pixels [channels, height, width] in [0, 1], rounded to 8 bits. */
export async function pngUri(pixels: ArrayLike<number>, size: ImageSize): Promise<string> {
  return `data:image/png;base64,${(await pngOf(pixels, size)).toString('base64')}`;
}

/** The bytes of a PNG; see {@link pngUri}. */
export async function pngOf(
  pixels: ArrayLike<number>,
  { channels, height, width }: ImageSize,
): Promise<Buffer> {
  const bytes = Buffer.alloc(channels * height * width);
  const plane = height * width;
  for (let k = 0; k < plane; k++) {
    for (let c = 0; c < channels; c++) {
      const value = Math.min(1, Math.max(0, pixels[c * plane + k] ?? 0));
      bytes[k * channels + c] = Math.round(255 * value);
    }
  }
  const raw = { width, height, channels: channels === 1 ? 1 : 3 } as const;
  return sharp(bytes, { raw }).png({ compressionLevel: 9 }).toBuffer();
}
