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

export function streamsOf(method: Method): StreamNames {
  return {
    generator: 'philox4x32-10',
    key: 'seed',
    counter: ['image index', 'purpose * 2^24 + beta index', 'sample', 'block of four values'],
    purposes: Object.fromEntries(USED[method].map((purpose) => [purpose, PURPOSES[purpose]])),
  };
}
