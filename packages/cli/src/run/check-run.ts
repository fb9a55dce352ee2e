/**
 * Everything about a run's certificates that shows without a GPU: each line by itself, against config.json and the
 * calibration beside it, and all of them together. Not for drawing any of it again: replay.ts.
 */
import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import {
  type Asked,
  type Certificate,
  certificateSchema,
  contradictions,
  type Problem,
  verifyCertificate,
} from '@turnproof/certify';
import { badInput } from '@turnproof/core';
import { parseJson } from '../json.ts';
import { dataDigest } from '../prepare/inputs.ts';
import { MAX_LINES, readText } from '../text-file.ts';
import { askedOf } from './asked-of-run.ts';
import { KeptCalibration } from './kept-calibration.ts';
import { onTrust, type Trusted } from './on-trust.ts';
import { CONFIG, type RunConfig, readRunConfig } from './run-config.ts';
import { CERTIFICATES } from './run-lines.ts';
import { currentHolder } from './run-lock.ts';
import { readSuspects } from './run-notes.ts';
import { readRunState } from './run-state.ts';

export interface CheckedLine {
  /** From 1 on. */
  readonly line: number;
  /** null where the line does not say. */
  readonly index: number | null;
  /** What is wrong with it, in words. */
  readonly problems: readonly string[];
}

export interface SoundLine {
  readonly line: number;
  readonly certificate: Certificate;
}

export interface CheckedRun {
  readonly folder: string;
  readonly lines: number;
  /** Lines without a problem. */
  readonly sound: readonly SoundLine[];
  /** What is wrong with the run as a whole. */
  readonly problems: readonly string[];
  /** What is no fault, but should be known. */
  readonly notes: readonly string[];
  readonly trusted: readonly Trusted[];
}

/**
 * @param path the folder of a run, or a file of certificates
 * @param onLine told about each line in order, `total` of them
 * @throws TurnproofError `bad-input` where there are no certificates, or config.json is none
 */
export async function checkRun(
  path: string,
  onLine: (line: CheckedLine, total: number) => void,
): Promise<CheckedRun> {
  const file = await certificatesIn(path);
  const folder = dirname(file);
  const lines = await linesOf(file);
  const config = readRunConfig(folder);
  const check = new LineCheck(config && askedOf(folder, config), new Set(config?.data.indices));
  const suspects = await readSuspects(folder);
  const calibration = new KeptCalibration(folder);
  const sound: SoundLine[] = [];
  for (const [at, text] of lines.entries()) {
    const { index, problems, certificate } = check.line(at + 1, text);
    if (certificate && problems.length === 0) problems.push(...(await calibration.problemsOf(certificate)));
    if (suspects?.images.has(index)) problems.push(`suspect, says suspect.json: ${suspects.reason}`);
    if (certificate && problems.length === 0) sound.push({ line: at + 1, certificate });
    onLine({ line: at + 1, index, problems }, lines.length);
  }
  const whole = config && basename(file) === CERTIFICATES ? compareWhole(folder, config, check) : NOTHING;
  return { folder, lines: lines.length, sound, ...whole, trusted: onTrust(check.seen.values(), config) };
}

async function certificatesIn(path: string): Promise<string> {
  const found = await stat(path).catch(() => null);
  if (found === null) throw badInput(`${path}: no such file or folder`, 'Name the folder of a run.');
  if (!found.isDirectory()) return path;
  const file = join(path, CERTIFICATES);
  if ((await stat(file).catch(() => null)) === null) {
    throw badInput(`${path}: holds no ${CERTIFICATES}`, 'Name the folder of a run.');
  }
  return file;
}

async function linesOf(file: string): Promise<string[]> {
  const lines = ((await readText(file, MAX_LINES)) ?? '').split('\n');
  // A whole file ends with a line end, so its last piece is empty.
  if (lines.at(-1) === '') lines.pop();
  if (lines.length === 0) throw badInput(`${file}: holds no certificate`, 'Name the folder of a run.');
  return lines;
}

