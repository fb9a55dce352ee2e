/**
 * Dist-x many times in a world whose truth is known, at α = 0.05: how many certificates are wrong? The suite does the same
 * with fewer.
 *
 * Run: node --conditions=turnproof-source packages/certify/scripts/false-certificates.ts [--count 20000]
 */
import { parseArgs } from 'node:util';
import { certifyMany, SIMULATION_PLAN, TYPICAL } from '../src/methods/simulation.test-support.ts';
import { clopperPearsonLower, logUpperTail } from '../src/statistics/index.ts';

const { values } = parseArgs({ options: { count: { type: 'string', default: '20000' } } });
const count = Number(values.count);
const alpha = 1 - SIMULATION_PLAN.confidence;
for (const inner of ['sequential', 'fixed'] as const) {
  const { certified, wrong } = await certifyMany(count, TYPICAL, { ...SIMULATION_PLAN, inner });
  const chance = Math.exp(logUpperTail(wrong, count, alpha).log);
  const least = clopperPearsonLower(wrong, count, 1e-6);
  console.log(
    `${inner}: ${count} images, ${certified} certified, ${wrong} wrong (${((100 * wrong) / count).toFixed(2)} %); ` +
      `rate at least ${least.toPrecision(3)} at 1e-6, allowed ${alpha.toPrecision(3)}; ` +
      `P[so many | alpha] = ${chance.toPrecision(3)}`,
  );
}
