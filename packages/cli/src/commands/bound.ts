/** `turnproof bound`: the interpolation error of images and β, bounded over the whole range. */
import {
  adapterFault,
  type BetaBound,
  type BoundGoal,
  type BoundMethod,
  openBounder,
  type Pipeline,
  Streams,
} from '@turnproof/certify';
import { marked, quantizationError, spotFor } from '@turnproof/certify/bounds';
import { badInput, nextUp } from '@turnproof/core';
import type { CommandContext, CommandSpec } from '../command.ts';
import { EXIT_OK } from '../failure.ts';
import { betaOptions, readBetas } from '../options/betas.ts';
import { boundOption, readBoundMethod } from '../options/bound.ts';
import { dataOptions, readData } from '../options/data.ts';
import { adapterOptions } from '../options/device.ts';
import { pipelineOptions, readPipeline } from '../options/pipeline.ts';
import { tellSeed, withSeed } from '../options/seed.ts';
import type { Values } from '../options/values.ts';
import { betasOf } from '../prepare/betas.ts';
import { openGpu } from '../prepare/engine.ts';
import { checkImages, openSelection } from '../prepare/inputs.ts';
import { downTo, roundDown, roundUp, upTo } from '../rounding.ts';
import { ObservedErrors } from '../run/observed-errors.ts';
import { OutputFolder, outOption } from '../run/output-folder.ts';
import { checkRunFolder } from '../run/run-folder.ts';
import { columnsOf, formatHeader, formatRow } from '../table.ts';

/** Places of bounds and witnesses in JSON, and for people. */
const PLACES = 12;
const SHORT = 5;

export const bound: CommandSpec = {
  name: 'bound',
  summary: 'upper bounds of the interpolation error',
  description:
    'Bound, for each image and β, how far turning twice can be from turning once: the maximum over all γ in the range ' +
    'of || pre(T_β T_γ x) - pre(T_(β+γ) x) ||₂, beside the largest error found. The true maximum lies between the two.',
  groups: [
    dataOptions,
    pipelineOptions,
    betaOptions,
    {
      heading: 'Refinement:',
      options: [
        boundOption,
        { name: 'tolerance', value: 'T', help: 'refine until bound <= (1 + T) · witness', default: '0.02' },
        {
          name: 'target',
          value: 'E',
          help: 'instead: refine until it is decided whether the error exceeds E',
        },
        { name: 'max-boxes', value: 'N', help: 'give up refining a β after N sub-boxes' },
        { name: 'time-limit', value: 'SECONDS', help: 'give up refining the β of an image after that time' },
      ],
    },
    adapterOptions,
    {
      heading: 'Output:',
      options: [
        outOption('bounds.jsonl and summary.json'),
        { name: 'dry-run', help: 'check options and data, then stop' },
      ],
    },
  ],
  example:
    'turnproof bound --data signs --limit 1 --transform rotation --range 30 --vignette circle:2 --blur 5:1 --beta 12,29.36',
  run,
};

const COLUMNS = columnsOf(
  ['image', 6],
  ['β', 17],
  ['bound', 9],
  ['witness', 9],
  ['at γ', 17],
  ['boxes', 7],
  ['method', -8],
  ['ms', 8],
  ['exceeds', -7],
);

interface Request {
  readonly method: BoundMethod;
  readonly goal: BoundGoal;
  readonly maxBoxes: number | undefined;
  readonly timeLimitMs: number | undefined;
}

