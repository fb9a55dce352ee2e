/** The largest interpolation errors of a run of `bound`: found (a lower bound of the maximum) and bounded. */
import { downTo, upTo } from '../rounding.ts';

export class ObservedErrors {
  readonly #images = new Set<number>();
  readonly #found: number[] = [];
  readonly #bounds: number[] = [];
  #ms = 0;

  add(image: number, found: number, bound: number, ms: number): void {
    this.#images.add(image);
    this.#found.push(found);
    this.#bounds.push(bound);
    this.#ms += ms;
  }

  columns(): [title: string, cell: string][] {
    const most = (values: readonly number[]) => values.reduce((a, b) => Math.max(a, b), 0);
    const median = this.#found.toSorted((a, b) => a - b)[Math.floor(this.#found.length / 2)] ?? 0;
    return [
      ['images', String(this.#images.size)],
      ['β', String(this.#found.length)],
      ['max. error found', downTo(most(this.#found), 4)],
      ['max. bound', upTo(most(this.#bounds), 4)],
      ['median error found', median.toFixed(4)],
      ['ms a β', (this.#ms / Math.max(1, this.#found.length)).toFixed(1)],
    ];
  }
}
