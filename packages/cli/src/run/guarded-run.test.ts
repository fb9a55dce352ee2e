import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  Certifier,
  type Classifier,
  openClassifier,
  ParityGuard,
  type Plan,
  SampleMismatch,
} from '@turnproof/certify';
import { type Gpu, openDevice } from '@turnproof/core';
import { PLAUSIBLE, plantReadbacks, testAdapters } from '@turnproof/core/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDataset } from '../data/index.ts';
import { type TemporaryFolder, temporaryFolder } from '../data/testing/files.ts';
import { resolveModel } from '../options/model.ts';
import { imagesToCompare } from '../prepare/inputs.ts';
import { guardedRun } from './guarded-run.ts';
import { RunFolder } from './run-folder.ts';
import { RunLock } from './run-lock.ts';

const PLAN: Plan = {
  method: 'base',
  sigmaGamma: 5,
  sigmaEps: 0.3,
  confidence: 0.9,
  n0: 5,
  nGamma: 20,
  nEps: 100,
  inner: 'sequential',
  nChooseE: 5,
  nTestE: 30,
  radiusRule: 'tight',
  seed: 1,
  batch: 32,
};
const INDICES = [0, 1, 2, 3, 4, 5];

type Fault = (logits: Float32Array<ArrayBuffer>, batch: number) => Float32Array<ArrayBuffer>;

/** The real classifier, until it has seen `calls` batches; then with a fault. */
function breakingAfter(real: Classifier, calls: number, fault: Fault): Classifier {
  const { info, provider, shape, classes, fixedBatch } = real;
  let seen = 0;
  return {
    ...{ info, provider, shape, classes, fixedBatch },
    logits: async (images, batch) => {
      seen += 1;
      const logits = await real.logits(images, batch);
      return seen > calls ? fault(logits, batch) : logits;
    },
    release: () => real.release(),
  };
}

const adapters = await testAdapters();

describe('a run under guard', () => {
  let folder: TemporaryFolder;
  let gpu: Gpu;
  let real: Classifier;
  const data = openDataset('signs');

  beforeAll(async () => {
    folder = await temporaryFolder();
    gpu = await openDevice({ adapter: adapters.at(-1) ?? 'auto' });
    real = await openClassifier({
      model: resolveModel('signs'),
      provider: 'wasm',
      shape: (await data).shape,
    });
  });
  afterAll(async () => {
    await real.release();
    gpu.close();
    await folder.remove();
  });

  async function certifyAll(
    classifier: Classifier,
    out: string,
    { atOnce = 3, plan = PLAN, written = (_index: number) => undefined as unknown } = {},
  ): Promise<void> {
    const { shape } = await data;
    const images = await imagesToCompare(await data, INDICES, { sigma: 0.3, seed: 1n });
    const guard = new ParityGuard({ classifier, reference: real, images, batch: 32, everyImages: 2 });
    const pipeline = {
      transform: 'rotation',
      range: 10,
      pre: { vignette: { kind: 'circle', offset: 2 }, blur: null },
      quantization: 'none',
    } as const;
    const certifier = await Certifier.open({ gpu, classifier, shape, pipeline, plan });
    const run = await RunFolder.begin(join(folder.path, out), {}, (path) => RunLock.take(path));
    try {
      const work = async (index: number) => {
        const certificate = await certifier.certify(await (await data).read(index));
        return { ...certificate, line: JSON.stringify(certificate), seconds: 0, baseCorrect: null };
      };
      const told = ({ index }: { readonly index: number }) => written(index);
      await guardedRun({ indices: INDICES, work, atOnce, guard, folder: run, written: told });
    } finally {
      await certifier.close();
      run.close();
    }
  }

  const linesOf = async (out: string) => {
    const text = await readFile(join(folder.path, out, 'certificates.jsonl'), 'utf8');
    return text
      .trimEnd()
      .split('\n')
      .map((line) => Number(JSON.parse(line).index));
  };
  const suspectsOf = async (out: string) =>
    JSON.parse(await readFile(join(folder.path, out, 'suspect.json'), 'utf8'));

  it('writes all lines in the order of the images, and suspects none', async () => {
    await certifyAll(real, 'sound');
    expect(await linesOf('sound')).toEqual(INDICES);
    await expect(suspectsOf('sound')).rejects.toThrow('ENOENT');
  });

  it.each<[string, Fault, RegExp]>([
    [
      'a wrong row in a batch',
      (logits, batch) => (batch > 1 ? logits.copyWithin(10, 20, 30) : logits),
      // Which comparison meets it first hangs on when it comes.
      /wasm: batch/,
    ],
    ['a NaN', (logits) => logits.fill(Number.NaN, 4, 5), /NaN/],
  ])(
    'ends with code parity at %s that comes while it runs, and suspects what came since',
    async (words, fault, check) => {
      const out = `fault in ${words}`;
      // An image takes two batches or more, a check eleven.
      await expect(certifyAll(breakingAfter(real, 18, fault), out)).rejects.toMatchObject({
        code: 'parity',
        message: expect.stringMatching(check),
      });
      const lines = await linesOf(out);
      const { images, reason } = await suspectsOf(out);
      expect(reason).toMatch(check);
      expect(lines.length).toBeLessThan(INDICES.length + 1);
      expect(images.length).toBeGreaterThan(0);
      expect(lines.slice(-images.length)).toEqual(images);
    },
  );

  it('ends at a spot check that fails, without the image, and suspects what came since the last comparison', async () => {
    let broken = false;
    const { end } = plantReadbacks(gpu, (...words) => (broken ? PLAUSIBLE.zeros(...words) : undefined));
    try {
      const run = certifyAll(real, 'broken driver', {
        atOnce: 1,
        plan: { ...PLAN, method: 'sweep' },
        written: (index) => {
          broken = index === 2;
        },
      });
      await expect(run).rejects.toMatchObject({
        code: 'parity',
        message: expect.stringMatching(/^spot check: .*; finished since the last check: images 2$/),
      });
    } finally {
      end();
    }
    expect(await linesOf('broken driver')).toEqual([0, 1, 2]);
    expect(await suspectsOf('broken driver')).toMatchObject({ images: [2] });
  });

  it('suspects all that it wrote where the audit of a sample shows what no check did', async () => {
    const out = 'between the checks';
    // Wrong for the samples alone: a check has 1, 7 and 32 images.
    const fault: Fault = (logits, batch) =>
      [1, 7, 32].includes(batch) ? logits : logits.map((_, i, all) => -(all[i] ?? 0));
    const error = await certifyAll(breakingAfter(real, 22, fault), out).then(
      () => null,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(SampleMismatch);
    const lines = await linesOf(out);
    const { images, reason } = await suspectsOf(out);
    // Two of them had been covered by a check.
    expect(lines.length).toBeGreaterThan(1);
    expect(images).toEqual([...lines, lines.length]);
    expect(reason).toMatch(`a noisy sample of image ${lines.length} was counted for`);
  });
});
