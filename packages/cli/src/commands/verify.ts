/**
 * `turnproof verify RUN`: every certificate of a run, recomputed from its counts and held against what the run was asked
 * for, and with --replay some of them drawn again: that counts were drawn as stated shows only then. A calibration
 * likewise.
 */

import { dirname } from 'node:path';
import type { Calibration, Problem } from '@turnproof/certify';
import { badInput } from '@turnproof/core';
import type { CommandContext, CommandSpec } from '../command.ts';
import type { Console } from '../console.ts';
import { EXIT_FAILED, EXIT_OK } from '../failure.ts';
import { parseSeed, randomSeed } from '../options/seed.ts';
import type { Values } from '../options/values.ts';
import { calibrationAt, checkCalibration } from '../run/calibration-file.ts';
import { type CheckedLine, type CheckedRun, checkRun } from '../run/check-run.ts';
import { KeptCalibration, restsOnCalibration } from '../run/kept-calibration.ts';
import { CALIBRATION_TRUST, type Trusted, trustWords } from '../run/on-trust.ts';
import { chooseLines, givenFolder, type Replayed, replayAll, replayOptions } from '../run/replay.ts';
import { replayCalibration } from '../run/replay-calibration.ts';
import { type RunOrigin, readOrigin } from '../run/run-notes.ts';

export const verify: CommandSpec = {
  name: 'verify',
  summary: 'check the certificates of a run without trusting it',
  description:
    'Recompute, for each certificate of a run, its thresholds, error probabilities, bounds and radius from its counts, ' +
    "and compare, also with the run's config.json; that needs no GPU. --replay K draws K of them again, with the model and " +
    'the images, and K images of a calibration that they rest on. A calibration is checked likewise. Exit status 42 ' +
    'where something does not hold.',
  operands: [['run', 'the folder of a run, a file of certificates, or a calibration']],
  groups: [replayOptions],
  example: 'turnproof verify runs/demo --replay 3',
  run,
};

async function run({ console, operands, values }: CommandContext): Promise<number> {
  const [path = ''] = operands;
  const replays = readReplays(values);
  const calibration = await calibrationAt(path);
  const failed =
    calibration === null
      ? await verifyRun(path, replays, values, console)
      : await verifyCalibrationFile(calibration, replays, values, console);
  return failed === 0 ? EXIT_OK : EXIT_FAILED;
}

interface Replays {
  readonly k: number;
  readonly seed: bigint;
}

function readReplays(values: Values): Replays | null {
  const k = values.whole('replay', 1);
  if (k === undefined) {
    const without = replayOptions.options.find(({ name }) => values.text(name) !== undefined);
    if (without) throw badInput(`--${without.name} does nothing without --replay`, 'Add --replay 3.');
    return null;
  }
  const seed = values.text('seed');
  return { k, seed: seed === undefined ? randomSeed() : parseSeed(seed) };
}

/** Returns how much does not hold. */
async function verifyRun(
  path: string,
  replays: Replays | null,
  values: Values,
  console: Console,
): Promise<number> {
  const checked = await checkRun(path, (line, total) => {
    console.progress(line.line, total, 'certificates checked');
    tellLine(line, console);
  });
  console.endProgress();
  const { lines, sound, problems, notes, trusted, folder } = checked;
  if (console.json && problems.length > 0) console.data(JSON.stringify({ run: path, ok: false, problems }));
  if (!console.json) for (const problem of problems) console.data(`the run: ${problem}`);
  for (const note of notes) console.warn(note);
  const words = `${sound.length} of ${lines} certificates follow from their counts`;
  if (console.json) console.note(words);
  else console.data(words);
  tellTrust(trusted, console);
  const failed = lines - sound.length + problems.length;
  if (replays === null || sound.length === 0) return failed;
  const origin = await readOrigin(folder, values);
  return failed + (await replayRun(checked, origin, replays, values, console));
}

function tellLine({ line, index, problems }: CheckedLine, console: Console): void {
  if (console.json) {
    console.data(JSON.stringify({ line, index, ok: problems.length === 0, problems }));
    return;
  }
  const image = index === null ? '' : ` (image ${index})`;
  for (const problem of problems) console.data(`line ${line}${image}: ${problem}`);
}

function tellTrust(trusted: readonly Trusted[], console: Console): void {
  console.data(console.json ? JSON.stringify({ takenOnTrust: trusted }) : trustWords(trusted));
}

