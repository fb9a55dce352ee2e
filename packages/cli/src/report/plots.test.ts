import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { certifiedAccuracy } from '../run/summary.ts';
import { chosenImages } from './gallery.ts';
import { accuracySteps } from './plots.ts';
import type { ReportedRun } from './read-run.ts';

const image = (index: number, radius: number | null, correct: boolean | null, range = 30) =>
  ({
    baseCorrect: null,
    seconds: null,
    certificate: {
      index,
      radius,
      predicted: radius === null ? null : 1,
      correct: radius === null ? (correct === null ? null : false) : correct,
      label: correct === null ? null : 1,
      pipeline: { range },
    },
  }) as unknown as ReportedRun['images'][number];

describe('the step curve', () => {
  it('is the certified accuracy at every radius', () => {
    const radius = fc.option(
      fc.integer({ min: 1, max: 120 }).map((n) => n / 4),
      { nil: null },
    );
    const images = fc.array(fc.tuple(radius, fc.option(fc.boolean(), { nil: null })), {
      minLength: 1,
      maxLength: 12,
    });
    fc.assert(
      fc.property(images, fc.double({ min: 0, max: 30, noNaN: true }), (list, where) => {
        const run = { images: list.map(([r, correct], i) => image(i, r, correct)) } as unknown as ReportedRun;
        const labelled = run.images.filter(({ certificate }) => certificate.label !== null);
        fc.pre(labelled.length > 0);
        const steps = accuracySteps(run);
        // Step before: from one corner to the next the curve has the next one's height.
        const next = steps.find((step) => step.radius >= where);
        expect(next?.accuracy).toBe(certifiedAccuracy(labelled, where));
      }),
    );
  });
});

describe('the gallery', () => {
  it('takes what a reader wants to see first where there are too many images', () => {
    const images = [
      image(0, 9, true),
      image(1, 2, true),
      image(2, null, true),
      image(3, 20, false),
      image(4, 30, true),
    ];
    const chosen = chosenImages({ images } as unknown as ReportedRun, 3);
    expect(chosen.map(({ index }) => index)).toEqual([1, 2, 3]);
  });
});
