/** How a certificate is made: method, noise, counts. Whether they can certify anything is `checkPlan`'s to say. */
import type { Plan } from '@turnproof/certify';
import { boundOption } from './bound.ts';
import { readSeed, seedOption } from './seed.ts';
import type { OptionGroup, OptionSpec, Values } from './values.ts';

const option = (name: string, value: string, help: string, standard?: string): OptionSpec => ({
  name,
  value,
  help,
  ...(standard === undefined ? {} : { default: standard }),
});

const SIGMA_GAMMA = option('sigma-gamma', 'S', 'σ_γ: deviation of β, degrees or pixels (default: the range)');
const SIGMA_EPS = option(
  'sigma-eps',
  'S',
  'σ_ε: deviation of the pixel noise; the one the model was trained with',
  '0.3',
);
const CONFIDENCE = option('confidence', 'P', 'of each certificate', '0.99');
const BATCH = option('batch', 'N|auto', 'images to a call of the classifier', 'auto');
const SEED = seedOption('every draw');
const N_GAMMA = option('n-gamma', 'N', 'β that bound the share of the class', '200');
const N0 = option('n0', 'N', 'β that choose the class', '20');
const N_EPS = option('n-eps', 'N', 'most noise samples for each β, or slice (default: 10000; sweep: 1000)');
const INNER = option(
  'inner',
  'sequential|fixed',
  'stop sampling a β once it is decided, or never',
  'sequential',
);

const FLOOR = option(
  'floor',
  'W',
  'sweep: narrowest slice, degrees or pixels (default: 0.1 or 0.02, at most a tenth of the range)',
);
const MAX_SAMPLES = option(
  'max-samples',
  'N',
  'sweep: most noise samples of an image, the search at its ends included',
  '40000',
);

const REFINEMENTS = option('refinements', 'N', 'indiv: steps that narrow what the image can have been', '10');
const BOXES = option(
  'boxes',
  'N',
  'indiv: sub-boxes of the range along each axis (default: 512 for rotations, 64 for translations)',
);

const NOISE = { heading: 'Smoothing:', options: [SIGMA_GAMMA, SIGMA_EPS, CONFIDENCE, N_GAMMA, N_EPS, INNER] };
const RUN = { heading: 'Run:', options: [SEED, BATCH] };

/** For PREDICT of a smoothed classifier in passing. */
export const smoothingOptions: readonly OptionGroup[] = [{ ...NOISE, options: [...NOISE.options, N0] }, RUN];

export const predictPlanOptions: readonly OptionGroup[] = [
  {
    heading: 'Method:',
    options: [
      option(
        'method',
        'base|dist|indiv|sweep',
        'base: over random transformations; dist, indiv: and noise; sweep: noise alone',
      ),
    ],
  },
  NOISE,
  RUN,
];

export const certifyPlanOptions: readonly OptionGroup[] = [
  {
    heading: 'Method:',
    options: [
      option(
        'method',
        'sweep|dist-x|dist-d|indiv|base',
        'sweep: the noise-smoothed classifier over the whole range; dist-x: smoothed over transformations too; ' +
          'dist-d: the same with the E of a calibration; ' +
          'indiv: as dist-x, for the image that an attacked one was made from; base: the heuristic, without a guarantee',
        'sweep',
      ),
      option('calibration', 'FILE', 'dist-d: what turnproof calibrate has written'),
      FLOOR,
      MAX_SAMPLES,
      N0,
      option('n-choose-e', 'N', 'β that choose the interpolation error E', '100'),
      option('n-test-e', 'N', 'other β that bound how often E is exceeded', '400'),
      REFINEMENTS,
      BOXES,
      boundOption,
      option(
        'radius-rule',
        'tight|paper',
        "tight: never smaller than the paper's (indiv: always the paper's)",
        'tight',
      ),
    ],
  },
  NOISE,
  RUN,
];

const METHODS = {
  base: 'base',
  dist: 'dist-x',
  'dist-x': 'dist-x',
  'dist-d': 'dist-d',
  indiv: 'indiv',
  sweep: 'sweep',
} as const;
type Method = keyof typeof METHODS;

/** @param methods those that the command offers, the default one first */
export function readPlan(values: Values, range: number, methods: readonly Method[]): Plan {
  const [first] = methods;
  const batch = values.text('batch') ?? 'auto';
  const floor = values.number('floor');
  const method = METHODS[values.choice('method', methods) ?? first ?? 'base'];
  const radiusRule = values.choice('radius-rule', ['tight', 'paper']) ?? 'tight';
  const [refinements, boxes] = [values.whole('refinements', 1), values.whole('boxes', 1)];
  return {
    ...(refinements === undefined ? {} : { refinements }),
    ...(boxes === undefined ? {} : { boxes }),
    ...(floor === undefined ? {} : { floor }),
    maxSamples: values.whole('max-samples', 1) ?? 40_000,
    method,
    sigmaGamma: values.number('sigma-gamma') ?? range,
    sigmaEps: values.number('sigma-eps') ?? 0.3,
    confidence: values.number('confidence') ?? 0.99,
    n0: values.whole('n0', 1) ?? 20,
    nGamma: values.whole('n-gamma', 1) ?? 200,
    nEps: values.whole('n-eps', 1) ?? (method === 'sweep' ? 1000 : 10_000),
    inner: values.choice('inner', ['sequential', 'fixed']) ?? 'sequential',
    nChooseE: values.whole('n-choose-e', 1) ?? 100,
    nTestE: values.whole('n-test-e', 1) ?? 400,
    // For Indiv no other holds.
    radiusRule: method === 'indiv' ? 'paper' : radiusRule,
    seed: readSeed(values),
    batch: batch === 'auto' ? 'auto' : (values.whole('batch', 1) ?? 'auto'),
  };
}
