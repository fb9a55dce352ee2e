/**
 * `turnproof verify RUN`: every certificate of a run, recomputed from its counts, and with --replay some of them drawn
 * again: that counts were drawn as stated shows only then.
 */
import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Certificate, certificateSchema, verifyCertificate } from '@turnproof/certify';
import { badInput } from '@turnproof/core';
import type { CommandContext, CommandSpec } from '../command.ts';
import type { Console } from '../console.ts';
import { EXIT_FAILED, EXIT_OK } from '../failure.ts';
import { parseSeed, randomSeed } from '../options/seed.ts';
import type { Values } from '../options/values.ts';
import { KeptCalibration } from '../run/kept-calibration.ts';
import { chooseLines, replayAll, replayOptions } from '../run/replay.ts';
import { readOrigin, readSuspects } from '../run/run-notes.ts';
import { MAX_LINES, readText } from '../text-file.ts';

export const verify: CommandSpec = {
  name: 'verify',
  summary: 'check the certificates of a run without trusting it',
  description:
    'Recompute, for each certificate of a run, its thresholds, error probabilities, bounds and radius from its counts, ' +
    'and compare; that needs no GPU. --replay K draws K of them again, with the model and the images. Exit status 42 ' +
    'where a certificate does not hold.',
  operands: [['run', 'the folder of a run, or a file of certificates']],
  groups: [replayOptions],
  example: 'turnproof verify runs/demo --replay 3',
  run,
};

async function run({ console, operands, values }: CommandContext): Promise<number> {
  const [path = ''] = operands;
  const replays = readReplays(values);
  const file = await certificatesIn(path);
  const folder = dirname(file);
  const suspects = await readSuspects(folder);
  const calibration = new KeptCalibration(folder);
  const text = (await readText(file, MAX_LINES)) ?? '';
  const lines = text.split('\n');
  // A whole file ends with a line end, so its last piece is empty.
  if (lines.at(-1) === '') lines.pop();
  if (lines.length === 0) throw badInput(`${file}: holds no certificate`, 'Name the folder of a run.');
  let failed = 0;
  const seen = new Map<unknown, number>();
  const sound: SoundLine[] = [];
  for (const [at, line] of lines.entries()) {
    console.progress(at, lines.length, 'certificates checked');
    const { index, problems } = check(line);
    const before = seen.get(index);
    if (index !== null && before !== undefined)
      problems.push(`image ${index} is certified in line ${before} already`);
    seen.set(index, at + 1);
    if (problems.length === 0) problems.push(...(await calibration.problemsOf(JSON.parse(line))));
    if (suspects?.images.has(index)) problems.push(`suspect, says suspect.json: ${suspects.reason}`);
    if (problems.length === 0)
      sound.push({ line: at + 1, certificate: certificateSchema.parse(JSON.parse(line)) });
    if (problems.length > 0) failed += 1;
    if (console.json)
      console.data(JSON.stringify({ line: at + 1, index, ok: problems.length === 0, problems }));
    else
      for (const problem of problems)
        console.data(`line ${at + 1}${index === null ? '' : ` (image ${index})`}: ${problem}`);
  }
  console.endProgress();
  const held = lines.length - failed;
  const words = `${held} of ${lines.length} certificates follow from their counts`;
  if (console.json) console.note(words);
  else console.data(words);
  if (replays !== null) failed += await replay(sound, folder, replays, values, console);
  return failed === 0 ? EXIT_OK : EXIT_FAILED;
}

interface SoundLine {
  /** From 1 on. */
  readonly line: number;
  readonly certificate: Certificate;
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

/** Lines that are not what drawing them again gives. */
async function replay(
  sound: readonly SoundLine[],
  folder: string,
  { k, seed }: Replays,
  values: Values,
  console: Console,
): Promise<number> {
  const chosen = chooseLines(sound.length, k, seed).flatMap((at) => sound[at] ?? []);
  const origin = await readOrigin(folder, values);
  const drawn = `${chosen.length} of ${sound.length} lines, drawn by --seed ${seed}`;
  console.note(`drawing again ${drawn}`);
  let [done, failed, within] = [0, 0, 0];
  const certificates = chosen.map(({ certificate }) => certificate);
  for await (const { certificate, problems, exact, words } of replayAll(
    certificates,
    origin,
    values,
    console,
  )) {
    const { line = 0 } = chosen[done] ?? {};
    done += 1;
    if (problems.length > 0) failed += 1;
    else if (!exact) within += 1;
    const texts = problems.map(({ field, message }) => `${field}: ${message}`);
    if (console.json) {
      const { index } = certificate;
      console.data(
        JSON.stringify({
          line,
          index,
          replayed: true,
          ok: texts.length === 0,
          exact,
          problems: texts,
          words,
        }),
      );
    } else {
      const place = `line ${line} (image ${certificate.index})`;
      console.data(
        `${place}: ${texts.length === 0 ? 'drawn again' : 'NOT what drawing it again gives'}: ${words}`,
      );
      for (const text of texts.slice(0, SHOWN)) console.data(`  ${text}`);
      if (texts.length > SHOWN) console.data(`  and ${texts.length - SHOWN} more`);
    }
  }
  const words = replayWords(done, done - failed - within, within);
  if (console.json) console.note(words);
  else console.data(`${words} (${drawn})`);
  return failed;
}

/** Those that could not be checked for exactness are not counted as equal without a word. */
function replayWords(done: number, equal: number, within: number): string {
  const words = `${equal} of ${done} certificates are what drawing them again gives`;
  if (within === 0) return words;
  const are = within === 1 ? 'is' : 'are';
  return `${words}; ${within} more ${are} so within the stated distances, made elsewhere, as they say: exactness could not be checked`;
}

/** Problems of one certificate that are printed for people. */
const SHOWN = 10;

async function certificatesIn(path: string): Promise<string> {
  const found = await stat(path).catch(() => null);
  if (found === null) throw badInput(`${path}: no such file or folder`, 'Name the folder of a run.');
  if (!found.isDirectory()) return path;
  const file = join(path, 'certificates.jsonl');
  if ((await stat(file).catch(() => null)) === null) {
    throw badInput(`${path}: holds no certificates.jsonl`, 'Name the folder of a run.');
  }
  return file;
}

function check(line: string): { index: number | null; problems: string[] } {
  let content: unknown;
  try {
    content = JSON.parse(line);
  } catch {
    return { index: null, problems: ['is no JSON: the line is cut or damaged'] };
  }
  const { problems } = verifyCertificate(content);
  const index = typeof content === 'object' && content !== null && 'index' in content ? content.index : null;
  return {
    index: typeof index === 'number' ? index : null,
    problems: problems.map(({ field, message }) => `${field}: ${message}`),
  };
}
