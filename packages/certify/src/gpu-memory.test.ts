/** Memory on the device does not grow with the images certified: handles are counted where the device gives them out. */
import { type Gpu, openDevice } from '@turnproof/core';
import { closeChecked, testAdapters } from '@turnproof/core/testing';
import { describe, expect, it } from 'vitest';
import { Certifier } from './certifier.ts';
import { openClassifier, type Provider } from './classifier/index.ts';
import type { Method } from './plan.ts';
import { SMALL_PLAN, signsShape as shape, signAt, signsModel } from './signs.test-support.ts';

const PRE = { vignette: { kind: 'circle', offset: 2 }, blur: { size: 5, sigma: 1 } } as const;
const PIPELINE = { transform: 'rotation', range: 3, pre: PRE, quantization: 'none' } as const;

/** The same three signs again and again: whatever they need, they have needed before. */
const SIGNS = [1, 2, 3];
const ROUNDS = 3;

const adapters = await testAdapters();
const adapter = adapters.at(-1) ?? 'auto';

interface Handles {
  readonly buffers: Set<GPUBuffer>;
  readonly querySets: Set<GPUQuerySet>;
  /** Query sets that there ever were. */
  querySetsMade: number;
}

/** What the device has made and nobody has destroyed: ours and the classifier's runtime's. */
function countHandles(device: GPUDevice): Handles {
  const handles: Handles = { buffers: new Set(), querySets: new Set(), querySetsMade: 0 };
  const watched = <T extends { destroy(): undefined }>(made: T, alive: Set<T>): T => {
    alive.add(made);
    const destroy = made.destroy.bind(made);
    made.destroy = () => {
      alive.delete(made);
      return destroy();
    };
    return made;
  };
  const createBuffer = device.createBuffer.bind(device);
  device.createBuffer = (descriptor) => watched(createBuffer(descriptor), handles.buffers);
  const createQuerySet = device.createQuerySet.bind(device);
  device.createQuerySet = (descriptor) => {
    handles.querySetsMade += 1;
    return watched(createQuerySet(descriptor), handles.querySets);
  };
  return handles;
}

/** The pool forgets one buffer of this label, once. */
function plantLeak({ pool }: Gpu, label: string): void {
  const release = pool.release.bind(pool);
  let planted = false;
  pool.release = (buffer) => {
    if (planted || buffer.label !== label) return release(buffer);
    planted = true;
  };
}

interface Counted {
  /** After each round: buffers alive that are no free ones of the pool; query sets. */
  readonly rounds: readonly { readonly held: number; readonly querySets: number }[];
  readonly querySetsMade: number;
  /** Has the adapter a clock? */
  readonly timed: boolean;
  /** Buffers alive after all was closed but the device. */
  readonly left: number;
}

/** @param leak - label of a buffer that is not given back once, after the first round */
async function certifySigns(method: Method, provider: Provider, leak?: string): Promise<Counted> {
  const gpu = await openDevice({ adapter });
  const handles = countHandles(gpu.device);
  // Watched batches are timed: only these make query sets.
  gpu.watch(() => undefined);
  const classifier = await openClassifier({ model: signsModel, provider, shape, device: gpu.device });
  const plan = { ...SMALL_PLAN, method, seed: 5, batch: 64 };
  const certifier = await Certifier.open({ gpu, classifier, shape, pipeline: PIPELINE, plan });
  const rounds: Counted['rounds'][number][] = [];
  for (let round = 0; round < ROUNDS; round++) {
    for (const sign of SIGNS) await certifier.certify(signAt(sign));
    // What the pool keeps beyond those in use hangs on how many batches were under way at once, and that on time.
    gpu.pool.trim();
    rounds.push({ held: handles.buffers.size, querySets: handles.querySets.size });
    if (round === 0 && leak !== undefined) plantLeak(gpu, leak);
  }
  await certifier.close();
  await classifier.release();
  gpu.pool.trim();
  const left = handles.buffers.size;
  closeChecked(gpu);
  return { rounds, querySetsMade: handles.querySetsMade, timed: gpu.hasTimestamps, left };
}

/** How many of them the last image leaves beyond what the third one left. */
function growthOf({ rounds }: Counted): { held: number; querySets: number } {
  const [first, last] = [rounds[0], rounds.at(-1)];
  if (!first || !last) throw new Error('nothing was counted');
  return {
    held: last.held - first.held,
    querySets: last.querySets - first.querySets,
  };
}

describe(`GPU handles on ${adapter}`, () => {
  it.each([
    ['base', 'wasm'],
    ['sweep', 'wasm'],
    ['sweep', 'webgpu'],
    ['dist-x', 'wasm'],
  ] as const)('are as many after the ninth image as after the third: %s, %s', async (method, provider) => {
    const counted = await certifySigns(method, provider);
    const { held, querySets } = growthOf(counted);
    expect({ held, querySets, left: counted.left }).toEqual({ held: 0, querySets: 0, left: 0 });
    expect(counted.querySetsMade > 0).toBe(counted.timed);
  });

  it.each([
    ['sweep', 'images of slices'],
    ['sweep', 'staging of noisy images'],
    ['dist-x', 'second stack'],
  ] as const)('are one more where one is not given back: %s, «%s»', async (method, label) => {
    const counted = await certifySigns(method, 'wasm', label);
    expect(growthOf(counted).held).toBe(1);
    expect(counted.left).toBe(1);
  });
});
