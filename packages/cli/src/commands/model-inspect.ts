/** `turnproof model inspect FILE`: what was understood of a model, and whether it can serve. */
import { adaptationWords, inspectModel, type ModelInfo } from '@turnproof/certify/classifier';
import type { CommandSpec } from '../command.ts';
import { classRemark } from '../data/class-words.ts';
import { openDataset } from '../data/index.ts';
import { dataOptions, readFolderOptions } from '../options/data.ts';
import { modelOptions, readPreparation, resolveModel } from '../options/model.ts';
import { openTried } from '../prepare/inputs.ts';

export const inspect: CommandSpec = {
  name: 'inspect',
  summary: 'what a model takes and gives, and whether it can serve',
  description:
    'Read an .onnx file and print what was understood of it. With --data it is also made ready for images of that shape ' +
    'and run on some of them, alone and together: its answer to one may not depend on the others, nor change.',
  operands: [['file', 'an .onnx file, or built in: signs, signs:trans, signs:clean']],
  groups: [
    {
      heading: 'Data:',
      options: [
        { name: 'data', value: 'SPEC', help: 'images that it has to fit, such as signs or mnist:DIR' },
        ...dataOptions.options.filter(({ name }) => name === 'labels' || name === 'fit'),
      ],
    },
    { heading: 'Classifier:', options: modelOptions.options.filter(({ name }) => name !== 'model') },
  ],
  example: 'turnproof model inspect signs --data signs',
  run: async ({ console, values, operands }) => {
    const path = resolveModel(operands[0] ?? '');
    const preparation = readPreparation(values);
    const spec = values.text('data');
    const data = spec === undefined ? undefined : await openDataset(spec, readFolderOptions(values));
    const inspected = await inspectModel(path, { output: preparation.output });
    let { info } = inspected;
    let remark: string | null = null;
    if (data) {
      const indices = Array.from({ length: Math.min(TRIED, data.size) }, (_, index) => index);
      const { model, host } = await openTried(inspected, { data, indices }, undefined, preparation, TRIED);
      info = {
        ...info,
        classes: host.classes,
        ...(model.info.adapted ? { adapted: model.info.adapted } : {}),
      };
      remark = classRemark(data.named, host.classes);
      await host.release();
    }
    if (console.json) {
      console.data(JSON.stringify({ ...info, ...(remark === null ? {} : { remark }) }));
      return 0;
    }
    for (const [name, value] of describe(info)) console.data(`${name.padEnd(8)} ${value}`);
    if (data) console.data(`fits     ${data.spec}: images of ${Object.values(data.shape).join(' x ')}`);
    if (remark !== null) console.data(`classes  ${remark}`);
    return 0;
  },
};

/** Images that a model is tried on: about as many as the smallest batch of a run. */
const TRIED = 32;

const LAYOUTS = {
  nchw: 'images, channels first',
  nhwc: 'images, channels last',
  flat: 'flattened images, read as channels, height, width',
  hw: 'grey images',
  undecided: 'images; channels first or last: --data or --layout decides',
} as const;

const SCORES = {
  logits: '',
  probabilities: ' (probabilities, by Softmax: the same largest class as logits)',
  'log-probabilities': ' (by LogSoftmax: the same largest class as logits)',
} as const;

function describe(info: ModelInfo): [string, string][] {
  const sizes = info.inputShape.map((size) => size ?? 'any').join(', ');
  const { externalData = [], adapted = {} } = info;
  return [
    ['file', info.file],
    ['sha256', info.sha256],
    ...externalData.map(({ file, sha256 }): [string, string] => ['weights', `${file} ${sha256}`]),
    ['input', `${info.inputName} [${sizes}] (${LAYOUTS[info.layout ?? 'undecided']})`],
    ['batch', info.fixedBatch === null ? 'any' : `${info.fixedBatch} only`],
    ['output', `${info.outputName} [n, ${info.classes ?? 'unknown'}]${SCORES[info.scores]}`],
    ['opset', String(info.opset ?? 'not named')],
    ['adapted', adaptationWords(adapted).join('; ') || 'no'],
  ];
}
