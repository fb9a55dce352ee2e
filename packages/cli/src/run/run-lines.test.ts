import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cases } from '@turnproof/core/testing';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { refusalOf, type TemporaryFolder, temporaryFolder } from '../data/testing/files.ts';
import { runCli } from '../run-cli.test-support.ts';
import { type RunConfig, readRunConfig } from './run-config.ts';
import { CERTIFICATES, CLASSIFIER, LOG, readRunLines, writeRunLines } from './run-lines.ts';

const FILES = [CERTIFICATES, LOG, CLASSIFIER] as const;
const INDICES = [3, 7, 10, 11, 20];

let folder: TemporaryFolder;
/** The files of a real run. */
const whole = { [CERTIFICATES]: '', [LOG]: '', [CLASSIFIER]: '' };
let config: RunConfig;

beforeAll(async () => {
  folder = await temporaryFolder();
  const args = [
    ...['certify', '--data', 'signs', '--model', 'signs', '--index', INDICES.join(','), '--out', 'whole'],
    ...['--transform', 'rotation', '--range', '10', '--method', 'base', '--n-gamma', '20', '--n0', '5'],
  ];
  const { code, stderr } = await runCli([...args, '--adapter', 'software', '--quiet'], { cwd: folder.path });
  expect(code, stderr).toBe(0);
  const run = join(folder.path, 'whole');
  for (const name of FILES) whole[name] = textIn(run, name);
  const found = readRunConfig(run);
  if (!found) throw new Error('the run has no configuration');
  config = found;
});
afterAll(() => folder.remove());

let count = 0;
function runWith(texts: Partial<typeof whole>): string {
  const path = join(folder.path, String(count++));
  mkdirSync(path);
  for (const name of FILES) writeFileSync(join(path, name), texts[name] ?? whole[name]);
  return path;
}
const read = (path: string, suspects: number[] = []) => readRunLines(path, config, new Set(suspects));
const textIn = (path: string, name: string) => readFileSync(join(path, name), 'utf8');
const linesIn = (text: string) => text.split('\n').length - 1;

describe('the lines of a run', () => {
  it('are left alone when they agree', () => {
    const path = runWith({});
    const { images, unfinished } = read(path);
    expect(images.map(({ certificate }) => certificate.index)).toEqual(INDICES);
    expect(unfinished).toEqual([]);
    writeRunLines(path, images);
    for (const name of FILES) expect(textIn(path, name)).toBe(whole[name]);
  });

  it('are, after a cut at any byte of each file, a prefix of whole lines that agree; or more is missing than one image', () => {
    const cut = (name: (typeof FILES)[number]) => fc.nat({ max: Buffer.byteLength(whole[name]) });
    let repaired = 0;
    fc.assert(
      fc.property(cut(CERTIFICATES), cut(LOG), cut(CLASSIFIER), fc.boolean(), (a, b, c, near) => {
        // Cuts of one moment, as often as cuts anywhere.
        const share = a / Buffer.byteLength(whole[CERTIFICATES]);
        const at = (name: (typeof FILES)[number], any: number) =>
          near ? Math.round(share * Buffer.byteLength(whole[name])) : any;
        const texts = {
          [CERTIFICATES]: whole[CERTIFICATES].slice(0, a),
          [LOG]: whole[LOG].slice(0, at(LOG, b)),
          [CLASSIFIER]: whole[CLASSIFIER].slice(0, at(CLASSIFIER, c)),
        };
        const path = runWith(texts);
        try {
          const certified = linesIn(texts[CERTIFICATES]);
          const both = Math.max(0, Math.min(linesIn(texts[LOG]), linesIn(texts[CLASSIFIER])) - 1);
          if (certified - both > 1) {
            expect(() => read(path)).toThrow('have no line in');
            return;
          }
          const { images } = read(path);
          writeRunLines(path, images);
          const kept = Math.min(certified, both);
          expect(images.length).toBe(kept);
          for (const name of FILES) {
            const text = textIn(path, name);
            expect(whole[name].startsWith(text)).toBe(true);
            expect(linesIn(text)).toBe(kept + (name === CERTIFICATES ? 0 : 1));
            expect(text.endsWith('\n') || text === '').toBe(true);
          }
          expect(read(path).unfinished).toEqual([]);
          repaired += 1;
        } finally {
          rmSync(path, { recursive: true });
        }
      }),
      { numRuns: cases(300) },
    );
    expect(repaired).toBeGreaterThan(50);
  });

  it('without the suspect ones keep the order, wherever those stand', () => {
    const path = runWith({});
    const { images, unfinished } = read(path, [7, 20]);
    expect(images.map(({ certificate }) => certificate.index)).toEqual([3, 10, 11]);
    expect(unfinished).toEqual(['2 certificates are suspect']);
    writeRunLines(path, images);
    expect(linesIn(textIn(path, LOG))).toBe(4);
    expect(read(path).images.map(({ certificate }) => certificate.index)).toEqual([3, 10, 11]);
  });

  const line = (name: (typeof FILES)[number], at: number, change: (line: string) => string) => {
    const lines = whole[name].split('\n');
    return { [name]: lines.with(at, change(lines[at] ?? '')).join('\n') };
  };
  const certificate = (at: number, change: (line: string) => string) => () => line(CERTIFICATES, at, change);
  it.each<[string, () => Partial<typeof whole>, RegExp]>([
    ['a damaged certificate', certificate(1, () => '{"index":7}'), /jsonl: line 2 is no cert/],
    ['a certificate that is no JSON', certificate(2, (l) => l.slice(0, -9)), /jsonl: line 3 is no JSON/],
    ['a doubled certificate', certificate(3, (l) => l.replace('11', '3')), /line 4: image 3 is in line 1/],
    [
      'another model’s',
      certificate(1, (l) => l.replace(config.model.sha256, '0'.repeat(64))),
      /line 2 is none of this run: model\.sha256: says/,
    ],
    ['another seed’s', certificate(1, (l) => l.replace(/"seed":[^,]+/, '"seed":1')), /run: seed: says "1"/],
    [
      'another range',
      certificate(1, (l) => l.replace('"range":10', '"range":12')),
      /run: pipeline\.range: says 12/,
    ],
    [
      'another confidence',
      certificate(1, (l) => l.replace('"confidence":0.99', '"confidence":0.9')),
      /confidence: says/,
    ],
    [
      'a field twice',
      certificate(1, (l) => l.replace('{', '{"seed":9,')),
      /line 2 has two values for «seed»/,
    ],
    [
      'an image that was not asked for',
      certificate(1, (l) => l.replace('"index":7', '"index":8')),
      /line 2: image 8 is none of this run/,
    ],
    ['a damaged line of log.tsv', () => line(LOG, 2, () => '7\t1'), /log\.tsv: line 3 is damaged/],
    ['another header', () => line(CLASSIFIER, 0, () => 'index'), /classifier\.tsv: line 1 is not/],
  ])('are refused with %s in the middle, naming file and line', async (_, texts, words) => {
    const path = runWith(texts());
    const before = FILES.map((name) => textIn(path, name));
    expect(await refusalOf(() => read(path))).toMatch(words);
    expect(FILES.map((name) => textIn(path, name))).toEqual(before);
  });
});
