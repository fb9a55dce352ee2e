/**
 * The folder of an attack: config.json, attack.jsonl (a line an attacked image), images.npy and labels.npy, which
 * `--data npy:` reads, in the same order. The arrays have their names when all is there.
 */
import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Shape } from '../data/index.ts';
import { NpyWriter } from '../data/npy-writer.ts';
import { CONFIG, checkRunFolder } from './run-folder.ts';
import { writeWhole } from './write-whole.ts';

export const ATTACK = 'attack.jsonl';
const IMAGES = 'images.npy';
const LABELS = 'labels.npy';

export class AttackFolder {
  readonly path: string;
  readonly #images: NpyWriter;
  readonly #labels: NpyWriter | null;

  /**
   * @param rows attacked images that will be there
   * @param labelled has each a label?
   * @param bytes 8-bit values instead of float32
   */
  constructor(
    path: string,
    config: unknown,
    { rows, shape, labelled, bytes }: { rows: number; shape: Shape; labelled: boolean; bytes: boolean },
  ) {
    checkRunFolder(path);
    mkdirSync(path, { recursive: true });
    this.path = path;
    const extents = [rows, shape.channels, shape.height, shape.width];
    writeWhole(join(path, CONFIG), `${JSON.stringify(config, null, 2)}\n`);
    this.#images = new NpyWriter(join(path, IMAGES), bytes ? '|u1' : '<f4', extents);
    this.#labels = labelled ? new NpyWriter(join(path, LABELS), '<i8', [rows]) : null;
  }

  add(line: string, pixels: Float32Array, label: number | null): void {
    this.#images.add(pixels);
    if (label !== null) this.#labels?.add([label]);
    appendFileSync(join(this.path, ATTACK), `${line}\n`, { flush: true });
  }

  /** What `--data` takes. */
  close(): string {
    this.#images.close();
    this.#labels?.close();
    const images = `npy:${join(this.path, IMAGES)}`;
    return this.#labels ? `${images},${join(this.path, LABELS)}` : images;
  }
}
