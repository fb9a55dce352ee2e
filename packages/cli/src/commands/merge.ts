/** `turnproof merge RUN... --out DIR`: shards, joined into one run. */
import type { CommandContext, CommandSpec } from '../command.ts';
import { EXIT_OK } from '../failure.ts';
import { reportOnRun } from '../report/report-on-run.ts';
import { mergeRuns } from '../run/merge-runs.ts';
import { withShards } from '../run/shard-folders.ts';

export const merge: CommandSpec = {
  name: 'merge',
  summary: 'join the shards of a run',
  description:
    'Join what turnproof certify --shard has written into a run folder like that of an undivided run: the same lines in ' +
    'the same order. Shards that are missing, not complete, given twice or of different configurations are refused by ' +
    'name. A folder that holds shards stands for them.',
  operands: [['run...', 'the folders of all shards, or the one that holds them']],
  groups: [
    {
      heading: 'Output:',
      options: [{ name: 'out', value: 'DIR', help: 'folder of the joined run, not there yet' }],
    },
  ],
  example: 'turnproof merge runs/signs --out runs/signs-merged',
  run,
};

async function run({ console, operands, values }: CommandContext): Promise<number> {
  const out = values.required('out', 'Name the folder of the joined run.');
  const { images, shards, suspects, devices } = await mergeRuns(withShards(operands), out);
  const words = `${images} images of ${shards} ${shards === 1 ? 'shard' : 'shards'} in ${out}`;
  if (console.json) console.data(JSON.stringify({ out, images, shards, suspects, devices }));
  else console.data(words);
  if (devices.length > 1)
    console.note(`they ran on ${devices.join(' and on ')}; each certificate names its own`);
  if (suspects.length > 0) console.warn(`suspect, and refused by verify: images ${suspects.join(', ')}`);
  await reportOnRun(out, console);
  return EXIT_OK;
}
