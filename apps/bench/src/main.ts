/**
 * `npm run bench`: every kernel on the adapters that are here (or those named), as a table and as JSON.
 *
 * Options: --adapter NAME[,NAME] (default: all that open), --scale N (work per dispatch), --repeats N, --out FILE.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { openDevice } from '@turnproof/core';
import { testAdapters } from '@turnproof/core/testing';
import { allCases } from './cases.ts';
import { type Circumstances, circumstances } from './circumstances.ts';
import { type Measurement, measure } from './measure.ts';

const { values } = parseArgs({
  options: {
    adapter: { type: 'string' },
    scale: { type: 'string', default: '1' },
    repeats: { type: 'string', default: '9' },
    out: { type: 'string' },
  },
});

interface Result {
  readonly circumstances: Circumstances;
  readonly measurements: readonly Measurement[];
}

const results: Result[] = [];
for (const adapter of values.adapter?.split(',') ?? (await testAdapters())) {
  const gpu = await openDevice({ adapter });
  const where = circumstances(gpu.adapter);
  console.log(
    `\n${where.adapter} (${where.adapterKind}), ${where.runtime}, commit ${where.commit?.slice(0, 9) ?? 'unknown'}`,
  );
  console.log(
    'case                        work/dispatch   GPU ms: min  median     p95   wall ms      work/s',
  );
  const measurements: Measurement[] = [];
  for (const benchCase of allCases(Number(values.scale))) {
    const result = await measure(gpu, benchCase, { repeats: Number(values.repeats) });
    measurements.push(result);
    const { name, unit, work, gpuMs, wallMs, perSecond } = result;
    const clock = gpuMs ?? wallMs;
    const times = [clock.min, clock.median, clock.p95, wallMs.median]
      .map((ms) => ms.toFixed(2).padStart(8))
      .join('');
    const rate = Math.round(perSecond).toLocaleString('en').padStart(12);
    console.log(
      `${name.padEnd(26)}${String(work).padStart(8)} ${unit.padEnd(8)}${times}${rate}${gpuMs ? '' : '  (wall clock)'}`,
    );
  }
  results.push({ circumstances: where, measurements });
  gpu.close();
}
if (values.out) {
  mkdirSync(dirname(values.out), { recursive: true });
  writeFileSync(values.out, `${JSON.stringify(results, null, 2)}\n`);
  console.log(`\nwritten to ${values.out}`);
}
