/** `turnproof report RUN...`: tables, plots and one page about a run, or one that compares several. */
import { join } from 'node:path';
import { badInput } from '@turnproof/core';
import type { CommandContext, CommandSpec } from '../command.ts';
import { EXIT_OK } from '../failure.ts';
import { readRun } from '../report/read-run.ts';
import { writeReport } from '../report/write-report.ts';
import { requireWritable } from '../run/place-to-write.ts';

export const report: CommandSpec = {
  name: 'report',
  summary: 'tables and plots of a run, or of several side by side, as one HTML page',
  description:
    'Write report.html (one file: no scripts, no network) and report/*.svg: certified accuracy against radius, errors, ' +
    'samples and time, every image with what is certified of it, the alpha ledger and where it all came from. For one run ' +
    'into its folder, for several into --out. Shows what the files say; turnproof verify checks them.',
  operands: [['run...', 'folders of runs']],
  groups: [
    {
      heading: 'Report:',
      options: [
        {
          name: 'out',
          value: 'DIR',
          help: 'where to write it (default: the folder of the run; for several runs/<time>-report)',
        },
        { name: 'title', value: 'TEXT', help: 'heading of the page (default: the names of the runs)' },
        {
          name: 'data',
          value: 'SPEC',
          help: 'the data set of the runs, where it lies elsewhere now; images are shown if their hashes match',
        },
        {
          name: 'attack',
          value: 'DIR',
          help: 'an attack on the same images (attack --out): its worst images are shown beside them; may be repeated',
          repeats: true,
        },
      ],
    },
  ],
  example: 'turnproof report runs/demo',
  run,
};

async function run({ console, values, operands }: CommandContext): Promise<number> {
  const twice = operands.find((path, i) => operands.indexOf(path) !== i);
  if (twice !== undefined) throw badInput(`${twice} is given twice`, 'Name each run once.');
  const given = values.text('out');
  if (given !== undefined) requireWritable(given, `--out ${given}`);
  const runs = [];
  for (const path of operands) runs.push(await readRun(path));
  for (const { path, notes } of runs) for (const note of notes) console.note(`${path}: ${note}`);
  const [first] = runs;
  const alone = runs.length === 1 && first !== undefined;
  const out = given ?? (alone ? first.path : defaultFolder(new Date()));
  const title = values.text('title');
  const written = await writeReport(runs, {
    out,
    data: values.text('data'),
    attacks: values.list('attack'),
    ...(title === undefined ? {} : { title }),
  });
  console.data(console.json ? JSON.stringify(written) : written.page);
  return EXIT_OK;
}

function defaultFolder(now: Date): string {
  return join('runs', `${now.toISOString().slice(0, 19).replaceAll(':', '-')}-report`);
}
