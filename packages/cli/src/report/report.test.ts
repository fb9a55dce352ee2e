/** Reports of real runs on the built-in signs, read with parsers that have no mercy. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import type { Certificate } from '@turnproof/certify';
import { preOracle, warpOracle } from '@turnproof/shaders/oracle';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDataset } from '../data/index.ts';
import { type TemporaryFolder, temporaryFolder } from '../data/testing/files.ts';
import { runCli } from '../run-cli.test-support.ts';
import {
  attribute,
  bytesOf,
  checkPage,
  checkXml,
  type Element,
  elementsOf,
  pngOf,
  wordsOf,
} from './page.test-support.ts';
import { readRun } from './read-run.ts';
import { sweepFixture } from './sweep.test-support.ts';
import { writeReport } from './write-report.ts';

let folder: TemporaryFolder;
const at = (...names: string[]) => join(folder.path, ...names);
const cli = (...args: string[]) => runCli(args, { cwd: folder.path });
const pageOf = (...names: string[]) => readFile(at(...names, 'report.html'), 'utf8');
const linesOf = async (run: string) =>
  (await readFile(at(run, 'certificates.jsonl'), 'utf8')).trimEnd().split('\n');

const COMMON = [
  ...[
    '--data',
    'signs',
    '--model',
    'signs',
    '--transform',
    'rotation',
    '--range',
    '10',
    '--adapter',
    'software',
  ],
  ...['--vignette', 'circle:2', '--blur', '5:1', '--seed', '5', '--quiet'],
];
const SMALL = ['--n-gamma', '30', '--n-choose-e', '20', '--n-test-e', '60', '--n-eps', '2000'];

beforeAll(async () => {
  folder = await temporaryFolder();
  for (const args of [
    ['--method', 'dist-x', '--index', '0,11', ...SMALL, '--out', 'real'],
    ['--method', 'base', '--index', '0-4', '--out', 'base'],
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
  ]) {
    const { stderr, code } = await cli('certify', ...COMMON, ...args);
    expect(code, stderr).toBe(0);
  }
}, 280_000);
afterAll(() => folder.remove());

describe('the report of a run', () => {
  it('is one page that says what the certificates say', async () => {
    const page = await pageOf('real');
    const words = wordsOf(page).replace(/\s+/g, ' ');
    checkPage(page);
    for (const line of await linesOf('real')) {
      const { guarantee, radius, model, shaders, image, adapter } = JSON.parse(line);
      if (line.includes('"index":0,')) expect(words).toContain(guarantee);
      expect(words).toContain(String(radius));
      for (const hash of [model.sha256, shaders.sha256, image.sha256]) expect(words).toContain(hash);
      expect(words).toContain(adapter.name);
    }
    expect(words).toContain('turnproof certify --data signs --index 0,11 --model signs');
    expect(words).toContain('99 %');
  });

  it('shows each image as it is in the data set', async () => {
    const images = checkPage(await pageOf('real')).filter(({ tagName }) => tagName === 'image');
    const data = await openDataset('signs');
    expect(images).toHaveLength(2);
    for (const [i, index] of [0, 11].entries()) {
      const image = images[i];
      const { data: bytes, info } = await pngOf(image && attribute(image, 'href'));
      expect([info.width, info.height, info.channels]).toEqual([32, 32, 3]);
      expect(bytes.equals(bytesOf((await data.read(index)).pixels, 3))).toBe(true);
    }
  });

  it('draws the certified angles to both sides of upright', async () => {
    const [line = ''] = await linesOf('real');
    const { radius } = JSON.parse(line);
    const paths = elementsOf(await pageOf('real')).filter(
      (element) => attribute(element, 'class') === 'verdict-correct',
    );
    const numbers =
      (attribute(paths[0] as Element, 'd') ?? '')
        .match(/M(\S+),(\S+)/)
        ?.slice(1)
        .map(Number) ?? [];
    // From the lower end on: clockwise, to the right of upright.
    const angle = (Math.atan2(-(numbers[0] ?? 0), -(numbers[1] ?? 0)) * 180) / Math.PI;
    expect(angle).toBeCloseTo(-radius, 1);
  });

  it('has its plots beside it, each well formed and with the same words', async () => {
    const page = await pageOf('real');
    const names = (await readdir(at('real', 'report'))).sort();
    expect(names).toEqual(['certified-accuracy.svg', 'errors.svg', 'rho.svg', 'samples.svg', 'time.svg']);
    for (const name of names) {
      const svg = await readFile(at('real', 'report', name), 'utf8');
      checkXml(svg);
      expect(svg).toMatch(/<title[^>]*>\S/);
      expect(svg).toContain('prefers-color-scheme: dark');
      expect(page).toContain(svg.trimEnd());
    }
  });

  it('is the same when it is made again, and says where it is', async () => {
    const before = await pageOf('real');
    const { stdout, stderr, code } = await cli('report', 'real');
    expect(code, stderr).toBe(0);
    expect(stdout).toBe(`${join('real', 'report.html')}\n`);
    expect(await pageOf('real')).toBe(before);
  });

  it('says of the heuristic that it is none, and never that it is a guarantee', async () => {
    const words = wordsOf(await pageOf('base'));
    expect(words).toContain('No guarantee');
    expect(words).not.toContain('is wrong with probability at most');
  });

  it.each([
    ['is not there', { data: 'npy:nowhere.npy' }, 'cannot be opened here'],
    ['is another one now', { data: 'signs', sha256: 'a'.repeat(64) }, 'is not the one that was certified'],
  ])(
    'is whole, and says why, where the data set %s',
    async (_, { data, sha256 }: { data: string; sha256?: string }, why) => {
      await copyRun('base', 'moved', (certificate) => ({
        ...certificate,
        image: { ...certificate.image, ...(sha256 === undefined ? {} : { sha256 }) },
      }));
      const { stderr, code } = await cli('report', 'moved', '--data', data);
      expect(code, stderr).toBe(0);
      const elements = checkPage(await pageOf('moved'));
      expect(elements.filter(({ tagName }) => tagName === 'image')).toHaveLength(0);
      expect(wordsOf(await pageOf('moved'))).toContain(why);
    },
  );
});

/** A copy of a real run with its certificates changed. */
async function copyRun(
  from: string,
  to: string,
  change: (certificate: Certificate) => unknown = (certificate) => certificate,
): Promise<void> {
  await rm(at(to), { recursive: true, force: true });
  await cp(at(from), at(to), { recursive: true });
  const lines = (await linesOf(from)).map((line) => `${JSON.stringify(change(JSON.parse(line)))}\n`);
  await writeFile(at(to, 'certificates.jsonl'), lines.join(''));
}

