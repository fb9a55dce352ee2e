/** What a run came to, for people: certified accuracy at quarters of the range, and where the time went. */
import type { Certificate } from '@turnproof/certify';
import { columnsOf, formatRow } from '../table.ts';

const COLUMNS = columnsOf(['', -36], ['', 8]);

/** Little of a certificate: a run keeps one of every image. */
export interface ImageOutcome {
  readonly certificate: Pick<Certificate, 'predicted' | 'correct' | 'radius' | 'ms' | 'recovered'>;
  /** Is the base classifier, without any smoothing, right on pre(x)? Null where the label is not known. */
  readonly baseCorrect: boolean | null;
}

/** Thirds of ±30 are the paper's 10, 20 and 30 degrees; other ranges are cut into quarters. */
export function radiiOf(range: number): number[] {
  const parts = range === 30 ? 3 : 4;
  return Array.from({ length: parts + 1 }, (_, i) => (range * i) / parts);
}

/** Share of the images that are right and certified to at least each radius, abstentions counted as wrong. */
export function certifiedAccuracy(outcomes: readonly ImageOutcome[], radius: number): number {
  const good = outcomes.filter(
    ({ certificate }) =>
      certificate.correct === true && certificate.radius !== null && certificate.radius >= radius,
  );
  return good.length / outcomes.length;
}

export function formatSummary(outcomes: readonly ImageOutcome[], range: number, unit: string): string {
  const labelled = outcomes.filter(({ baseCorrect }) => baseCorrect !== null);
  const share = (value: number) => value.toFixed(3);
  const rows: string[][] = [];
  if (labelled.length > 0) {
    const right = labelled.filter(({ baseCorrect }) => baseCorrect).length;
    rows.push(['accuracy of the classifier itself', share(right / labelled.length)]);
    for (const radius of radiiOf(range)) {
      rows.push([
        `certified accuracy at ${Number(radius.toFixed(3))} ${unit}`,
        share(certifiedAccuracy(labelled, radius)),
      ]);
    }
  }
  const abstained = outcomes.filter(({ certificate }) => certificate.predicted === null).length;
  rows.push(['abstained', share(abstained / outcomes.length)]);
  const seconds = (pick: (outcome: ImageOutcome) => number) =>
    outcomes.reduce((sum, o) => sum + pick(o), 0) / 1000;
  rows.push(['seconds for bounds', seconds(({ certificate }) => certificate.ms.bound).toFixed(1)]);
  rows.push(['seconds for sampling', seconds(({ certificate }) => certificate.ms.sampling).toFixed(1)]);
  const recovered = outcomes.filter(({ certificate }) => certificate.recovered !== undefined).length;
  if (recovered > 0) rows.push(['images done again (recovered)', String(recovered)]);
  const lines = rows.map((cells) => formatRow(COLUMNS, cells));
  return [`over ${outcomes.length} ${outcomes.length === 1 ? 'image' : 'images'}`, ...lines].join('\n');
}
