/** --model: an .onnx file, or one of the built-in models by name. */
import { createRequire } from 'node:module';
import type { Preparation } from '@turnproof/certify';
import { badInput } from '@turnproof/core';
import { nearest } from './nearest.ts';
import { type OptionGroup, parseNumber, type Values } from './values.ts';

/** Built-in models: files of the package @turnproof/signs. */
const BUILT_IN: Readonly<Record<string, string>> = {
  signs: 'signs_rot.onnx',
  'signs:rot': 'signs_rot.onnx',
  'signs:trans': 'signs_trans.onnx',
  'signs:clean': 'signs_clean.onnx',
};

export function isBuiltIn(word: string): boolean {
  return Object.hasOwn(BUILT_IN, word);
}

export const modelOptions: OptionGroup = {
  heading: 'Classifier:',
  options: [
    {
      name: 'model',
      value: 'FILE',
      help: 'an .onnx file, or built in: signs (rotation), signs:trans (translation), signs:clean',
    },
    {
      name: 'layout',
      value: 'nchw|nhwc',
      help: 'where its input has the channels: first (PyTorch) or last (TensorFlow); needed where both fit',
    },
    {
      name: 'mean',
      value: 'M[,M,M]',
      help: 'the model takes (x - mean) / std: one number, or one a channel, for pixels in [0, 1]',
    },
    { name: 'std', value: 'S[,S,S]', help: 'see --mean; noise is added before both' },
    { name: 'output', value: 'NAME', help: 'which output holds the logits, where there are several' },
  ],
};

export function readModel(values: Values): string {
  return resolveModel(
    values.required('model', 'Give --model FILE.onnx, or --model signs for the built-in one.'),
  );
}

/** What the user says about the model beyond its file. */
export function readPreparation(values: Values): Preparation {
  const order = values.choice('layout', ['nchw', 'nhwc']);
  const mean = readNumbers(values, 'mean');
  const std = readNumbers(values, 'std');
  if (std?.some((value) => value <= 0)) {
    throw badInput(
      `--std ${values.text('std')}: not above 0`,
      'Give the deviation of the pixels, such as 0.25.',
    );
  }
  const output = values.text('output');
  return {
    ...(order === undefined ? {} : { order }),
    ...(mean ? { mean } : {}),
    ...(std ? { std } : {}),
    ...(output === undefined ? {} : { output }),
  };
}

function readNumbers(values: Values, name: 'mean' | 'std'): number[] | undefined {
  return values
    .text(name)
    ?.split(',')
    .map((word) => parseNumber(`--${name}`, word));
}

/** The path that a name stands for; any other word is a path already. */
export function resolveModel(word: string): string {
  const file = BUILT_IN[word];
  if (file === undefined) {
    if (word.startsWith('signs:')) {
      const names = Object.keys(BUILT_IN);
      throw badInput(
        `--model ${word}: nearest is ${nearest(word, names)}`,
        `Built in are: ${names.join(', ')}.`,
      );
    }
    return word;
  }
  try {
    return createRequire(import.meta.url).resolve(`@turnproof/signs/models/${file}`);
  } catch {
    throw badInput(
      'the built-in models are not installed',
      'Install them with: npm install @turnproof/signs',
    );
  }
}
