/**
 * Indiv over more sub-boxes than one submission holds: the largest bound counts, whichever box has it.
 */
import { type Gpu, openDevice } from '@turnproof/core';
import { closeChecked, testAdapters } from '@turnproof/core/testing';
import type { ImageShape, ParameterBox } from '@turnproof/shaders';
import { warpOracle } from '@turnproof/shaders/oracle';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Pipeline } from '../pipeline.ts';
import { GpuInverter } from './inverse.ts';
import { withReadbacks } from './readbacks.test-support.ts';
import type { BoundGoal } from './types.ts';

const shape: ImageShape = { channels: 1, height: 5, width: 6 };
const pre = { vignette: { kind: 'circle', offset: 0 }, blur: null } as const;
const pipeline: Pipeline = { transform: 'rotation', range: 40, pre, quantization: 'none' };
const original = Float32Array.from({ length: 30 }, (_, k) => ((k * 7919) % 101) / 100);
const attacked = Float32Array.from(warpOracle('rotation', [-30], original, shape));
/** Sub-boxes of one submission. */
const CHUNK = 256;

describe.each((await testAdapters()).slice(-1))('many sub-boxes on %s', (adapter) => {
  let gpu: Gpu;
  let inverter: GpuInverter;
  beforeAll(async () => {
    gpu = await openDevice({ adapter });
    inverter = await GpuInverter.open(gpu, { shape, pipeline, refinements: 3, boxes: 600 });
  });
  afterAll(() => {
    inverter.close();
    closeChecked(gpu);
  });

  /** The bound of one β over some boxes, and the submissions that it took. */
  const over = async (boxes: readonly ParameterBox[], goal: BoundGoal) => {
    const bounder = inverter.over({ boxes, tried: boxes.length });
    const bound = () => bounder.bound([attacked], [{ image: 0, beta: [12] }], goal);
    const { result, changed } = await withReadbacks(gpu, 'indiv sums', () => undefined, bound);
    return { ...result[0], submissions: changed };
  };

  it('one box with a larger bound decides, in whichever submission it is', async () => {
    const { boxes } = await inverter.narrow(attacked);
    const each: { box: ParameterBox; bound: number }[] = [];
    for (const box of boxes) {
      const { bound = Number.NaN } = await over([box], { tolerance: 0.1 });
      each.push({ box, bound });
    }
    const [least, ...others] = each.toSorted((a, b) => a.bound - b.bound);
    const most = others.at(-1);
    if (!least || !most) throw new Error('fewer than two boxes are left');
    expect(most.bound).toBeGreaterThan(1.01 * least.bound);
    for (const place of [0, CHUNK + 44, 2 * CHUNK]) {
      const list = Array.from({ length: 2 * CHUNK + 1 }, (_, i) => (i === place ? most.box : least.box));
      const open = await over(list, { tolerance: 0.1 });
      expect(open, `place ${place}`).toEqual({ bound: most.bound, exceeds: null, submissions: 3 });
      const { exceeds } = await over(list, { target: (least.bound + most.bound) / 2 });
      expect(exceeds, `place ${place}`).toBeNull();
      const held = await over(list, { target: most.bound });
      expect(held, `place ${place}`).toEqual({ bound: most.bound, exceeds: false, submissions: 3 });
    }
  });

  it('all of Γ is left of an image that every angle can give, more submissions or not', async () => {
    const { boxes, tried } = await inverter.narrow(new Float32Array(30));
    expect([boxes.length, tried]).toEqual([640, 80 + 160 + 320 + 640]);
    boxes.forEach(({ lower }, i) => {
      expect(lower).toEqual(i === 0 ? [-40] : boxes[i - 1]?.upper);
    });
    expect(boxes.at(-1)?.upper).toEqual([40]);
  });
});
