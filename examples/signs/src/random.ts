/**
 * Random numbers for drawing signs: counter-based, integers only, so a picture is the same on every machine.
 * Not for certificates: those draw from Philox in the shaders package.
 */

/** A bijection of 32-bit integers that scatters neighbours (C. Wellons' low-bias two-multiplication hash). */
function scatter(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
  h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
  return (h ^ (h >>> 16)) >>> 0;
}

/**
 * Word `counter` of stream `stream` under `seed`, all 32-bit unsigned; the answer too.
 * For a fixed seed and counter it is a bijection of the stream number: two streams never agree at the same counter.
 */
export function randomWord(seed: number, stream: number, counter: number): number {
  const place = scatter(counter ^ scatter(seed + 0x5eed));
  return scatter(scatter(place + Math.imul(stream, 0x9e3779b1)) ^ place);
}

/** A stream read from its start. Every number is an exact binary fraction, so no platform can round it otherwise. */
export class RandomStream {
  readonly #seed: number;
  readonly #stream: number;
  #counter = 0;

  constructor(seed: number, stream: number) {
    this.#seed = seed;
    this.#stream = stream;
  }

  /** Uniform in [0, 1), a multiple of 2^-32. */
  unit(): number {
    const word = randomWord(this.#seed, this.#stream, this.#counter);
    this.#counter += 1;
    return word / 0x1_0000_0000;
  }

  /** Uniform in [low, high). */
  between(low: number, high: number): number {
    return low + (high - low) * this.unit();
  }

  /** A uniform choice among 0 .. count-1. */
  below(count: number): number {
    return Math.floor(this.unit() * count);
  }

  /** Bell-shaped, mean 0, standard deviation 1, within [-3.5, 3.5]: four uniforms, no logarithm or cosine. */
  bell(): number {
    // The sum of four uniforms on [-1/2, 1/2) has variance 1/3.
    const sum = this.unit() + this.unit() + this.unit() + this.unit() - 2;
    return sum * 1.7320508075688772;
  }
}
