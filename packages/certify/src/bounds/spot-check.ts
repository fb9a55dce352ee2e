/**
 * One of the numbers that each bound comes from, held against float64. The self-test has seen the kernels compute an image
 * of its own; this sees them on the very image that is certified, in the shape and the batch of the run. Not for deciding
 * anything: a bound is what the adapter gave, or there is none.
 */
import { type ImageShape, pixelCount } from '@turnproof/shaders';
import { adapterFault } from '../adapter-fault.ts';

export interface Spot {
  /** A whole number from 0 on, below this one. */
  readonly draw: (below: number) => number;
  /** Norms over boxes, too: their reference takes a hundred times as long as that of a point. */
  readonly boxes: boolean;
}

/** Values of an image beyond which the reference of a box would take seconds. */
const MOST_VALUES = 2 ** 14;

export function spotFor(shape: ImageShape, draw: Spot['draw']): Spot {
  return { draw, boxes: pixelCount(shape) <= MOST_VALUES };
}

/** One of the requests with the spot; the others as they are. */
export function marked<R extends object>(
  requests: readonly R[],
  spot: Spot | undefined,
): (R & { readonly spot?: Spot })[] {
  const chosen = spot?.draw(requests.length) ?? -1;
  return requests.map((request, i) => (spot && i === chosen ? { ...request, spot } : request));
}

/**
 * Is float64's number where the adapter says that it is?
 *
 * @param what - What the number is of, such as «the error at γ = 3».
 * @param upper - What the adapter gave, rounded up by its budget.
 * @param atLeast - What the true number then must be at least.
 * @throws TurnproofError `parity` where it is not
 */
export function holdAgainstFloat64(what: string, exact: number, upper: number, atLeast = 0): void {
  if (atLeast <= exact && exact <= upper) return;
  const said = exact > upper ? `at most ${upper}` : `at least ${atLeast}`;
  throw adapterFault(`spot check: ${what} is ${exact} in float64, but ${said} by the adapter`);
}
