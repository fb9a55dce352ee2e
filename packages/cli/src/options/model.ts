/** --model: an .onnx file, or one of the built-in models by name. */
import { createRequire } from 'node:module';
import { badInput } from '@turnproof/core';
import { nearest } from './nearest.ts';
import type { OptionGroup, Values } from './values.ts';

/** Built-in models: files of the package @turnproof/signs. */
const BUILT_IN: Readonly<Record<string, string>> = {
  signs: 'signs_rot.onnx',
  'signs:rot': 'signs_rot.onnx',
  'signs:trans': 'signs_trans.onnx',
  'signs:clean': 'signs_clean.onnx',
};

export const modelOptions: OptionGroup = {
  heading: 'Classifier:',
  options: [
    {
      name: 'model',
      value: 'FILE',
      help: 'an .onnx file, or built in: signs (rotation), signs:trans (translation), signs:clean',
    },
  ],
};

export function readModel(values: Values): string {
  return resolveModel(
    values.required('model', 'Give --model FILE.onnx, or --model signs for the built-in one.'),
  );
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
