/** `turnproof predict`: the smoothed classifier's answer, or abstention. */
import { Certifier } from '@turnproof/certify';
import type { CommandContext, CommandSpec } from '../command.ts';
import { EXIT_OK } from '../failure.ts';
import { predictPlanOptions } from '../options/plan.ts';
import { prepare, runOptions, sharedOptions } from '../prepare/certifying.ts';
import { columnsOf, formatHeader, formatRow } from '../table.ts';

export const predict: CommandSpec = {
  name: 'predict',
  summary: 'the smoothed classifier’s answers',
  description:
    'Answer with the class that the smoothed classifier gives, wrong with a probability of at most 1 - confidence, or ' +
    'abstain where the counts do not decide. base: over rotations or shifts; dist, indiv: over them and pixel noise; sweep: over pixel noise.',
  groups: [...sharedOptions, ...predictPlanOptions, ...runOptions],
  example:
    'turnproof predict --method base --data signs --limit 3 --model signs --transform rotation --range 30 --vignette circle:2 --blur 5:1',
  run,
};

const COLUMNS = columnsOf(['image', 6], ['label', 5], ['answer', 9], ['class', -16]);

async function run(context: CommandContext): Promise<number> {
  const { console } = context;
  const { selected, pipeline, plan, engine } = await prepare(context, ['base', 'dist', 'indiv', 'sweep']);
  const { data, indices } = selected;
  try {
    const certifier = await Certifier.open({
      gpu: engine.gpu,
      classifier: engine.classifier,
      shape: data.shape,
      pipeline,
      plan,
    });
    try {
      if (!console.json) console.data(formatHeader(COLUMNS));
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
        console.data(console.json ? JSON.stringify(prediction) : formatRow(COLUMNS, cells));
        await guard.finished(index);
      }
      await guard.check();
      return EXIT_OK;
    } finally {
      await certifier.close();
    }
  } finally {
    await engine.close();
  }
}
