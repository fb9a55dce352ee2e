import { type Bindings, type CompiledKernel, type Gpu, type Kernel, openDevice } from '@turnproof/core';
import { closeChecked, testAdapters } from '@turnproof/core/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type DriverFault, plantFault } from './driver-faults.test-support.ts';
import { checkKernels } from './kernels.ts';

const SUM = 'output[group.x * groups.y + group.y] = total;';

const REMAINDER = 'remainder(plane_at(image, place.channel), box, place.x, place.y)';
const SHIFTED = 'return box.quarter_x * (s.y - s.x) + box.quarter_y * (s.w - s.z);';
/** Of translations alone. */
const HALF_SHIFTED = {
  fault: 'one axis of a shift left out',
  find: SHIFTED,
  replace: 'return box.quarter_x * (s.y - s.x);',
};

/** A driver that computes one kernel slightly wrong, as a real one might. */
const FAULTS: readonly DriverFault[] = [
  {
    kernel: 'warp',
    fault: 'too bright by 1e-4',
    find: 'place.offset] = ',
    replace: 'place.offset] = 1.0001 * ',
  },
  {
    kernel: 'warp_pre',
    fault: 'too bright by 1e-4',
    find: '= blurred(tile,',
    replace: '= 1.0001 * blurred(tile,',
  },
  {
    kernel: 'box_hull',
    fault: 'upper end from three corners',
    find: 'max(max(c.x, c.y), max(c.z, c.w))',
    replace: 'max(max(c.x, c.y), c.z)',
  },
  { kernel: 'box_remainder', fault: 'too small', find: REMAINDER, replace: `0.99 * ${REMAINDER}` },
  {
    kernel: 'point_error',
    fault: 'norm too small',
    find: SUM,
    replace: SUM.replace('total', '0.99 * total'),
  },
  {
    kernel: 'chord_error',
    fault: 'norm too small',
    find: SUM,
    replace: SUM.replace('total', '0.98 * total'),
  },
  {
    kernel: 'interval_error',
    fault: 'norm too small',
    find: SUM,
    replace: SUM.replace('total', '0.98 * total'),
  },
  { kernel: 'inverse', fault: 'one corner shrunk', find: '(corner & 4) == 4', replace: '(corner & 12) == 4' },
  {
    kernel: 'slice_distance',
    fault: 'norm too small',
    find: SUM,
    replace: SUM.replace('total', '0.99 * total'),
  },
  {
    kernel: 'slice_remainder',
    fault: 'norm too small',
    find: SUM,
    replace: SUM.replace('total', '0.98 * total'),
  },
  {
    kernel: 'noise',
    fault: 'a step off now and then',
    find: 'return least;',
    replace: 'return least + u32(least % 64u == 63u);',
  },
  { kernel: 'box_remainder', ...HALF_SHIFTED },
  { kernel: 'chord_error', ...HALF_SHIFTED },
  { kernel: 'slice_remainder', ...HALF_SHIFTED },
  { kernel: 'argmax_count', fault: 'counts twice', find: '+ best], 1u)', replace: '+ best], 2u)' },
];

describe.each(await testAdapters())('the self-test on %s', (adapter) => {
  let gpu: Gpu;
  beforeEach(async () => {
    gpu = await openDevice({ adapter });
  });
  afterEach(() => closeChecked(gpu));

  it('passes every kernel', async () => {
    const checks = await checkKernels(gpu);
    expect(new Set(checks.map(({ name }) => name))).toEqual(new Set(FAULTS.map(({ kernel }) => kernel)));
    expect(checks.length).toBe(new Set(checks.map(({ name }) => name)).size);
    expect(checks.filter(({ passed }) => !passed)).toEqual([]);
  });

  it.each(FAULTS)('fails $kernel where it is computed wrong: $fault', async (fault) => {
    plantFault(gpu.device, fault);
    const [check, ...others] = await checkKernels(gpu, [fault.kernel]);
    expect(others).toEqual([]);
    expect(check).toMatchObject({ name: fault.kernel, passed: false });
    // It ran, and the numbers gave it away.
    expect(check?.failure).toBeNull();
  });

  it('fails a kernel that does not compile, with the reason, and goes on', async () => {
    const compile = gpu.compile.bind(gpu);
    gpu.compile = <B extends Bindings>(
      kernel: Kernel<B>,
      overrides?: Readonly<Record<string, number>>,
    ): Promise<CompiledKernel<B>> =>
      compile(kernel.name === 'noise' ? { ...kernel, source: `${kernel.source}\n;;}` } : kernel, overrides);
    const checks = await checkKernels(gpu, ['warp', 'noise']);
    const failed = checks.filter(({ passed }) => !passed);
    expect(failed.map(({ name }) => name)).toEqual(['noise']);
    expect(failed[0]?.failure).toMatch(/noise/);
  });
});
