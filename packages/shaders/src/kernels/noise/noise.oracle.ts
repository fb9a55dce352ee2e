/**
 * Reference of `noise`: Philox in integers, and J by counting the law's tails above each word.
 */
import type { NoiseLaw } from '../../noise-law.ts';

type Words = [number, number, number, number];

/** Both halves of a product of two 32-bit words, by their own halves: no number on the way reaches 2^32. */
function multiplyWide(a: number, b: number): [high: number, low: number] {
  const [aHigh, aLow, bHigh, bLow] = [a >>> 16, a & 0xffff, b >>> 16, b & 0xffff];
  const inner = aHigh * bLow + ((aLow * bLow) >>> 16);
  const outer = aLow * bHigh + (inner & 0xffff);
  return [aHigh * bHigh + (inner >>> 16) + (outer >>> 16), Math.imul(a, b) >>> 0];
}

/** Philox4x32-10 (Salmon et al. 2011, section 3.3). */
export function philox4x32(counter: Readonly<Words>, key: readonly [number, number]): Words {
  let c: Words = [...counter];
  let [k0, k1] = key;
  for (let round = 0; round < 10; round++) {
    const [high0, low0] = multiplyWide(0xd2511f53, c[0]);
    const [high1, low1] = multiplyWide(0xcd9e8d57, c[2]);
    c = [(high1 ^ c[1] ^ k0) >>> 0, low1, (high0 ^ c[3] ^ k1) >>> 0, low0];
    k0 = (k0 + 0x9e3779b9) >>> 0;
    k1 = (k1 + 0xbb67ae85) >>> 0;
  }
  return c;
}

/** J of the 64-bit word `upper`, `lower`: its first bit is the sign, the others are held against the tails. */
export function latticeStep(law: Pick<NoiseLaw, 'high' | 'low'>, upper: number, lower: number): number {
  const v = upper & 0x7fffffff;
  const isAbove = (j: number) => {
    const high = law.high[j] ?? 0;
    return high === v ? (law.low[j] ?? 0) > lower : high > v;
  };
  // The tails fall with j: halve until the first one that is not above the word is found.
  let [least, most] = [0, law.high.length];
  while (least < most) {
    const middle = (least + most) >> 1;
    if (isAbove(middle)) least = middle + 1;
    else most = middle;
  }
  return upper >>> 31 === 1 && least > 0 ? -least : least;
}

/** Second block of each four values: the lower halves of their words. */
const LOWER = 0x80000000;

/**
 * The noise of one sample in steps of the lattice, `elements` whole numbers: counter (image, beta index, sample, block of
 * four). The same bit for bit as the kernel's, on every adapter.
 */
export function noiseOracle(
  elements: number,
  counter: readonly [image: number, beta: number, sample: number],
  key: readonly [number, number],
  law: Pick<NoiseLaw, 'high' | 'low'>,
): Int32Array<ArrayBuffer> {
  const output = new Int32Array(elements);
  for (let block = 0; 4 * block < elements; block++) {
    const upper = philox4x32([...counter, block], key);
    const lower = philox4x32([...counter, LOWER + block], key);
    for (let i = 0; i < 4 && 4 * block + i < elements; i++) {
      output[4 * block + i] = latticeStep(law, upper[i] ?? 0, lower[i] ?? 0);
    }
  }
  return output;
}

/** An image with the noise of one sample: what the kernel writes for it, bit for bit. */
export function noisyOracle(
  image: ArrayLike<number>,
  counter: readonly [image: number, beta: number, sample: number],
  key: readonly [number, number],
  law: NoiseLaw,
): Float32Array<ArrayBuffer> {
  const perUnit = 2 ** law.latticeBits;
  const steps = noiseOracle(image.length, counter, key, law);
  return Float32Array.from(steps, (step, i) => (roundToEven((image[i] ?? 0) * perUnit) + step) / perUnit);
}

/** As WGSL rounds: halves to the even neighbour. */
function roundToEven(x: number): number {
  const down = Math.floor(x);
  const rest = x - down;
  if (rest !== 0.5) return Math.round(x);
  return down % 2 === 0 ? down : down + 1;
}
