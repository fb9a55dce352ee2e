/**
 * Writes the data set: data/test.bin (committed) and, with --train N, train-data/train.bin (ignored by git).
 *
 *   node --conditions=turnproof-source examples/signs/scripts/make-data.ts [--train 20000] [--seed 20]
 */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { defaultSeed, drawRecords, type Split, testCount } from '../src/index.ts';

const { values } = parseArgs({
  options: {
    train: { type: 'string', default: '0' },
    seed: { type: 'string', default: String(defaultSeed) },
  },
});

function write(split: Split, count: number, place: string): void {
  const url = new URL(`../${place}`, import.meta.url);
  const bytes = drawRecords(Number(values.seed), split, count);
  mkdirSync(new URL('.', url), { recursive: true });
  writeFileSync(url, bytes);
  const hash = createHash('sha256').update(bytes).digest('hex');
  console.log(`${fileURLToPath(url)}: ${count} images, ${bytes.length} bytes, sha256 ${hash}`);
}

write('test', testCount, 'data/test.bin');
const trainCount = Number(values.train);
if (trainCount > 0) write('train', trainCount, 'train-data/train.bin');
