/**
 * The file format of the data: CIFAR-10's binary records, a label byte and then 3072 bytes (R, G, B planes).
 * Not a general CIFAR reader: the command line has its own, which names the file and the byte at fault.
 */
import { drawSign, type Split, signSize } from './draw.ts';

/** Bytes of one record. */
export const recordBytes = 1 + 3 * signSize * signSize;

/** Images in the committed test set, data/test.bin. */
export const testCount = 200;

/** Records 0 .. count-1 of a split, one after the other: `count * recordBytes` bytes. */
export function drawRecords(seed: number, split: Split, count: number): Uint8Array {
  const bytes = new Uint8Array(count * recordBytes);
  for (let index = 0; index < count; index += 1) {
    const { label, pixels } = drawSign({ seed, split, index });
    bytes[index * recordBytes] = label;
    bytes.set(pixels, index * recordBytes + 1);
  }
  return bytes;
}
