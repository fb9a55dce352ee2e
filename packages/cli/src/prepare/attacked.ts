/** What must be true of images that an attacker hands over, before hours are spent on them. */
import type { Pipeline } from '@turnproof/certify';
import { checkAttacked, looksRounded } from '@turnproof/certify/bounds';
import type { Console } from '../console.ts';
import type { SelectedData } from './inputs.ts';

/**
 * Says so where images look rounded to 8 bits although the pipeline says that they were not: then what it says of them may
 * be true of no image at all.
 *
 * @throws TurnproofError `bad-input` for an image that was not rounded although the pipeline says that all were
 */
export async function checkAttackedImages(
  { data, indices }: SelectedData,
  pipeline: Pipeline,
  console: Console,
): Promise<void> {
  let rounded = 0;
  for (const index of indices) {
    const { pixels } = await data.read(index);
    checkAttacked({ index, pixels }, pipeline);
    if (pipeline.quantization === 'none' && looksRounded(pixels)) rounded += 1;
  }
  if (rounded === 0) return;
  console.note(
    `${rounded} of ${indices.length} images look rounded to 8 bits; if they were, give --attack-quantization u8`,
  );
}
