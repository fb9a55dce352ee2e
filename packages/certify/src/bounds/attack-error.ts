/**
 * How far the file that an attacker hands over may be from the real T_γ x, pixel by pixel.
 */
import { badInput } from '@turnproof/core';
import type { Pipeline } from '../pipeline.ts';

/**
 * Nobody computes T_γ x exactly: whoever does it in float32 is within a few millionths (this program's own warp: 1.6e-6 at
 * MNIST's size), and so is the float32 that a pixel is kept in. Part of the premise of an Indiv certificate.
 */
export const ATTACK_PRECISION = 1e-5;

/** Half a step: |x' - T_γ x| at any pixel is at most this. */
export function attackHalfStep({ quantization }: Pick<Pipeline, 'quantization'>): number {
  return (quantization === 'u8' ? 0.5 / 255 : 0) + ATTACK_PRECISION;
}

const isByte = (value: number): boolean => Math.abs(255 * value - Math.round(255 * value)) <= 1e-4;

/**
 * Refuses an image that cannot have been rounded to 8 bits where the pipeline says that all were.
 *
 * @throws TurnproofError `bad-input` with the first value that is no multiple of 1/255
 */
export function checkAttacked(
  { index, pixels }: { readonly index: number; readonly pixels: Float32Array },
  { quantization }: Pick<Pipeline, 'quantization'>,
): void {
  const wrong = quantization === 'u8' ? pixels.findIndex((value) => !isByte(value)) : -1;
  if (wrong < 0) return;
  throw badInput(
    `image ${index}: value ${wrong} is ${pixels[wrong]}, no multiple of 1/255, yet the attack is said to round to 8 bits`,
    'give --attack-quantization none, or the 8-bit image',
  );
}

/** Is an image all multiples of 1/255, with some between 0 and 1? Then `none` is probably not what was meant. */
export function looksRounded(pixels: Float32Array): boolean {
  return pixels.every(isByte) && pixels.some((value) => value > 0 && value < 1);
}
