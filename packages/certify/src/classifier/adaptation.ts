/** What is said about a model beyond its file, and what was changed about it. Not for changing it: that is adapt. */
import type { ChannelOrder } from './layout.ts';

/** What the user says about a model, beyond its file. */
export interface Preparation {
  readonly order?: ChannelOrder;
  /** Of the model's training: (x - mean) / std, one number or one for each channel. */
  readonly mean?: readonly number[];
  readonly std?: readonly number[];
  /** Which of several outputs holds the logits. */
  readonly output?: string;
  /** A batch that is fixed to 1 stays so; by default it is freed where that can be. */
  readonly batch?: 'kept' | 'freed';
}

/** What was changed about the model of the file, in the order in which an image meets it; absent: nothing. */
export interface Adaptation {
  readonly mean?: readonly number[] | undefined;
  readonly std?: readonly number[] | undefined;
  readonly layout?: 'nhwc' | undefined;
  /** The shape in which each image reaches the model, where it is not that of an image. */
  readonly reshaped?: readonly number[] | undefined;
  readonly float16?: 'widened' | undefined;
  readonly output?: string | undefined;
  /** It took one image at a time. */
  readonly batch?: 'freed' | undefined;
  /** The model's batch is one image, though it takes more: it is quantised dynamically, by the scale of its batch. */
  readonly oneByOne?: true | undefined;
}

/** In words, for people. */
export function adaptationWords(adaptation: Adaptation): string[] {
  const { mean, std, layout, reshaped, float16, output, batch, oneByOne } = adaptation;
  return [
    ...(mean ? [`mean ${mean.join(',')}`] : []),
    ...(std ? [`std ${std.join(',')}`] : []),
    ...(layout ? [layout] : []),
    ...(reshaped ? [`reshaped to [n, ${reshaped.join(', ')}]`] : []),
    ...(float16 ? ['float16 widened to float32'] : []),
    ...(output === undefined ? [] : [`output ${output}`]),
    ...(batch ? ['its batch of 1 freed'] : []),
    ...(oneByOne ? ['one image at a time'] : []),
  ];
}
