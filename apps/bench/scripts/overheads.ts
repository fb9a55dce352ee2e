/**
 * What a pipeline costs beside kernels and classifier, by processor time: on a software adapter everything is processor
 * time, and unlike wall time it hardly changes with what else the machine does.
 *
 * node --conditions=turnproof-source apps/bench/scripts/overheads.ts [--adapter NAME] [--runs N]
 *
 * «host»: of the program's own thread, calls of the classifier taken out, asking the GPU whether it is done included.
 * «share»: host time as a share of the wall time that a run would take if the machine had nothing else to do, kernels
 * used every processor and the host did nothing meanwhile: an upper end.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { openDevice } from '@turnproof/core';
import { nodeAssets } from '../src/assets.ts';
import { DEFAULT_KNOBS } from '../src/suite/knobs.ts';
import { Recorder } from '../src/suite/recorder.ts';
import { runCases } from '../src/suite/run-cases.ts';
import { summaryOf } from '../src/suite/summary.ts';

const { values } = parseArgs({
  options: { adapter: { type: 'string', default: 'auto' }, runs: { type: 'string', default: '7' } },
});

const cpuMs = ({ user, system }: NodeJS.CpuUsage): number => (user + system) / 1000;

/** Counts the processor time of this thread and of all inside the classifier. */
class CountingRecorder extends Recorder {
  thread = 0;
  all = 0;

  override async ort<T>(label: string, work: () => Promise<T>): Promise<T> {
    const [thread, all] = [process.threadCpuUsage(), process.cpuUsage()];
    try {
      return await super.ort(label, work);
    } finally {
      this.thread += cpuMs(process.threadCpuUsage(thread));
      this.all += cpuMs(process.cpuUsage(all));
    }
  }
}

const gpu = await openDevice({ adapter: values.adapter });
const cores = availableParallelism();
process.stdout.write(
  `${gpu.adapter.name}, ${cores} processors; medians of ${values.runs} runs, ms of processor time\n`,
);
process.stdout.write(`${'pipeline'.padEnd(42)}    host  kernels  classifier   share\n`);
for (const benchCase of runCases(DEFAULT_KNOBS, nodeAssets(['wasm']))) {
  if (benchCase.kind !== 'pipeline') continue;
  const recorder = new CountingRecorder();
  const { run, release } = await benchCase.prepare(gpu, recorder);
  const rows: { host: number; kernels: number; ort: number }[] = [];
  await run();
  for (let i = 0; i < Number(values.runs); i++) {
    recorder.thread = 0;
    recorder.all = 0;
    const [thread, all] = [process.threadCpuUsage(), process.cpuUsage()];
    await run();
    const [threadMs, allMs] = [cpuMs(process.threadCpuUsage(thread)), cpuMs(process.cpuUsage(all))];
    // Kernels that run while the classifier does are counted with it: an upper end of its time, not of the host's.
    rows.push({
      host: threadMs - recorder.thread,
      kernels: allMs - threadMs - (recorder.all - recorder.thread),
      ort: recorder.all,
    });
  }
  await release();
  const median = (of: (row: (typeof rows)[number]) => number) => summaryOf(rows.map(of)).median;
  const [host, kernels, ort] = [median((r) => r.host), median((r) => r.kernels), median((r) => r.ort)];
  const share = host / (host + (kernels + ort) / cores);
  const cells = [host.toFixed(1), kernels.toFixed(1), ort.toFixed(1), `${(100 * share).toFixed(1)} %`];
  const widths = [8, 9, 12, 8];
  process.stdout.write(
    `${benchCase.name.padEnd(42)}${cells.map((cell, i) => cell.padStart(widths[i] ?? 8)).join('')}\n`,
  );
}
gpu.close();
