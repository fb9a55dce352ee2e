/**
 * What checks of certificates share: the list of problems, comparisons that add to it, and the ledger. Not for any
 * method's own claims.
 */
import { TurnproofError } from '@turnproof/core';
import { latticeNoise, NO_NOISE, type PixelNoise, realNoise } from '../noise.ts';
import type { Pipeline } from '../pipeline.ts';
import type { AlphaLedger } from '../statistics/index.ts';
import type { Certificate } from './schema.ts';

export interface Problem {
  /** Path of the field, such as «bound.rhoE» or «counts.inner[17]». */
  readonly field: string;
  readonly message: string;
}

/** Numbers from logarithms may differ in the last digits between JavaScript engines. */
export const RELATIVE = 1e-12;

export class Audit {
  readonly problems: Problem[] = [];

  refuse(field: string, message: string): void {
    this.problems.push({ field, message });
  }

  /** Numbers from which nothing can be computed are a finding, too. */
  attempt(field: string, check: () => void): void {
    try {
      check();
    } catch (error) {
      if (!(error instanceof TurnproofError)) throw error;
      this.refuse(field, error.message);
    }
  }

  /** Counts, words, flags: the same or wrong. */
  same(field: string, stated: unknown, expected: unknown): void {
    if (JSON.stringify(stated) === JSON.stringify(expected)) return;
    this.refuse(
      field,
      `says ${JSON.stringify(stated)}, but ${JSON.stringify(expected)} follows from the rest`,
    );
  }

  /** Numbers that logarithms went into. */
  close(field: string, stated: number, expected: number): void {
    if (Math.abs(stated - expected) <= RELATIVE * Math.abs(expected)) return;
    this.refuse(field, `says ${stated}, but ${expected} follows from the rest`);
  }

  atMost(field: string, stated: number, limit: number, what: string): void {
    if (stated > limit) this.refuse(field, `says ${stated}, more than ${what} (${limit})`);
  }
}

export function pipelineOf({ pipeline }: Certificate): Pipeline {
  const { transform, range, vignette, blur, quantization } = pipeline;
  return { transform, range, pre: { vignette, blur }, quantization };
}

/** What a certificate says it was drawn with. A lattice must be the one that its deviation has. */
export function noiseOf({
  lattice,
  sigmaEps,
  image,
}: Pick<Certificate, 'lattice' | 'sigmaEps' | 'image'>): PixelNoise {
  if (sigmaEps === null) return NO_NOISE;
  return lattice === undefined ? realNoise(sigmaEps) : latticeNoise(sigmaEps, image.shape);
}

/** The stated ledger against one that has spent what the counts show to have been spent. */
export function checkLedger(audit: Audit, { ledger }: Certificate, expected: AlphaLedger): void {
  const { spent, ...grants } = ledger;
  const { spent: expectedSpent, ...expectedGrants } = expected.toJSON();
  for (const [name, grant] of Object.entries(grants))
    audit.same(`ledger.${name}`, grant, expectedGrants[name]);
  audit.same('ledger.spent', sorted(spent), sorted(expectedSpent));
}

function sorted(record: Readonly<Record<string, number>>): [string, number][] {
  return Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));
}
