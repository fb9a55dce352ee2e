/** `turnproof certify`: a run folder of certificates, a line an image. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Certificate, Certifier } from '@turnproof/certify';
import { badInput } from '@turnproof/core';
import type { CommandContext, CommandSpec } from '../command.ts';
import type { Console } from '../console.ts';
import { EXIT_INTERRUPTED, EXIT_OK } from '../failure.ts';
import { certifyPlanOptions } from '../options/plan.ts';
import { readSeed, tellSeed, withSeed } from '../options/seed.ts';
import { parseShard, shardFolderName, shardOption } from '../options/shard.ts';
import type { Values } from '../options/values.ts';
import { type Checked, check, runOptions, sharedOptions } from '../prepare/certifying.ts';
import { rhoOf } from '../report/certificates.ts';
import { prepareReport, reportOnRun } from '../report/report-on-run.ts';
import { downTo, upTo } from '../rounding.ts';
import { CALIBRATION } from '../run/calibration-file.ts';
import { certifyImages } from '../run/certify-images.ts';
import { baseCorrectOf } from '../run/classifier-tsv.ts';
import { openerOf } from '../run/machinery.ts';
import { requireWritable } from '../run/place-to-write.ts';
import {
  configToResume,
  inOrder,
  type Remainder,
  remainderOf,
  requireSame,
  resumedValues,
  takeLock,
} from '../run/resume.ts';
import { type PlannedConfig, plannedConfig, type RunConfig } from '../run/run-config.ts';
import { checkRunFolder, defaultRunFolder, isStillborn, RunFolder } from '../run/run-folder.ts';
import { readRunLines, writeRunLines } from '../run/run-lines.ts';
import type { RunLock } from '../run/run-lock.ts';
import { Pace, StateFile } from '../run/run-state.ts';
import { claimShardSeed, withShardSeed } from '../run/shard-seed.ts';
import { formatSummary, type ImageOutcome } from '../run/summary.ts';
import { Survivor } from '../run/survivor.ts';
import { writeWhole } from '../run/write-whole.ts';
import { columnsOf, formatHeader, formatRow } from '../table.ts';

export const certify: CommandSpec = {
  name: 'certify',
  summary: 'certificates: how far each image may be turned or shifted',
  description:
    'Certify, for each image, a radius: whatever transformation up to it an attacker applies, the smoothed classifier ' +
    'keeps its answer. Writes config.json, certificates.jsonl and log.tsv to the run folder, and at the end report.html; ' +
    'finished images are kept whatever ends the run.',
  groups: [
    ...sharedOptions,
    ...certifyPlanOptions,
    ...runOptions,
    {
      heading: 'Output:',
      options: [
        { name: 'out', value: 'DIR', help: 'run folder, not there yet (default: runs/<time>-<method>)' },
        {
          name: 'resume',
          help: 'go on with the run in OUT, with its options; begin it where there is none yet',
        },
        shardOption,
        { name: 'dry-run', help: 'check options, data and model, then stop' },
      ],
    },
  ],
  example:
    'turnproof certify --data signs --limit 3 --model signs --transform rotation --range 30 --vignette circle:2 --blur 5:1',
  run,
};

/** The default first. */
const METHODS = ['sweep', 'dist-x', 'dist-d', 'indiv', 'base'] as const;

const COLUMNS = columnsOf(
  ['image', 6],
  ['label', 5],
  ['answer', 6],
  ['result', -9],
  ['radius', 9],
  ['E', 8],
  ['rho_E', 8],
  ['bound s', 8],
  ['sampling s', 10],
);

