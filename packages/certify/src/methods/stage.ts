/** Small things that the methods share: the noise as it is drawn, and where the time goes. */
import type { Spent } from './method.ts';

/** The noise that the kernel adds is a float32's; the share needed for a radius is of that one. */
export function noiseOf({ sigmaEps }: { readonly sigmaEps: number }): number {
  return Math.fround(sigmaEps);
}

/** Wall time of an image, in bounds and in sampling. */
export class StageClock {
  #boundMs = 0;
  #samplingMs = 0;

  async bounding<T>(work: () => Promise<T>): Promise<T> {
    const start = performance.now();
    try {
      return await work();
    } finally {
      this.#boundMs += performance.now() - start;
    }
  }

  async sampling<T>(work: () => Promise<T>): Promise<T> {
    const start = performance.now();
    try {
      return await work();
    } finally {
      this.#samplingMs += performance.now() - start;
    }
  }

  spent(samples: number): Spent {
    return { boundMs: this.#boundMs, samplingMs: this.#samplingMs, samples };
  }
}
