/** What the report says about methods, error probabilities and images, in words. */

import type { Certificate } from '@turnproof/certify';
import { downTo } from '../rounding.ts';
import { regionOf } from './certificates.ts';

export interface MethodWords {
  readonly name: string;
  readonly guarantee: string;
}

const METHODS: Readonly<Record<Certificate['method'], MethodWords>> = {
  base: {
    name: 'Base (heuristic)',
    guarantee:
      'No guarantee: the radius would hold if transformations composed without interpolation error, which they do not.',
  },
  'dist-x': {
    name: 'Dist-x',
    guarantee:
      'The smoothed classifier g, which votes over random transformations and pixel noise, gives the same answer for ' +
      'every transformation of the image up to its radius: real numbers, not a sample of them. Interpolation errors ' +
      'are bounded for each image.',
  },
  'dist-d': {
    name: 'Dist-D',
    guarantee:
      'As Dist-x, for images of a distribution: one E serves a share of at least q_E of them, as a calibration on other ' +
      'images showed. Nothing is bounded for the image itself.',
  },
  indiv: {
    name: 'Indiv',
    guarantee:
      'Each file is one that an attacker may have turned or shifted, by an unknown amount up to the radius. Whatever image ' +
      'it was made from, the smoothed classifier g, which votes over random transformations and pixel noise, gives that ' +
      'image the answer stated: all angles and all images that can give the file, not a sample of them.',
  },
  sweep: {
    name: 'Sweep',
    guarantee:
      'The noise-smoothed classifier h gives the same answer for every transformation of the image within its ' +
      'certified interval: real numbers, not a sample of them. The range is cut into slices, and each slice is certified.',
  },
};

export function methodWords(method: Certificate['method']): MethodWords {
  return METHODS[method];
}

const ACCOUNTS: Readonly<Record<string, readonly [symbol: string, words: string]>> = {
  total: ['α', 'everything below together: 1 - confidence'],
  alphaGamma: ['α_γ', 'that the share of the class over β is lower than its bound p (Clopper-Pearson)'],
  alphaEps: [
    'α_ε',
    'that one of the tests «h answers the class with radius above E» accepts wrongly (shared evenly)',
  ],
  alphaSweep: [
    'α_sweep',
    'that the interval goes beyond the first place where h answers something else (shared over the depths of the tree of slices)',
  ],
  alphaE: [
    'α_E',
    'that E is exceeded more often than ρ_E says (Clopper-Pearson); Dist-D: that q_E is too high, once for all images',
  ],
};

/** Beside every number of the heuristic. */
export const NO_GUARANTEE = 'no guarantee';

/** What must stand beside every number of a method that guarantees nothing on Γ; null for the others. */
export function caveatOf(certificate: Certificate): string | null {
  if (certificate.method === 'base') return NO_GUARANTEE;
  if (certificate.method === 'dist-d' && certificate.bound.calibration.errors === 'sampled') {
    return 'sampled, no guarantee on Γ';
  }
  return null;
}

/** An account of the ledger; one that is not known here stands by its own name. */
export function accountWords(name: string): readonly [symbol: string, words: string] {
  return Object.hasOwn(ACCOUNTS, name) ? (ACCOUNTS[name] ?? [name, '']) : [name, ''];
}

/** What befell the machine while the image was in work; null where nothing did. */
export function recoveredWords({ index, recovered }: Certificate): string | null {
  if (recovered === undefined) return null;
  const words = recovered.map(({ what, batch }) => {
    const size = batch === null ? '' : ` (on with batches of ${batch})`;
    return `${what === 'device-lost' ? 'the GPU device was lost' : 'memory did not suffice'}${size}`;
  });
  return `image ${index}: ${words.join(', then ')}`;
}

export function unitSign(unit: Certificate['unit']): string {
  return unit === 'degrees' ? '°' : ' px';
}

export type Verdict = 'correct' | 'wrong' | 'certified' | 'abstained';

/** «certified»: there is no label to compare with. */
export function verdictOf({ predicted, correct }: Certificate): Verdict {
  if (predicted === null) return 'abstained';
  return correct === null ? 'certified' : correct ? 'correct' : 'wrong';
}

/** «class 3 (stop)»; names come from the data set. */
export function className(index: number | null, classes: readonly string[] | null): string {
  if (index === null) return '';
  const name = classes?.[index];
  return name === undefined || name === String(index) ? String(index) : `${index} (${name})`;
}

/** The certified region, rounded inwards: «±12.83°», «-31.2° to 44.9°», «shifts up to 1.2 px». */
export function regionWords(certificate: Certificate): string {
  const region = regionOf(certificate);
  const sign = unitSign(certificate.unit);
  if (region === null) return 'nothing certified';
  if (region.kind === 'ball') {
    const radius = inward(region.radius);
    const words = certificate.unit === 'degrees' ? `±${radius}${sign}` : `shifts up to ${radius}${sign}`;
    if (certificate.method === 'indiv') {
      const axes = certificate.unit === 'pixels' && certificate.cutAtRange ? ' on each axis' : '';
      return `made from an original by ${words}${axes}`;
    }
    const caveat = caveatOf(certificate);
    return caveat === null ? words : `${words}, ${caveat}`;
  }
  const axes = region.lower.map((lower, axis) => {
    const upper = region.upper[axis] ?? lower;
    return `${inward(lower)} to ${inward(upper)}${sign}`;
  });
  return axes.length === 1 ? (axes[0] ?? '') : axes.map((words, i) => `${'xy'[i]}: ${words}`).join(', ');
}

/** Towards 0, so that an interval around 0 never grows. */
function inward(x: number): string {
  return String(Math.sign(x) * Number(downTo(Math.abs(x), 3)));
}