async function run(given: CommandContext): Promise<number> {
  const { console } = given;
  const dry = given.values.flag('dry-run');
  const out = folderOf(given.values);
  const there = given.values.flag('resume') ? configToResume(out, given.values) : null;
  // Before the lock, which is a file in it.
  if (there !== null && !dry) requireWritable(out, `--out ${out}`);
  const lock = there === null || dry ? null : await takeLock(out, console);
  try {
    let values = there ? resumedValues(out, given.values, there) : given.values;
    // Of a shard that is begun: the seed that all of them have.
    const shared = there === null && values.text('shard') !== undefined ? dirname(out) : null;
    values = shared === null ? withSeed(values) : await withShardSeed(values, shared);
    let checked = await check({ ...given, values }, METHODS, () => {
      if (there === null && !(given.values.flag('resume') && isStillborn(out))) checkRunFolder(out);
    });
    const release = () => checked.opened.host.release();
    try {
      if (shared !== null && !dry) {
        values = await claimShardSeed(values, shared);
        checked = { ...checked, plan: { ...checked.plan, seed: readSeed(values) } };
      }
      if (there) requireSame(out, there, plannedConfig(values, checked, out));
    } catch (error) {
      await release();
      throw error;
    }
    if (dry) {
      await release();
      console.note(`all is there for ${checked.selected.indices.length} images; nothing was run`);
      return EXIT_OK;
    }
    const old = there && lock ? { config: there, lock, ...(await remainderOf(out, there)) } : null;
    if (old?.indices.length === 0) {
      await release();
      return await finish(out, old, console);
    }
    tellSeed(values, console);
    return await certifyAll({ ...given, values }, checked, plannedConfig(values, checked, out), out, old);
  } finally {
    lock?.release();
  }
}

interface OldRun extends Remainder {
  readonly config: RunConfig;
  readonly lock: RunLock;
}

/** A shard's folder lies in the one that all shards are given: they have one command line. */
function folderOf(values: Values): string {
  const word = values.text('shard');
  const out = values.text('out');
  if (out === undefined && (values.flag('resume') || word !== undefined)) {
    throw badInput(
      `--${values.flag('resume') ? 'resume' : 'shard'} needs --out`,
      'Name the folder of the run: --out DIR.',
    );
  }
  if (out === undefined) return defaultRunFolder(values.text('method') ?? 'sweep', new Date());
  return word === undefined ? out : join(out, shardFolderName(parseShard(word, process.env)));
}

/** All images are there already: only what follows them may be missing. */
async function finish(out: string, { images, unfinished, lock }: OldRun, console: Console): Promise<number> {
  for (const words of unfinished) console.warn(`repaired: ${words}`);
  RunFolder.reopen(out, lock, images).close();
  console.note(`${out} is complete: ${images.length} images`);
  if (!existsSync(join(out, 'report.html'))) await reportOnRun(out, console);
  return EXIT_OK;
}

async function certifyAll(
  context: CommandContext,
  checked: Checked,
  planned: PlannedConfig,
  out: string,
  old: OldRun | null,
): Promise<number> {
  const { console } = context;
  const { selected, pipeline, plan } = checked;
  const { data, indices } = selected;
  const before = old?.images ?? [];
  let pace = new Pace(
    indices.length,
    before.length,
    before.filter((i) => i.certificate.predicted !== null).length,
  );
  const counted = plan.method === 'sweep' ? 'slices' : 'β';
  const survivor = new Survivor(
    openerOf(context, checked, ({ image, stage, done, total }) => {
      const phase = `image ${image}: ${stage}, ${done} of ${total} ${counted}`;
      state?.update(phase);
      console.progress(pace.done, pace.total, `images, ${pace.words()}; ${phase}`);
    }),
    plan.batch,
    (line) => console.warn(line),
  );
  let state: StateFile | undefined;
  const stop = new AbortController();
  try {
    const { engine } = await survivor.current();
    const device = { adapter: engine.gpu.adapter, provider: engine.classifier.provider };
    for (const words of old?.unfinished ?? []) console.warn(`repaired: ${words}`);
    const folder = old
      ? RunFolder.reopen(out, old.lock, before)
      : await RunFolder.begin(out, { ...planned, started: new Date().toISOString(), ...device }, (path) =>
          takeLock(path, console),
        );
    try {
      keepCalibration(out, checked);
      pace = new Pace(pace.total, pace.done, pace.certified);
      state = new StateFile(out, pace);
      const words = () => `interrupted: ${folder.lines} of ${indices.length} images are certified, in ${out}`;
      context.setLastWords(
        () => `${words()}; go on with: turnproof certify --out ${shellWord(out)} --resume`,
      );
      context.setWindUp(() => {
        console.note('stopping; once more to stop at once');
        stop.abort();
      });
      if (old) tellResumed(old, device, console);
      else console.note(`writing to ${out}`);
      if (!console.json) console.data(formatHeader(COLUMNS));
      prepareReport();
      const outcomes = before.map(({ certificate, classifier }) =>
        outcomeOf(certificate, baseCorrectOf(classifier)),
      );
      await certifyImages({
        ...{ console, data, pipeline, survivor, folder, pace, state },
        indices: old?.indices ?? indices,
        suspects: old?.suspects ?? new Set(),
        stop: stop.signal,
        written: (certificate, line, baseCorrect) => {
          outcomes.push(outcomeOf(certificate, baseCorrect));
          console.data(console.json ? line : formatRow(COLUMNS, cells(certificate)));
        },
      });
      if (stop.signal.aborted) {
        console.detail('what is written was checked once more');
        state.end('interrupted');
        return EXIT_INTERRUPTED;
      }
      if (old && old.suspects.size > 0) {
        const { images } = readRunLines(out, old.config, new Set());
        writeRunLines(out, inOrder(images, old.config));
      }
      const { guard, certifier } = await survivor.current();
      console.detail(`logits compared again ${guard.passed} times`);
      console.detail(usageWords(certifier));
      state.end('complete');
      console.endProgress();
      const summary = formatSummary(
        outcomes,
        pipeline.range,
        pipeline.transform === 'rotation' ? 'degrees' : 'pixels',
      );
      if (console.json) console.note(summary);
      else console.data(`\n${summary}`);
    } catch (error) {
      state?.end('failed', error instanceof Error ? error.message : String(error));
      throw error;
    } finally {
      folder.close();
    }
    await reportOnRun(out, console);
    return EXIT_OK;
  } finally {
    // It would wait for the images in work, and these are dropped: the process ends now.
    if (!stop.signal.aborted) await survivor.close();
  }
}

