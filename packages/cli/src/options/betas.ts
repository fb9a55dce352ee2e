/** --beta, or --betas with --sigma-gamma and --seed: which β the command `bound` bounds. */
import { badInput } from '@turnproof/core';
import { dimensionsOf, type Parameter, type Transform } from '@turnproof/shaders';
import { readSeed, seedOption } from './seed.ts';
import { type OptionGroup, parseNumber, type Values } from './values.ts';

export const betaOptions: OptionGroup = {
  heading: 'β:',
  options: [
    {
      name: 'beta',
      value: 'LIST',
      help: 'degrees such as 12,29.36; for translation pairs of pixels such as 0.7:-1.2,2.3:0.45',
    },
    { name: 'betas', value: 'N', help: 'draw N of them for each image instead' },
    { name: 'sigma-gamma', value: 'S', help: 'their standard deviation (default: the range)' },
    seedOption('the draws'),
  ],
};

export type BetaChoice =
  | { readonly kind: 'listed'; readonly betas: readonly Parameter[] }
  | { readonly kind: 'drawn'; readonly count: number; readonly sigmaGamma: number; readonly seed: bigint };

export function readBetas(values: Values, transform: Transform, range: number): BetaChoice {
  const list = values.text('beta');
  const count = values.whole('betas', 1);
  if (list !== undefined && count !== undefined) {
    throw badInput('--beta and --betas exclude each other', 'Give one of them.');
  }
  if (list !== undefined) return { kind: 'listed', betas: parseBetas(list, transform) };
  if (count === undefined) {
    throw badInput('no β is given', 'Give --beta 12,29.36, or --betas 10 to draw them.');
  }
  const sigmaGamma = values.number('sigma-gamma') ?? range;
  if (!(sigmaGamma > 0))
    throw badInput(`--sigma-gamma ${sigmaGamma}: must be above 0`, 'Give a positive one.');
  return { kind: 'drawn', count, sigmaGamma, seed: readSeed(values) };
}

/** "12,29.36" or "0.7:-1.2,2.3:0.45". */
export function parseBetas(list: string, transform: Transform): Parameter[] {
  const dimensions = dimensionsOf(transform);
  return list.split(',').map((part) => {
    const axes = part.split(':');
    if (axes.length !== dimensions || part.trim() === '') {
      throw badInput(
        `--beta: «${part}» is no ${transform}`,
        transform === 'rotation'
          ? 'Give degrees, such as --beta 12,29.36.'
          : 'Give pairs of pixels (right:down), such as --beta 0.7:-1.2,2.3:0.45.',
      );
    }
    return axes.map((axis) => parseNumber('--beta', axis));
  });
}
