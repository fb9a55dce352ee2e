/**
 * The worst images of attacks, by the hash of the clean image that was attacked. Whatever stands in the way of reading
 * them is a reason that the report states.
 */
import { join } from 'node:path';
import { TurnproofError } from '@turnproof/core';
import { z } from 'zod';
import { openDataset } from '../data/index.ts';
import { ATTACK, IMAGES } from '../run/attack-folder.ts';
import { MAX_LINES, readText } from '../text-file.ts';

const line = z.looseObject({
  row: z.int().min(0),
  gamma: z.array(z.number()).min(1).max(2),
  loss: z.number().nullable(),
  answer: z.int().nullable(),
  attacks: z.int(),
  wrong: z.int(),
  image: z.looseObject({ sha256: z.string() }),
  attacked: z.looseObject({ sha256: z.string() }),
});

export interface WorstImage {
  /** [channels, height, width] in [0, 1]. */
  readonly pixels: Float32Array;
  readonly gamma: readonly number[];
  /** Of b; null: none. */
  readonly answer: number | null;
  /** So many of the attacks b did not answer rightly. */
  readonly wrong: number;
  readonly attacks: number;
}

export interface AttackedImages {
  /** Null: that image was not attacked. */
  worst(sha256: string): Promise<WorstImage | null>;
  readonly notes: readonly string[];
}

/** @param folders of attacks; a later one does not replace what an earlier one has */
export async function openAttacked(folders: readonly string[]): Promise<AttackedImages> {
  const found = new Map<string, { folder: string; read: () => Promise<WorstImage> }>();
  const notes: string[] = [];
  for (const folder of folders) {
    try {
      const text = (await readText(join(folder, ATTACK), MAX_LINES)) ?? '';
      const data = await openDataset(`npy:${join(folder, IMAGES)}`);
      const lines = text
        .split('\n')
        .filter((one) => one !== '')
        .map((one) => line.parse(JSON.parse(one)));
      // Of several attacked images of one (--choose random) the worst is shown.
      for (const one of lines.toSorted((a, b) => (b.loss ?? Infinity) - (a.loss ?? Infinity))) {
        const { row, gamma, answer, wrong, attacks, attacked, image } = one;
        if (found.has(image.sha256)) continue;
        const read = async () => {
          const { pixels, sha256 } = await data.read(row);
          if (sha256 !== attacked.sha256)
            throw new TurnproofError('bad-input', `row ${row} is another image`);
          return { pixels, gamma, answer, wrong, attacks };
        };
        found.set(image.sha256, { folder, read });
      }
    } catch (error) {
      notes.push(
        `The attack in ${folder} is not shown: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }
  return {
    notes,
    async worst(sha256) {
      try {
        return (await found.get(sha256)?.read()) ?? null;
      } catch (error) {
        if (error instanceof TurnproofError) return null;
        throw error;
      }
    },
  };
}
