/** What a run came to, in figures: for the page, for tables as text, for experiments. */
import { downTo, upTo } from '../rounding.ts';
import { certifiedAccuracy, radiiOf } from '../run/summary.ts';
import { errorsOf, rhoOf } from './certificates.ts';
import type { ReportedImage, ReportedRun } from './read-run.ts';
import { caveatOf, unitSign } from './words.ts';

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
  /** Instead of what explains tables of certificates. */
  readonly caption?: string;
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
  const first = images[0]?.certificate;
  if (first === undefined) return '';
  const caveat = caveatOf(first);
  return caveat === null ? first.method : `${first.method} (${caveat})`;
}

/** E of Dist: its mean over the images that have one. */
function errorCell({ images }: ReportedRun): string {
  const errors = images.flatMap(({ certificate }) => ('bound' in certificate ? errorsOf(certificate) : []));
  return errors.length === 0 ? '' : (errors.reduce((sum, E) => sum + E, 0) / errors.length).toFixed(3);
}

/** ρ_E: the largest of the images; q_E: of the calibration. */
function shareCells({ images }: ReportedRun): [rho: string, q: string] {
  const rhos = images.flatMap(({ certificate }) => rhoOf(certificate) ?? []);
  const first = images[0]?.certificate;
  return [
    rhos.length === 0
      ? ''
      : upTo(
          rhos.reduce((a, b) => Math.max(a, b), 0),
          4,
        ),
    first?.method === 'dist-d' ? downTo(first.bound.calibration.qE, 4) : '',
  ];
}

/** A row a run of one unit; runs with other radii leave those columns empty. */
function comparisonTable(runs: readonly ReportedRun[]): TextTable {
  const figures = runs.map((run) => ({ run, ...figuresOf(run) }));
  const radii = figures.flatMap(({ certified }) => certified.map(({ radius }) => radius));
  const columnOf = (radius: number, unit: RunFigures['unit']) =>
    `cert. ${Number(radius.toFixed(3))}${unitSign(unit)}`;
  const unit = figures[0]?.unit ?? 'degrees';
  const atRadius = [...new Set(radii)].sort((a, b) => a - b);
  // What only some methods have; columns that none of the runs has are left out.
  const special: [title: string, cells: string[]][] = [
    ['mean E', figures.map(({ run }) => errorCell(run))],
    ['max. rho_E', figures.map(({ run }) => shareCells(run)[0])],
    ['q_E', figures.map(({ run }) => shareCells(run)[1])],
  ];
  const distinct = special.filter(([, cells]) => cells.some((cell) => cell !== ''));
  const columns = [
    'run',
    'method',
    'images',
    'b acc.',
    ...atRadius.map((radius) => columnOf(radius, unit)),
    ...distinct.map(([title]) => title),
    'abstained',
    'confidence',
    'bound s',
    'sampling s',
  ];
  const rows = figures.map((of, row) => [
    of.run.name,
    methodCell(of.run),
    String(of.images),
    of.baseAccuracy?.toFixed(3) ?? '',
    ...atRadius.map((wanted) => {
      const found = of.certified.find(({ radius }) => radius === wanted);
      return found === undefined ? '' : downTo(found.accuracy, 3);
    }),
    ...distinct.map(([, cells]) => cells[row] ?? ''),
    (of.abstained / of.images).toFixed(3),
    String(of.confidence),
    of.boundSeconds.toFixed(2),
    of.samplingSeconds.toFixed(2),
  ]);
  return { title: unit === 'degrees' ? 'Rotation' : 'Translation', columns, rows };
}
