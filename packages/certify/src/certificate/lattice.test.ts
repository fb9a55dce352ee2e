/** What certificates say of the lattice, and those that a version without one made (vectors/float32-noise.jsonl: signs). */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { certifyDistX } from '../methods/dist-x.ts';
import { imageOf, SIMULATION_PLAN, settingOf } from '../methods/simulation.test-support.ts';
import { buildCertificate } from './build.ts';
import { asCertified, PROVENANCE, SHA, SHAPE } from './provenance.test-support.ts';
import { replayObstacles } from './replay.ts';
import { type Certificate, certificateSchema } from './schema.ts';
import { verifyCertificate } from './verify.ts';

const OLD = readFileSync(new URL('../../vectors/float32-noise.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line): Certificate => certificateSchema.parse(JSON.parse(line)));

const fields = (certificate: unknown) => verifyCertificate(certificate).problems.map(({ field }) => field);

async function certified(): Promise<Certificate> {
  const { context } = settingOf({ slope: 0.05, top: 4, fall: 0.5 }, SIMULATION_PLAN, { range: 180 });
  const outcome = await certifyDistX(asCertified(context), imageOf(11));
  const { plan, pipeline } = context;
  return certificateSchema.parse(
    JSON.parse(JSON.stringify(buildCertificate(outcome, plan, pipeline, PROVENANCE))),
  );
}

describe('a certificate', () => {
  it('names its lattice, that of its deviation, in numbers and in words', async () => {
    const certificate = await certified();
    expect([certificate.lattice, certificate.sigmaEps]).toEqual([15, 0.5]);
    expect(certificate.guarantee).toContain('sees pixels in steps of 2^-15');
    expect(fields(certificate)).toEqual([]);
    expect(fields({ ...certificate, lattice: 14 })).toContain('lattice');
    expect(fields({ ...certificate, lattice: null })).toContain('lattice');
  });

  it('cannot be given out as one of float32 noise', async () => {
    const { lattice: _, ...rest } = await certified();
    expect(fields(rest)).toEqual(expect.arrayContaining(['guarantee', 'streams', 'bound.extraError']));
  });
});

describe.each(OLD.map((old) => [old.method, old] as const))(
  'a certificate of float32 noise, %s',
  (_, old) => {
    it('is still verified', () => {
      expect(old.lattice).toBeUndefined();
      expect(old.radius).not.toBeNull();
      expect(fields(old)).toEqual([]);
    });

    it('cannot be drawn again: the noise was another', () => {
      const { sha256, shape } = old.image;
      const here = { model: { sha256: old.model.sha256 }, image: sha256, shape };
      const [problem] = replayObstacles(old, here);
      expect([problem?.field, problem?.message]).toEqual([
        'lattice',
        'is missing: the noise was of float32 numbers, another than is drawn now',
      ]);
      expect(replayObstacles({ ...old, image: { sha256: SHA, shape: SHAPE } }, here).length).toBeGreaterThan(
        1,
      );
    });
  },
);
