/** What the check scripts need of a run: its images, its classifier prepared by its own flags, its pipeline, a device. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openDevice } from '@turnproof/core';
import { openDataset } from '../src/data/index.ts';
import { readFolderOptions } from '../src/options/data.ts';
import { readModel, readPreparation } from '../src/options/model.ts';
import { readPipeline } from '../src/options/pipeline.ts';
import { Values } from '../src/options/values.ts';
import { openHostModel } from '../src/prepare/inputs.ts';
import { foundPaths } from '../src/run/kept-paths.ts';

export async function openRunToCheck(folder: string) {
  const config = JSON.parse(await readFile(join(folder, 'config.json'), 'utf8'));
  const words = new Values(config.options, []);
  const options = words.over(foundPaths(folder, config.paths, words));
  const data = await openDataset(options.text('data') ?? '', readFolderOptions(options));
  const gpu = await openDevice({ adapter: options.text('adapter') ?? 'auto' });
  const selected = { data, indices: config.data.indices };
  const threads = options.whole('threads', 1);
  const opened = await openHostModel(readModel(options), selected, threads, readPreparation(options));
  const lines = (await readFile(join(folder, 'certificates.jsonl'), 'utf8')).trimEnd().split('\n');
  return {
    plan: config.plan,
    pipeline: readPipeline(options),
    ...{ data, gpu, classifier: opened.host, lines },
    /** Another seed than the run's: nothing is drawn twice. */
    seed: (BigInt(config.plan.seed) ^ 0x5eed_5eed_5eed_5eedn) & (2n ** 64n - 1n),
  };
}