function tellResumed(
  { config, images, indices, suspects }: OldRun,
  here: { readonly adapter: { readonly name: string }; readonly provider: string },
  console: Console,
): void {
  const again = suspects.size > 0 ? `, ${suspects.size} of them again: they are suspect` : '';
  const done = images.length === 1 ? '1 image is' : `${images.length} images are`;
  console.note(`${done} certified already, ${indices.length} to go${again}`);
  const there = `${config.adapter.name}, ${config.provider}`;
  const now = `${here.adapter.name}, ${here.provider}`;
  if (there !== now) {
    console.warn(`the run was begun on ${there} and goes on on ${now}; each certificate names its own`);
  }
}

/** What the certificates rest on lies beside them. */
function keepCalibration(out: string, { calibration }: Checked): void {
  const path = join(out, CALIBRATION);
  if (calibration && !existsSync(path)) writeWhole(path, calibration.text);
}

/** What the summary needs, and no more: there is one for every image. */
function outcomeOf(
  { predicted, correct, radius, ms, recovered }: Certificate,
  baseCorrect: boolean | null,
): ImageOutcome {
  return { certificate: { predicted, correct, radius, ms, recovered }, baseCorrect };
}

function shellWord(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}

function cells(certificate: Certificate): string[] {
  const { index, label, predicted, correct, radius, ms } = certificate;
  const result = predicted === null ? 'abstained' : label === null ? '' : correct ? 'correct' : 'wrong';
  return [
    String(index),
    label === null ? '' : String(label),
    predicted === null ? '' : String(predicted),
    result,
    radius === null ? '' : downTo(radius, 4),
    ...errorCells(certificate),
    (ms.bound / 1000).toFixed(1),
    (ms.sampling / 1000).toFixed(1),
  ];
}

/** What the radius of h had to exceed (sweep: at most, among the slices that passed), and for which share it may not. */
function errorCells(certificate: Certificate): [string, string] {
  if (certificate.method === 'sweep') {
    const passed = certificate.slices.filter((slice) => slice.passed);
    return [passed.length === 0 ? '' : upTo(Math.max(...passed.map(({ E }) => E)), 4), ''];
  }
  const { bound } = certificate;
  const rho = rhoOf(certificate);
  return [bound ? upTo(bound.E, 4) : '', rho === null ? '' : upTo(rho, 5)];
}

/** Where the time of sampling went. */
function usageWords({ usage, batch, imagesAtOnce }: Certifier): string {
  const { evaluated, audited, streamMs, classifierMs } = usage;
  const share =
    classifierMs === null ? '' : `, ${Math.round((100 * classifierMs) / streamMs)} % of it in the classifier`;
  return (
    `${evaluated} samples in ${(streamMs / 1000).toFixed(1)} s${share}; ${audited} of them classified again; ` +
    `batches of ${batch}, images at once: ${imagesAtOnce}`
  );
}
