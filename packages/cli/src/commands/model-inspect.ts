/** `turnproof model inspect FILE`: what a model takes and gives, and whether it can serve. */
import { checkShape, inspectModel, type ModelInfo, openClassifier } from '@turnproof/certify/classifier';
import type { CommandSpec } from '../command.ts';
import { openDataset } from '../data/index.ts';
import { resolveModel } from '../options/model.ts';

export const inspect: CommandSpec = {
  name: 'inspect',
  summary: 'what a model takes and gives, and whether it can serve',
  description:
    'Read an .onnx file and print its input, output and hash. With --data it is also run once on images of that shape.',
  operands: [['file', 'an .onnx file, or built in: signs, signs:trans, signs:clean']],
  groups: [
    {
      heading: 'Data:',
      options: [
        { name: 'data', value: 'SPEC', help: 'images that it has to fit, such as signs or mnist:DIR' },
      ],
    },
  ],
  example: 'turnproof model inspect signs --data signs',
  run: async ({ console, values, operands }) => {
    const path = resolveModel(operands[0] ?? '');
    const spec = values.text('data');
    const data = spec === undefined ? undefined : await openDataset(spec);
    const model = await inspectModel(path);
    let { info } = model;
    if (data) {
      checkShape(info, data.shape);
      const classifier = await openClassifier({ model, provider: 'wasm', shape: data.shape });
      info = { ...info, classes: classifier.classes };
      await classifier.release();
    }
    if (console.json) {
      console.data(JSON.stringify(info));
      return 0;
    }
    for (const [name, value] of describe(info)) console.data(`${name.padEnd(8)} ${value}`);
    if (data) console.data(`fits     ${data.spec}: images of ${Object.values(data.shape).join(' x ')}`);
    return 0;
  },
};

function describe(info: ModelInfo): [string, string][] {
  const sizes = info.inputShape.map((size) => size ?? 'any').join(', ');
  return [
    ['file', info.file],
    ['sha256', info.sha256],
    ['input', `${info.inputName} [${sizes}] (${info.layout === 'flat' ? 'flattened images' : 'images'})`],
    ['batch', info.fixedBatch === null ? 'any' : `${info.fixedBatch} only`],
    ['output', `${info.outputName} [n, ${info.classes ?? 'unknown'}]`],
    ['opset', String(info.opset ?? 'not named')],
  ];
}
