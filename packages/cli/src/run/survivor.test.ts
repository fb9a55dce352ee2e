import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Certificate, certificateSchema } from '@turnproof/certify';
import { TurnproofError } from '@turnproof/core';
import { testAdapters } from '@turnproof/core/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Console } from '../console.ts';
import type { Dataset } from '../data/index.ts';
import { type TemporaryFolder, temporaryFolder } from '../data/testing/files.ts';
import { Values } from '../options/values.ts';
import { check } from '../prepare/certifying.ts';
import { certifyImages } from './certify-images.ts';
import { openerOf } from './machinery.ts';
import { RunFolder } from './run-folder.ts';
import { RunLock } from './run-lock.ts';
import { Pace, StateFile } from './run-state.ts';
import { lastingPart } from './same-run.test-support.ts';
import { type Machinery, Survivor } from './survivor.ts';

const LIMIT = 5;
const COMMON = {
  ...{ data: 'signs', model: 'signs', limit: String(LIMIT), transform: 'rotation', range: '10' },
  ...{
    vignette: 'circle:2',
    blur: '5:1',
    method: 'base',
    'n-gamma': '20',
    n0: '5',
    batch: '8',
    threads: '1',
  },
};
const adapters = await testAdapters();
const fastest = adapters.at(-1) ?? 'auto';

let folder: TemporaryFolder;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => folder.remove());

interface Outcome {
  readonly lines: readonly string[];
  readonly certificates: readonly Certificate[];
  readonly warnings: readonly string[];
  readonly error: unknown;
}

/**
 * The real run with something done to its machine at chosen images.
 *
 * @param sabotage called when an image is read, with the machinery of that moment
 */
async function runWith(
  name: string,
  words: Record<string, string>,
  sabotage: (index: number, machinery: Machinery) => void,
): Promise<Outcome> {
  const values = new Values({ ...COMMON, seed: '0', ...words });
  const context = { values, console: new Console({ json: false, quiet: true, verbose: false }) };
  const checked = await check(context, ['base', 'sweep']);
  const { selected, pipeline, plan } = checked;
  const warnings: string[] = [];
  const survivor = new Survivor(
    openerOf(context, checked, () => undefined),
    plan.batch,
    (line) => warnings.push(line),
  );
  const path = join(folder.path, name);
  const run = await RunFolder.begin(path, {}, (at) => RunLock.take(at));
  const pace = new Pace(LIMIT, 0, 0);
  const state = new StateFile(path, pace);
  const data: Dataset = {
    ...selected.data,
    read: async (index) => {
      const image = await selected.data.read(index);
      sabotage(index, await survivor.current());
      return image;
    },
  };
  let error: unknown;
  try {
    await certifyImages({
      ...{ console: context.console, data, indices: selected.indices, pipeline, survivor, pace, state },
      folder: run,
      suspects: new Set(),
      stop: new AbortController().signal,
      written: () => undefined,
    });
  } catch (thrown) {
    error = thrown;
  } finally {
    state.end('complete');
    run.close();
    await survivor.close();
  }
  const lines = (await readFile(join(path, 'certificates.jsonl'), 'utf8')).split('\n').slice(0, -1);
  const certificates = lines.map((line) => certificateSchema.parse(JSON.parse(line)));
  return { lines, certificates, warnings, error };
}

/** Does it once for each of these images, in the middle: when the first batch after its beginning is done. */
function once(indices: readonly number[], act: (machinery: Machinery) => void) {
  const open = new Set(indices);
  return (index: number, machinery: Machinery) => {
    if (!open.delete(index)) return;
    const stop = machinery.engine.gpu.watch(() => {
      stop();
      act(machinery);
    });
  };
}

const lose = ({ engine }: Machinery) => engine.gpu.device.destroy();
const lasting = (lines: readonly string[]) => lines.map(lastingPart);

