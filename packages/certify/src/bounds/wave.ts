/**
 * One wave of bounds on the GPU: errors at points and squared norms over boxes, for many images and β at once, in one
 * submission with one small readback. What is asked for and why is refine.ts's affair.
 */
import type { Gpu, GpuArray } from '@turnproof/core';
import {
  boxHullKernel,
  boxItems,
  boxRemainderKernel,
  boxWidths,
  chordBudget,
  chordErrorKernel,
  endsOf,
  fixedMap,
  type ImageShape,
  intervalBudget,
  intervalErrorKernel,
  intervalItems,
  mapItems,
  normAtLeast,
  normUp,
  PairRunner,
  type PairRunner as Pairs,
  type Parameter,
  type ParameterBox,
  PixelRunner,
  type Preprocess,
  pairItems,
  pixelCount,
  pointBudget,
  pointErrorKernel,
  pointItems,
  type Transform,
  warpKernel,
} from '@turnproof/shaders';
import { chordErrorOracle, interpolationError, intervalErrorOracle } from '@turnproof/shaders/oracle';
import { holdAgainstFloat64 } from './spot-check.ts';

export interface WavePoint {
  readonly image: number;
  readonly beta: Parameter;
  readonly gamma: Parameter;
}

export interface WaveBox {
  readonly image: number;
  readonly beta: Parameter;
  readonly box: ParameterBox;
}

export interface WaveResult {
  /** Upper bounds on epsilon at the points; infinite where the GPU gave no number. */
  readonly points: Float64Array;
  /** Upper bounds on the norm of each box's remainder (chord) or on the box's error itself (interval). */
  readonly boxes: Float64Array;
}

/** Memory for the second stack of images: what one chunk of a wave may share. */
const STACK_BYTES = 64 * 2 ** 20;
/** Items of one dispatch. */
const MAX_ITEMS = 32_768;

/** A run of entries that share few enough images of the second stack. */
interface Chunk<S> {
  readonly slots: S[];
  readonly entries: { readonly index: number; readonly slot: number }[];
}

/** Sorts entries by what they share, and cuts them where the stack or the dispatch would overflow. */
function chunksBy<E, S>(
  entries: readonly E[],
  keyOf: (entry: E) => string,
  slotOf: (entry: E) => S,
  maxSlots: number,
): Chunk<S>[] {
  const byKey = new Map<string, number[]>();
  entries.forEach((entry, index) => {
    const key = keyOf(entry);
    const list = byKey.get(key);
    if (list) list.push(index);
    else byKey.set(key, [index]);
  });
  const chunks: Chunk<S>[] = [];
  let chunk: Chunk<S> | undefined;
  for (const indices of byKey.values()) {
    for (let at = 0; at < indices.length; at += MAX_ITEMS) {
      const part = indices.slice(at, at + MAX_ITEMS);
      if (!chunk || chunk.slots.length >= maxSlots || chunk.entries.length + part.length > MAX_ITEMS) {
        chunk = { slots: [], entries: [] };
        chunks.push(chunk);
      }
      const first = entries[part[0] ?? -1];
      if (first === undefined) continue;
      const slot = chunk.slots.push(slotOf(first)) - 1;
      for (const index of part) chunk.entries.push({ index, slot });
    }
  }
  return chunks;
}

export class WaveRunner {
  readonly #gpu: Gpu;
  readonly #transform: Transform;
  readonly #shape: ImageShape;
  readonly #pre: Preprocess;
  readonly #warp: PixelRunner;
  readonly #makeStack: PixelRunner;
  readonly #points: Pairs;
  readonly #boxes: Pairs;
  readonly #interval: boolean;

  private constructor(
    gpu: Gpu,
    problem: { transform: Transform; shape: ImageShape; pre: Preprocess },
    runners: { warp: PixelRunner; makeStack: PixelRunner; points: Pairs; boxes: Pairs; interval: boolean },
  ) {
    this.#gpu = gpu;
    this.#transform = problem.transform;
    this.#shape = problem.shape;
    this.#pre = problem.pre;
    this.#warp = runners.warp;
    this.#makeStack = runners.makeStack;
    this.#points = runners.points;
    this.#boxes = runners.boxes;
    this.#interval = runners.interval;
  }

  static async create(
    gpu: Gpu,
    problem: { transform: Transform; shape: ImageShape; pre: Preprocess },
    method: 'chord' | 'interval',
  ): Promise<WaveRunner> {
    const { transform, shape, pre } = problem;
    const interval = method === 'interval';
    const constants = { TRANSLATION: transform === 'translation' ? 1 : 0 };
    const [warp, makeStack, points, boxes] = await Promise.all([
      PixelRunner.create(gpu, warpKernel, shape),
      interval
        ? PixelRunner.create(gpu, boxHullKernel, shape)
        : PixelRunner.create(gpu, boxRemainderKernel, shape, constants),
      PairRunner.create(gpu, pointErrorKernel, shape, pre),
      interval
        ? PairRunner.create(gpu, intervalErrorKernel, shape, pre, { fieldBytes: 8 })
        : PairRunner.create(gpu, chordErrorKernel, shape, pre, { constants }),
    ]);
    return new WaveRunner(gpu, problem, { warp, makeStack, points, boxes, interval });
  }

  close(): void {
    this.#points.close();
    this.#boxes.close();
  }

