/** What `calibrate` is asked for. */
import { badInput } from '@turnproof/core';
import { boundOption } from './bound.ts';
import { readSeed, seedOption } from './seed.ts';
import type { OptionGroup, Values } from './values.ts';

export const calibrateOptions: OptionGroup = {
  heading: 'Calibration:',
  options: [
    { name: 'sigma-gamma', value: 'S', help: 'σ_γ: deviation of β, degrees or pixels (default: the range)' },
    {
      name: 'n-choose',
      value: 'N',
      help: 'images that choose E, by one β each (default: 1000, at most half of them)',
    },
    { name: 'n-images', value: 'N', help: 'other images that test it (default: 1000, at most half of them)' },
    { name: 'n-betas', value: 'N', help: 'β of each of those', default: '8000' },
    { name: 'rho-e', value: 'P', help: 'ρ_E: the share of β that may exceed E', default: '0.001' },
    {
      name: 'alpha-inner',
      value: 'P',
      help: 'how probable it may be that an image passes wrongly; taken off q_E',
      default: '0.001',
    },
    { name: 'confidence', value: 'P', help: 'of q_E', default: '0.999' },
    {
      name: 'margin',
      value: 'M',
      help: 'E is M times the largest error of the choosing images',
      default: '1.1',
    },
    { name: 'target', value: 'E', help: 'test this E instead of choosing one' },
    {
      name: 'errors',
      value: 'bounded|sampled',
      help: 'bounded: over all of Γ; sampled: at some γ, as the paper does for large images, without a guarantee on Γ',
      default: 'bounded',
    },
    { name: 'gammas', value: 'N', help: 'γ of each β, where errors are sampled', default: '10' },
    boundOption,
    seedOption('every draw and the order of the images'),
  ],
};

export interface CalibrateChoice {
  readonly sigmaGamma: number;
  readonly nChoose: number;
  readonly nImages: number;
  readonly nBetas: number;
  readonly rhoE: number;
  readonly alphaInner: number;
  readonly alpha: number;
  readonly margin: number;
  readonly target: number | undefined;
  readonly errors: 'bounded' | 'sampled';
  readonly nGammas: number;
  readonly seed: bigint;
}

const USUAL = 1000;
const MOST_BETAS = 2 ** 24;

/** @param available images that were selected */
export function readCalibrate(values: Values, range: number, available: number): CalibrateChoice {
  const level = (name: string, standard: number): number => {
    const value = values.number(name) ?? standard;
    if (value > 0 && value < 1) return value;
    throw badInput(
      `--${name} ${value}: must lie strictly between 0 and 1`,
      `Give ${standard}, for instance.`,
    );
  };
  const positive = (name: string): number | undefined => {
    const value = values.number(name);
    if (value === undefined || value > 0) return value;
    throw badInput(`--${name} ${value}: must be above 0`);
  };
  const target = positive('target');
  const half = Math.max(1, Math.floor(available / 2));
  const nChoose = target === undefined ? (values.whole('n-choose', 1) ?? Math.min(USUAL, half)) : 0;
  const nImages = values.whole('n-images', 1) ?? Math.min(USUAL, target === undefined ? half : available);
  if (nChoose + nImages > available) {
    throw badInput(
      `${nChoose} images to choose E and ${nImages} others to test it are more than the ${available} selected`,
      'Select more images, or give smaller --n-choose and --n-images.',
    );
  }
  const nBetas = values.whole('n-betas', 1) ?? 8000;
  if (nBetas > MOST_BETAS) throw badInput(`--n-betas ${nBetas}: at most ${MOST_BETAS}`);
  return {
    sigmaGamma: positive('sigma-gamma') ?? range,
    nChoose,
    nImages,
    nBetas,
    rhoE: level('rho-e', 0.001),
    alphaInner: level('alpha-inner', 0.001),
    alpha: Number((1 - level('confidence', 0.999)).toPrecision(12)),
    margin: positive('margin') ?? 1.1,
    target,
    errors: values.choice('errors', ['bounded', 'sampled']) ?? 'bounded',
    nGammas: values.whole('gammas', 1) ?? 10,
    seed: readSeed(values),
  };
}
