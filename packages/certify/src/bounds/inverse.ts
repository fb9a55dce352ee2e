/**
 * Indiv's bounds: from an image x' that was made by an unknown T_γ from an unknown x, what γ and x can have been, and how far
 * pre(T_β x') can be from pre(T_(β+γ) x). Sub-boxes of Γ from which x' cannot come are left out, the others are cut finer
 * (design: math, section 5). Why it is sound: `certifyIndiv`.
 */
import { type Gpu, type GpuArray, TurnproofError } from '@turnproof/core';
import {
  endsOf,
  type ImageShape,
  InverseRunner,
  intervalBudget,
  intervalErrorKernel,
  intervalItems,
  inverseItems,
  normUp,
  PairRunner,
  type Parameter,
  type ParameterBox,
  pixelCount,
} from '@turnproof/shaders';
import {
  anyImage,
  type IntervalImage,
  indivErrorOracle,
  inverseOracle,
  isRefuted,
} from '@turnproof/shaders/oracle';
import { adapterFault } from '../adapter-fault.ts';
import type { Pipeline } from '../pipeline.ts';
import { attackHalfStep } from './attack-error.ts';
import { evenBoxes, splitBox } from './grid.ts';
import { holdAgainstFloat64, type Spot } from './spot-check.ts';
import type { BoundGoal, BoundRequest, ErrorBounder } from './types.ts';

/** What is left of Γ. */
export interface Preimages {
  /** Sub-boxes that may hold γ: γ is in one of them. Never empty: 0 is in Γ, and T_0 x' = x'. */
  readonly boxes: readonly ParameterBox[];
  /** Sub-boxes that were put to the test, at all widths. */
  readonly tried: number;
}

export interface Inverter {
  /**
   * @param image - x', [channels, height, width] in [0, 1].
   * @param spot - Given: one of the sub-boxes that are left out is held against float64.
   * @throws TurnproofError `parity` where that does not leave it out
   */
  narrow(image: Float32Array<ArrayBuffer>, spot?: Spot): Promise<Preimages>;
  /** Bounds over these boxes, of the same x'. */
  over(preimages: Preimages): ErrorBounder;
}

/** Widths of the first sub-boxes, degrees or pixels: wide ones are seldom refuted. */
const FIRST_WIDTH = { rotation: 1, translation: 0.5 } as const;
/** No wider rotation box: the kernels' arcs do not reach beyond. */
const MOST_WIDTH = 90;
/** Sub-boxes left beyond which they are not cut finer: of an empty image none is refuted. */
const MOST_BOXES = 1024;
/** Sub-boxes of one submission, where memory does not ask for fewer. */
const CHUNK_BOXES = 256;
const STACK_BYTES = 64 * 2 ** 20;
/** What the kernel writes for a box from which x' cannot come. */
const REFUTED = 1;
/** Pairs of box and β in one dispatch. */
const MAX_ITEMS = 32_768;

export interface InverterOptions {
  readonly shape: ImageShape;
  readonly pipeline: Pipeline;
  /** Steps of refinement for each box. */
  readonly refinements: number;
  /** Sub-boxes of Γ along each axis at the end, at least (fewer where nothing is refuted). */
  readonly boxes: number;
}

export class GpuInverter implements Inverter {
  readonly #gpu: Gpu;
  readonly #options: InverterOptions;
  readonly #inverse: InverseRunner;
  readonly #errors: PairRunner;
  readonly #chunk: number;

  private constructor(gpu: Gpu, options: InverterOptions, inverse: InverseRunner, errors: PairRunner) {
    this.#gpu = gpu;
    this.#options = options;
    this.#inverse = inverse;
    this.#errors = errors;
    const most = Math.floor(STACK_BYTES / (8 * pixelCount(options.shape)));
    this.#chunk = Math.max(1, Math.min(CHUNK_BOXES, most));
  }

  static async open(gpu: Gpu, options: InverterOptions): Promise<GpuInverter> {
    const { shape, pipeline } = options;
    const [inverse, errors] = await Promise.all([
      InverseRunner.create(gpu, shape),
      PairRunner.create(gpu, intervalErrorKernel, shape, pipeline.pre, { fieldBytes: 8 }),
    ]);
    return new GpuInverter(gpu, options, inverse, errors);
  }

  close(): void {
    this.#errors.close();
  }

