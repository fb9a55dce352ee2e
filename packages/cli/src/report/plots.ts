/** The plots of a report as Vega-Lite specifications. A plot that has nothing to show is not there. */

import type { Certificate } from '@turnproof/certify';
import type { TopLevelSpec } from 'vega-lite';
import { downTo } from '../rounding.ts';
import { errorsOf, innerCountsOf, rhoOf } from './certificates.ts';
import { DASHES, PLOT_WIDTH, type Plot, SERIES } from './draw-plot.ts';
import { figuresOf } from './figures.ts';
import type { ReportedRun } from './read-run.ts';
import { caveatOf } from './words.ts';

/** 1, 2, 5, 10, 20, ... as logarithms: where the axis of samples has labels. */
const DECADES = Array.from({ length: 24 }, (_, i) =>
  Math.log10(([1, 2, 5][i % 3] ?? 1) * 10 ** Math.floor(i / 3)),
);

/** Up to so many images have a bar of their own. */
const MAX_BARS = 60;

export function plotsOf(runs: readonly ReportedRun[]): Plot[] {
  const plots = [
    accuracyPlot(runs, 'degrees'),
    accuracyPlot(runs, 'pixels'),
    errorPlot(runs),
    rhoPlot(runs),
    samplesPlot(runs),
    ...(runs.length === 1 ? runs.map(timePlot) : [meanTimePlot(runs)]),
  ];
  return plots.filter((plot) => plot !== null);
}

const repeated = <T>(list: readonly T[], count: number): T[] =>
  Array.from({ length: count }, (_, i) => list[i % list.length]).filter((item) => item !== undefined);

/** Colour and dash of a run: the same in every plot and in the gallery. */
function byRun(runs: readonly ReportedRun[]) {
  const domain = runs.map(({ name }) => name);
  return { domain, range: repeated(SERIES, domain.length) };
}

/** The share of labelled images that are right and certified to at least each radius, as the corners of its steps. */
export function accuracySteps({ images }: ReportedRun): { radius: number; accuracy: number }[] {
  const labelled = images.filter(({ certificate }) => certificate.label !== null);
  const radii = labelled
    .filter(({ certificate }) => certificate.correct === true)
    .flatMap(({ certificate }) => (certificate.radius === null ? [] : [certificate.radius]))
    .sort((a, b) => a - b);
  const range = images[0]?.certificate.pipeline.range ?? 0;
  const share = (count: number) => (labelled.length === 0 ? 0 : count / labelled.length);
  const steps = [{ radius: 0, accuracy: share(radii.length) }];
  radii.forEach((radius, i) => {
    if (radius !== radii[i - 1]) steps.push({ radius, accuracy: share(radii.length - i) });
  });
  // Beyond the last radius nothing is certified.
  if ((radii.at(-1) ?? 0) < range) steps.push({ radius: range, accuracy: 0 });
  return steps;
}

function accuracyPlot(runs: readonly ReportedRun[], unit: 'degrees' | 'pixels'): Plot | null {
  const shown = runs.filter((run) => {
    const figures = figuresOf(run);
    return figures.unit === unit && figures.labelled > 0;
  });
  if (shown.length === 0) return null;
  const { domain, range } = byRun(runs);
  const used = domain.filter((name) => shown.some((run) => run.name === name));
  const colours = used.map((name) => range[domain.indexOf(name)] ?? SERIES[0]);
  const steps = shown.flatMap((run) => accuracySteps(run).map((step) => ({ ...step, run: run.name })));
  const bases = shown.flatMap((run) => {
    const { baseAccuracy } = figuresOf(run);
    return baseAccuracy === null ? [] : [{ accuracy: baseAccuracy, run: run.name }];
  });
  const several = runs.length > 1;
  const caveats = shown.flatMap(({ images: [one] }) =>
    one === undefined ? [] : [caveatOf(one.certificate)],
  );
  const heuristic = caveats.every((caveat) => caveat !== null);
  const colour = {
    field: 'run',
    type: 'nominal',
    scale: { domain: used, range: colours },
    legend: several ? {} : null,
  } as const;
  const spec: TopLevelSpec = {
    width: PLOT_WIDTH,
    height: 230,
    layer: [
      {
        data: { values: steps },
        mark: { type: 'line', interpolate: 'step-before', strokeWidth: 2.5 },
        encoding: {
          x: {
            field: 'radius',
            type: 'quantitative',
            title: `radius (${unit})`,
            scale: { nice: false, zero: true },
          },
          y: {
            field: 'accuracy',
            type: 'quantitative',
            title: heuristic
              ? `accuracy as if certified (${[...new Set(caveats)].join('; ')})`
              : 'certified accuracy',
            scale: { domain: [0, 1] },
          },
          color: colour,
          ...(several
            ? {
                strokeDash: {
                  field: 'run',
                  type: 'nominal',
                  scale: { domain: used, range: repeated(DASHES, used.length).map((dash) => [...dash]) },
                  legend: {},
                },
              }
            : {}),
        },
      },
      {
        data: { values: bases },
        mark: { type: 'rule', strokeDash: [1, 4], strokeWidth: 1.5 },
        encoding: { y: { field: 'accuracy', type: 'quantitative' }, color: colour },
      },
    ],
  };
  const words = shown.map((run) => {
    const certified = figuresOf(run).certified.map(
      ({ radius, accuracy }) => `${downTo(accuracy, 3)} at ${Number(radius.toFixed(3))}`,
    );
    return `${run.name}: ${certified.join(', ')} ${unit}`;
  });
  return {
    name: unit === 'degrees' ? 'certified-accuracy' : 'certified-accuracy-pixels',
    title: unit === 'degrees' ? 'Certified accuracy against angle' : 'Certified accuracy against shift',
    alternative: `Step curve of certified accuracy. ${words.join('; ')}.`,
    caption:
      'Share of labelled images that are answered rightly and certified to at least this radius; abstentions count as wrong.' +
      (bases.length > 0 ? ' Dotted: accuracy of the classifier itself, without any attack.' : ''),
    spec,
  };
}

