/** What the schedule asks of the machinery that makes noisy images and has them classified. */
import type { Parameter } from '@turnproof/shaders';

/** Samples for one run of the classifier, in typed arrays that are used again and again. */
export interface SampleBatch {
  /** Samples in it. */
  samples: number;
  /** Runs of neighbouring samples of one β in it. */
  segments: number;
  /** Four words a sample: slot of its β's image, then the counter (image, β word, sample). */
  readonly items: Uint32Array<ArrayBuffer>;
  /** The segment of each sample. */
  readonly rows: Uint32Array<ArrayBuffer>;
  /** Samples of it, by their places, that are wanted back when it is counted. */
  readonly wanted: number[];
}

/** A sample that was wanted back. */
export interface Returned {
  /** Its place in the batch. */
  readonly at: number;
  /** The noisy image that the classifier was given, [channels, height, width]: a copy. */
  readonly noisy: Float32Array<ArrayBuffer>;
  /** The class that it was counted for, or NO_CLASS. */
  readonly answer: number;
}

/** What became of a batch. */
export interface Counted {
  /** Class counts `[segments, classes]`. Valid until the lane's next draw. */
  readonly counts: Uint32Array;
  readonly returned: readonly Returned[];
}

/** A β of an image, to be given a slot. */
export interface Placement {
  /** [channels, height, width]; the same array for all β of an image. */
  readonly pixels: Float32Array<ArrayBuffer>;
  readonly beta: Parameter;
}

/** The machinery at work. Lanes are the batches that may be under way at the same time. */
export interface EngineRun {
  /** Makes pre(T_β x) for slots 0, 1, ...; batches drawn from now on use them. */
  place(placements: readonly Placement[]): void;
  /** Starts making the noisy images of a batch; returns at once. */
  draw(lane: number, batch: SampleBatch, sigma: number): void;
  /** What the classifier says of the batch drawn last in the lane. */
  count(lane: number): Promise<Counted>;
  /** Waits for what is under way and gives all memory back. */
  end(): Promise<void>;
}

export interface Engine {
  readonly classes: number;
  /** Samples of a full batch. */
  readonly capacity: number;
  /** Images of β held at the same time. */
  readonly slots: number;
  /** Batches drawn ahead. */
  readonly lanes: number;
  /** Of those, how many may be at the classifier. */
  readonly counting: number;
  /** A batch is filled at least so far, if need be with samples of β whose last ones are not counted yet. */
  readonly fill: number;
  begin(): EngineRun;
}
