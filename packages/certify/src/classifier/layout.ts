/**
 * How a model wants its images laid out, by what its input declares and what the data are. Where two readings fit,
 * nothing is guessed: the wrong one would be certified without a word.
 */
import { badInput } from '@turnproof/core';
import type { ImageShape, ModelInfo } from './model.ts';

/**
 * `nchw`: [n, channels, height, width]; `nhwc`: [n, height, width, channels]; `flat`: all numbers of an image in one
 * dimension, others of size 1 around it; `hw`: [n, height, width], for grey images.
 */
export type Layout = 'nchw' | 'nhwc' | 'flat' | 'hw';

/** What `--layout` may say; for `flat` inputs it is the order of the numbers. */
export type ChannelOrder = 'nchw' | 'nhwc';

type Dims = readonly (number | null)[];

/** More channels than images have: a declared dimension up to this is taken for channels when nothing else is known. */
const FEW = 4;

/** The likely layout of dimensions without the batch, before any data are seen; null where both orders are likely. */
export function likelyLayout(dims: Dims): Layout | null {
  if (dims.length === 1) return 'flat';
  if (dims.length === 2) return dims.includes(1) ? 'flat' : 'hw';
  const [first = null, , last = null] = dims;
  const few = (size: number | null) => size !== null && size <= FEW;
  if (
    dims.every((size) => size !== null) &&
    dims.filter((size) => size !== 1).length < 2 &&
    !few(Math.max(...dims))
  )
    return 'flat';
  if (few(first) === few(last)) return first !== null && last !== null && !few(first) ? 'nchw' : null;
  return few(first) ? 'nchw' : 'nhwc';
}

/**
 * The layout for images of a shape.
 *
 * @param order what the user says about it
 * @throws TurnproofError `bad-input` where none fits, naming both shapes, and where two fit and `order` is absent
 */
export function chooseLayout(info: ModelInfo, shape: ImageShape, order?: ChannelOrder): Layout {
  const { channels, height, width } = shape;
  const dims = info.inputShape.slice(1);
  const fits = (...sizes: number[]) =>
    dims.length === sizes.length && dims.every((size, i) => size === null || size === sizes[i]);
  const readings = {
    nchw: fits(channels, height, width),
    nhwc: fits(height, width, channels),
  };
  if (order !== undefined && dims.length === 3 && readings[order]) return order;
  if (order === undefined && readings.nchw && readings.nhwc && Math.max(channels, height, width) > 1) {
    throw badInput(
      `${info.file}: its input [n, ${words(dims)}] takes images of [${channels}, ${height}, ${width}] with channels first and with channels last`,
      'Say which: --layout nchw (as PyTorch has it) or --layout nhwc (as TensorFlow has it).',
    );
  }
  if (order === undefined && readings.nchw) return 'nchw';
  if (order === undefined && readings.nhwc) return 'nhwc';
  if (channels === 1 && fits(height, width)) return 'hw';
  const features = channels * height * width;
  if (dims.length === 1 || (dims.filter((size) => size !== 1).length <= 1 && !dims.includes(null))) {
    const [declared] =
      dims.length === 1 ? dims : [dims.reduce<number>((product, size) => product * (size ?? 1), 1)];
    if (declared == null || declared === features) return 'flat';
    throw mismatch(
      `${info.file}: the model takes ${declared} numbers an image, the data has [${channels}, ${height}, ${width}] = ${features}`,
    );
  }
  const said = order === undefined ? '' : ` as ${order}`;
  const likely = order ?? likelyLayout(dims);
  const [a = null, b = null, c = null] = dims;
  const asImages = dims.length === 3 && likely === 'nhwc' ? [c, a, b] : dims;
  throw mismatch(
    `${info.file}: the model takes images [${words(asImages)}]${said}, the data has [${channels}, ${height}, ${width}]`,
  );
}

const mismatch = (message: string): Error =>
  badInput(message, 'use the data set that the model was trained for');

const words = (dims: Dims): string => dims.map((size) => size ?? 'any').join(', ');
