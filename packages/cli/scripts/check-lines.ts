/**
 * Checks the lines of `turnproof bound --json` (on stdin) in float64: witness <= largest sampled error <= bound. For
 * translation the samples are the finite grid on whose points the maximum lies, and random points between.
 *
 * Run: turnproof bound --json ... | node --conditions=turnproof-source packages/cli/scripts/check-lines.ts \
 *        --data SPEC --transform rotation --range 30 --vignette circle:2 --blur 5:1 [--samples 600]
 */
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import type { Preprocess, Transform } from '@turnproof/shaders';
import { interpolationError } from '@turnproof/shaders/oracle';
import { openDataset } from '../src/data/index.ts';

const { values } = parseArgs({
  options: {
    data: { type: 'string', default: 'signs' },
    transform: { type: 'string', default: 'rotation' },
    range: { type: 'string', default: '30' },
    vignette: { type: 'string', default: 'circle:2' },
    blur: { type: 'string', default: '5:1' },
    samples: { type: 'string', default: '600' },
  },
});
const transform = values.transform as Transform;
const range = Number(values.range);
const [kind, offset] = values.vignette.split(':');
const [size, sigma] = values.blur.split(':').map(Number);
const pre = {
  vignette: kind === 'none' ? { kind } : { kind, offset: Number(offset) },
  blur: values.blur === 'none' ? null : { size, sigma },
} as Preprocess;
const data = await openDataset(values.data);

interface Line {
  index: number;
  beta: number[];
  bound: number;
  witness: { gamma: number[]; error: number };
  boxes: number;
  ms: number;
}

function samplesFor({ beta, witness }: Line): number[][] {
  const n = Number(values.samples);
  if (transform === 'rotation') {
    const even = Array.from({ length: n + 1 }, (_, i) => [-range + (2 * range * i) / n]);
    return [...even, witness.gamma, ...beta.filter((b) => Math.abs(b) <= range).map((b) => [-b])];
  }
  const axes = beta.map((b) => {
    const lines = [-range, range];
    for (let k = Math.ceil(-range); k <= range; k++) lines.push(k);
    for (let k = Math.ceil(b - range); k <= b + range; k++) lines.push(k - b);
    return lines;
  });
  const grid = (axes[0] ?? []).flatMap((x) => (axes[1] ?? []).map((y) => [x, y]));
  const random = Array.from({ length: n }, () => beta.map(() => (2 * Math.random() - 1) * range));
  return [...grid, ...random];
}

const ratios: number[] = [];
const boxes: number[] = [];
let [faults, lines, points, farthest, ms] = [0, 0, 0, 0, 0];
for await (const text of createInterface({ input: process.stdin })) {
  const line = JSON.parse(text) as Line;
  const { pixels } = await data.read(line.index);
  const samples = samplesFor(line);
  let largest = 0;
  for (const gamma of samples) {
    largest = Math.max(largest, interpolationError(transform, line.beta, gamma, pixels, data.shape, pre));
  }
  lines += 1;
  points += samples.length;
  ms += line.ms;
  boxes.push(line.boxes);
  ratios.push(line.bound / line.witness.error);
  farthest = Math.max(farthest, Math.abs(line.bound / largest - 1));
  // The witness is printed rounded down; sampled at its own place it is not above the largest sample.
  if (line.witness.error <= largest * (1 + 1e-12) && largest <= line.bound) continue;
  faults += 1;
  console.log(
    `image ${line.index} beta ${line.beta}: witness ${line.witness.error}, sampled ${largest}, bound ${line.bound}`,
  );
}
const median = (list: number[]) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)] ?? Number.NaN;
console.log(
  `${lines} lines, ${points} float64 samples: ${faults} faults; bound / witness at most ${Math.max(...ratios).toFixed(6)}; ` +
    `|bound / largest sample - 1| at most ${farthest.toExponential(2)}; ` +
    `boxes: median ${median(boxes)}; ms per line: mean ${(ms / lines).toFixed(1)}`,
);
process.exit(faults > 0 ? 1 : 0);
