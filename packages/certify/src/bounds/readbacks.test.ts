/**
 * What a GPU hands back may be nonsense. Planted in every readback of every bounder, none may make a bound that is too
 * small, or a verdict that is not so.
 */
import { type Gpu, openDevice, TurnproofError } from '@turnproof/core';
import { closeChecked, NONSENSE, PLAUSIBLE, plantReadbacks, testAdapters } from '@turnproof/core/testing';
import type { ImageShape, Parameter, Transform } from '@turnproof/shaders';
import { interpolationError, l2Norm, preOracle, sliceDistance, warpOracle } from '@turnproof/shaders/oracle';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Pipeline } from '../pipeline.ts';
import {
  type BoundMethod,
  GpuInverter,
  GpuSliceBounder,
  marked,
  openBounder,
  SampledErrors,
  type Spot,
} from './index.ts';

const shape: ImageShape = { channels: 1, height: 9, width: 8 };
const pre = { vignette: { kind: 'circle', offset: 1 }, blur: { size: 3, sigma: 0.8 } } as const;
const image = Float32Array.from({ length: 72 }, (_, k) => ((k * 37) % 72) / 72);

const WORLDS: Readonly<Record<Transform, { pipeline: Pipeline; betas: Parameter[]; gammas: Parameter[] }>> = {
  rotation: {
    pipeline: { transform: 'rotation', range: 6, pre, quantization: 'none' },
    betas: [[12.3], [-31]],
    gammas: [[-6], [-2.5], [3.3], [5.9]],
  },
  translation: {
    pipeline: { transform: 'translation', range: 1, pre, quantization: 'none' },
    betas: [
      [0.7, -1.2],
      [2.3, 0.45],
    ],
    gammas: [
      [-1, 0.4],
      [0.5, 0.5],
      [0.3, -0.9],
    ],
  },
};

interface Given {
  /** The image is made darker by this. */
  readonly light?: number;
  readonly spot?: Spot;
}

const darker = (pixels: Float32Array, light: number) => Float32Array.from(pixels, (value) => light * value);

/** A number for everything that is claimed, none of which may be below the truth of the same place. */
interface Asked {
  readonly claims: (gpu: Gpu, given?: Given) => Promise<number[]>;
  readonly truth: number[];
}

const errorsIn = (transform: Transform): number[] => {
  const { betas, gammas, pipeline } = WORLDS[transform];
  return betas.map((beta) =>
    Math.max(...gammas.map((g) => interpolationError(transform, beta, g, image, shape, pipeline.pre))),
  );
};

/** A claim of 0 where a target that is exceeded is said to be held, else infinite. */
const verdict = (exceeds: boolean | null, bound: number) =>
  exceeds === false ? bound : Number.POSITIVE_INFINITY;

function bounds(transform: Transform, method: BoundMethod): Asked {
  const { pipeline, betas } = WORLDS[transform];
  const truth = errorsIn(transform);
  return {
    claims: async (gpu, { light = 1, spot } = {}) => {
      const bounder = await openBounder(gpu, { shape, pipeline, method, maxBoxes: 300 });
      try {
        const requests = marked(
          betas.map((beta) => ({ image: 0, beta })),
          spot,
        );
        const loose = await bounder.bound([darker(image, light)], requests, { tolerance: 0.5 });
        const [first = 0] = truth;
        const tested = await bounder.bound([darker(image, light)], requests, { target: 0.9 * first });
        return [
          ...loose.map(({ bound }) => bound),
          ...tested.map(({ exceeds, bound }) => verdict(exceeds, bound)),
        ];
      } finally {
        bounder.close();
      }
    },
    truth: [...truth, ...truth],
  };
}

function slices(transform: Transform): Asked {
  const { pipeline, gammas } = WORLDS[transform];
  const requests = gammas.map((center) => ({
    image: 0,
    center,
    box: { lower: center.map((c) => c - 0.4), upper: center.map((c) => c + 0.5) },
  }));
  return {
    claims: async (gpu, { light = 1, spot } = {}) => {
      const bounder = await GpuSliceBounder.open(gpu, { shape, pipeline });
      try {
        const found = await bounder.bound([darker(image, light)], marked(requests, spot));
        const near = requests.map(({ center, box }) => ({ image: 0, center, gamma: box.upper }));
        return [
          ...found.map(({ bound }) => bound),
          ...(await bounder.distances([darker(image, light)], near)),
        ];
      } finally {
        bounder.close();
      }
    },
    truth: [1, 2].flatMap(() =>
      requests.map(({ center, box }) => sliceDistance(transform, box.upper, center, image, shape, pre)),
    ),
  };
}

