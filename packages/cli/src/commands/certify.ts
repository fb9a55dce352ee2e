/** `turnproof certify`: a run folder of certificates, a line an image. */
import { type Certificate, Certifier, type Classifier, type Pipeline } from '@turnproof/certify';
import { argmaxRows } from '@turnproof/certify/classifier';
import { preOracle } from '@turnproof/shaders/oracle';
import type { CommandContext, CommandSpec } from '../command.ts';
import type { DataImage, Dataset } from '../data/index.ts';
import { EXIT_OK } from '../failure.ts';
import { certifyPlanOptions } from '../options/plan.ts';
import { check, open, type Prepared, runOptions, sharedOptions } from '../prepare/certifying.ts';
import { reportOnRun } from '../report/report-on-run.ts';
import { downTo, upTo } from '../rounding.ts';
import { guardedRun } from '../run/guarded-run.ts';
import { checkRunFolder, defaultRunFolder, RunFolder } from '../run/run-folder.ts';
import { formatSummary, type ImageOutcome } from '../run/summary.ts';
import { columnsOf, formatHeader, formatRow } from '../table.ts';
import { version } from '../version.ts';

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
        { name: 'dry-run', help: 'check options, data and model, then stop' },
      ],
    },
  ],
  example:
    'turnproof certify --data signs --limit 3 --model signs --transform rotation --range 30 --vignette circle:2 --blur 5:1',
  run,
};

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

async function run(context: CommandContext): Promise<number> {
  const { console, values } = context;
  const method = values.text('method') ?? 'sweep';
  const out = values.text('out') ?? defaultRunFolder(method, new Date());
  const checked = await check(context, ['sweep', 'dist-x', 'indiv', 'base'], () => checkRunFolder(out));
  if (values.flag('dry-run')) {
    await checked.opened.host.release();
    console.note(`all is there for ${checked.selected.indices.length} images; nothing was run`);
    return EXIT_OK;
  }
  const prepared = await open(context, checked);
  const { selected, pipeline, plan, engine } = prepared;
  const { indices, data } = selected;
  let done = 0;
  const counted = plan.method === 'sweep' ? 'slices' : 'β';
  try {
    const certifier = await Certifier.open({
      gpu: engine.gpu,
      classifier: engine.classifier,
      shape: data.shape,
      pipeline,
      plan,
      boundMethod: prepared.boundMethod,
      onProgress: ({ image, stage, done: ready, total }) => {
        console.progress(
          done,
          indices.length,
          `images; image ${image}: ${stage}, ${ready} of ${total} ${counted}`,
        );
      },
    });
    try {
      const folder = new RunFolder(out, effectiveConfig(context, prepared, out));
      context.setLastWords(
        () => `interrupted: ${folder.lines} of ${indices.length} images are certified, in ${out}`,
      );
      console.note(`writing to ${out}`);
      if (!console.json) console.data(formatHeader(COLUMNS));
      const outcomes: ImageOutcome[] = [];
      const guard = engine.guard(certifier.batch);
      await guard.check();
      const certifyOne = async (index: number) => {
        const image = await data.read(index);
        const baseCorrect = await isBaseCorrect(engine.classifier, image, data, pipeline);
        const started = performance.now();
        const certificate = await certifier.certify(image);
        const seconds = (performance.now() - started) / 1000;
        return { ...certificate, line: JSON.stringify(certificate), seconds, certificate, baseCorrect };
      };
      const { imagesAtOnce } = certifier;
      await guardedRun(indices, certifyOne, imagesAtOnce, guard, folder, (result) => {
        const { line, seconds, certificate, baseCorrect } = result;
        outcomes.push({ certificate, baseCorrect });
        done += 1;
        console.data(console.json ? line : formatRow(COLUMNS, cells(certificate)));
        console.detail(
          `image ${certificate.index}: ${seconds.toFixed(1)} s, at most ${peakMegabytes()} MB of memory so far`,
        );
      });
      console.detail(`logits compared again ${guard.passed} times`);
      console.detail(usageWords(certifier));
      folder.close();
      console.endProgress();
      const summary = formatSummary(
        outcomes,
        pipeline.range,
        pipeline.transform === 'rotation' ? 'degrees' : 'pixels',
      );
      if (console.json) console.note(summary);
      else console.data(`\n${summary}`);
      await reportOnRun(out, console);
      return EXIT_OK;
    } finally {
      await certifier.close();
    }
  } finally {
    await engine.close();
  }
}

/** b(pre(x)) against the label: what the classifier can do without attack and noise. */
async function isBaseCorrect(
  classifier: Classifier,
  { pixels, label }: DataImage,
  { shape }: Dataset,
  { pre }: Pipeline,
): Promise<boolean | null> {
  if (label === null) return null;
  const logits = await classifier.logits(Float32Array.from(preOracle(pixels, shape, pre)), 1);
  return argmaxRows(logits, classifier.classes)[0] === label;
}

function effectiveConfig({ values }: CommandContext, prepared: Prepared, out: string): unknown {
  const { selected, engine, plan, pipeline } = prepared;
  const { info, provider } = engine.classifier;
  return {
    schema: 'turnproof/run/1',
    command: 'certify',
    version: version(),
    started: new Date().toISOString(),
    options: { ...values.toJSON(), out },
    plan: { ...plan, seed: String(plan.seed) },
    pipeline,
    data: { spec: selected.data.spec, size: selected.data.size, indices: selected.indices },
    model: { file: info.file, sha256: info.sha256 },
    adapter: engine.gpu.adapter,
    provider,
  };
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
  return bound ? [upTo(bound.E, 4), upTo(bound.rhoE, 5)] : ['', ''];
}

/** Where the time of sampling went. */
function usageWords({ usage, batch, imagesAtOnce }: Certifier): string {
  const { evaluated, streamMs, classifierMs } = usage;
  const share =
    classifierMs === null ? '' : `, ${Math.round((100 * classifierMs) / streamMs)} % of it in the classifier`;
  return (
    `${evaluated} samples in ${(streamMs / 1000).toFixed(1)} s${share}; ` +
    `batches of ${batch}, images at once: ${imagesAtOnce}`
  );
}

/** Of the whole process since its start. */
function peakMegabytes(): number {
  return Math.round(process.resourceUsage().maxRSS / 1024);
}