/** Histograms, one below the other for several runs. */
function histogram(
  runs: readonly ReportedRun[],
  values: readonly { readonly value: number; readonly run: string }[],
  title: string,
): TopLevelSpec {
  const used = runs.map(({ name }) => name).filter((name) => values.some(({ run }) => run === name));
  const { domain, range } = byRun(runs);
  return {
    width: PLOT_WIDTH,
    height: used.length > 1 ? 80 : 200,
    data: { values: values.map(({ value, run }) => ({ value, run })) },
    mark: { type: 'bar', binSpacing: 1 },
    encoding: {
      x: { field: 'value', type: 'quantitative', bin: { maxbins: 24 }, title },
      y: { aggregate: 'count', type: 'quantitative', title: 'count', axis: { tickMinStep: 1, tickCount: 4 } },
      color: { field: 'run', type: 'nominal', scale: { domain, range }, legend: null },
      ...(used.length > 1
        ? {
            row: {
              field: 'run',
              type: 'nominal',
              sort: used,
              title: null,
              header: { labelAngle: 0, labelOrient: 'top', labelAnchor: 'start' },
            },
          }
        : {}),
    },
  };
}

function spreadWords(values: readonly { readonly value: number; readonly run: string }[]): string {
  const runs = [...new Set(values.map(({ run }) => run))];
  return runs
    .map((run) => {
      const sorted = values.flatMap((v) => (v.run === run ? [v.value] : [])).sort((a, b) => a - b);
      const [low, middle, high] = [sorted[0], sorted[Math.floor(sorted.length / 2)], sorted.at(-1)];
      const text = (x: number | undefined) => (x ?? 0).toPrecision(3);
      return `${run}: ${sorted.length} values from ${text(low)} to ${text(high)}, median ${text(middle)}`;
    })
    .join('; ');
}

const valuesOf = (runs: readonly ReportedRun[], read: (certificate: Certificate) => readonly number[]) =>
  runs.flatMap(({ name, images }) =>
    images.flatMap(({ certificate }) => read(certificate).map((value) => ({ value, run: name }))),
  );

function errorPlot(runs: readonly ReportedRun[]): Plot | null {
  const values = valuesOf(runs, errorsOf);
  if (values.length === 0) return null;
  return {
    name: 'errors',
    title: 'Distribution of E',
    alternative: `Histogram of E. ${spreadWords(values)}.`,
    caption:
      'E: the l2 distance that the inner classifier must withstand. Dist-x and Indiv have one E an image (interpolation error), ' +
      'Sweep one a slice that passed (distance from the centre of the slice). Smaller is easier to certify.',
    spec: histogram(runs, values, 'E (l2 norm of pixels in [0, 1])'),
  };
}

function rhoPlot(runs: readonly ReportedRun[]): Plot | null {
  const values = valuesOf(runs, (certificate) => {
    const rho = rhoOf(certificate);
    return rho === null ? [] : [rho];
  });
  if (values.length === 0) return null;
  return {
    name: 'rho',
    title: 'Distribution of ρ_E',
    alternative: `Histogram of rho_E. ${spreadWords(values)}.`,
    caption:
      'ρ_E: upper confidence bound of the share of β whose interpolation error exceeds E. It costs radius.',
    spec: histogram(runs, values, 'ρ_E'),
  };
}

