/**
 * The machinery that makes noisy images and has them classified. Both providers share everything up to the noisy
 * images; then wasm reads them back and counts on the host, webgpu keeps them and reads counts only. Not for deciding
 * what is sampled: that is the schedule.
 */
import { type Batch, type Gpu, type GpuArray, type Readback, TurnproofError } from '@turnproof/core';
import {
  type CompiledArgmaxCount,
  type CompiledNoise,
  compileArgmaxCount,
  compileNoise,
  dispatchArgmaxCount,
  dispatchNoise,
  fixedMap,
  type ImageShape,
  mapItems,
  NOISE_ITEM_LENGTH,
  type NoiseTable,
  type Preprocess,
  pixelCount,
  type Transform,
  uploadNoise,
  WarpPreRunner,
} from '@turnproof/shaders';
import { checkRange } from '../adapter-fault.ts';
import { argmaxRows, type Classifier, NO_CLASS } from '../classifier/index.ts';
import { IMAGE_BYTES, measureBatch } from './batch-size.ts';
import type { Counted, Engine, EngineRun, Placement, Returned, SampleBatch } from './engine.ts';
import { type OpenSpot, SampleSpots } from './sample-spot.ts';

export interface GpuEngineOptions {
  readonly gpu: Gpu;
  readonly classifier: Classifier;
  readonly shape: ImageShape;
  readonly pre: Preprocess;
  readonly transform: Transform;
  /** The seed's two words. */
  readonly key: readonly [number, number];
  readonly batch: number | 'auto';
}

/** The largest dispatch in one dimension. */
const MAX_ITEMS = 65_535;
const LANES = 2;
/** wasm: a batch costs what its images cost, so little is drawn beyond what is known to be needed. */
const FILL_ON_HOST = 32;

/** Where the time of sampling went, in milliseconds of wall time. */
export interface Usage {
  /** While samples were drawn and counted. */
  streamMs: number;
  /** Of it, inside the classifier; null where it runs on the GPU, beside everything else. */
  classifierMs: number | null;
}

export class GpuEngine implements Engine {
  readonly classes: number;
  readonly capacity: number;
  readonly slots: number;
  readonly lanes = LANES;
  readonly counting: number;
  readonly fill: number;
  readonly usage: Usage;
  readonly #options: GpuEngineOptions;
  readonly #warp: WarpPreRunner;
  readonly #noise: CompiledNoise;
  readonly #count: CompiledArgmaxCount;
  readonly #tables = new Map<number, NoiseTable>();

  private constructor(
    options: GpuEngineOptions,
    capacity: number,
    warp: WarpPreRunner,
    noise: CompiledNoise,
    count: CompiledArgmaxCount,
  ) {
    const { classifier, shape } = options;
    const onHost = classifier.provider === 'wasm';
    this.#options = options;
    this.#warp = warp;
    this.#noise = noise;
    this.#count = count;
    this.classes = classifier.classes;
    this.capacity = capacity;
    this.slots = Math.max(2, Math.min(MAX_ITEMS, Math.floor(IMAGE_BYTES / (4 * pixelCount(shape)))));
    this.counting = onHost ? 1 : LANES;
    this.usage = { streamMs: 0, classifierMs: onHost ? 0 : null };
    this.fill = onHost ? Math.min(FILL_ON_HOST, this.capacity) : this.capacity;
  }

  static async open(options: GpuEngineOptions): Promise<GpuEngine> {
    const { gpu, shape, pre, batch } = options;
    const capacity = batch === 'auto' ? await measureBatch(options) : batch;
    // Before anything of that size is asked for: the parity check takes batches of it, too.
    gpu.array('f32', capacity * pixelCount(shape), 'noisy images').release();
    const [noise, count] = await Promise.all([compileNoise(gpu), compileArgmaxCount(gpu)]);
    const warp = await WarpPreRunner.create(gpu, shape, pre);
    return new GpuEngine(options, capacity, warp, noise, count);
  }