  /** Runs one wave; `images` is the stack [image, channels, height, width] on the GPU. */
  async run(
    images: GpuArray<'f32'>,
    points: readonly WavePoint[],
    boxes: readonly WaveBox[],
  ): Promise<WaveResult> {
    const transform = this.#transform;
    const shape = this.#shape;
    const size = pixelCount(shape);
    const perSlot = this.#interval ? 2 : 1;
    const maxSlots = Math.max(1, Math.min(MAX_ITEMS, Math.floor(STACK_BYTES / (4 * size * perSlot))));
    const pointChunks = chunksBy(
      points,
      ({ image, gamma }) => `${image}:${gamma.join()}`,
      ({ image, gamma }) => ({ image, map: fixedMap(transform, gamma, shape) }),
      maxSlots,
    );
    const boxChunks = chunksBy(
      boxes,
      ({ image, box }) => `${image}:${box.lower.join()}:${box.upper.join()}`,
      ({ image, box }) => ({ image, box }),
      maxSlots,
    );
    const gpu = this.#gpu;
    const held: GpuArray[] = [];
    const upload = (data: Int32Array<ArrayBuffer>, label: string) => {
      const array = gpu.upload('i32', data, label);
      held.push(array);
      return array;
    };
    const scratch = (length: number, label: string) => {
      const array = gpu.array('f32', length, label);
      held.push(array);
      return array;
    };
    try {
      const slots = Math.max(1, ...[...pointChunks, ...boxChunks].map((chunk) => chunk.slots.length));
      const warped = scratch(slots * perSlot * size, 'second stack');
      const batch = gpu.batch(`bounds of ${points.length} points and ${boxes.length} boxes`);
      const pointReads = pointChunks.map((chunk) => {
        const maps = upload(mapItems(chunk.slots), 'warp items');
        this.#warp.dispatch(batch, { images, items: maps, output: warped }, chunk.slots.length);
        const entries = chunk.entries.flatMap(({ index, slot }) => {
          const point = points[index];
          return point ? [{ image: point.image, slot, beta: point.beta, gamma: point.gamma }] : [];
        });
        const items = upload(pointItems(entries, transform, shape), 'point items');
        const output = scratch(entries.length * this.#points.partials, 'point sums');
        this.#points.dispatch(batch, { images, warped, items, output }, entries.length);
        return { chunk, read: batch.read(output) };
      });
      const boxReads = boxChunks.map((chunk) => {
        const slotItems = upload(boxItems(chunk.slots, transform, shape), 'box items');
        this.#makeStack.dispatch(batch, { images, items: slotItems, output: warped }, chunk.slots.length);
        const entries = chunk.entries.flatMap(({ index, slot }) => {
          const pair = boxes[index];
          return pair ? [{ image: pair.image, slot, beta: pair.beta, box: pair.box }] : [];
        });
        const data = this.#interval
          ? intervalItems(
              entries.map(({ image, slot, ...rest }) => ({
                images: [image, image],
                moved: endsOf(slot),
                ...rest,
              })),
              transform,
              shape,
            )
          : pairItems(entries, transform, shape);
        const items = upload(data, 'pair items');
        const output = scratch(entries.length * this.#boxes.partials, 'pair sums');
        this.#boxes.dispatch(batch, { images, warped, items, output }, entries.length);
        return { chunk, read: batch.read(output) };
      });
      await batch.submit();
      // What nobody fills in bounds nothing.
      const unknown = (count: number) => new Float64Array(count).fill(Number.POSITIVE_INFINITY);
      const result = { points: unknown(points.length), boxes: unknown(boxes.length) };
      const budget = pointBudget(shape, this.#pre);
      for (const { chunk, read } of pointReads) {
        chunk.entries.forEach(({ index }, k) => {
          result.points[index] = this.#norm(this.#points, read.data, k, budget);
        });
      }
      for (const { chunk, read } of boxReads) {
        chunk.entries.forEach(({ index }, k) => {
          result.boxes[index] = this.#norm(this.#boxes, read.data, k, this.#boxBudget(boxes[index]?.box));
        });
      }
      return result;
    } finally {
      for (const array of held) array.release();
    }
  }

  /** What the error at a point is at least, given the upper bound on it that a run gave. */
  pointAtLeast(upper: number): number {
    return normAtLeast(upper, this.#points.tiling, pointBudget(this.#shape, this.#pre));
  }

  /**
   * Evaluates a point in float64 and holds a run's bound of it against that.
   *
   * @returns the error at the point
   * @throws TurnproofError `parity` where the two contradict each other
   */
  checkPoint(image: Float32Array, { beta, gamma }: Omit<WavePoint, 'image'>, upper: number): number {
    const exact = interpolationError(this.#transform, beta, gamma, image, this.#shape, this.#pre);
    const what = `the error at γ = ${gamma.join(':')} for β = ${beta.join(':')}`;
    holdAgainstFloat64(what, exact, upper, this.pointAtLeast(upper));
    return exact;
  }

  /** The same for a box, whose reference is far dearer. */
  checkBox(image: Float32Array, { beta, box }: Omit<WaveBox, 'image'>, upper: number): void {
    const reference = this.#interval ? intervalErrorOracle : chordErrorOracle;
    const exact = reference(this.#transform, beta, box, image, this.#shape, this.#pre);
    const what = `the bound over γ from ${box.lower.join(':')} to ${box.upper.join(':')} for β = ${beta.join(':')}`;
    holdAgainstFloat64(what, exact, upper);
  }

  #boxBudget(box: ParameterBox | undefined): number {
    if (!box) return Number.POSITIVE_INFINITY;
    if (this.#interval) return intervalBudget(this.#shape, this.#pre);
    const width = boxWidths(this.#transform, box).reduce((a, b) => a + b, 0);
    return chordBudget(this.#shape, this.#pre, this.#transform, width);
  }

  #norm(runner: Pairs, partials: Float32Array, item: number, budget: number): number {
    return normUp(partials, item * runner.partials, (item + 1) * runner.partials, runner.tiling, budget);
  }
}
