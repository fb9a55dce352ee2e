/**
 * Two versions of the kernels against each other, dispatch by dispatch in turn, so that whatever else this machine
 * does hits both alike: ratios of medians and of minima, by the GPU's clock and (which is what a software adapter's
 * work is, and what other programs hardly change) by the processor time of this process.
 *
 * node --conditions=turnproof-source apps/bench/scripts/alternate.ts BEFORE [--adapter NAME] [--only TEXT] [--rounds N]
 *
 * BEFORE: another version's `packages/shaders/src/generated/wgsl.ts`; or today's kernels with a change: `planted:KERNEL`
 * (this one fills its tiles again and again), `as-on-gpu` (on a software adapter: threads as for a GPU).
 */
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { badInput, Gpu, openDevice } from '@turnproof/core';
import { wgsl } from '@turnproof/shaders';
import { kernelCases, type Patch } from '../src/suite/kernel-cases.ts';
import { DEFAULT_KNOBS } from '../src/suite/knobs.ts';
import { PLANTED_ROUNDS, planted } from '../src/suite/planted.ts';
import { summaryOf } from '../src/suite/summary.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    adapter: { type: 'string', default: 'auto' },
    only: { type: 'string', default: '' },
    rounds: { type: 'string', default: '15' },
  },
});

async function versionOf(
  words: string | undefined,
): Promise<{ patch: Patch; changed: (name: string) => boolean }> {
  if (words === undefined) throw badInput('name the other version', 'see the head of this script');
  if (words.startsWith('planted:')) {
    const name = words.slice('planted:'.length);
    return { patch: planted(name, PLANTED_ROUNDS), changed: (kernel) => kernel === name };
  }
  if (words === 'as-on-gpu') return { patch: (kernel) => kernel, changed: () => true };
  const other: { wgsl: Record<string, string> } = await import(pathToFileURL(resolve(words)).href);
  const now: Record<string, string> = wgsl;
  return {
    patch: (kernel) => ({ ...kernel, source: other.wgsl[kernel.name] ?? kernel.source }),
    changed: (name) => other.wgsl[name] !== undefined && other.wgsl[name] !== now[name],
  };
}

const { patch, changed } = await versionOf(positionals[0]);
const gpu = await openDevice({ adapter: values.adapter });
/** The same device, taken for hardware. */
const gpuThen =
  positionals[0] === 'as-on-gpu'
    ? new Gpu(gpu.device, { ...gpu.adapter, kind: 'hardware' }, gpu.reason)
    : gpu;
const after = kernelCases(DEFAULT_KNOBS);
const before = kernelCases(DEFAULT_KNOBS, patch);
process.stdout.write(
  `${gpu.adapter.name}\n${'case'.padEnd(28)}before ms  after ms  median minimum  CPU med     min\n`,
);
for (const [i, now] of after.entries()) {
  const then = before[i];
  if (!then || !changed(now.kernel.name) || !now.name.includes(values.only)) continue;
  const sides = [
    { on: gpuThen, prepared: await then.prepare(gpuThen), times: [] as number[], cpu: [] as number[] },
    { on: gpu, prepared: await now.prepare(gpu), times: [] as number[], cpu: [] as number[] },
  ];
  for (let turn = 0; turn < 2 + Number(values.rounds); turn++) {
    for (const { on, prepared, times, cpu } of sides) {
      const batch = on.batch(now.name, { timing: true });
      prepared.dispatch(batch, turn, 1);
      const start = process.cpuUsage();
      await batch.submit();
      const { user, system } = process.cpuUsage(start);
      if (turn >= 2) cpu.push((user + system) / 1000);
      const nanoseconds = batch.timings[0]?.nanoseconds;
      if (turn >= 2 && nanoseconds != null) times.push(nanoseconds / 1e6);
    }
  }
  const [a, b] = sides.map(({ times }) => summaryOf(times));
  const [cpuA, cpuB] = sides.map(({ cpu }) => summaryOf(cpu));
  for (const { prepared } of sides) prepared.release();
  if (!a || !b || !cpuA || !cpuB) continue;
  const cells = [a.median, b.median].map((ms) => ms.toPrecision(3).padStart(9));
  const ratios = [b.median / a.median, b.min / a.min, cpuB.median / cpuA.median, cpuB.min / cpuA.min].map(
    (ratio) => ratio.toFixed(2).padStart(8),
  );
  process.stdout.write(`${now.name.padEnd(28)}${cells.join('')}${ratios.join('')}\n`);
}
gpu.close();
