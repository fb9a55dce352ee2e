/** `turnproof predict`: the smoothed classifier's answer, or abstention. */
import { Certifier, type Prediction } from '@turnproof/certify';
import type { CommandContext, CommandSpec } from '../command.ts';
import { EXIT_OK } from '../failure.ts';
import { predictPlanOptions } from '../options/plan.ts';
import { tellSeed, withSeed } from '../options/seed.ts';
import { check, open, runOptions, sharedOptions } from '../prepare/certifying.ts';
import { NO_GUARANTEE } from '../report/words.ts';
import { OutputFolder, outOption } from '../run/output-folder.ts';
import { checkRunFolder } from '../run/run-folder.ts';
import { columnsOf, formatHeader, formatRow } from '../table.ts';

export const predict: CommandSpec = {
  name: 'predict',
  summary: 'the smoothed classifier’s answers',
  description:
    'Answer with the class that the smoothed classifier gives, wrong with a probability of at most 1 - confidence, or ' +
    'abstain where the counts do not decide. base: over rotations or shifts; dist, indiv: over them and pixel noise; sweep: over pixel noise.',
  groups: [
    ...sharedOptions,
    ...predictPlanOptions,
    ...runOptions,
    {
      heading: 'Output:',
      options: [
        outOption('predictions.jsonl and summary.json'),
        { name: 'dry-run', help: 'check options, data and model, then stop' },
      ],
    },
  ],
  example:
    'turnproof predict --method base --data signs --limit 3 --model signs --transform rotation --range 30 --vignette circle:2 --blur 5:1',
  run,
};

const COLUMNS = columnsOf(['image', 6], ['label', 5], ['answer', 9], ['class', -16]);

async function run(given: CommandContext): Promise<number> {
  const values = withSeed(given.values);
  const context = { ...given, values };
  const { console } = context;
  const out = values.text('out');
  const checked = await check(context, ['base', 'dist', 'indiv', 'sweep'], () => {
    if (out !== undefined) checkRunFolder(out);
  });
  if (values.flag('dry-run')) {
    await checked.opened.host.release();
    console.note(`all is there for ${checked.selected.indices.length} images; nothing was run`);
    return EXIT_OK;
  }
  tellSeed(values, console);
  const { selected, pipeline, plan, engine } = await open(context, checked);
  const { data, indices } = selected;
  try {
    const certifier = await Certifier.open({
      gpu: engine.gpu,
      classifier: engine.classifier,
      reference: engine.reference,
      shape: data.shape,
      pipeline,
      plan,
    });
    try {
      if (!console.json) console.data(formatHeader(COLUMNS));
      const folder = out === undefined ? null : new OutputFolder(out, 'predict', values);
      const answers: Prediction[] = [];
      const guard = engine.guard(certifier.batch);
      await guard.check();
      for (const [done, index] of indices.entries()) {
        console.progress(done, indices.length, 'images answered');
        const image = await data.read(index);
        const prediction = await certifier.predict(image);
        const { predicted } = prediction;
        const cells = [
          String(index),
          image.label === null ? '' : String(image.label),
          predicted === null ? 'abstained' : String(predicted),
          predicted === null ? '' : (data.classes?.[predicted] ?? ''),
        ];
        const line = JSON.stringify(prediction);
        console.data(console.json ? line : formatRow(COLUMNS, cells));
        folder?.append('predictions.jsonl', line);
        answers.push(prediction);
        await guard.finished(index);
      }
      await guard.check();
      folder?.finish({ command: 'predict', columns: summaryColumns(answers) });
      return EXIT_OK;
    } finally {
      await certifier.close();
    }
  } finally {
    await engine.close();
  }
}

function summaryColumns(answers: readonly Prediction[]): [title: string, cell: string][] {
  const method = answers[0]?.method ?? '';
  const labelled = answers.filter(({ label }) => label !== null);
  const right = labelled.filter(({ correct }) => correct).length;
  const seconds = answers.reduce((sum, { ms }) => sum + ms.sampling + ms.bound, 0) / 1000;
  return [
    ['method', method === 'base' ? `base (${NO_GUARANTEE})` : method],
    ['images', String(answers.length)],
    ['g acc.', labelled.length === 0 ? '' : (right / labelled.length).toFixed(3)],
    ['abstained', String(answers.filter(({ predicted }) => predicted === null).length)],
    ['s per image', (seconds / Math.max(1, answers.length)).toFixed(2)],
  ];
}
