/**
 * What the attacker may do and what is done to an image before the classifier: --transform, --range, --vignette,
 * --blur, --attack-quantization. Whether it makes sense for the images at hand is `checkPipeline`'s to say.
 */
import type { Pipeline } from '@turnproof/certify';
import { badInput } from '@turnproof/core';
import type { Blur, Vignette } from '@turnproof/shaders';
import { type OptionGroup, parseNumber, type Values } from './values.ts';

export const pipelineOptions: OptionGroup = {
  heading: 'Transformation:',
  options: [
    { name: 'transform', value: 'rotation|translation', help: 'what the attacker does' },
    {
      name: 'range',
      value: 'R|max',
      help: 'how far: degrees, or pixels on each axis; the parameters are [-R, R] or its square; max: 180 degrees',
    },
    {
      name: 'vignette',
      value: 'circle:O|rect:O|none',
      help: 'what is kept of an image, O pixels off its edge',
      default: 'none',
    },
    {
      name: 'blur',
      value: 'SIZE:SIGMA|none',
      help: 'Gaussian blur: an odd number of taps, and pixels',
      default: 'none',
    },
    {
      name: 'attack-quantization',
      value: 'none|u8',
      help: 'u8: the attacker hands over 8-bit images',
      default: 'none',
    },
  ],
};

export function readPipeline(values: Values): Pipeline {
  values.required('transform', 'Give --transform rotation or --transform translation.');
  values.required('range', 'Give --range 30 (degrees) or --range 2 (pixels), for instance.');
  const transform = values.choice('transform', ['rotation', 'translation']) ?? 'rotation';
  return {
    transform,
    range: readRange(values, transform),
    pre: {
      vignette: parseVignette(values.text('vignette') ?? 'none'),
      blur: parseBlur(values.text('blur') ?? 'none'),
    },
    quantization: values.choice('attack-quantization', ['none', 'u8']) ?? 'none',
  };
}

/** `max`: as far as a rotation can go. A method that works outwards from 0 ends where it fails. */
function readRange(values: Values, transform: Pipeline['transform']): number {
  if (values.text('range') !== 'max') return values.number('range') ?? Number.NaN;
  if (transform === 'rotation') return 180;
  throw badInput('--range max is for rotation', 'Give a number of pixels, such as --range 2.');
}

export function parseVignette(word: string): Vignette {
  if (word === 'none') return { kind: 'none' };
  const match = /^(circle|rect):(\d{1,6})$/.exec(word);
  if (!match) {
    throw badInput(
      `--vignette ${word}: neither circle:O, rect:O nor none`,
      'Give the offset as whole pixels, such as circle:2.',
    );
  }
  return { kind: match[1] === 'circle' ? 'circle' : 'rect', offset: Number(match[2]) };
}

export function parseBlur(word: string): Blur | null {
  if (word === 'none') return null;
  const [size = '', sigma, ...more] = word.split(':');
  if (!/^\d{1,6}$/.test(size) || sigma === undefined || more.length > 0) {
    throw badInput(
      `--blur ${word}: neither SIZE:SIGMA nor none`,
      'Give an odd size and sigma, such as 5:1.0.',
    );
  }
  const blur = { size: Number(size), sigma: parseNumber(`--blur ${word}: sigma`, sigma) };
  if (blur.size % 2 === 0)
    throw badInput(`--blur ${word}: the size is even`, `Give an odd one, such as ${blur.size + 1}:${sigma}.`);
  if (!(blur.sigma > 0))
    throw badInput(`--blur ${word}: sigma must be above 0`, 'Give --blur none for no blur.');
  return blur;
}
