/** `--fit crop:S` or `crop:HxW`: the middle of each image, before anything is certified. Nothing is ever resized. */
import { badInput } from '@turnproof/core';
import { pixelCount, type Shape } from './types.ts';

export interface Crop {
  readonly height: number;
  readonly width: number;
}

/** @throws TurnproofError 'bad-input' for anything but crop:S and crop:HxW of 1 to 4096 pixels a side */
export function parseFit(text: string): Crop {
  const [, first, second] = /^crop:(\d{1,4})(?:x(\d{1,4}))?$/.exec(text) ?? [];
  const height = Number(first);
  const width = Number(second ?? first);
  if (first === undefined || height < 1 || width < 1 || height > 4096 || width > 4096) {
    throw badInput(
      `--fit ${text.slice(0, 64)}: no crop of 1 to 4096 pixels a side`,
      'Write --fit crop:28, or crop:HEIGHTxWIDTH; images are never resized or padded.',
    );
  }
  return { height, width };
}

/** Does a crop fit into images of a shape? */
export function isLargeEnough({ height, width }: Shape, crop: Crop): boolean {
  return height >= crop.height && width >= crop.width;
}

/** The middle of an image; of an odd rest the larger part is cut off at the right and at the bottom. */
export function cropMiddle(pixels: Float32Array, shape: Shape, crop: Crop): Float32Array {
  const { channels, height, width } = shape;
  const top = Math.floor((height - crop.height) / 2);
  const left = Math.floor((width - crop.width) / 2);
  const out = new Float32Array(pixelCount({ channels, ...crop }));
  for (let channel = 0; channel < channels; channel++) {
    for (let row = 0; row < crop.height; row++) {
      const from = (channel * height + top + row) * width + left;
      out.set(pixels.subarray(from, from + crop.width), (channel * crop.height + row) * crop.width);
    }
  }
  return out;
}
