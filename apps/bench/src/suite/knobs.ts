/**
 * What the suite can be told: how large images are, and how much one dispatch or wave is given.
 */
import type { ImageShape, Preprocess } from '@turnproof/shaders';

export interface Knobs {
  readonly shapes: readonly ImageShape[];
  /** Images or noisy samples of one dispatch, and of one call of the classifier. */
  readonly batch: number;
  /** β that share each sub-box; β of a bound wave. */
  readonly betas: number;
  /** Sub-boxes of one dispatch. */
  readonly boxes: number;
}

export const DEFAULT_KNOBS: Knobs = {
  shapes: [
    { channels: 1, height: 28, width: 28 },
    { channels: 3, height: 32, width: 32 },
  ],
  batch: 256,
  betas: 8,
  boxes: 64,
};

/** `scale` multiplies the work of each dispatch: a real GPU wants 16 or more, a slow software adapter 1/4 or less. */
export function scaled(knobs: Knobs, scale: number): Knobs {
  const times = (n: number) => Math.max(1, Math.round(n * scale));
  return {
    ...knobs,
    batch: times(knobs.batch),
    boxes: times(knobs.boxes),
    betas: Math.min(knobs.betas, times(knobs.betas)),
  };
}

export const PRE: Preprocess = { vignette: { kind: 'circle', offset: 2 }, blur: { size: 5, sigma: 1 } };

export const nameOf = ({ channels, height, width }: ImageShape): string => `${width}x${height}x${channels}`;

/** A smooth blob with an edge: neither empty nor noise. */
export function picture({ channels, height, width }: ImageShape): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: channels * height * width }, (_, k) => {
    const [x, y] = [(k % width) / width - 0.5, (Math.floor(k / width) % height) / height - 0.5];
    return Math.hypot(x, 1.4 * y) < 0.33 ? 0.5 + 0.5 * Math.sin(9 * x + 5 * y) : 0;
  });
}
