/**
 * Twin of `noise`: Philox in integers, exactly; Box and Muller in float64 with the host's own functions.
 */
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

/** Two standard normal numbers from two words. */
export function gauss2Oracle(radiusWord: number, angleWord: number): [number, number] {
  const bits = Math.max(radiusWord, 1);
  const zeros = Math.clz32(bits);
  const mantissa = ((bits << zeros) >>> 8) * 2 ** -23;
  const radius = Math.sqrt(-2 * Math.log(mantissa * 2 ** -(zeros + 1)));
  const t = ((angleWord << 3) >>> 8) * 2 ** -24;
  const [c, s] = [Math.cos((Math.PI / 4) * t), Math.sin((Math.PI / 4) * t)];
  const [a, b] = angleWord >>> 31 === 1 ? [s, c] : [c, s];
  return [radius * ((angleWord >>> 30) & 1 ? -a : a), radius * ((angleWord >>> 29) & 1 ? -b : b)];
}

/**
 * Largest distance of the kernel's normal numbers from {@link gauss2Oracle}'s, relative to the radius of the pair:
 * polynomials (2e-8), their evaluation and three Newton steps in float32.
 */
export const GAUSS_RELATIVE_ERROR = 1.5e-6;

/** `elements` standard normal numbers of one sample: counter (image, beta index, sample, block of four). */
export function noiseOracle(
  elements: number,
  counter: readonly [image: number, beta: number, sample: number],
  key: readonly [number, number],
): Float64Array {
  const output = new Float64Array(elements);
  for (let block = 0; 4 * block < elements; block++) {
    const words = philox4x32([...counter, block], key);
    const four = [...gauss2Oracle(words[0], words[1]), ...gauss2Oracle(words[2], words[3])];
    for (let i = 0; i < 4 && 4 * block + i < elements; i++) output[4 * block + i] = four[i] ?? Number.NaN;
  }
  return output;
}
