/** `turnproof calibrate`: Dist-D's E, ρ_E and q_E for a data set, to a file that `certify --method dist-d` reads. */
import { dirname, join } from 'node:path';
import {
  CALIBRATION_SCHEMA,
  type CalibrateProgress,
  type Calibration,
  calibrationWords,
  chooseCalibrationE,
  type ErrorJudge,
  mostExceeding,
  type Pipeline,
  testCalibrationE,
  verifyCalibration,
} from '@turnproof/certify';
import { currentVersions, pipelineForJson, seedForJson } from '@turnproof/certify/certificate';
import { badInput, type Gpu, TurnproofError } from '@turnproof/core';
import { wgslSha256 } from '@turnproof/shaders';
import type { CommandContext, CommandSpec } from '../command.ts';
import type { Console } from '../console.ts';
import { EXIT_OK } from '../failure.ts';
import { readBoundMethod } from '../options/bound.ts';
import { type CalibrateChoice, calibrateOptions, readCalibrate } from '../options/calibrate.ts';
import { dataOptions, readData } from '../options/data.ts';
import { adapterOptions } from '../options/device.ts';
import { pipelineOptions, readPipeline } from '../options/pipeline.ts';
import { tellSeed, withSeed } from '../options/seed.ts';
import { openGpu } from '../prepare/engine.ts';
import { openSelection, type SelectedData } from '../prepare/inputs.ts';
import { openJudge } from '../prepare/judge.ts';
import { downTo, upTo } from '../rounding.ts';
import { CALIBRATION } from '../run/calibration-file.ts';
import { shuffled } from '../run/order.ts';
import { OutputFolder } from '../run/output-folder.ts';
import { lookAt, makeFolders, requireWritable } from '../run/place-to-write.ts';
import { checkRunFolder } from '../run/run-folder.ts';
import type { Summary } from '../run/summary-file.ts';
import { writeWhole } from '../run/write-whole.ts';

export const calibrate: CommandSpec = {
  name: 'calibrate',
  summary: 'E, ρ_E and q_E of a data set, for certify --method dist-d',
  description:
    'Choose an interpolation error E by some images of a data set, then test with others how large a share of images it ' +
    'serves: q_E. An image passes where at most a share ρ_E of the β exceeds E. Certificates of Dist-D rest on the file ' +
    'that is written; the images that made it cannot be certified with it.',
  groups: [
    dataOptions,
    pipelineOptions,
    calibrateOptions,
    adapterOptions,
    {
      heading: 'Output:',
      options: [
        {
          name: 'out',
          value: 'FILE|DIR',
          help: `a file that is not there yet, or a folder for ${CALIBRATION}`,
          default: CALIBRATION,
        },
        { name: 'dry-run', help: 'check options and data, then stop' },
      ],
    },
  ],
  example:
    'turnproof calibrate --data signs --limit 40 --transform rotation --range 15 --vignette circle:2 --blur 5:1 --n-betas 700 --rho-e 0.01 --out calibration.json',
  run,
};

async function run(given: CommandContext): Promise<number> {
  const values = withSeed(given.values);
  const context = { ...given, values };
  const { console } = context;
  const pipeline = readPipeline(values);
  const method = readBoundMethod(values, pipeline.transform);
  const selected = await openSelection(readData(values), pipeline);
  const choice = readCalibrate(values, pipeline.range, selected.indices.length);
  mostExceeding(choice);
  const out = outputOf(values.text('out') ?? CALIBRATION);
  const images = await distinctImages(selected, choice, console);
  if (values.flag('dry-run')) {
    console.note('all is there; nothing was run');
    return EXIT_OK;
  }
  tellSeed(values, console);
  const gpu = await openGpu(values.text('adapter') ?? 'auto', console);
  try {
    const { shape } = selected.data;
    const judge = await openJudge(gpu, shape, pipeline, choice, method);
    try {
      const calibration = await work(judge, images, { context, gpu, selected, pipeline, choice });
      const { problems } = verifyCalibration(calibration);
      const [problem] = problems;
      if (problem) throw new TurnproofError('internal', `${problem.field}: ${problem.message}`);
      const folder = out.folder === null ? null : new OutputFolder(out.folder, 'calibrate', values);
      makeFolders(dirname(out.file), `--out ${out.file}`);
      writeWhole(out.file, `${JSON.stringify(calibration, null, 1)}\n`);
      const summary = summaryOf(calibration);
      folder?.finish(summary);
      console.endProgress();
      if (console.json) {
        const { images: _, choice: chosen, ...rest } = calibration;
        const { images: __, ...how } = chosen ?? { images: [] };
        console.data(JSON.stringify({ ...rest, choice: chosen && how, file: out.file, shape }));
      } else {
        for (const [title, cell] of summary.columns) console.data(`${title.padEnd(24)} ${cell}`);
        console.data(`\n${calibration.guarantee}`);
      }
      console.note(`calibration: ${out.file}`);
      return EXIT_OK;
    } finally {
      judge.close();
    }
  } finally {
    gpu.close();
  }
}

/** A new file ending in .json, or calibration.json in a new folder. Nothing is made yet. */
function outputOf(path: string): { readonly file: string; readonly folder: string | null } {
  if (!path.endsWith('.json')) {
    checkRunFolder(path);
    return { file: join(path, CALIBRATION), folder: path };
  }
  const what = `--out ${path}`;
  if (lookAt(path, what) !== undefined) {
    throw badInput(`${what}: is there already`, 'Give another file: nothing is overwritten.');
  }
  requireWritable(dirname(path), what);
  return { file: path, folder: null };
}

