/** Which counters a method draws from, as certificates name them. */
import type { Method } from '../plan.ts';
import { PURPOSES, type Purpose } from '../sampling/streams.ts';

const USED: Readonly<Record<Method, readonly Purpose[]>> = {
  base: ['chooseClass', 'chooseClassNoise', 'certify', 'noise'],
  sweep: ['sweepChoose', 'sweep', 'sweepAttack', 'sweepConfirm'],
  'dist-d': ['chooseClass', 'chooseClassNoise', 'certify', 'noise'],
  indiv: ['chooseClass', 'chooseClassNoise', 'chooseE', 'testE', 'certify', 'noise'],
  'dist-x': ['chooseClass', 'chooseClassNoise', 'chooseE', 'testE', 'certify', 'noise'],
};

export interface StreamNames {
  generator: 'philox4x32-10';
  key: 'seed';
  counter: string[];
  purposes: Record<string, number>;
}

/** @param lattice - Words of noise have 64 bits, β 128 (false: as files of before say it). */
export function streamsOf(method: Method, lattice = true): StreamNames {
  return {
    generator: 'philox4x32-10',
    key: 'seed',
    counter: [
      'image index',
      'purpose * 2^24 + beta index',
      'sample',
      lattice
        ? 'block of four values (with 2^31 added: the lower halves of their words); of β: axis'
        : 'block of four values',
    ],
    purposes: Object.fromEntries(USED[method].map((purpose) => [purpose, PURPOSES[purpose]])),
  };
}