describe('names from files', () => {
  const HOSTILE = `</title></style><script>alert(1)</script><img src=x onerror=alert(1)>"' onload='x' &amp;`;
  it('are text in the page and in the plots, whatever they hold', async () => {
    const name = `<b onload=x>&"'\u202e run`;
    await copyRun('real', name, (certificate) => ({
      ...certificate,
      guarantee: HOSTILE,
      model: { ...certificate.model, file: HOSTILE },
      adapter: { ...certificate.adapter, name: `${HOSTILE}\u0001` },
      versions: { ...certificate.versions, turnproof: HOSTILE },
    }));
    const config = JSON.parse(await readFile(at(name, 'config.json'), 'utf8'));
    config.options.data = HOSTILE;
    config.data.spec = `folder:${HOSTILE}`;
    await writeFile(at(name, 'config.json'), JSON.stringify(config));
    const { stderr, code } = await cli('report', name, 'base', '--title', HOSTILE, '--out', 'hostile');
    expect(code, stderr).toBe(0);
    expect((await cli('report', name)).code).toBe(0);
    for (const place of [name, 'hostile']) {
      const page = await pageOf(place);
      checkPage(page);
      expect(wordsOf(page)).toContain('<script>alert(1)</script>');
      expect(page).not.toContain('\u202e');
      for (const plot of await readdir(at(place, 'report')))
        checkXml(await readFile(at(place, 'report', plot), 'utf8'));
    }
    expect(await readFile(at('hostile', 'report', 'time.svg'), 'utf8')).toContain('&lt;b onload=x&gt;&amp;');
  });

  it('of classes in a folder of images are text, too', async () => {
    const label = '<i>&"class';
    await mkdir(at('pictures', label), { recursive: true });
    await sharp({ create: { width: 32, height: 32, channels: 3, background: '#336699' } })
      .png()
      .toFile(at('pictures', label, `a'<u>.png`));
    const out = ['--limit', '1', '--out', 'pictures-run', '--data', 'folder:pictures'];
    const { stderr, code } = await cli('certify', ...COMMON, '--method', 'base', ...out);
    expect(code, stderr).toBe(0);
    const page = await pageOf('pictures-run');
    checkPage(page);
    expect(wordsOf(page)).toContain(`label 0 (${label})`);
  });
});