/** Certificates, and images of the calibration that they rest on, which are not what drawing them again gives. */
async function replayRun(
  { sound, folder }: CheckedRun,
  origin: RunOrigin,
  { k, seed }: Replays,
  values: Values,
  console: Console,
): Promise<number> {
  const chosen = chooseLines(sound.length, k, seed).flatMap((at) => sound[at] ?? []);
  const tally = new Tally('certificates', chosen.length, sound.length, seed, console);
  const certificates = chosen.map(({ certificate }) => certificate);
  for await (const replayed of replayAll(certificates, origin, values, console)) {
    const { index } = replayed.certificate;
    const line = chosen[tally.done]?.line ?? 0;
    tally.add(`line ${line} (image ${index})`, { line, index }, replayed);
  }
  const failed = tally.end();
  const calibration = certificates.some(restsOnCalibration) ? await new KeptCalibration(folder).read() : null;
  if (calibration === null) return failed;
  const same = calibration.data === origin.spec;
  const data = values.text('calibration-data') ?? (same ? (values.text('data') ?? origin.data) : undefined);
  const folderOptions = { ...origin.folder, ...givenFolder(values) };
  const where = { data: data ?? calibration.data, folder: folderOptions };
  return failed + (await replayImages(calibration, { k, seed, ...where }, values, console));
}

/** Returns how much does not hold. */
async function verifyCalibrationFile(
  { path, text }: { readonly path: string; readonly text: string },
  replays: Replays | null,
  values: Values,
  console: Console,
): Promise<number> {
  const { calibration, problems } = checkCalibration(text);
  const words = problems.map(inWords);
  if (console.json)
    console.data(JSON.stringify({ calibration: path, ok: words.length === 0, problems: words }));
  else for (const problem of words) console.data(`${path}: ${problem}`);
  if (calibration === null || words.length > 0) return 1;
  if (!console.json) console.data(`${path} follows from its counts`);
  tellTrust(CALIBRATION_TRUST, console);
  if (replays === null) return 0;
  const data = values.text('data') ?? values.text('calibration-data') ?? calibration.data;
  const origin = await readOrigin(dirname(path), values);
  const folder = { ...origin.folder, ...givenFolder(values) };
  return replayImages(calibration, { ...replays, data, folder }, values, console);
}

async function replayImages(
  calibration: Calibration,
  how: Parameters<typeof replayCalibration>[1],
  values: Values,
  console: Console,
): Promise<number> {
  const total = calibration.images.length + (calibration.choice?.images.length ?? 0);
  const tally = new Tally('images of the calibration', Math.min(how.k, total), total, how.seed, console);
  for await (const replayed of replayCalibration(calibration, how, values, console)) {
    const { field, index } = replayed;
    tally.add(`calibration, ${field} (image ${index})`, { calibration: true, field, index }, replayed);
  }
  return tally.end();
}

function inWords({ field, message }: Problem): string {
  return `${field}: ${message}`;
}

/** Problems of one certificate that are printed for people. */
const SHOWN = 10;

/** What was drawn again so far, told as it comes. */
class Tally {
  done = 0;
  readonly #what: string;
  readonly #drawn: string;
  readonly #console: Console;
  #failed = 0;
  #within = 0;

  constructor(what: string, chosen: number, total: number, seed: bigint, console: Console) {
    this.#what = what;
    this.#drawn = `${chosen} of ${total} ${what}, drawn by --seed ${seed}`;
    this.#console = console;
    console.note(`drawing again ${this.#drawn}`);
  }

  add(place: string, named: Readonly<Record<string, unknown>>, replayed: Replayed): void {
    const { problems, exact, words } = replayed;
    const texts = problems.map(inWords);
    const ok = texts.length === 0;
    this.done += 1;
    if (!ok) this.#failed += 1;
    else if (!exact) this.#within += 1;
    const console = this.#console;
    if (console.json) {
      console.data(JSON.stringify({ ...named, replayed: true, ok, exact, problems: texts, words }));
      return;
    }
    console.data(`${place}: ${ok ? 'drawn again' : 'NOT what drawing it again gives'}: ${words}`);
    for (const text of texts.slice(0, SHOWN)) console.data(`  ${text}`);
    if (texts.length > SHOWN) console.data(`  and ${texts.length - SHOWN} more`);
  }

  /** Those that could not be checked for exactness are not counted as equal without a word. Returns those that differ. */
  end(): number {
    const equal = this.done - this.#failed - this.#within;
    const words = `${equal} of ${this.done} ${this.#what} are what drawing them again gives`;
    const are = this.#within === 1 ? 'is' : 'are';
    const more =
      this.#within === 0
        ? ''
        : `; ${this.#within} more ${are} so within the stated distances, made elsewhere, as they say: exactness could not be checked`;
    if (this.#console.json) this.#console.note(`${words}${more}`);
    else this.#console.data(`${words}${more} (${this.#drawn})`);
    return this.#failed;
  }
}