function samplesPlot(runs: readonly ReportedRun[]): Plot | null {
  // Counted here: a large run has millions of tests, but few different numbers of samples.
  const counted = new Map<string, { n: number; test: string; count: number }>();
  let [slices, tests, samples] = [false, 0, 0];
  for (const { images } of runs) {
    for (const { certificate } of images) {
      slices ||= certificate.method === 'sweep';
      for (const { n, accepted } of innerCountsOf(certificate)) {
        if (n < 1) continue;
        const test = accepted ? 'accepted' : 'not accepted';
        const entry = counted.get(`${n} ${test}`) ?? { n, test, count: 0 };
        entry.count += 1;
        tests += 1;
        samples += n;
        counted.set(`${n} ${test}`, entry);
      }
    }
  }
  if (tests === 0) return null;
  const rows = [...counted.values()].map((row) => ({ ...row, decades: Math.log10(row.n) }));
  const most = rows.reduce((max, { n }) => Math.max(max, n), 0);
  const what = slices ? 'slice' : 'β';
  return {
    name: 'samples',
    title: `Samples per ${what}`,
    alternative: `Histogram of samples per test: ${tests} tests, ${(samples / tests).toFixed(0)} samples on average, at most ${most}.`,
    caption: `Noise samples that each test of a ${what} took until it was decided${runs.length > 1 ? ', all runs together' : ''} (logarithmic scale).`,
    spec: {
      width: PLOT_WIDTH,
      height: 200,
      data: { values: rows },
      mark: { type: 'bar', binSpacing: 1 },
      encoding: {
        x: {
          field: 'decades',
          type: 'quantitative',
          bin: { step: 0.125 },
          title: 'samples',
          axis: { values: DECADES, labelExpr: "format(round(pow(10, datum.value)), '~s')" },
          scale: { zero: false },
        },
        y: {
          aggregate: 'sum',
          field: 'count',
          type: 'quantitative',
          title: 'tests',
          axis: { tickMinStep: 1 },
        },
        color: {
          field: 'test',
          type: 'nominal',
          scale: { domain: ['accepted', 'not accepted'], range: [SERIES[0], SERIES[1]] },
          legend: {},
        },
      },
    },
  };
}

const PARTS = ['bounds', 'sampling', 'other'];
const partColour = {
  field: 'part',
  type: 'nominal',
  scale: { domain: PARTS, range: [SERIES[0], SERIES[1], '#858b94'] },
  legend: { columns: 3 },
} as const;

/** Seconds of an image by part; «other» is what the whole took beyond the two. */
function partsOf({ certificate, seconds }: ReportedRun['images'][number]): [part: string, seconds: number][] {
  const [bounds, sampling] = [certificate.ms.bound / 1000, certificate.ms.sampling / 1000];
  const other = Math.max(0, (seconds ?? 0) - bounds - sampling);
  return [bounds, sampling, other].map((value, i) => [PARTS[i] ?? '', value]);
}

function timePlot(run: ReportedRun): Plot | null {
  const images = run.images.map((image) => {
    const parts = partsOf(image);
    return { index: image.certificate.index, parts, total: parts.reduce((sum, [, s]) => sum + s, 0) };
  });
  const many = images.length > MAX_BARS;
  if (many) images.sort((a, b) => b.total - a.total);
  const values = images.flatMap(({ index, parts }, rank) =>
    parts.map(([part, seconds]) => ({
      image: String(index),
      rank,
      part,
      order: PARTS.indexOf(part),
      seconds,
    })),
  );
  const { boundSeconds, samplingSeconds } = figuresOf(run);
  const y = { field: 'seconds', type: 'quantitative', title: 'seconds' } as const;
  const order = { field: 'order', type: 'ordinal' } as const;
  return {
    name: 'time',
    title: 'Time for each image',
    alternative: `Seconds for each image: on average ${boundSeconds.toFixed(2)} for bounds and ${samplingSeconds.toFixed(2)} for sampling.`,
    caption: many
      ? 'Images from the slowest to the fastest.'
      : 'Images in the order of the run, by their number.',
    spec: {
      width: PLOT_WIDTH,
      height: 200,
      data: { values },
      ...(many
        ? {
            mark: { type: 'area' },
            encoding: {
              x: { field: 'rank', type: 'quantitative', title: 'images, the slowest first' },
              y: { ...y, stack: true },
              color: partColour,
              order,
            },
          }
        : {
            mark: { type: 'bar' },
            encoding: {
              x: {
                field: 'image',
                type: 'nominal',
                sort: null,
                title: 'image',
                axis: { labelAngle: 0, labelOverlap: true },
              },
              y,
              color: partColour,
              order,
            },
          }),
    },
  };
}

function meanTimePlot(runs: readonly ReportedRun[]): Plot {
  const values = runs.flatMap(({ name, images }) =>
    PARTS.map((part, i) => ({
      run: name,
      part,
      order: i,
      seconds: images.reduce((sum, image) => sum + (partsOf(image)[i]?.[1] ?? 0), 0) / images.length,
    })),
  );
  const words = runs.map((run) => {
    const { boundSeconds, samplingSeconds } = figuresOf(run);
    return `${run.name}: ${boundSeconds.toFixed(2)} for bounds, ${samplingSeconds.toFixed(2)} for sampling`;
  });
  return {
    name: 'time',
    title: 'Mean time for an image',
    alternative: `Mean seconds for an image. ${words.join('; ')}.`,
    caption: 'Mean over the images of each run.',
    spec: {
      width: PLOT_WIDTH - 110,
      height: { step: 28 },
      data: { values },
      mark: { type: 'bar' },
      encoding: {
        y: {
          field: 'run',
          type: 'nominal',
          sort: runs.map(({ name }) => name),
          title: null,
          axis: { labelLimit: 210 },
        },
        x: { field: 'seconds', type: 'quantitative', title: 'seconds' },
        color: partColour,
        order: { field: 'order', type: 'ordinal' },
      },
    },
  };
}
