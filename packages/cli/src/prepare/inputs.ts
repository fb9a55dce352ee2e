/**
 * Everything that can be known to be wrong with a run before a GPU is asked for anything: data, selection, model,
 * labels, every selected image. Nothing is written here.
 */
import { basename } from 'node:path';
import {
  adaptModel,
  type Classifier,
  checkPipeline,
  type InspectedModel,
  inspectModel,
  openClassifier,
  type Pipeline,
  type Preparation,
} from '@turnproof/certify';
import { badInput } from '@turnproof/core';
import type { Console } from '../console.ts';
import { type Dataset, openDataset, selectIndices } from '../data/index.ts';
import type { DataChoice } from '../options/data.ts';

export interface SelectedData {
  readonly data: Dataset;
  /** Never empty. */
  readonly indices: readonly number[];
}

/** @throws TurnproofError `bad-input`: see openDataset, selectIndices, checkPipeline */
export async function openSelection(choice: DataChoice, pipeline: Pipeline): Promise<SelectedData> {
  const data = await openDataset(choice.spec, choice.folder);
  const indices = selectIndices(data.size, choice.selection);
  checkPipeline(pipeline, data.shape);
  return { data, indices };
}

export interface HostModel {
  readonly model: InspectedModel;
  /** The model on the wasm provider. */
  readonly host: Classifier;
}

/**
 * The model, made ready for the data's images and run once on the CPU. The caller releases `host`.
 *
 * @throws TurnproofError `bad-input` where the file is no model, or none for these images
 */
export async function openHostModel(
  path: string,
  { data }: SelectedData,
  threads: number | undefined,
  preparation: Preparation = {},
): Promise<HostModel> {
  const inspected = await inspectModel(path, { threads, output: preparation.output });
  // Certificates name the file; where it lies on this machine means nothing elsewhere.
  const named = { ...inspected, info: { ...inspected.info, file: basename(path) } };
  const model = adaptModel(named, data.shape, preparation);
  const host = await openClassifier({
    model,
    provider: 'wasm',
    shape: data.shape,
    ...(threads === undefined ? {} : { threads }),
  });
  return { model, host };
}

/**
 * Reads every selected image once, so that a damaged one is found before hours are spent on the others.
 *
 * @throws TurnproofError `bad-input` for an image that cannot be read and for a label beyond the model's classes
 */
export async function checkImages(
  { data, indices }: SelectedData,
  model: { readonly file: string; readonly classes: number } | null,
  console: Console,
): Promise<void> {
  for (const [done, index] of indices.entries()) {
    console.progress(done, indices.length, 'images read');
    const { label, name } = await data.read(index);
    if (model !== null && label !== null && !(label >= 0 && label < model.classes)) {
      throw badInput(
        `image ${index} (${name}) has label ${label}, but ${model.file} has ${model.classes} classes, 0 to ${model.classes - 1}`,
        'Use the data set that the model was trained for.',
      );
    }
  }
  console.endProgress();
}