interface CalibrationImages {
  readonly choosing: readonly number[];
  readonly testing: readonly number[];
}

/** Numbers in the data set, in the order of the seed; an image that is there twice counts once. */
async function distinctImages(
  { data, indices }: SelectedData,
  { nChoose, nImages, seed }: CalibrateChoice,
  console: Console,
): Promise<CalibrationImages> {
  const wanted = nChoose + nImages;
  const seen = new Set<string>();
  const distinct: number[] = [];
  for (const at of shuffled(indices.length, seed)) {
    if (distinct.length === wanted) break;
    console.progress(distinct.length, wanted, 'images read');
    const index = indices[at] ?? 0;
    const { sha256 } = await data.read(index);
    if (seen.has(sha256)) continue;
    seen.add(sha256);
    distinct.push(index);
  }
  console.endProgress();
  if (distinct.length < wanted) {
    throw badInput(
      `only ${distinct.length} of the selected images differ, ${wanted} are needed`,
      'Select more images, or give smaller --n-choose and --n-images.',
    );
  }
  return { choosing: distinct.slice(0, nChoose), testing: distinct.slice(nChoose) };
}

interface Job {
  readonly context: CommandContext;
  readonly gpu: Gpu;
  readonly selected: SelectedData;
  readonly pipeline: Pipeline;
  readonly choice: CalibrateChoice;
}

async function work(judge: ErrorJudge, images: CalibrationImages, job: Job): Promise<Calibration> {
  const { context, gpu, selected, pipeline, choice } = job;
  const { console } = context;
  const hashes = new Map<number, string>();
  const read = async (index: number) => {
    const { pixels, sha256 } = await selected.data.read(index);
    hashes.set(index, sha256);
    return { index, pixels: Float32Array.from(pixels) };
  };
  // One at a time: a large set need not lie in memory as a whole.
  async function* inTurn(indices: readonly number[]) {
    for (const index of indices) yield await read(index);
  }
  const onProgress = ({ stage, done, total, passed }: CalibrateProgress) => {
    console.progress(done, total, `images: ${stage}${stage === 'test-E' ? `, ${passed} passed` : ''}`);
  };
  context.setLastWords(() => 'interrupted: no calibration was written');
  const started = performance.now();
  const { margin, target } = choice;
  const chosen =
    target === undefined
      ? await chooseCalibrationE(judge, inTurn(images.choosing), {
          margin,
          onProgress,
          total: images.choosing.length,
        })
      : null;
  const E = chosen?.E ?? target ?? Number.NaN;
  const choosing = (performance.now() - started) / 1000;
  console.note(`E = ${upTo(E, 6)}${chosen ? `, ${margin} times ${upTo(chosen.largest, 6)}` : ''}`);
  const tested = await testCalibrationE(judge, inTurn(images.testing), E, {
    ...choice,
    onProgress,
    total: images.testing.length,
  });
  const hashOf = (index: number) => hashes.get(index) ?? '';
  const { channels, height, width } = selected.data.shape;
  const { name, kind, adapterClass } = gpu.adapter;
  const { rhoE, alpha, alphaInner, nBetas, sigmaGamma, errors } = choice;
  const figures = {
    errors,
    nGammas: errors === 'sampled' ? choice.nGammas : null,
    E,
    rhoE,
    qE: tested.qE,
    alpha,
    alphaInner,
    nBetas,
    mostExceeding: tested.mostExceeding,
    nImages: tested.images.length,
    passed: tested.passed,
  };
  return {
    schema: CALIBRATION_SCHEMA,
    guarantee: calibrationWords({ ...figures, sigmaGamma }),
    ...figures,
    bound: judge.errors === 'bounded' ? judge.bounder.method : null,
    pipeline: pipelineForJson(pipeline),
    shape: { channels, height, width },
    sigmaGamma,
    choice: chosen && {
      margin,
      largest: chosen.largest,
      images: chosen.errors.map(({ index, error }) => ({ index, sha256: hashOf(index), error })),
    },
    images: tested.images.map(({ index, ...counts }) => ({ index, sha256: hashOf(index), ...counts })),
    data: selected.data.spec,
    seed: seedForJson(choice),
    shaders: { sha256: wgslSha256 },
    adapter: { name, kind, adapterClass },
    versions: currentVersions(),
    seconds: {
      choosing: Math.round(10 * choosing) / 10,
      testing: Math.round((performance.now() - started) / 100 - 10 * choosing) / 10,
    },
  };
}

function summaryOf(calibration: Calibration): Summary {
  const { errors, nGammas, E, rhoE, qE, alpha, nImages, passed, nBetas, choice, seconds } = calibration;
  const total = calibration.images.reduce((sum, { tested }) => sum + tested, 0);
  return {
    command: 'calibrate',
    columns: [
      ['errors', errors === 'bounded' ? 'bounded' : `sampled (${nGammas} γ; no guarantee on Γ)`],
      ['E', upTo(E, 5)],
      ['rho_E', String(rhoE)],
      ['q_E', downTo(qE, 4)],
      ['confidence of q_E', String(Number((1 - alpha).toPrecision(12)))],
      ['images that chose E', String(choice?.images.length ?? 0)],
      ['images that tested E', String(nImages)],
      ['passed', String(passed)],
      ['β each', String(nBetas)],
      ['β/s', (total / Math.max(0.1, seconds.testing)).toFixed(0)],
      ['seconds', (seconds.choosing + seconds.testing).toFixed(0)],
    ],
  };
}