describe('a run that is not whole', () => {
  it('is reported without the line that was cut, and with a note', async () => {
    await copyRun('base', 'torn');
    const text = await readFile(at('torn', 'certificates.jsonl'), 'utf8');
    await writeFile(at('torn', 'certificates.jsonl'), text.slice(0, -40));
    const { stdout, stderr, code } = await cli('report', 'torn', '--json');
    expect(code, stderr).toBe(0);
    expect(stderr).toContain('The last line of certificates.jsonl is cut');
    expect(stderr).toContain('4 of 5 images are certified');
    expect(wordsOf(await pageOf('torn'))).toContain('The last line of certificates.jsonl is cut');
    expect(JSON.parse(stdout).page).toBe(join('torn', 'report.html'));
  });

  it('is reported without the files that only add to it', async () => {
    await copyRun('base', 'bare');
    for (const name of ['config.json', 'log.tsv', 'classifier.tsv']) await rm(at('bare', name));
    const { stderr, code } = await cli('report', 'bare');
    expect(code, stderr).toBe(0);
    checkPage(await pageOf('bare'));
    expect(stderr).toContain('classifier.tsv is missing');
  });

  it.each([
    ['is not there', async () => undefined, /no such folder/],
    ['is a file', () => writeFile(at('bad'), ''), /is not a folder/],
    ['holds nothing', () => mkdir(at('bad')), /holds no certificates\.jsonl/],
    [
      'has no certificate yet',
      () => copyRun('base', 'bad').then(() => writeFile(at('bad', 'certificates.jsonl'), '')),
      /no image is certified/,
    ],
    [
      'has a damaged line',
      () => copyRun('base', 'bad', (c) => (c.index === 2 ? { ...c, radius: -1 } : c)),
      /line 3 is no certificate: radius/,
    ],
    [
      'has an image twice',
      () => copyRun('base', 'bad', (c) => ({ ...c, index: 1 })),
      /line 2: image 1 is certified in line 1/,
    ],
  ])('is refused where it %s', async (_, prepare, words) => {
    await rm(at('bad'), { recursive: true, force: true });
    await prepare();
    const { stdout, stderr, code } = await cli('report', 'bad', '--out', 'bad-report');
    expect(stderr).toMatch(words);
    expect(stderr.trimEnd().split('\n')).toHaveLength(2);
    expect(stdout).toBe('');
    expect(code).toBe(2);
    expect(existsSync(at('bad-report'))).toBe(false);
  });
});

describe('several runs', () => {
  it('stand side by side, each image once, in a folder that is said', async () => {
    const { stdout, stderr, code } = await cli('report', 'base', 'real');
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/^runs.*-report.report\.html\n$/);
    const page = await readFile(at(stdout.trim()), 'utf8');
    const elements = checkPage(page);
    const cards = elements.filter((element) => attribute(element, 'class') === 'card');
    expect(cards).toHaveLength(5);
    const words = wordsOf(page);
    expect(words).toContain('base (no guarantee): class 0 (stop): ±10°, no guarantee');
    expect(words).toContain('real: class 0 (stop)');
    expect(words).toContain('real: not in this run');
  });
  it('of one name are told apart', async () => {
    await mkdir(at('other'), { recursive: true });
    await copyRun('base', join('other', 'base'));
    expect((await cli('report', 'base', join('other', 'base'), '--out', 'same-names')).code).toBe(0);
    expect(wordsOf(await pageOf('same-names'))).toContain(join('other', 'base'));
    expect((await cli('report', 'base', 'base')).code).toBe(2);
  });
});

describe('a run of sweep', () => {
  it('is drawn with where each image broke, in numbers of its certificate', async () => {
    const page = await pageOf('real-sweep');
    const elements = checkPage(page);
    const certificates = (await linesOf('real-sweep')).map((line) => JSON.parse(line));
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
    await copyRun('real-sweep', 'sweep');
    const lines = await linesOf('real-sweep');
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
      at('sweep', 'certificates.jsonl'),
      fixtures.map((one) => `${JSON.stringify(one)}\n`).join(''),
    );
    await writeReport([await readRun(at('sweep'))], { out: at('sweep') });
    const page = await pageOf('sweep');
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
    const [line = ''] = await linesOf('real-sweep');
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
    await copyRun('real-sweep', 'sweep-shift');
    await writeFile(at('sweep-shift', 'certificates.jsonl'), `${JSON.stringify(fixture)}\n`);
    await writeReport([await readRun(at('sweep-shift'))], { out: at('sweep-shift') });
    const elements = checkPage(await pageOf('sweep-shift'));
    const certified = elements.find((element) => attribute(element, 'class') === 'verdict-correct');
    // 25 units a pixel, the map's centre at x = 124.
    const numbers = ['x', 'y', 'width', 'height'].map((name) =>
      Number(attribute(certified as Element, name)),
    );
    expect(numbers).toEqual([111.5, -6.25, 25, 31.25]);
  });
});

const CHROMIUM = '/usr/bin/chromium';
const browser = existsSync(CHROMIUM);
if (!browser) console.log(`skipped: ${CHROMIUM} is not there to open a report in`);

describe.skipIf(!browser)('in a browser, from file://', () => {
  it('the page is drawn without a complaint, on paper-white', async () => {
    const shot = at('shot.png');
    const { stderr } = await promisify(execFile)(CHROMIUM, [
      ...[
        '--headless',
        '--no-sandbox',
        '--disable-gpu',
        '--hide-scrollbars',
        '--window-size=800,900',
        '--enable-logging=stderr',
      ],
      ...[
        `--user-data-dir=${at('profile')}`,
        `--screenshot=${shot}`,
        pathToFileURL(at('real', 'report.html')).href,
      ],
    ]);
    expect(stderr).not.toMatch(/CONSOLE|Refused|violates/);
    const { data, info } = await sharp(shot).removeAlpha().raw().toBuffer({ resolveWithObject: true });
    expect([...data.subarray(0, 3)]).toEqual([255, 255, 255]);
    const dark = data.filter((value) => value < 80).length;
    // Ink: words and lines are there.
    expect(dark / data.length).toBeGreaterThan(0.01);
    expect(info.width).toBe(800);
  }, 120_000);
});
