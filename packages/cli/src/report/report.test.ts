/** Reports of real runs on the built-in signs, read with parsers that have no mercy. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDataset } from '../data/index.ts';
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
import { COMMON, makeRuns, type Runs } from './runs.test-support.ts';

const SMALL = ['--n-gamma', '30', '--n-choose-e', '20', '--n-test-e', '60', '--n-eps', '2000'];

let runs: Runs;
beforeAll(async () => {
  runs = await makeRuns([
    ['--method', 'dist-x', '--index', '0,11', ...SMALL, '--out', 'real'],
    ['--method', 'base', '--index', '0-4', '--out', 'base'],
  ]);
});
afterAll(() => runs.folder.remove());

describe('the report of a run', () => {
  it('is one page that says what the certificates say', async () => {
    const page = await runs.pageOf('real');
    const words = wordsOf(page).replace(/\s+/g, ' ');
    checkPage(page);
    for (const line of await runs.linesOf('real')) {
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
    const images = checkPage(await runs.pageOf('real')).filter(({ tagName }) => tagName === 'image');
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
    const [line = ''] = await runs.linesOf('real');
    const { radius } = JSON.parse(line);
    const paths = elementsOf(await runs.pageOf('real')).filter(
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
    const page = await runs.pageOf('real');
    const names = (await readdir(runs.at('real', 'report'))).sort();
    expect(names).toEqual(['certified-accuracy.svg', 'errors.svg', 'rho.svg', 'samples.svg', 'time.svg']);
    for (const name of names) {
      const svg = await readFile(runs.at('real', 'report', name), 'utf8');
      checkXml(svg);
      expect(svg).toMatch(/<title[^>]*>\S/);
      expect(svg).toContain('prefers-color-scheme: dark');
      expect(page).toContain(svg.trimEnd());
    }
  });

  it('is the same when it is made again, and says where it is', async () => {
    const before = await runs.pageOf('real');
    const { stdout, stderr, code } = await runs.cli('report', 'real');
    expect(code, stderr).toBe(0);
    expect(stdout).toBe(`${join('real', 'report.html')}\n`);
    expect(await runs.pageOf('real')).toBe(before);
  });

  it('says of the heuristic that it is none, and never that it is a guarantee', async () => {
    const words = wordsOf(await runs.pageOf('base'));
    expect(words).toContain('No guarantee');
    expect(words).not.toContain('is wrong with probability at most');
  });

  it.each([
    ['is not there', { data: 'npy:nowhere.npy' }, 'cannot be opened here'],
    ['is another one now', { data: 'signs', sha256: 'a'.repeat(64) }, 'is not the one that was certified'],
  ])(
    'is whole, and says why, where the data set %s',
    async (_, { data, sha256 }: { data: string; sha256?: string }, why) => {
      await runs.copyRun('base', 'moved', (certificate) => ({
        ...certificate,
        image: { ...certificate.image, ...(sha256 === undefined ? {} : { sha256 }) },
      }));
      const { stderr, code } = await runs.cli('report', 'moved', '--data', data);
      expect(code, stderr).toBe(0);
      const elements = checkPage(await runs.pageOf('moved'));
      expect(elements.filter(({ tagName }) => tagName === 'image')).toHaveLength(0);
      expect(wordsOf(await runs.pageOf('moved'))).toContain(why);
    },
  );
});

describe('names from files', () => {
  const HOSTILE = `</title></style><script>alert(1)</script><img src=x onerror=alert(1)>"' onload='x' &amp;`;
  it('are text in the page and in the plots, whatever they hold', async () => {
    const name = `<b onload=x>&"'\u202e run`;
    await runs.copyRun('real', name, (certificate) => ({
      ...certificate,
      guarantee: HOSTILE,
      model: { ...certificate.model, file: HOSTILE },
      adapter: { ...certificate.adapter, name: `${HOSTILE}\u0001` },
      versions: { ...certificate.versions, turnproof: HOSTILE },
    }));
    const config = JSON.parse(await readFile(runs.at(name, 'config.json'), 'utf8'));
    config.options.data = HOSTILE;
    config.data.spec = `folder:${HOSTILE}`;
    await writeFile(runs.at(name, 'config.json'), JSON.stringify(config));
    const { stderr, code } = await runs.cli('report', name, 'base', '--title', HOSTILE, '--out', 'hostile');
    expect(code, stderr).toBe(0);
    expect((await runs.cli('report', name)).code).toBe(0);
    for (const place of [name, 'hostile']) {
      const page = await runs.pageOf(place);
      checkPage(page);
      expect(wordsOf(page)).toContain('<script>alert(1)</script>');
      expect(page).not.toContain('\u202e');
      for (const plot of await readdir(runs.at(place, 'report')))
        checkXml(await readFile(runs.at(place, 'report', plot), 'utf8'));
    }
    expect(await readFile(runs.at('hostile', 'report', 'time.svg'), 'utf8')).toContain(
      '&lt;b onload=x&gt;&amp;',
    );
  });

  it('of classes in a folder of images are text, too', async () => {
    const label = '<i>&"class';
    await mkdir(runs.at('pictures', label), { recursive: true });
    await sharp({ create: { width: 32, height: 32, channels: 3, background: '#336699' } })
      .png()
      .toFile(runs.at('pictures', label, `a'<u>.png`));
    const out = ['--limit', '1', '--out', 'pictures-run', '--data', 'folder:pictures'];
    const { stderr, code } = await runs.cli('certify', ...COMMON, '--method', 'base', ...out);
    expect(code, stderr).toBe(0);
    const page = await runs.pageOf('pictures-run');
    checkPage(page);
    expect(wordsOf(page)).toContain(`label 0 (${label})`);
  });
});

describe('a run that is not whole', () => {
  it('is reported without the line that was cut, and with a note', async () => {
    await runs.copyRun('base', 'torn');
    const text = await readFile(runs.at('torn', 'certificates.jsonl'), 'utf8');
    await writeFile(runs.at('torn', 'certificates.jsonl'), text.slice(0, -40));
    const { stdout, stderr, code } = await runs.cli('report', 'torn', '--json');
    expect(code, stderr).toBe(0);
    expect(stderr).toContain('The last line of certificates.jsonl is cut');
    expect(stderr).toContain('4 of 5 images are certified');
    expect(wordsOf(await runs.pageOf('torn'))).toContain('The last line of certificates.jsonl is cut');
    expect(JSON.parse(stdout).page).toBe(join('torn', 'report.html'));
  });

  it('is reported without the certificates that a parity check made suspect, and with a note', async () => {
    await runs.copyRun('real', 'suspect');
    const reason = 'logits differ (wasm: batch 8 twice)';
    await writeFile(runs.at('suspect', 'suspect.json'), JSON.stringify({ images: [11], reason }));
    expect((await runs.cli('report', 'suspect')).code).toBe(0);
    const page = await runs.pageOf('suspect');
    expect(wordsOf(page)).toContain(`Left out, not to be used: images 11 (${reason})`);
    expect(wordsOf(page)).not.toContain('Image 11');
    expect(wordsOf(page)).toContain('Image 0');
    await writeFile(runs.at('suspect', 'suspect.json'), JSON.stringify({ images: [0, 11], reason }));
    const { stderr, code } = await runs.cli('report', 'suspect');
    expect(stderr).toContain('all its certificates are suspect');
    expect(code).toBe(2);
  });

  it('is reported without the files that only add to it', async () => {
    await runs.copyRun('base', 'bare');
    for (const name of ['config.json', 'log.tsv', 'classifier.tsv']) await rm(runs.at('bare', name));
    const { stderr, code } = await runs.cli('report', 'bare');
    expect(code, stderr).toBe(0);
    checkPage(await runs.pageOf('bare'));
    expect(stderr).toContain('classifier.tsv is missing');
  });

  it.each([
    ['is not there', async () => undefined, /no such folder/],
    ['is a file', () => writeFile(runs.at('bad'), ''), /is not a folder/],
    ['holds nothing', () => mkdir(runs.at('bad')), /holds no certificates\.jsonl/],
    [
      'has no certificate yet',
      () => runs.copyRun('base', 'bad').then(() => writeFile(runs.at('bad', 'certificates.jsonl'), '')),
      /no image is certified/,
    ],
    [
      'has a damaged line',
      () => runs.copyRun('base', 'bad', (c) => (c.index === 2 ? { ...c, radius: -1 } : c)),
      /line 3 is no certificate: radius/,
    ],
    [
      'has an image twice',
      () => runs.copyRun('base', 'bad', (c) => ({ ...c, index: 1 })),
      /line 2: image 1 is certified in line 1/,
    ],
  ])('is refused where it %s', async (_, prepare, words) => {
    await rm(runs.at('bad'), { recursive: true, force: true });
    await prepare();
    const { stdout, stderr, code } = await runs.cli('report', 'bad', '--out', 'bad-report');
    expect(stderr).toMatch(words);
    expect(stderr.trimEnd().split('\n')).toHaveLength(2);
    expect(stdout).toBe('');
    expect(code).toBe(2);
    expect(existsSync(runs.at('bad-report'))).toBe(false);
  });
});

describe('several runs', () => {
  it('stand side by side, each image once, in a folder that is said', async () => {
    const { stdout, stderr, code } = await runs.cli('report', 'base', 'real');
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/^runs.*-report.report\.html\n$/);
    const page = await readFile(runs.at(stdout.trim()), 'utf8');
    const elements = checkPage(page);
    const cards = elements.filter((element) => attribute(element, 'class') === 'card');
    expect(cards).toHaveLength(5);
    const words = wordsOf(page);
    expect(words).toContain('base (no guarantee): class 0 (stop): ±10°, no guarantee');
    expect(words).toContain('real: class 0 (stop)');
    expect(words).toContain('real: not in this run');
  });
  it('of one name are told apart', async () => {
    await mkdir(runs.at('other'), { recursive: true });
    await runs.copyRun('base', join('other', 'base'));
    expect((await runs.cli('report', 'base', join('other', 'base'), '--out', 'same-names')).code).toBe(0);
    expect(wordsOf(await runs.pageOf('same-names'))).toContain(join('other', 'base'));
    expect((await runs.cli('report', 'base', 'base')).code).toBe(2);
  });
});

const CHROMIUM = '/usr/bin/chromium';
const browser = existsSync(CHROMIUM);
if (!browser) console.log(`skipped: ${CHROMIUM} is not there to open a report in`);

describe.skipIf(!browser)('in a browser, from file://', () => {
  it('the page is drawn without a complaint, on paper-white', async () => {
    const shot = runs.at('shot.png');
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
        `--user-data-dir=${runs.at('profile')}`,
        `--screenshot=${shot}`,
        pathToFileURL(runs.at('real', 'report.html')).href,
      ],
    ]);
    expect(stderr).not.toMatch(/CONSOLE|Refused|violates/);
    const { data, info } = await sharp(shot).removeAlpha().raw().toBuffer({ resolveWithObject: true });
    expect([...data.subarray(0, 3)]).toEqual([255, 255, 255]);
    const dark = data.filter((value) => value < 80).length;
    // Ink: words and lines are there.
    expect(dark / data.length).toBeGreaterThan(0.01);
    expect(info.width).toBe(800);
  });
});