  async narrow(image: Float32Array<ArrayBuffer>, spot?: Spot): Promise<Preimages> {
    const { pipeline, boxes: finest } = this.#options;
    const { transform, range } = pipeline;
    const first = Math.ceil((2 * range) / FIRST_WIDTH[transform]);
    const fewest = transform === 'rotation' ? Math.ceil((2 * range) / MOST_WIDTH) : 1;
    let pieces = Math.max(fewest, Math.min(finest, first));
    let boxes = evenBoxes(transform, range, pieces);
    const parts = 2 ** (boxes[0]?.lower.length ?? 1);
    const refuted: ParameterBox[] = [];
    for (let tried = 0; ; pieces *= 2) {
      tried += boxes.length;
      const left = await this.#possible(image, boxes);
      refuted.push(...boxes.filter((box) => !left.includes(box)));
      boxes = left;
      if (!boxes.some(holdsZero)) {
        throw new TurnproofError('internal', 'the inverse refuted γ = 0, by which every image gives itself');
      }
      if (pieces >= finest || boxes.length * parts > MOST_BOXES) {
        this.#checkRefuted(image, refuted, spot);
        return { boxes, tried };
      }
      boxes = boxes.flatMap((box) => splitBox(box, parts));
    }
  }

  over({ boxes }: Preimages): ErrorBounder {
    return {
      method: 'interval',
      bound: async ([image], requests, goal) => {
        const bounds = new Float64Array(requests.length);
        if (!image) throw new TurnproofError('internal', 'no attacked image to bound');
        await this.#boundAll(image, boxes, requests, goal, bounds);
        return Array.from(bounds, (bound) => ({
          bound,
          // No error is known to occur, so a target is held or nothing is known.
          exceeds: 'target' in goal && bound <= goal.target ? false : null,
        }));
      },
    };
  }

  /** One of the boxes that are left out must be impossible by float64, too, whose intervals are narrower. */
  #checkRefuted(image: Float32Array, refuted: readonly ParameterBox[], spot: Spot | undefined): void {
    const box = refuted[spot?.boxes && refuted.length > 0 ? spot.draw(refuted.length) : -1];
    if (!box || isRefuted(this.#preimage(image, box))) return;
    const ends = `${box.lower.join(':')} to ${box.upper.join(':')}`;
    throw adapterFault(`spot check: the adapter refutes γ from ${ends}, which float64 does not`);
  }

  /** The intervals of a box in float64. Slow. */
  #preimage(image: Float32Array, box: ParameterBox): IntervalImage {
    const { shape, pipeline, refinements } = this.#options;
    let intervals = anyImage(shape);
    for (let step = 0; step < refinements; step++) {
      intervals = inverseOracle(pipeline.transform, box, image, attackHalfStep(pipeline), intervals, shape);
    }
    return intervals;
  }

