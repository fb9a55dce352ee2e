/**
 * The folder of an attack: attack.jsonl (a line an attacked image), images.npy and labels.npy, which `--data npy:` reads,
 * in the same order. The arrays have their names when all is there.
 */
import { join } from 'node:path';
import type { Shape } from '../data/index.ts';
import { NpyWriter } from '../data/npy-writer.ts';
import type { OutputFolder } from './output-folder.ts';

export const ATTACK = 'attack.jsonl';
export const IMAGES = 'images.npy';
export const LABELS = 'labels.npy';

export class AttackFolder {
  readonly #folder: OutputFolder;
  readonly #images: NpyWriter;
  readonly #labels: NpyWriter | null;

  /**
   * @param rows attacked images that will be there
   * @param labelled has each a label?
   * @param bytes 8-bit values instead of float32
   */
  constructor(
    folder: OutputFolder,
    { rows, shape, labelled, bytes }: { rows: number; shape: Shape; labelled: boolean; bytes: boolean },
  ) {
    this.#folder = folder;
    const extents = [rows, shape.channels, shape.height, shape.width];
    this.#images = new NpyWriter(join(folder.path, IMAGES), bytes ? '|u1' : '<f4', extents);
    this.#labels = labelled ? new NpyWriter(join(folder.path, LABELS), '<i8', [rows]) : null;
  }

  add(line: string, pixels: Float32Array, label: number | null): void {
    this.#images.add(pixels);
    if (label !== null) this.#labels?.add([label]);
    this.#folder.append(ATTACK, line);
  }

  /** What `--data` takes. */
  close(): string {
    this.#images.close();
    this.#labels?.close();
    const images = `npy:${join(this.#folder.path, IMAGES)}`;
    return this.#labels ? `${images},${join(this.#folder.path, LABELS)}` : images;
  }
}