async function run({ console, values: given }: CommandContext): Promise<number> {
  const values = withSeed(given);
  const pipeline = readPipeline(values);
  const request = readRequest(values, pipeline);
  const choice = readBetas(values, pipeline.transform, pipeline.range);
  const selected = await openSelection(readData(values), pipeline);
  const out = values.text('out');
  if (out !== undefined) checkRunFolder(out);
  await checkImages(selected, null, console);
  if (values.flag('dry-run')) {
    console.note(`all is there for ${selected.indices.length} images; nothing was run`);
    return EXIT_OK;
  }
  if (choice.kind === 'drawn') tellSeed(values, console);
  const gpu = await openGpu(values.text('adapter') ?? 'auto', console);
  try {
    const { shape } = selected.data;
    let done = 0;
    const tell = (more = ''): void =>
      console.progress(done, selected.indices.length, `images bounded (${bounder.method})${more}`);
    const bounder = await openBounder(gpu, {
      shape,
      pipeline,
      method: request.method,
      ...(request.maxBoxes === undefined ? {} : { maxBoxes: request.maxBoxes }),
      ...(request.timeLimitMs === undefined ? {} : { timeLimitMs: request.timeLimitMs }),
      // One β of a large image alone may take minutes.
      onBoxes: (boxes) => tell(`, ${boxes} sub-boxes of the next one`),
    });
    // Rounding to 8 bits adds to what the attacker can do; a witness stays what it is.
    const extra = pipeline.quantization === 'u8' ? quantizationError(shape, pipeline.pre) : 0;
    try {
      if (!console.json) console.data(formatHeader(COLUMNS));
      let incomplete = 0;
      const folder = out === undefined ? null : new OutputFolder(out, 'bound', values);
      const observed = new ObservedErrors();
      const streams = new Streams(choice.kind === 'drawn' ? choice.seed : 0n, pipeline.transform, 1);
      for (const index of selected.indices) {
        tell();
        const { pixels } = await selected.data.read(index);
        const betas = betasOf(choice, pipeline.transform, index);
        const spot = spotFor(shape, streams.wholes(index, 'spotCheck'));
        const requests = marked(
          betas.map((beta) => ({ image: 0, beta })),
          spot,
        );
        for (const result of await bounder.bound([Float32Array.from(pixels)], requests, request.goal)) {
          if (!Number.isFinite(result.bound)) {
            const beta = result.beta.join(':');
            throw adapterFault(`image ${index}, β = ${beta}: a norm from the adapter is no number`);
          }
          const total = extra === 0 ? result.bound : nextUp(result.bound + extra);
          const decided = 'target' in request.goal;
          const line = toJson(index, result, total, decided);
          console.data(console.json ? line : toRow(index, result, total));
          folder?.append('bounds.jsonl', line);
          observed.add(index, result.witness.error, total, result.ms);
          if (!result.complete) incomplete += 1;
        }
        done += 1;
      }
      if (incomplete > 0) {
        console.warn(
          `${incomplete} bounds hold, but are larger than asked: the refinement reached its limit`,
        );
      }
      folder?.finish({ command: 'bound', columns: observed.columns() });
      return EXIT_OK;
    } finally {
      bounder.close();
    }
  } finally {
    gpu.close();
  }
}

function readRequest(values: Values, { transform }: Pipeline): Request {
  const method = readBoundMethod(values, transform);
  const target = values.number('target');
  const tolerance = values.number('tolerance') ?? 0.02;
  if (target !== undefined && !(target > 0)) throw badInput(`--target ${target}: must be above 0`);
  if (!(tolerance > 0))
    throw badInput(`--tolerance ${tolerance}: must be above 0`, 'Give 0.02, for instance.');
  const seconds = values.number('time-limit');
  if (seconds !== undefined && !(seconds >= 0)) {
    throw badInput(`--time-limit ${seconds}: must be at least 0`, 'Give seconds, such as 10 or 0.5.');
  }
  if (seconds !== undefined && (method === 'exact' || (method === 'auto' && transform === 'translation'))) {
    throw badInput(
      '--time-limit: exact bounds are not refined, there is nothing to stop',
      'Leave it out, or take --bound chord.',
    );
  }
  return {
    method,
    goal: target === undefined ? { tolerance } : { target },
    maxBoxes: values.whole('max-boxes', 1),
    timeLimitMs: seconds === undefined ? undefined : 1000 * seconds,
  };
}

function toJson(index: number, result: BetaBound, total: number, decided: boolean): string {
  const { beta, witness, boxes, method, ms, exceeds, complete } = result;
  return JSON.stringify({
    index,
    beta,
    bound: roundUp(total, PLACES),
    witness: { gamma: witness.gamma, error: roundDown(witness.error, PLACES) },
    boxes,
    method,
    ms: Number(ms.toFixed(1)),
    ...(decided ? { exceeds } : {}),
    // Said only where a limit left the bound larger than asked.
    ...(complete ? {} : { complete }),
  });
}

function toRow(
  index: number,
  { beta, witness, boxes, method, ms, exceeds }: BetaBound,
  total: number,
): string {
  const cells = [
    String(index),
    beta.map((axis) => axis.toPrecision(6)).join(':'),
    upTo(total, SHORT),
    downTo(witness.error, SHORT),
    witness.gamma.map((axis) => axis.toPrecision(6)).join(':'),
    String(boxes),
    method,
    ms.toFixed(1),
    exceeds === null ? '' : exceeds ? 'yes' : 'no',
  ];
  return formatRow(COLUMNS, cells);
}