  begin(): EngineRun {
    const kernels = {
      warp: this.#warp,
      noise: this.#noise,
      count: this.#count,
      tableOf: (sigma: number) => this.#tableOf(sigma),
    };
    return new GpuRun(this.#options, kernels, this.capacity, this.usage);
  }

  #tableOf(sigma: number): NoiseTable {
    const known = this.#tables.get(sigma);
    if (known) return known;
    const table = uploadNoise(this.#options.gpu, sigma);
    this.#tables.set(sigma, table);
    return table;
  }

  close(): void {
    for (const table of this.#tables.values()) table.release();
    this.#tables.clear();
    this.#warp.close();
  }
}

interface Kernels {
  readonly warp: WarpPreRunner;
  readonly noise: CompiledNoise;
  readonly count: CompiledArgmaxCount;
  /** The law of the noise of this deviation, on the device. */
  readonly tableOf: (sigma: number) => NoiseTable;
}

interface LaneArrays {
  readonly items: GpuArray<'u32'>;
  readonly noisy: GpuArray<'f32'>;
  /** webgpu only. */
  readonly onDevice: {
    readonly rows: GpuArray<'u32'>;
    readonly logits: GpuArray<'f32'>;
    readonly counts: GpuArray<'u32'>;
  } | null;
}

interface LaneState {
  readonly arrays: LaneArrays;
  /** wasm only: counts of the lane's batch. */
  readonly hostCounts: Uint32Array<ArrayBuffer>;
  batch: SampleBatch | undefined;
  /** The noise of the batch and the images under it are there, or an error. */
  drawn: Promise<unknown>;
  images: Readback<'f32'> | undefined;
  spots: readonly OpenSpot[];
}

class GpuRun implements EngineRun {
  readonly #options: GpuEngineOptions;
  readonly #kernels: Kernels;
  readonly #capacity: number;
  readonly #elements: number;
  readonly #usage: Usage;
  readonly #begun = performance.now();
  readonly #lanes: LaneState[] = [];
  readonly #owned: GpuArray[] = [];
  /** Everything that was started and may still hold buffers. */
  readonly #pending = new Set<Promise<unknown>>();
  readonly #spots: SampleSpots;
  #placements: readonly Placement[] = [];
  #base: GpuArray<'f32'> | undefined;
  #placed: Promise<void> = Promise.resolve();

  constructor(options: GpuEngineOptions, kernels: Kernels, capacity: number, usage: Usage) {
    this.#usage = usage;
    this.#options = options;
    this.#kernels = kernels;
    this.#capacity = capacity;
    this.#elements = pixelCount(options.shape);
    this.#spots = new SampleSpots(options);
  }

  place(placements: readonly Placement[]): void {
    const { gpu, transform, shape } = this.#options;
    const rows = new Map<Placement['pixels'], number>();
    const maps = placements.map(({ pixels, beta }) => {
      const image = rows.get(pixels) ?? rows.size;
      rows.set(pixels, image);
      return { image, map: fixedMap(transform, beta, shape) };
    });
    this.#placements = placements;
    const base = this.#baseOf(placements.length);
    const items = gpu.upload('i32', mapItems(maps), 'maps of β');
    const images = gpu.upload('f32', this.#stack([...rows.keys()]), 'images');
    const batch = gpu.batch('images of β');
    this.#kernels.warp.dispatch(batch, { images, items, output: base }, placements.length);
    const release = () => {
      items.release();
      images.release();
    };
    this.#placed = this.#track(batch.submit().finally(release));
  }

  #stack(images: readonly Float32Array[]): Float32Array<ArrayBuffer> {
    const n = this.#elements;
    const stack = new Float32Array(images.length * n);
    images.forEach((pixels, i) => {
      if (pixels.length !== n) {
        throw new TurnproofError('internal', `${pixels.length} floats are no image of ${n}`);
      }
      stack.set(pixels, i * n);
    });
    return stack;
  }

  /** Room for so many images of β. What was there may be lost: all are made again. */
  #baseOf(slots: number): GpuArray<'f32'> {
    const needed = slots * this.#elements;
    if (this.#base && this.#base.length >= needed) return this.#base;
    // The device works in order: batches that still read it are ahead of whoever gets it next.
    this.#base?.release();
    this.#base = this.#options.gpu.array('f32', needed, 'images of β');
    return this.#base;
  }

  draw(lane: number, batch: SampleBatch, sigma: number): void {
    const { gpu, key } = this.#options;
    const base = this.#base;
    if (!base) throw new TurnproofError('internal', 'noise was asked for before any β had a place');
    const state = this.#lane(lane);
    const { items, noisy, onDevice } = state.arrays;
    const { samples } = batch;
    gpu.write(items, batch.items.subarray(0, NOISE_ITEM_LENGTH * samples));
    if (onDevice) gpu.write(onDevice.rows, batch.rows.subarray(0, samples));
    const commands = gpu.batch('noise');
    dispatchNoise(
      commands,
      this.#kernels.noise,
      { base, items, output: noisy },
      { elements: this.#elements, samples, key, noise: this.#kernels.tableOf(sigma) },
    );
    state.spots = this.#spots.begin(commands, batch, base, this.#placements, sigma);
    state.images = onDevice ? undefined : commands.read(noisy, 0, samples * this.#elements);
    state.batch = batch;
    state.drawn = this.#track(Promise.all([this.#placed, commands.submit()]));
  }

  count(lane: number): Promise<Counted> {
    const state = this.#lane(lane);
    const { batch } = state;
    if (!batch) throw new TurnproofError('internal', `lane ${lane} is counted before it is drawn`);
    const { spots } = state;
    const work = state.arrays.onDevice ? this.#countOnDevice(state, batch) : this.#countOnHost(state, batch);
    return this.#track(
      work.then((counted) => {
        this.#spots.check(spots, counted.returned);
        return counted;
      }),
    );
  }

  async #countOnHost(state: LaneState, { samples, segments, rows, wanted }: SampleBatch): Promise<Counted> {
    const { classifier } = this.#options;
    const { classes } = classifier;
    await state.drawn;
    const images = state.images?.data ?? new Float32Array(0);
    // A model may make a number of a NaN.
    checkRange('noisy images', images, -Number.MAX_VALUE, Number.MAX_VALUE);
    const start = performance.now();
    const logits = await classifier.logits(images, samples);
    this.#usage.classifierMs = (this.#usage.classifierMs ?? 0) + performance.now() - start;
    const answers = argmaxRows(logits, classes);
    state.images = undefined;
    const counts = state.hostCounts.subarray(0, segments * classes).fill(0);
    for (let i = 0; i < samples; i++) {
      const answer = answers[i] ?? NO_CLASS;
      if (answer === NO_CLASS) continue;
      const at = (rows[i] ?? 0) * classes + answer;
      counts[at] = (counts[at] ?? 0) + 1;
    }
    const n = this.#elements;
    const returned = wanted.map((at) => ({
      at,
      noisy: images.slice(at * n, (at + 1) * n),
      answer: answers[at] ?? NO_CLASS,
    }));
    return { counts, returned };
  }

  async #countOnDevice(state: LaneState, batch: SampleBatch): Promise<Counted> {
    const { samples, segments } = batch;
    const { gpu, classifier } = this.#options;
    const { arrays } = state;
    const { onDevice } = arrays;
    if (!onDevice || !classifier.logitsOnGpu) {
      throw new TurnproofError('internal', `a classifier on ${classifier.provider} takes no GPU buffers`);
    }
    // The device works in order: the noise need not have been waited for.
    await classifier.logitsOnGpu(arrays.noisy.buffer, samples, onDevice.logits.buffer);
    const { counts } = onDevice;
    const length = segments * classifier.classes;
    const commands = gpu.batch('counts');
    commands.clear(counts, length);
    const into = { logits: onDevice.logits, slots: onDevice.rows, counts };
    dispatchArgmaxCount(commands, this.#kernels.count, into, samples, classifier.classes);
    const read = commands.read(counts, 0, length);
    const again = batch.wanted.map((at) =>
      this.#readBack(commands, arrays.noisy, onDevice.logits, batch, at),
    );
    await commands.submit();
    await state.drawn;
    return { counts: read.data, returned: again.map((sample) => sample(read.data)) };
  }

  /** A sample's noisy image, and its answer from the logits: those of its whole segment must give the counts. */
  #readBack(
    commands: Batch,
    noisy: GpuArray<'f32'>,
    logits: GpuArray<'f32'>,
    { rows, samples }: SampleBatch,
    at: number,
  ): (counts: Uint32Array) => Returned {
    const { classes } = this.#options.classifier;
    const segment = rows[at] ?? 0;
    const first = rows.indexOf(segment);
    let end = at;
    while (end < samples && rows[end] === segment) end += 1;
    const image = commands.read(noisy, at * this.#elements, this.#elements);
    const read = commands.read(logits, first * classes, (end - first) * classes);
    return (counts) => {
      const answers = argmaxRows(read.data, classes);
      const counted = counts.subarray(segment * classes, (segment + 1) * classes);
      counted.forEach((count, c) => {
        const there = answers.reduce((sum, answer) => sum + (answer === c ? 1 : 0), 0);
        if (count === there) return;
        throw new TurnproofError('parity', `class ${c} was counted ${count} times, its logits say ${there}`, {
          fix: 'take another adapter or driver: this one counts wrongly',
        });
      });
      return { at, noisy: image.data, answer: answers[at - first] ?? NO_CLASS };
    };
  }

  async end(): Promise<void> {
    await Promise.allSettled(this.#pending);
    for (const array of this.#owned.splice(0)) array.release();
    this.#base?.release();
    this.#base = undefined;
    this.#usage.streamMs += performance.now() - this.#begun;
  }

  #lane(number: number): LaneState {
    const known = this.#lanes[number];
    if (known) return known;
    const { classifier } = this.#options;
    const onHost = classifier.provider === 'wasm';
    const n = this.#capacity;
    const state: LaneState = {
      arrays: {
        items: this.#own('u32', NOISE_ITEM_LENGTH * n, 'samples'),
        noisy: this.#own('f32', n * this.#elements, 'noisy images'),
        onDevice: onHost
          ? null
          : {
              rows: this.#own('u32', n, 'segments of samples'),
              logits: this.#own('f32', n * classifier.classes, 'logits'),
              counts: this.#own('u32', n * classifier.classes, 'counts'),
            },
      },
      hostCounts: new Uint32Array(onHost ? n * classifier.classes : 0),
      batch: undefined,
      drawn: Promise.resolve(),
      images: undefined,
      spots: [],
    };
    this.#lanes[number] = state;
    return state;
  }

  #own<T extends 'f32' | 'u32'>(type: T, length: number, label: string): GpuArray<T> {
    const array = this.#options.gpu.array(type, length, label);
    this.#owned.push(array);
    return array;
  }

  /** Notes a promise that may be awaited late: its failure is not «unhandled», and `end` waits for it. */
  #track<T>(promise: Promise<T>): Promise<T> {
    this.#pending.add(promise);
    promise.then(
      () => this.#pending.delete(promise),
      () => undefined,
    );
    return promise;
  }
}
