/** What a report draws of sweep: a real run, and certificates made by hand. */
import { writeFile } from 'node:fs/promises';
import { preOracle, warpOracle } from '@turnproof/shaders/oracle';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDataset } from '../data/index.ts';
import { attribute, bytesOf, checkPage, type Element, pngOf, wordsOf } from './page.test-support.ts';
import { readRun } from './read-run.ts';
import { makeRuns, type Runs } from './runs.test-support.ts';
import { sweepFixture } from './sweep.test-support.ts';
import { writeReport } from './write-report.ts';

let runs: Runs;
beforeAll(async () => {
  runs = await makeRuns([
    // A model that never saw a turn, over all angles: it breaks somewhere.
    [
      '--method',
      'sweep',
      '--model',
      'signs:clean',
      '--index',
      '0,1',
      '--range',
      '180',
      '--out',
      'real-sweep',
    ],
  ]);
});
afterAll(() => runs.folder.remove());

describe('a run of sweep', () => {
  it('is drawn with where each image broke, in numbers of its certificate', async () => {
    const page = await runs.pageOf('real-sweep');
    const elements = checkPage(page);
    const certificates = (await runs.linesOf('real-sweep')).map((line) => JSON.parse(line));
    const breaks = certificates.flatMap((certificate) => certificate.breaks);
    expect(breaks.length).toBeGreaterThan(0);
    expect(elements.filter((element) => attribute(element, 'class') === 'mark')).toHaveLength(breaks.length);
    expect(elements.filter(({ tagName }) => tagName === 'img')).toHaveLength(2 * breaks.length);
    const words = wordsOf(page);
    for (const { k, n } of breaks) expect(words).toContain(`${k} of ${n} samples`);
    for (const { slices } of certificates) expect(words).toContain(`of ${slices.length} slices passed`);
  });
});

describe('a certificate of sweep (a fixture, made by hand)', () => {
  it('is drawn with its slices, where it broke, the class that took over, and the image there', async () => {
    await runs.copyRun('real-sweep', 'sweep');
    const lines = await runs.linesOf('real-sweep');
    const nothing = {
      predicted: null,
      correct: false,
      radius: null,
      interval: null,
      abstention: 'made by hand',
      slices: [],
    };
    const fixtures = lines.map((line, i) => sweepFixture(line, i === 0 ? {} : nothing));
    await writeFile(
      runs.at('sweep', 'certificates.jsonl'),
      fixtures.map((one) => `${JSON.stringify(one)}\n`).join(''),
    );
    await writeReport([await readRun(runs.at('sweep'))], { out: runs.at('sweep') });
    const page = await runs.pageOf('sweep');
    const elements = checkPage(page);
    const words = wordsOf(page).replace(/\s+/g, ' ');
    expect(words).toContain('certified -7.5 to 12.25°; 3 of 4 slices passed');
    expect(words).toContain(
      'At -7.625° (slice -7.75° to -7.5°) class 3 (speed-limit) took over with 377 of 400',
    );
    expect(words).toContain('At 12.375° (slice 12.25° to 12.5°) it stayed undecided');
    expect(elements.filter((element) => attribute(element, 'class') === 'mark')).toHaveLength(4);
    expect(
      elements.filter((element) => /^slice-(even|odd)$/.test(attribute(element, 'class') ?? '')),
    ).toHaveLength(3);

    const views = elements.filter(({ tagName }) => tagName === 'img');
    expect(views).toHaveLength(8);
    const data = await openDataset('signs');
    const { pixels } = await data.read(0);
    const moved = warpOracle('rotation', [-7.625], pixels, data.shape);
    const pre = { vignette: { kind: 'circle', offset: 2 }, blur: { size: 5, sigma: 1 } } as const;
    const wanted = [moved, preOracle(moved, data.shape, pre)];
    for (const [i, expected] of wanted.entries()) {
      const { data: bytes } = await pngOf(attribute(views[i] as Element, 'src'));
      expect(bytes.equals(bytesOf(expected, 3))).toBe(true);
    }
    expect(elements.filter((element) => attribute(element, 'class') === 'range').length).toBeGreaterThan(0);
  });

  it('of translation is a rectangle on the map of shifts', async () => {
    const [line = ''] = await runs.linesOf('real-sweep');
    const real = JSON.parse(line);
    const box = { lower: [-0.5, -0.25], upper: [0.5, 1] };
    const fixture = sweepFixture(line, {
      unit: 'pixels',
      radius: 0.25,
      pipeline: {
        ...real.pipeline,
        transform: 'translation',
        range: 2,
        vignette: { kind: 'rect', offset: 2 },
      },
      interval: box,
      slices: [
        {
          root: 0,
          path: '',
          ...box,
          center: [0, 0.375],
          M: 0.1,
          E: 0.1,
          p0: 0.6,
          alpha: 0.001,
          k: 60,
          n: 64,
          passed: true,
        },
      ],
      breaks: [],
    });
    await runs.copyRun('real-sweep', 'sweep-shift');
    await writeFile(runs.at('sweep-shift', 'certificates.jsonl'), `${JSON.stringify(fixture)}\n`);
    await writeReport([await readRun(runs.at('sweep-shift'))], { out: runs.at('sweep-shift') });
    const page = await runs.pageOf('sweep-shift');
    expect(page).toContain('Its samples were used up before anybody looked for a reason.');
    expect(page).not.toContain('the whole range is certified');
    const elements = checkPage(page);
    const certified = elements.find((element) => attribute(element, 'class') === 'verdict-correct');
    // 25 units a pixel, the map's centre at x = 124.
    const numbers = ['x', 'y', 'width', 'height'].map((name) =>
      Number(attribute(certified as Element, name)),
    );
    expect(numbers).toEqual([111.5, -6.25, 25, 31.25]);
  });
});
