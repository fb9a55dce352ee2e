/**
 * Slice bounds of real images against a dense float64 sample: time of the bounds, faults, and how tight they are.
 *
 * Run: node --conditions=turnproof-source packages/cli/scripts/check-slices.ts --data cifar10:FILE --limit 100 \
 *        --range 45 --slice 1 --vignette circle:2 --blur 5:0.7071 [--samples 20] [--at-once 10]
 */
import { parseArgs } from 'node:util';
import { GpuSliceBounder } from '@turnproof/certify/bounds';
import { openDevice } from '@turnproof/core';
import { l2Norm, warpPreOracle } from '@turnproof/shaders/oracle';
import { openDataset } from '../src/data/index.ts';
import { parseBlur, parseVignette } from '../src/options/pipeline.ts';

const { values } = parseArgs({
  options: {
    data: { type: 'string', default: 'signs' },
    limit: { type: 'string', default: '10' },
    range: { type: 'string', default: '45' },
    slice: { type: 'string', default: '1' },
    vignette: { type: 'string', default: 'circle:2' },
    blur: { type: 'string', default: '5:0.7071' },
    samples: { type: 'string', default: '20' },
    'at-once': { type: 'string', default: '10' },
    adapter: { type: 'string', default: 'auto' },
  },
});
const [range, width, samples] = [Number(values.range), Number(values.slice), Number(values.samples)];
const pre = { vignette: parseVignette(values.vignette), blur: parseBlur(values.blur) };
const data = await openDataset(values.data);
const { shape } = data;
const gpu = await openDevice({ adapter: values.adapter });
const pipeline = { transform: 'rotation', range, pre, quantization: 'none' } as const;
const bounder = await GpuSliceBounder.open(gpu, { shape, pipeline });
const count = Math.round((2 * range) / width);
const slices = Array.from({ length: count }, (_, i) => {
  const [a, b] = [-range + width * i, -range + width * (i + 1)];
  return { box: { lower: [a], upper: [b] }, center: [(a + b) / 2] };
});
const images: Float32Array<ArrayBuffer>[] = [];
for (let i = 0; i < Math.min(Number(values.limit), data.size); i++) {
  images.push(Float32Array.from((await data.read(i)).pixels));
}
// Once for the pipelines' compilation.
await bounder.bound(
  images.slice(0, 1),
  slices.slice(0, 2).map((slice) => ({ image: 0, ...slice })),
);

const started = performance.now();
const bounds: number[][] = [];
let boxes = 0;
const atOnce = Number(values['at-once']);
for (let from = 0; from < images.length; from += atOnce) {
  const some = images.slice(from, from + atOnce);
  const requests = some.flatMap((_, image) => slices.map((slice) => ({ image, ...slice })));
  const results = await bounder.bound(some, requests);
  boxes += results.reduce((sum, result) => sum + result.boxes, 0);
  for (const i of some.keys())
    bounds.push(results.slice(i * count, (i + 1) * count).map(({ bound }) => bound));
}
const seconds = (performance.now() - started) / 1000;
console.log(
  `${images.length} images x ${count} slices on ${gpu.adapter.name}: ${(seconds / images.length).toFixed(3)} s an image, ` +
    `${(boxes / images.length / count).toFixed(1)} sub-boxes a slice`,
);

const ratios: number[] = [];
let faults = 0;
let points = 0;
for (const [i, image] of images.entries()) {
  for (const [k, { box, center }] of slices.entries()) {
    const there = warpPreOracle('rotation', center, image, shape, pre);
    let largest = 0;
    for (let s = 0; s <= samples; s++) {
      const gamma = [(box.lower[0] ?? 0) + (width * s) / samples];
      const here = warpPreOracle('rotation', gamma, image, shape, pre);
      largest = Math.max(largest, l2Norm(here.map((value, at) => value - (there[at] ?? Number.NaN))));
      points += 1;
    }
    const bound = bounds[i]?.[k] ?? Number.NaN;
    if (!(largest <= bound)) {
      faults += 1;
      console.log(`image ${i}, slice ${box.lower} to ${box.upper}: sampled ${largest}, bound ${bound}`);
    }
    ratios.push(bound / largest);
  }
}
const sorted = ratios.toSorted((a, b) => a - b);
const at = (share: number) => (sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN).toFixed(4);
const M = bounds.flat().toSorted((a, b) => a - b);
console.log(
  `${points} float64 samples: ${faults} faults; bound / largest sample: median ${at(0.5)}, 99 % ${at(0.99)}, most ${at(1)}; ` +
    `M: median ${(M[Math.floor(M.length / 2)] ?? Number.NaN).toFixed(4)}`,
);
bounder.close();
gpu.close();
process.exit(faults > 0 ? 1 : 0);
