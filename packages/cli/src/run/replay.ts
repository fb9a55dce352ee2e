/**
 * Draws certificates again from their seeds, with the run's model and images, and compares. Not for which of them.
 */
import {
  type Certificate,
  Certifier,
  compareReplay,
  ELSEWHERE_WORDS,
  type Problem,
  replayInputs,
  replayObstacles,
  replayPreparation,
} from '@turnproof/certify';
import { badInput, openDevice, TurnproofError } from '@turnproof/core';
import type { Console } from '../console.ts';
import { type FolderOptions, openDataset } from '../data/index.ts';
import { readFolderOptions } from '../options/data.ts';
import type { DeviceChoice } from '../options/device.ts';
import { resolveModel } from '../options/model.ts';
import type { OptionGroup, Values } from '../options/values.ts';
import { type Engine, openEngine } from '../prepare/engine.ts';
import { openHostModel } from '../prepare/inputs.ts';
import { shuffled } from './order.ts';
import type { RunOrigin } from './run-notes.ts';

export const replayOptions: OptionGroup = {
  heading: 'Replay:',
  options: [
    { name: 'replay', value: 'K', help: 'draw K of the certificates again from their seeds, and compare' },
    { name: 'seed', value: 'N', help: 'decides which K (default: random; it is printed)' },
    { name: 'data', value: 'SPEC', help: "where the images are (default: as in the run's config.json)" },
    { name: 'fit', value: 'crop:S|crop:HxW', help: "as in the run (default: as in the run's config.json)" },
    {
      name: 'calibration-data',
      value: 'SPEC',
      help: "dist-d: where the calibration's images are (default: as in calibration.json)",
    },
    {
      name: 'labels',
      value: 'FILE.csv',
      help: "where their labels are (default: as in the run's config.json)",
    },
    { name: 'model', value: 'FILE', help: "where the model is (default: as in the run's config.json)" },
    {
      name: 'adapter',
      value: 'auto|hardware|software|NAME',
      help: "(default: of the certificate's class where there is one: only there all must be equal)",
    },
    { name: 'provider', value: 'auto|webgpu|wasm', help: "(default: the certificate's)" },
    { name: 'threads', value: 'N', help: 'threads of the wasm provider' },
  ],
};

/** Positions of K of `total` lines, drawn by a seed; ascending. */
export function chooseLines(total: number, k: number, seed: bigint): number[] {
  return shuffled(total, seed)
    .slice(0, Math.min(k, total))
    .sort((a, b) => a - b);
}

/** What drawing something again has shown. */
export interface Replayed {
  readonly problems: readonly Problem[];
  /** Did all have to be equal? Not where it says that it was made elsewhere, nor where it was not drawn again. */
  readonly exact: boolean;
  /** How it compares, in words. */
  readonly words: string;
}

/** What could not be drawn again, and why. */
export function notDrawn(problems: readonly Problem[]): Replayed {
  return { problems, exact: false, words: 'not drawn again' };
}

/** An image that the data do not have; none where they do. */
export function missingImage(field: string, index: number, size: number): Problem[] {
  return index < size ? [] : [{ field, message: `says ${index}, but the data given have ${size} images` }];
}

/** @param loose why it cannot be equal, as it says itself; null: it must be */
export function exactnessWords(loose: string | null): string {
  if (loose === null) return 'all must be equal';
  return `it says that it was made elsewhere, ${loose}, so that exactness cannot be checked here: ${ELSEWHERE_WORDS}`;
}

/**
 * Draws each certificate again. All share data and model; a plan of its own is opened for each that has one.
 *
 * @throws TurnproofError `bad-input` where data or model cannot be used, `parity` where logits differ on this machine
 */
export async function* replayAll(
  certificates: readonly Certificate[],
  origin: RunOrigin,
  values: Values,
  console: Console,
): AsyncGenerator<Replayed & { readonly certificate: Certificate }> {
  const [first] = certificates;
  if (!first) return;
  const folder = { ...origin.folder, ...givenFolder(values) };
  const data = await openDataset(given(values, 'data', origin.data), folder);
  const known = certificates.map(({ index }) => index).filter((index) => index < data.size);
  const selected = { data, indices: known.length > 0 ? known : [0] };
  const threads = values.whole('threads', 1);
  const host = await openHostModel(
    resolveModel(given(values, 'model', origin.model)),
    selected,
    threads,
    replayPreparation(first),
  );
  const provider = values.choice('provider', ['auto', 'webgpu', 'wasm']) ?? first.provider;
  let choice: DeviceChoice;
  try {
    choice = { adapter: values.text('adapter') ?? (await adapterFor(first.adapter)), provider, threads };
  } catch (error) {
    await host.host.release();
    throw error;
  }
  const { sigmaEps, seed } = first;
  const engine = await openEngine(
    choice,
    host,
    selected,
    { sigmaEps: sigmaEps ?? 0, seed: BigInt(seed) },
    console,
  );
  const certifiers = new Certifiers(engine);
  try {
    for (const certificate of certificates) {
      const missing = missingImage('index', certificate.index, data.size);
      if (missing.length > 0) {
        yield { certificate, ...notDrawn(missing) };
        continue;
      }
      const image = await data.read(certificate.index);
      const here = { model: host.model.info, image: image.sha256, shape: data.shape };
      const obstacles = replayObstacles(certificate, here);
      if (obstacles.length > 0) {
        yield { certificate, ...notDrawn(obstacles) };
        continue;
      }
      const again = await (await certifiers.of(certificate)).certify(image);
      const { problems, loose, differences, largest } = compareReplay(certificate, again);
      const distance =
        largest === null
          ? `${differences} fields differ`
          : `${differences} fields differ, most ${largest.field} by ${(100 * largest.relative).toPrecision(2)} %`;
      const radii = `radius ${certificate.radius} there, ${again.radius} here`;
      yield {
        certificate,
        problems,
        exact: loose === null,
        words: `${distance}; ${radii} (${exactnessWords(loose)})`,
      };
    }
  } finally {
    await certifiers.close();
    await engine.close();
  }
}

/** One certifier at a time, kept while certificates are of one plan. */
class Certifiers {
  readonly #engine: Engine;
  #key = '';
  #open: Certifier | undefined;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  async of(certificate: Certificate): Promise<Certifier> {
    const inputs = replayInputs(certificate);
    const key = JSON.stringify(inputs, (_, value) => (typeof value === 'bigint' ? String(value) : value));
    if (this.#open && key === this.#key) return this.#open;
    await this.close();
    const { gpu, classifier, reference } = this.#engine;
    this.#open = await Certifier.open({ gpu, classifier, reference, ...inputs });
    this.#key = key;
    return this.#open;
  }

  async close(): Promise<void> {
    await this.#open?.close();
    this.#open = undefined;
  }
}

/** What was said of a folder of images here. */
export function givenFolder(values: Values): FolderOptions {
  const said = Object.entries(readFolderOptions(values)).filter(([, word]) => word !== undefined);
  return Object.fromEntries(said);
}

function given(values: Values, name: 'data' | 'model', stated: string | undefined): string {
  const word = values.text(name) ?? stated;
  if (word === undefined) {
    throw badInput(`the run has no config.json that names its ${name}`, `Give --${name}.`);
  }
  return word;
}

/** One of this class, where this machine has one. */
export async function adapterFor({ adapterClass }: Certificate['adapter']): Promise<string> {
  try {
    (await openDevice({ adapter: adapterClass })).close();
    return adapterClass;
  } catch (error) {
    if (error instanceof TurnproofError && error.code === 'no-adapter') return 'auto';
    throw error;
  }
}
