/** The β that `bound` bounds for an image: those listed, or those that `certify` would draw to choose its E. */
import { Streams } from '@turnproof/certify';
import type { Parameter, Transform } from '@turnproof/shaders';
import type { BetaChoice } from '../options/betas.ts';

export function betasOf(choice: BetaChoice, transform: Transform, image: number): readonly Parameter[] {
  if (choice.kind === 'listed') return choice.betas;
  return new Streams(choice.seed, transform, choice.sigmaGamma).betas(image, 'chooseE', choice.count);
}
