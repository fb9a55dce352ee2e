/** Whatever stands where a certificate should, its check ends with problems, and never by itself. */
import { cases } from '@turnproof/core/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { imageOf } from '../methods/simulation.test-support.ts';
import { certifySweep } from '../methods/sweep.ts';
import { sweepSetting } from '../methods/sweep-world.test-support.ts';
import { buildCertificate } from './build.ts';
import { asCertified, PROVENANCE } from './provenance.test-support.ts';
import { verifyCertificate } from './verify.ts';

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

async function sound(): Promise<Json> {
  const { context } = sweepSetting({ speed: 0.1, margin: ([gamma = 0]) => Math.min(4, 0.2 * (9.3 - gamma)) });
  const outcome = await certifySweep(asCertified(context), imageOf(11));
  const model = { ...PROVENANCE.model, adapted: { mean: [0.5], reshaped: [16] } };
  const certificate = buildCertificate(outcome, context.plan, context.pipeline, { ...PROVENANCE, model });
  return JSON.parse(JSON.stringify(certificate));
}
const GOOD = await sound();

/** Every place in a value. */
function placesIn(value: Json, path: readonly (string | number)[] = []): (string | number)[][] {
  if (value === null || typeof value !== 'object') return [[...path]];
  const entries = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return [[...path], ...entries.flatMap(([key, inner]) => placesIn(inner, [...path, key]))];
}

function replaced(value: Json, path: readonly (string | number)[], put: Json): Json {
  const [key, ...rest] = path;
  if (key === undefined) return put;
  if (Array.isArray(value)) return value.map((inner, i) => (i === key ? replaced(inner, rest, put) : inner));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, name === key ? replaced(inner, rest, put) : inner]),
  );
}

const odd = fc.oneof(
  fc.jsonValue() as fc.Arbitrary<Json>,
  fc.constantFrom<Json>(-1, 0, 1, 1e-300, 1e300, 2 ** 53, 2 ** 32, -0.5, 'x', '', [], {}, null),
);

describe('verifyCertificate', () => {
  it('ends with a verdict for any JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(verifyCertificate(value).ok).toBe(false);
      }),
      { numRuns: cases(300) },
    );
  });

  it('ends with a verdict for a certificate with anything anywhere in it', () => {
    expect(verifyCertificate(GOOD)).toEqual({ ok: true, problems: [] });
    const places = placesIn(GOOD);
    let refused = 0;
    fc.assert(
      fc.property(fc.nat(places.length - 1), odd, (at, put) => {
        const { ok, problems } = verifyCertificate(replaced(GOOD, places[at] ?? [], put));
        expect(ok).toBe(problems.length === 0);
        if (!ok) refused += 1;
      }),
      { numRuns: cases(600) },
    );
    expect(refused).toBeGreaterThan(300);
  });
});
