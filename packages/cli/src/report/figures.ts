/** What a run came to, in figures: for the page, for tables as text, for experiments. */
import { downTo } from '../rounding.ts';
import { certifiedAccuracy, radiiOf } from '../run/summary.ts';
import type { ReportedImage, ReportedRun } from './read-run.ts';
import { NO_GUARANTEE, unitSign } from './words.ts';

export interface RunFigures {
  readonly images: number;
  readonly labelled: number;
  readonly unit: 'degrees' | 'pixels';
  readonly range: number;
  /** Of b(pre(x)), without attack, noise and smoothing; null where it was not recorded. */
  readonly baseAccuracy: number | null;
  /** Of those with a label; empty where there is none. */
  readonly certified: readonly { readonly radius: number; readonly accuracy: number }[];
  /** Share with a certificate, right or wrong. */
  readonly certifiedShare: number;
  readonly abstained: number;
  readonly confidence: number;
  /** Means. */
  readonly boundSeconds: number;
  readonly samplingSeconds: number;
  readonly samples: number;
}

export function figuresOf({ images }: ReportedRun): RunFigures {
  const [first] = images;
  if (first === undefined) throw new TypeError('a run without images');
  const { unit, pipeline, confidence } = first.certificate;
  const labelled = images.filter(({ certificate }) => certificate.label !== null);
  const judged = images.filter(({ baseCorrect }) => baseCorrect !== null);
  const mean = (value: (image: ReportedImage) => number) =>
    images.reduce((sum, image) => sum + value(image), 0) / images.length;
  const abstained = images.filter(({ certificate }) => certificate.predicted === null).length;
  return {
    images: images.length,
    labelled: labelled.length,
    unit,
    range: pipeline.range,
    baseAccuracy:
      judged.length === 0 ? null : judged.filter(({ baseCorrect }) => baseCorrect).length / judged.length,
    certified:
      labelled.length === 0
        ? []
        : radiiOf(pipeline.range).map((radius) => ({
            radius,
            accuracy: certifiedAccuracy(labelled, radius),
          })),
    certifiedShare: (images.length - abstained) / images.length,
    abstained,
    // Of the weakest, should a run ever hold several.
    confidence: Math.min(confidence, ...images.map(({ certificate }) => certificate.confidence)),
    boundSeconds: mean(({ certificate }) => certificate.ms.bound) / 1000,
    samplingSeconds: mean(({ certificate }) => certificate.ms.sampling) / 1000,
    samples: mean(({ certificate }) => certificate.samples),
  };
}

/** Cells as text, the first column naming the run. */
export interface TextTable {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Tables that compare runs, one for rotations and one for translations: their radii have nothing in common. */
export function comparisonTables(runs: readonly ReportedRun[]): TextTable[] {
  const units = [...new Set(runs.map((run) => figuresOf(run).unit))];
  return units.map((unit) => comparisonTable(runs.filter((run) => figuresOf(run).unit === unit)));
}

/** No number of a heuristic stands where it could be taken for a guarantee. */
function methodCell({ images }: ReportedRun): string {
  const method = images[0]?.certificate.method ?? '';
  return method === 'base' ? `base (${NO_GUARANTEE})` : method;
}

/** A row a run of one unit; runs with other radii leave those columns empty. */
function comparisonTable(runs: readonly ReportedRun[]): TextTable {
  const figures = runs.map((run) => ({ run, ...figuresOf(run) }));
  const radii = figures.flatMap(({ certified }) => certified.map(({ radius }) => radius));
  const columnOf = (radius: number, unit: RunFigures['unit']) =>
    `cert. ${Number(radius.toFixed(3))}${unitSign(unit)}`;
  const unit = figures[0]?.unit ?? 'degrees';
  const atRadius = [...new Set(radii)].sort((a, b) => a - b);
  const columns = [
    'run',
    'method',
    'images',
    'b acc.',
    ...atRadius.map((radius) => columnOf(radius, unit)),
    'abstained',
    'confidence',
    'bound s',
    'sampling s',
  ];
  const rows = figures.map((of) => [
    of.run.name,
    methodCell(of.run),
    String(of.images),
    of.baseAccuracy?.toFixed(3) ?? '',
    ...atRadius.map((wanted) => {
      const found = of.certified.find(({ radius }) => radius === wanted);
      return found === undefined ? '' : downTo(found.accuracy, 3);
    }),
    (of.abstained / of.images).toFixed(3),
    String(of.confidence),
    of.boundSeconds.toFixed(2),
    of.samplingSeconds.toFixed(2),
  ]);
  return { title: unit === 'degrees' ? 'Rotation' : 'Translation', columns, rows };
}
