/** `turnproof attack`: the worst of k random transformations of each image, and what b and g make of it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  Attacker,
  type AttackOutcome,
  type Attempt,
  Certifier,
  type Method,
  type Prediction,
} from '@turnproof/certify';
import { badInput } from '@turnproof/core';
import type { CommandContext, CommandSpec } from '../command.ts';
import { type DataImage, hashPixels } from '../data/types.ts';
import { EXIT_OK } from '../failure.ts';
import { smoothingOptions } from '../options/plan.ts';
import { tellSeed, withSeed } from '../options/seed.ts';
import type { Values } from '../options/values.ts';
import { check, open, type Prepared, runOptions, sharedOptions } from '../prepare/certifying.ts';
import { canBeShown, pngOf } from '../report/clean-images.ts';
import { NO_GUARANTEE } from '../report/words.ts';
import { AttackFolder } from '../run/attack-folder.ts';
import { OutputFolder, outOption } from '../run/output-folder.ts';
import { makeFolders, requireWritable } from '../run/place-to-write.ts';
import { checkRunFolder } from '../run/run-folder.ts';
import type { Summary } from '../run/summary-file.ts';
import { columnsOf, formatHeader, formatRow } from '../table.ts';

export const attack: CommandSpec = {
  name: 'attack',
  summary: 'the worst of many random transformations of each image',
  description:
    'Transform each image at random within the range, ask the classifier b about every result, and keep the one with the ' +
    'largest loss (cross entropy). Prints the accuracy of b without and with the attack, and on request that of a smoothed ' +
    'classifier g on the same attacked images. Shows weakness, never its absence.',
  groups: [
    ...sharedOptions,
    {
      heading: 'Attack:',
      options: [
        {
          name: 'attacks',
          value: 'K',
          help: 'transformations of each image, drawn evenly from the range',
          default: '100',
        },
        {
          name: 'choose',
          value: 'worst|random',
          help: 'which attacked images are kept: the one with the largest loss, or all K as they were drawn',
          default: 'worst',
        },
        {
          name: 'smoothed',
          value: 'none|base|dist',
          help: 'ask this smoothed classifier g about what was kept (PREDICT); base: without a guarantee',
          default: 'none',
        },
      ],
    },
    ...smoothingOptions,
    ...runOptions,
    {
      heading: 'Output:',
      options: [
        outOption('attack.jsonl, images.npy and labels.npy'),
        { name: 'png', value: 'DIR', help: 'folder for what was kept as PNG' },
        { name: 'dry-run', help: 'check options, data and model, then stop' },
      ],
    },
  ],
  example:
    'turnproof attack --data signs --limit 3 --model signs --transform rotation --range 30 --vignette circle:2 --blur 5:1 --smoothed base',
  run,
};

const COLUMNS = columnsOf(
  ['image', 6],
  ['label', 5],
  ['b', 4],
  ['γ', 17],
  ['loss', 9],
  ['b there', 7],
  ['wrong of k', 10],
  ['g there', 9],
);

interface Request {
  readonly k: number;
  readonly choose: 'worst' | 'random';
  readonly smoothed: 'none' | 'base' | 'dist';
  readonly out: string | undefined;
  readonly png: string | undefined;
}

const MOST_ATTACKS = 2 ** 20;

function readRequest(values: Values): Request {
  const k = values.whole('attacks', 1) ?? 100;
  if (k > MOST_ATTACKS) throw badInput(`--attacks ${k}: at most ${MOST_ATTACKS}`);
  return {
    k,
    choose: values.choice('choose', ['worst', 'random']) ?? 'worst',
    smoothed: values.choice('smoothed', ['none', 'base', 'dist']) ?? 'none',
    out: values.text('out'),
    png: values.text('png'),
  };
}

async function run(given: CommandContext): Promise<number> {
  const values = withSeed(given.values);
  const context = { ...given, values };
  const { console } = context;
  const request = readRequest(values);
  const checked = await check(context, [request.smoothed === 'dist' ? 'dist' : 'base'], () => {
    if (request.out !== undefined) checkRunFolder(request.out);
    if (request.png !== undefined) requireWritable(request.png, `--png ${request.png}`);
  });
  const { selected } = checked;
  try {
    if (request.png !== undefined && !canBeShown(selected.data.shape)) {
      throw badInput(`--png: images of ${selected.data.shape.channels} channels are neither grey nor colour`);
    }
  } catch (error) {
    await checked.opened.host.release();
    throw error;
  }
  if (values.flag('dry-run')) {
    await checked.opened.host.release();
    console.note(`all is there for ${selected.indices.length} images; nothing was run`);
    return EXIT_OK;
  }
  tellSeed(values, console);
  const prepared = await open(context, checked);
  const { engine, pipeline, plan } = prepared;
  const { shape } = selected.data;
  const { gpu, classifier, reference } = engine;
  try {
    const attacker = await Attacker.open({ gpu, classifier, shape, pipeline, seed: BigInt(plan.seed) });
    const certifier =
      request.smoothed === 'none'
        ? null
        : await Certifier.open({ gpu, classifier, reference, shape, pipeline, plan });
    try {
      await attackAll(context, prepared, request, attacker, certifier);
      return EXIT_OK;
    } finally {
      await certifier?.close();
      attacker.close();
    }
  } finally {
    await engine.close();
  }
}

interface Kept {
  readonly image: DataImage;
  readonly outcome: AttackOutcome;
  readonly attempt: Attempt;
  readonly prediction: Prediction | null;
  readonly predictSeconds: number;
}

async function attackAll(
  context: CommandContext,
  prepared: Prepared,
  request: Request,
  attacker: Attacker,
  certifier: Certifier | null,
): Promise<void> {
  const { console, values } = context;
  const { selected, engine, pipeline } = prepared;
  const { data, indices } = selected;
  const { k, choose, out, png } = request;
  const labelled = (await data.read(indices[0] ?? 0)).label !== null;
  const rows = indices.length * (choose === 'worst' ? 1 : k);
  const folder = out === undefined ? null : new OutputFolder(out, 'attack', values, settingsOf(prepared));
  const written =
    folder &&
    new AttackFolder(folder, {
      rows,
      shape: data.shape,
      labelled,
      bytes: pipeline.quantization === 'u8',
    });
  if (png !== undefined) makeFolders(png, `--png ${png}`);
  context.setLastWords(() => 'interrupted: the attacked images are not complete');
  if (!console.json) console.data(formatHeader(COLUMNS));
  const guard = engine.guard(Math.min(k + 1, 256));
  await guard.check();
  const all: Kept[] = [];
  const started = performance.now();
  let row = 0;
  for (const [done, index] of indices.entries()) {
    console.progress(done, indices.length, 'images attacked');
    const image = await data.read(index);
    const outcome = await attacker.attack(image, k);
    const kept =
      choose === 'worst' ? outcome.attempts.slice(outcome.worst, outcome.worst + 1) : outcome.attempts;
    for (const [attempt, one] of kept.entries()) {
      const begun = performance.now();
      const { pixels } = one;
      const sha256 = hashPixels(pixels);
      const prediction = (await certifier?.predict({ index, pixels, sha256, label: image.label })) ?? null;
      const predictSeconds = (performance.now() - begun) / 1000;
      // Pixels are on disk already; the run must not hold them all.
      all.push({
        image,
        outcome,
        attempt: { ...one, pixels: new Float32Array() },
        prediction,
        predictSeconds,
      });
      const line = lineOf({ image, outcome, attempt: one, prediction, predictSeconds }, row, sha256, k);
      written?.add(line, pixels, image.label);
      if (png !== undefined) {
        const name = choose === 'worst' ? `${index}-worst.png` : `${index}-${attempt}.png`;
        writeFileSync(join(png, name), await pngOf(pixels, data.shape));
      }
      console.data(
        console.json
          ? line
          : formatRow(COLUMNS, cells({ image, outcome, attempt: one, prediction, predictSeconds })),
      );
      row += 1;
    }
    await guard.finished(index);
  }
  await guard.check();
  console.endProgress();
  const summary = summaryOf(all, request, prepared.plan.method, (performance.now() - started) / 1000);
  if (folder && written) {
    const spec = written.close();
    folder.finish(summary);
    console.note(`attacked images: --data ${spec}`);
  }
  const lines = summary.columns.map(([title, cell]) => `${title.padEnd(34)} ${cell}`).join('\n');
  if (console.json) console.note(lines);
  else console.data(`\n${lines}`);
}

function lineOf(
  { image, outcome, attempt, prediction }: Kept,
  row: number,
  sha256: string,
  k: number,
): string {
  const { index, label } = image;
  const { clean, target, wrong } = outcome;
  const { gamma, loss, answer } = attempt;
  return JSON.stringify({
    row,
    ...{ index, label, target, gamma, loss, answer },
    ...{ clean, attacks: k, wrong },
    image: { sha256: image.sha256 },
    attacked: { sha256 },
    ...(prediction === null
      ? {}
      : {
          smoothed: {
            method: prediction.method,
            predicted: prediction.predicted,
            correct: prediction.correct,
            guarantee: prediction.guarantee,
          },
        }),
  });
}

function cells({ image, outcome, attempt, prediction }: Kept): string[] {
  const text = (value: number | null) => (value === null ? '-' : String(value));
  return [
    String(image.index),
    image.label === null ? '' : String(image.label),
    text(outcome.clean.answer),
    attempt.gamma.map((axis) => axis.toPrecision(6)).join(':'),
    attempt.loss.toPrecision(4),
    text(attempt.answer),
    `${outcome.wrong}/${outcome.attempts.length}`,
    prediction === null ? '' : prediction.predicted === null ? 'abstained' : String(prediction.predicted),
  ];
}

/** Shares of those with a label. */
function summaryOf(all: readonly Kept[], { k, choose }: Request, method: Method, seconds: number): Summary {
  const labelled = all.filter(({ image }) => image.label !== null);
  const share = (good: (kept: Kept) => boolean) =>
    labelled.length === 0 ? '' : (labelled.filter(good).length / labelled.length).toFixed(3);
  const asked = all.filter(({ prediction }) => prediction !== null);
  const mark = method === 'base' ? `, ${NO_GUARANTEE}` : '';
  const name = method === 'base' ? 'base' : 'dist';
  const columns: [string, string][] = [
    ['images', String(new Set(all.map(({ image }) => image.index)).size)],
    ['attacks', choose === 'worst' ? `worst of ${k}` : `${k} at random`],
    ['b acc.', share(({ image, outcome }) => outcome.clean.answer === image.label)],
    ['b adv. acc.', share(({ image, attempt }) => attempt.answer === image.label)],
  ];
  if (asked.length > 0) {
    const mean = asked.reduce((sum, { predictSeconds }) => sum + predictSeconds, 0) / asked.length;
    columns.push([
      `g adv. acc.`,
      `${share(({ prediction }) => prediction?.correct === true)} (${name}${mark})`,
    ]);
    columns.push(['s per g', mean.toFixed(2)]);
  }
  columns.push(['seconds', seconds.toFixed(1)]);
  return { command: 'attack', columns };
}

function settingsOf({ selected, engine, plan, pipeline }: Prepared): Readonly<Record<string, unknown>> {
  const { info, provider } = engine.classifier;
  return {
    seed: String(plan.seed),
    pipeline,
    data: { spec: selected.data.spec, size: selected.data.size, indices: selected.indices },
    model: { file: info.file, sha256: info.sha256 },
    adapter: engine.gpu.adapter,
    provider,
  };
}