function indiv(transform: Transform): Asked {
  const { pipeline, betas, gammas } = WORLDS[transform];
  const [gamma = []] = gammas;
  const file = Float32Array.from(warpOracle(transform, gamma, image, shape));
  const distance = (beta: Parameter) => {
    const moved = beta.map((b, axis) => b + (gamma[axis] ?? 0));
    const attacked = warpOracle(transform, beta, file, shape);
    const once = warpOracle(transform, moved, image, shape);
    const difference = attacked.map((value, i) => value - (once[i] ?? Number.NaN));
    return l2Norm(preOracle(difference, shape, pre));
  };
  const truth = betas.map(distance);
  return {
    claims: async (gpu, { light = 1, spot } = {}) => {
      const inverter = await GpuInverter.open(gpu, { shape, pipeline, refinements: 3, boxes: 8 });
      try {
        const left = await inverter.narrow(darker(file, light), spot);
        const kept = left.boxes.some(({ lower, upper }) =>
          gamma.every((g, axis) => (lower[axis] ?? 9) <= g && g <= (upper[axis] ?? -9)),
        );
        const requests = marked(
          betas.map((beta) => ({ image: 0, beta })),
          spot,
        );
        const over = await inverter.over(left).bound([darker(file, light)], requests, { tolerance: 0.1 });
        const [first = 0] = truth;
        const tested = await inverter
          .over(left)
          .bound([darker(file, light)], requests, { target: 0.9 * first });
        return [
          kept ? 1 : 0,
          ...over.map(({ bound }) => bound),
          ...tested.map(({ exceeds, bound }) => verdict(exceeds, bound)),
        ];
      } finally {
        inverter.close();
      }
    },
    truth: [1, ...truth, ...truth],
  };
}

function sampled(transform: Transform): Asked {
  const { pipeline, betas, gammas } = WORLDS[transform];
  return {
    claims: async (gpu, { light = 1, spot } = {}) => {
      const errors = await SampledErrors.open(gpu, { shape, pipeline });
      try {
        return await errors.largest(
          darker(image, light),
          marked(
            betas.map((beta) => ({ beta, gammas })),
            spot,
          ),
        );
      } finally {
        errors.close();
      }
    },
    truth: errorsIn(transform),
  };
}

const ASKED: readonly (readonly [string, Asked])[] = (['rotation', 'translation'] as const).flatMap(
  (transform) => [
    [`${transform}, chord`, bounds(transform, 'chord')] as const,
    [`${transform}, interval`, bounds(transform, 'interval')] as const,
    ...(transform === 'translation' ? [[`${transform}, exact`, bounds(transform, 'exact')] as const] : []),
    [`${transform}, slices`, slices(transform)] as const,
    [`${transform}, indiv`, indiv(transform)] as const,
    [`${transform}, sampled`, sampled(transform)] as const,
  ],
);

/** Places at which something is claimed below the truth; a refusal of the adapter claims nothing. */
async function outcome({ claims, truth }: Asked, gpu: Gpu, given?: Given): Promise<number[] | 'refused'> {
  try {
    const found = await claims(gpu, given);
    expect(found.length).toBe(truth.length);
    return truth.flatMap((least, i) => ((found[i] ?? Number.NaN) >= least ? [] : [i]));
  } catch (error) {
    if (error instanceof TurnproofError && error.code === 'parity') return 'refused';
    throw error;
  }
}

const HARMLESS = [[], 'refused'];
/** Each of its own. */
const spotOf = (): Spot => {
  let state = 99;
  const draw = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((below * state) / 2 ** 32);
  };
  return { draw, boxes: true };
};

describe('readbacks of the bounders', () => {
  let gpu: Gpu;
  beforeAll(async () => {
    gpu = await openDevice({ adapter: (await testAdapters()).at(-1) ?? 'auto' });
  });
  afterAll(() => closeChecked(gpu));

  describe.each(ASKED)('%s', (_, asked) => {
    let labels: ReadonlySet<string>;

    beforeAll(async () => {
      const listening = plantReadbacks(gpu, () => undefined);
      await asked.claims(gpu);
      listening.end();
      labels = listening.labels;
    });

    it('claim the truth when nothing is planted, and something', async () => {
      const found = await asked.claims(gpu);
      expect(await outcome(asked, gpu)).toEqual([]);
      expect(await outcome(asked, gpu, { spot: spotOf() })).toEqual([]);
      // Else the check below could not fail.
      expect(found.filter(Number.isFinite).length).toBeGreaterThanOrEqual(found.length / 2);
      expect(Math.min(...asked.truth)).toBeGreaterThan(0.001);
    });

    it.each(Object.entries(NONSENSE))('claim no more with %s in any of them', async (_, plant) => {
      expect(labels.size).toBeGreaterThan(0);
      for (const concerns of [() => true, ...[...labels].map((label) => (one: string) => one === label)]) {
        const { end } = plantReadbacks(gpu, plant, concerns);
        try {
          expect(HARMLESS).toContainEqual(await outcome(asked, gpu));
        } finally {
          end();
        }
      }
    });

    it.each(Object.entries(PLAUSIBLE))(
      'are refused by a spot check with %s in all of them',
      async (_, plant) => {
        let armed = false;
        const { end } = plantReadbacks(gpu, (...words) => (armed ? plant(...words) : undefined));
        try {
          await asked.claims(gpu, { light: 0.1 });
          armed = true;
          expect(await outcome(asked, gpu, { spot: spotOf() })).toBe('refused');
        } finally {
          end();
        }
      },
    );

    it.each(Object.entries(PLAUSIBLE))(
      'claim no more with %s in any of them, and a spot',
      async (_, plant) => {
        for (const label of labels) {
          let armed = false;
          const planted: typeof plant = (...words) => (armed ? plant(...words) : undefined);
          const { end } = plantReadbacks(gpu, planted, (one) => one === label);
          try {
            await asked.claims(gpu, { light: 0.1 });
            armed = true;
            expect(HARMLESS).toContainEqual(await outcome(asked, gpu, { spot: spotOf() }));
          } finally {
            end();
          }
        }
      },
    );
  });
});