  /**
   * A box to be held against float64, and its intervals. Float64 sees more: where it refutes the box that is drawn, the one
   * around 0 is taken, which it never does.
   */
  #spotBox(image: Float32Array, boxes: readonly ParameterBox[], spot: Spot): SpotBox | null {
    for (const box of [boxes[spot.draw(boxes.length)], boxes.find(holdsZero)]) {
      const intervals = box && this.#preimage(image, box);
      if (box && intervals && !isRefuted(intervals)) return { box, intervals };
    }
    return null;
  }

  /** A β's bound over one box, against float64. */
  #checkError(image: Float32Array, { box, intervals }: SpotBox, beta: Parameter, upper: number): void {
    const { shape, pipeline } = this.#options;
    const exact = indivErrorOracle(pipeline.transform, beta, box, image, intervals, shape, pipeline.pre);
    const ends = `${box.lower.join(':')} to ${box.upper.join(':')}`;
    holdAgainstFloat64(`the bound over γ from ${ends} for β = ${beta.join(':')}`, exact, upper);
  }

  async #possible(image: Float32Array<ArrayBuffer>, boxes: readonly ParameterBox[]): Promise<ParameterBox[]> {
    const left: ParameterBox[] = [];
    for (const chunk of chunked(boxes, this.#chunk)) {
      const refuted = await this.#invert(image, chunk, async () => undefined);
      // The kernel's own word for it; whatever else comes back refutes nothing.
      left.push(...chunk.filter((_, i) => refuted[i] !== REFUTED));
    }
    return left;
  }

  async #boundAll(
    image: Float32Array<ArrayBuffer>,
    boxes: readonly ParameterBox[],
    requests: readonly BoundRequest[],
    goal: BoundGoal,
    bounds: Float64Array,
  ): Promise<void> {
    const spots = requests.map(({ spot }) => (spot?.boxes ? this.#spotBox(image, boxes, spot) : null));
    for (const chunk of chunked(boxes, this.#chunk)) {
      // Beyond its target a β needs no further boxes.
      const open = requests.flatMap((_, i) =>
        'target' in goal && !((bounds[i] ?? 0) <= goal.target) ? [] : [i],
      );
      await this.#invert(image, chunk, async (images, intervals) => {
        for (const some of chunked(open, Math.floor(MAX_ITEMS / chunk.length))) {
          const norms = await this.#norms(
            images,
            intervals,
            chunk,
            some.map((i) => requests[i]?.beta ?? []),
          );
          some.forEach((i, k) => {
            const own = norms.subarray(k * chunk.length, (k + 1) * chunk.length);
            bounds[i] = Math.max(bounds[i] ?? Number.NaN, ...own);
            const [spot, beta] = [spots[i], requests[i]?.beta];
            const at = spot ? chunk.indexOf(spot.box) : -1;
            if (spot && beta && at >= 0) this.#checkError(image, spot, beta, own[at] ?? Number.NaN);
          });
        }
      });
    }
  }

  /** Bounds for each β and box, [β, box]. */
  async #norms(
    image: GpuArray<'f32'>,
    intervals: GpuArray<'f32'>,
    boxes: readonly ParameterBox[],
    betas: readonly (readonly number[])[],
  ): Promise<Float64Array> {
    const { shape, pipeline } = this.#options;
    const entries = betas.flatMap((beta) =>
      boxes.map((box, slot) => ({ images: endsOf(slot), moved: [0, 0] as const, beta, box })),
    );
    const { partials, tiling } = this.#errors;
    const items = this.#gpu.upload('i32', intervalItems(entries, pipeline.transform, shape), 'indiv items');
    const output = this.#gpu.array('f32', entries.length * partials, 'indiv sums');
    try {
      const batch = this.#gpu.batch(`bounds of ${betas.length} β over ${boxes.length} boxes`);
      this.#errors.dispatch(batch, { images: intervals, warped: image, items, output }, entries.length);
      const sums = batch.read(output);
      await batch.submit();
      const budget = intervalBudget(shape, pipeline.pre);
      return Float64Array.from(entries, (_, i) =>
        normUp(sums.data, i * partials, (i + 1) * partials, tiling, budget),
      );
    } finally {
      items.release();
      output.release();
    }
  }

  /**
   * All steps of refinement of some boxes at once.
   *
   * @param use - Gets x' and the intervals, [box, 2, channels, height, width], which are released afterwards.
   * @returns for each box, REFUTED where it is
   */
  async #invert(
    pixels: Float32Array<ArrayBuffer>,
    boxes: readonly ParameterBox[],
    use: (image: GpuArray<'f32'>, intervals: GpuArray<'f32'>) => Promise<void>,
  ): Promise<Uint32Array> {
    const { shape, pipeline, refinements } = this.#options;
    const gpu = this.#gpu;
    const size = 2 * pixelCount(shape) * boxes.length;
    const itemsFor = (slotOf: (i: number) => number | null) => {
      const entries = boxes.map((box, i) => ({ image: 0, slot: slotOf(i), box }));
      const data = inverseItems(entries, attackHalfStep(pipeline), pipeline.transform, shape);
      return gpu.upload('i32', data, 'inverse items');
    };
    const images = gpu.upload('f32', pixels, 'attacked image');
    const refuted = gpu.upload('u32', new Uint32Array(boxes.length), 'refuted boxes');
    const [first, next] = [itemsFor(() => null), itemsFor((i) => i)];
    let [warped, output] = [gpu.array('f32', size, 'intervals'), gpu.array('f32', size, 'intervals')];
    try {
      const batch = gpu.batch(`${refinements} refinements of ${boxes.length} boxes`);
      for (let step = 0; step < refinements; step++) {
        const items = step === 0 ? first : next;
        this.#inverse.dispatch(batch, { images, items, output, warped, refuted }, boxes.length);
        [warped, output] = [output, warped];
      }
      const flags = batch.read(refuted);
      await batch.submit();
      await use(images, warped);
      return flags.data;
    } finally {
      for (const array of [images, refuted, first, next, warped, output]) array.release();
    }
  }
}

interface SpotBox {
  readonly box: ParameterBox;
  readonly intervals: IntervalImage;
}

const holdsZero = ({ lower, upper }: ParameterBox) =>
  lower.every((a, axis) => a <= 0 && (upper[axis] ?? Number.NaN) >= 0);

function chunked<T>(list: readonly T[], length: number): T[][] {
  const chunks: T[][] = [];
  for (let at = 0; at < list.length; at += Math.max(1, length)) {
    chunks.push(list.slice(at, at + Math.max(1, length)));
  }
  return chunks;
}
