/** Where the time of an image goes. */
import type { Spent } from './method.ts';

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
