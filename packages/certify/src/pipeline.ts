/**
 * What is certified against: the transformation, its range, the preprocessing and how the attacker hands the image
 * over. Shared by bounds, sampler and certificates, so that all of them mean the same. Not for budgets of samples or
 * confidence: that is the plan.
 */
import { badInput } from '@turnproof/core';
import {
  blurTaps,
  fractionBits,
  type ImageShape,
  keepLimits,
  type Preprocess,
  type Transform,
} from '@turnproof/shaders';

export interface Pipeline {
  readonly transform: Transform;
  /** R: Γ = [-R, R] degrees, or the square [-R, R] x [-R, R] pixels. */
  readonly range: number;
  readonly pre: Preprocess;
  /** `u8`: the attacker's image is rounded to 8 bits before anything else sees it. */
  readonly quantization: 'none' | 'u8';
}

/** Half a turn reaches every rotation. */
const MAX_ROTATION = 180;

/**
 * Refuses a pipeline that cannot be meant, before anything is computed.
 *
 * @throws TurnproofError `bad-input`: an unknown transformation, a range that is not positive, a rotation beyond 180
 *   degrees, a translation by a whole image or more, a vignette that leaves nothing, a blur that is none, a shape
 *   beyond what the kernels serve.
 */
export function checkPipeline(pipeline: Pipeline, shape: ImageShape): void {
  const { transform, range, pre, quantization } = pipeline;
  if (transform !== 'rotation' && transform !== 'translation') {
    throw badInput(`transform «${String(transform)}» is not known`, 'choose rotation or translation');
  }
  if (quantization !== 'none' && quantization !== 'u8') {
    throw badInput(`attack quantization «${String(quantization)}» is not known`, 'choose none or u8');
  }
  const { channels, height, width } = shape;
  if (![channels, height, width].every((n) => Number.isInteger(n) && n >= 1)) {
    throw badInput(
      `images of ${channels} x ${height} x ${width}: channels, height and width must be at least 1`,
    );
  }
  fractionBits(shape);
  const unit = transform === 'rotation' ? 'degrees' : 'pixels';
  if (!(range > 0 && Number.isFinite(range))) {
    throw badInput(`range ${range}: it must be a number of ${unit} above 0`, 'give --range R with R > 0');
  }
  if (transform === 'rotation' && range > MAX_ROTATION) {
    throw badInput(
      `range ${range}: a rotation reaches at most ${MAX_ROTATION} degrees to either side`,
      `give --range ${MAX_ROTATION} or less`,
    );
  }
  const side = Math.min(height, width);
  if (transform === 'translation' && range >= side) {
    throw badInput(
      `range ${range}: a translation by ${side} pixels moves all of an image of ${width} x ${height} out of sight`,
      `give --range below ${side}`,
    );
  }
  keepLimits(shape, pre.vignette);
  blurTaps(pre.blur);
}
