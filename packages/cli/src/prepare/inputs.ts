/**
 * Everything that can be known to be wrong with a run before a GPU is asked for anything: data, selection, model,
 * labels, every selected image. Nothing is written here.
 */
import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import {
  type Classifier,
  checkParity,
  checkPipeline,
  type InspectedModel,
  inspectModel,
  openClassifier,
  PARITY_IMAGES,
  type ParityImagesOptions,
  type Pipeline,
  type Preparation,
  parityImages,
  prepareModel,
} from '@turnproof/certify';
import { badInput } from '@turnproof/core';
import type { Console } from '../console.ts';
import { type Dataset, openDataset, selectIndices } from '../data/index.ts';
import type { DataChoice } from '../options/data.ts';
import { imagesOf, type ShardChoice } from '../options/shard.ts';

export interface SelectedData {
  readonly data: Dataset;
  /** Never empty. */
  readonly indices: readonly number[];
  /** Where these are a part of what was selected: which, and how many all are. */
  readonly shard?: ShardChoice & { readonly of: number };
}

export interface OpenedSelection extends SelectedData {
  /** Everything that was selected, in order: these images, and what other shards take. */
  readonly all: readonly number[];
}

/** @throws TurnproofError `bad-input`: see openDataset, selectIndices, checkPipeline */
export async function openSelection(choice: DataChoice, pipeline: Pipeline): Promise<OpenedSelection> {
  const data = await openDataset(choice.spec, choice.folder);
  const indices = selectIndices(data.size, choice.selection);
  checkPipeline(pipeline, data.shape);
  const { shard } = choice;
  if (shard === undefined) return { data, indices, all: indices };
  const part = imagesOf(indices, shard);
  if (part.length === 0) {
    throw badInput(
      `--shard ${shard.index}/${shard.count}: only ${indices.length} images are selected, none is left for it`,
      `Take at most ${indices.length} shards.`,
    );
  }
  return { data, indices: part, all: indices, shard: { ...shard, of: indices.length } };
}

/** Of the noise on images by which a model is tried before anything is known of the run. */
const TRIAL_SIGMA = 0.25;

export interface HostModel {
  readonly model: InspectedModel;
  /** The model on the wasm provider. */
  readonly host: Classifier;
}

/**
 * The model, made ready for the data's images and tried on the CPU. The caller releases `host`.
 *
 * @throws TurnproofError `bad-input` where the file is no model, or none for these images; see `openTried`
 */
export async function openHostModel(
  path: string,
  selected: SelectedData,
  threads: number | undefined,
  preparation: Preparation,
): Promise<HostModel> {
  const inspected = await inspectModel(path, { threads, output: preparation.output });
  // Certificates name the file; where it lies on this machine means nothing elsewhere.
  const named = { ...inspected, info: { ...inspected.info, file: basename(path) } };
  return openTried(named, selected, threads, preparation);
}

/**
 * The model for the data's images, tried on some of them, alone and together.
 *
 * @param count images of the trial
 * @throws TurnproofError `bad-input` where it does not fit them, gives no numbers, answers differently each time, or its
 *   answer to one image depends on the others
 */
export async function openTried(
  inspected: InspectedModel,
  { data, indices }: SelectedData,
  threads: number | undefined,
  preparation: Preparation,
  count: number = PARITY_IMAGES,
): Promise<HostModel> {
  const draw = await imagesToCompare(data, indices, { sigma: TRIAL_SIGMA, seed: 0n });
  // The same as below: a model whose batch is freed by the one trial stands the other.
  const images = () => draw(count, 0);
  const model = await prepareModel(inspected, data.shape, preparation, { threads, images });
  const host = await openClassifier({
    model,
    provider: 'wasm',
    shape: data.shape,
    ...(threads === undefined ? {} : { threads }),
  });
  try {
    await checkParity(host, host, draw(count, 0));
  } catch (error) {
    await host.release();
    throw error;
  }
  return { model, host };
}

/** Clean images that comparisons begin with. */
const CLEAN_IMAGES = 7;

/** Selected images in turn, each with noise of its own: all different, and like those that the classifier will see. */
export async function imagesToCompare(
  data: Dataset,
  indices: readonly number[],
  options: ParityImagesOptions,
): Promise<ReturnType<typeof parityImages>> {
  const clean: Float32Array[] = [];
  for (const index of indices.slice(0, CLEAN_IMAGES)) clean.push((await data.read(index)).pixels);
  return parityImages(clean, options);
}

/**
 * Reads every selected image once, those of other shards too, so that a damaged one is found before hours are spent on
 * the others.
 *
 * @returns `sha256` of those that are taken here, and of the whole `selection`: see `dataDigest`
 * @throws TurnproofError `bad-input` for an image that cannot be read and for a label beyond the model's classes
 */
export async function checkImages(
  { data, indices, all }: OpenedSelection,
  model: { readonly file: string; readonly classes: number } | null,
  console: Console,
): Promise<{ readonly sha256: string; readonly selection: string }> {
  const [own, whole] = [dataDigest(), dataDigest()];
  const taken = new Set(indices);
  for (const [done, index] of all.entries()) {
    console.progress(done, all.length, 'images read');
    const { label, name, sha256 } = await data.read(index);
    whole.add({ index, label, sha256 });
    if (taken.has(index)) own.add({ index, label, sha256 });
    if (model !== null && label !== null && !(label >= 0 && label < model.classes)) {
      throw badInput(
        `image ${index} (${name}) has label ${label}, but ${model.file} has ${model.classes} classes, 0 to ${model.classes - 1}`,
        'Use the data set that the model was trained for; folders named by numbers are the classes of these numbers.',
      );
    }
  }
  console.endProgress();
  return { sha256: own.hex(), selection: whole.hex() };
}

/** One SHA-256 for images, their numbers and labels, in order. */
export function dataDigest(): {
  add(image: { readonly index: number; readonly label: number | null; readonly sha256: string }): void;
  hex(): string;
} {
  const hash = createHash('sha256');
  return {
    add: ({ index, label, sha256 }) => {
      hash.update(`${index} ${label ?? '-'} ${sha256}\n`);
    },
    hex: () => hash.digest('hex'),
  };
}