/** Line by line, with what the lines before it said. */
class LineCheck {
  readonly #asked: Asked | null;
  readonly #selected: ReadonlySet<number>;
  readonly #lines = new Map<number, number>();
  #shape: { readonly line: number; readonly words: string } | undefined;
  /** Certificates as they are, each image once. */
  readonly seen = new Map<number, Certificate>();

  /** @param selected images of the run, where it is known what was asked for */
  constructor(asked: Asked | null, selected: ReadonlySet<number>) {
    this.#asked = asked;
    this.#selected = selected;
  }

  line(
    line: number,
    text: string,
  ): { index: number | null; problems: string[]; certificate: Certificate | null } {
    const { content, fault } = parseJson(text);
    if (fault !== null) {
      const why = fault === 'is no JSON' ? `${fault}: the line is cut or damaged` : fault;
      return { index: null, problems: [why], certificate: null };
    }
    const problems = verifyCertificate(content).problems.map(inWords);
    const index = indexOf(content);
    if (index !== null) {
      const before = this.#lines.get(index);
      if (before !== undefined) problems.push(`image ${index} is certified in line ${before} already`);
      this.#lines.set(index, line);
    }
    const parsed = certificateSchema.safeParse(content);
    if (!parsed.success) return { index, problems, certificate: null };
    const certificate = parsed.data;
    this.seen.set(certificate.index, certificate);
    problems.push(...this.#againstOthers(line, certificate));
    if (this.#asked) {
      problems.push(...contradictions(certificate, this.#asked).map(inWords));
      if (!this.#selected.has(certificate.index))
        problems.push(`index: says ${certificate.index}, which is none of the images of the run`);
    }
    return { index, problems, certificate };
  }

  /** All images of a data set have one shape. */
  #againstOthers(line: number, { image: { shape } }: Certificate): string[] {
    const words = `${shape.channels} x ${shape.height} x ${shape.width}`;
    this.#shape ??= { line, words };
    if (this.#shape.words === words) return [];
    return [`image.shape: says ${words}, but line ${this.#shape.line} says ${this.#shape.words}`];
  }
}

function inWords({ field, message }: Problem): string {
  return `${field}: ${message}`;
}

function indexOf(content: unknown): number | null {
  const index = typeof content === 'object' && content !== null && 'index' in content ? content.index : null;
  return typeof index === 'number' ? index : null;
}

type Whole = Pick<CheckedRun, 'problems' | 'notes'>;
const NOTHING: Whole = { problems: [], notes: [] };
/** Images that are named. */
const NAMED = 8;

/** The run's images and labels: all there, and those that were selected. */
function compareWhole(folder: string, { data }: RunConfig, { seen }: LineCheck): Whole {
  const missing = data.indices.filter((index) => !seen.has(index));
  if (missing.length > 0) {
    const named = missing.slice(0, NAMED).join(', ') + (missing.length > NAMED ? ', ...' : '');
    const words = `${missing.length} of the ${data.indices.length} images of the run have no certificate: ${named}`;
    return saysItIsComplete(folder)
      ? { ...NOTHING, problems: [`${words}, and no state.json says that it was ended before them`] }
      : { ...NOTHING, notes: [`${words}; it is not complete, says state.json`] };
  }
  const digest = dataDigest();
  for (const index of data.indices) {
    const certificate = seen.get(index);
    if (certificate) digest.add({ index, label: certificate.label, sha256: certificate.image.sha256 });
  }
  if (digest.hex() === data.sha256) return NOTHING;
  const words = `the hash or the label of some image is not that of the run (data.sha256 in ${CONFIG})`;
  return { ...NOTHING, problems: [words] };
}

/** A run that is under way, was interrupted or has failed says so; one that was joined from shards says nothing. */
function saysItIsComplete(folder: string): boolean {
  const state = readRunState(folder)?.state ?? 'complete';
  return currentHolder(folder) === null && state === 'complete';
}