describe.each(['wasm', 'webgpu'])(`a run on ${fastest} with the classifier on %s`, (provider) => {
  const words = { adapter: fastest, provider };
  let calm: Outcome;
  beforeAll(async () => {
    calm = await runWith(`calm-${provider}`, words, () => undefined);
    expect(calm.error).toBeUndefined();
    expect(calm.lines.length).toBe(LIMIT);
  });

  it('comes to the same certificates when its device is lost, and says so in that of the image', async () => {
    const { error, lines, certificates, warnings } = await runWith(
      `lost-${provider}`,
      words,
      once([2], lose),
    );
    expect(error).toBeUndefined();
    expect(lasting(lines)).toEqual(lasting(calm.lines));
    const told = certificates.map(({ recovered }) => recovered);
    expect(told.filter((one) => one !== undefined)).toEqual([[{ what: 'device-lost', batch: null }]]);
    expect(warnings).toEqual([expect.stringMatching(/^the GPU device was lost .*opened again/)]);
  });

  it('has the same classifier after the loss: the model is prepared again as the options say', async () => {
    const adapted = { ...words, mean: '0.1', std: '0.9' };
    const undisturbed = await runWith(`adapted-${provider}`, adapted, () => undefined);
    const { error, lines, certificates } = await runWith(`again-${provider}`, adapted, once([2], lose));
    expect(error).toBeUndefined();
    expect(certificates.at(-1)?.model.adapted).toEqual({ mean: [0.1], std: [0.9] });
    expect(lasting(lines)).toEqual(lasting(undisturbed.lines));
  });

  it('ends with code device-lost at the second loss, and keeps what is finished', async () => {
    const { error, lines } = await runWith(`twice-${provider}`, words, once([1, 3], lose));
    expect(error).toMatchObject({ code: 'device-lost', message: expect.stringContaining('second time') });
    expect(lines.length).toBeGreaterThanOrEqual(1);
    expect(lines.length).toBeLessThan(LIMIT);
    expect(lasting(lines)).toEqual(lasting(calm.lines).slice(0, lines.length));
  });
});

describe('a run whose memory does not suffice', () => {
  it.runIf(adapters.includes('lavapipe'))('halves the batch until it fits the adapter', async () => {
    const words = { adapter: 'lavapipe', provider: 'wasm' };
    const calm = await runWith('calm-limit', words, () => undefined);
    // Images of 12 KiB; lavapipe binds 128 MiB at once.
    const { error, lines, warnings } = await runWith('limit', { ...words, batch: '65535' }, () => undefined);
    expect(error).toBeUndefined();
    expect(lasting(lines)).toEqual(lasting(calm.lines));
    expect(warnings.map((line) => line.replace(/^.*; on/, 'on'))).toEqual(
      [32767, 16383, 8191].map((batch) => `on with batches of ${batch}, and the images in work done again`),
    );
    expect(warnings[0]).toMatch(/needs a buffer of 805294080 bytes, the adapter allows 134217728/);
  });

  it('does the image again with half the batch when the classifier runs out of it', async () => {
    const words = { adapter: fastest, provider: 'wasm' };
    const calm = await runWith('calm-ort', words, () => undefined);
    const elements = 3 * 32 * 32;
    const sabotage = once([3], ({ engine }) => {
      const { classifier } = engine;
      const real = classifier.logits.bind(classifier);
      // More than the runtime's memory can ever hold: the real failure, in the place of the next batch.
      classifier.logits = (_, batch) =>
        batch > 1 ? real(new Float32Array(elements * 400_000), 400_000) : real(_, batch);
    });
    const { error, lines, certificates } = await runWith('ort', words, sabotage);
    expect(error).toBeUndefined();
    expect(lasting(lines)).toEqual(lasting(calm.lines));
    const told = certificates.flatMap(({ recovered }) => recovered ?? []);
    expect(told).toEqual([{ what: 'out-of-memory', batch: 4 }]);
  });

  it.runIf(adapters.includes('swiftshader'))('survives an allocation that the adapter refuses', async () => {
    const words = { adapter: 'swiftshader', provider: 'wasm' };
    const calm = await runWith('calm-swiftshader', words, () => undefined);
    const sabotage = once([2], ({ engine: { gpu } }) => {
      gpu.device.createBuffer({ label: 'too large', size: gpu.device.limits.maxBufferSize, usage: 0x80 });
    });
    const { error, lines, certificates, warnings } = await runWith('refused', words, sabotage);
    expect(error).toBeUndefined();
    expect(lasting(lines)).toEqual(lasting(calm.lines));
    expect(certificates.flatMap(({ recovered }) => recovered ?? [])).toEqual([
      { what: 'out-of-memory', batch: 4 },
    ]);
    expect(warnings).toEqual([expect.stringMatching(/out.of.*memory.*batches of 4/is)]);
  });
});

describe('a survivor', () => {
  const failing = (code: 'no-adapter' | 'out-of-memory') => () => {
    throw new TurnproofError(code, 'none is there');
  };
  it('passes on that there is no adapter at all', async () => {
    const survivor = new Survivor(
      async () => failing('no-adapter')(),
      'auto',
      () => undefined,
    );
    await expect(survivor.current()).rejects.toMatchObject({ code: 'no-adapter' });
  });
  it('ends with code out-of-memory when not even one image fits', async () => {
    const tried: (number | null)[] = [];
    const survivor = new Survivor(
      async (batch) => {
        tried.push(batch);
        return failing('out-of-memory')();
      },
      8,
      () => undefined,
    );
    await expect(survivor.current()).rejects.toMatchObject({ code: 'out-of-memory' });
    expect(tried).toEqual([null, 4, 2, 1]);
  });
});
