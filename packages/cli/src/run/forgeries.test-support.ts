/**
 * Forged runs, as many as are asked for, from honest ones: by somebody who changes a field, by somebody who makes again
 * whatever follows from it, by somebody who forges what the run rests on. Test support only.
 */
import { createHash } from 'node:crypto';
import type { Calibration, Certificate } from '@turnproof/certify';
import { calibrationSchema, calibrationWords, certificateSchema, mostExceeding } from '@turnproof/certify';
import { qLower } from '../../../certify/src/calibration/claims.ts';
import { changesOf, consistent } from '../../../certify/src/certificate/forger.test-support.ts';

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type Random = () => number;

/** A run as it lies in its folder. */
export interface Run {
  readonly config: { readonly [key: string]: Json };
  readonly lines: readonly string[];
  readonly calibration: string | null;
}

export interface Forgery {
  readonly kind: 'single' | 'consistent' | 'calibration' | 'config';
  /** What was changed, to be printed where the forgery is not found. */
  readonly words: string;
  readonly run: Run;
}

/** mulberry32: numbers in [0, 1). */
export function randomOf(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

function pick<T>(random: Random, from: readonly T[]): T {
  const found = from[Math.floor(random() * from.length)];
  if (found === undefined) throw new Error('nothing to pick from');
  return found;
}

type Path = readonly (string | number)[];

/** Places of everything that is no list and no object. */
function leavesOf(value: Json, path: Path = []): Path[] {
  if (value === null || typeof value !== 'object') return [path];
  const entries = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return entries.flatMap(([key, inner]) => leavesOf(inner, [...path, key]));
}

function at(value: Json, path: Path): Json {
  return path.reduce<Json>((inner, key) => (inner as Record<string, Json>)[key] ?? null, value);
}

function replaced(value: Json, [key, ...rest]: Path, put: Json): Json {
  if (key === undefined) return put;
  if (Array.isArray(value)) return value.map((inner, i) => (i === key ? replaced(inner, rest, put) : inner));
  const record = value as Record<string, Json>;
  return { ...record, [key]: replaced(record[key] ?? null, rest, put) };
}

/** Another value of the same kind. */
function other(random: Random, value: Json): Json {
  if (typeof value === 'boolean') return !value;
  if (value === null) return 1;
  if (typeof value === 'string')
    return /^[0-9a-f]{64}$/.test(value) ? createHash('sha256').update(value).digest('hex') : `${value}1`;
  const number = Number(value);
  const whole = Number.isInteger(number) ? [number + 1, Math.max(0, number - 1)] : [];
  const all = [...whole, 2 * number, number / 2, 1.001 * number, 0, -number].filter((n) => n !== number);
  return pick(random, all);
}

/** One place of a value changed, among those that count; the words say which. */
function changedPlace(random: Random, value: Json, counts: (place: string) => boolean): [string, Json] {
  const leaves = leavesOf(value).filter((path) => counts(path.join('.')));
  // Each kind of field as often as any other, however many of it there are.
  const kindOf = (path: Path) => path.map((key) => (typeof key === 'number' ? '*' : key)).join('.');
  const kind = pick(random, [...new Set(leaves.map(kindOf))]);
  const path = pick(
    random,
    leaves.filter((leaf) => kindOf(leaf) === kind),
  );
  const put = other(random, at(value, path));
  return [`${path.join('.')} = ${JSON.stringify(put)}`, replaced(value, path, put)];
}

/** Names and times of a machine: nothing is claimed of them. */
const CIRCUMSTANCES = /^(ms|adapter|provider|recovered|model\.file|versions\.(onnxruntime-web|webgpu))(\.|$)/;

function withLine(run: Run, i: number, line: string): Run {
  return { ...run, lines: run.lines.map((old, k) => (k === i ? line : old)) };
}

function certificateIn(run: Run, i: number): Certificate {
  return certificateSchema.parse(JSON.parse(run.lines[i] ?? ''));
}

/** One field of one line. */
function single(random: Random, run: Run): Omit<Forgery, 'kind'> {
  const i = Math.floor(random() * run.lines.length);
  const [words, line] = changedPlace(random, JSON.parse(run.lines[i] ?? ''), (p) => !CIRCUMSTANCES.test(p));
  return { words: `line ${i + 1}: ${words}`, run: withLine(run, i, JSON.stringify(line)) };
}

/** One or two things of one line, and all that follows from them; every other one says that it was made elsewhere. */
function multiple(random: Random, run: Run): Omit<Forgery, 'kind'> {
  const i = Math.floor(random() * run.lines.length);
  let certificate = certificateIn(run, i);
  const names: string[] = [];
  for (let left = 1 + Math.floor(random() * 2); left > 0; left--) {
    const [name, change] = pick(random, changesOf(certificate, random));
    certificate = consistent(change(certificate));
    names.push(name);
  }
  // All β are accepted already, for instance.
  if (JSON.stringify(certificate) === JSON.stringify(certificateIn(run, i))) return { words: '', run };
  if (random() < 0.5) {
    names.push('made elsewhere');
    certificate = { ...certificate, adapter: { ...certificate.adapter, adapterClass: 'another' } };
  }
  return { words: `line ${i + 1}: ${names.join(', ')}`, run: withLine(run, i, JSON.stringify(certificate)) };
}

/** What a calibration says that is no claim, or follows from the choice of who made it. */
const CALIBRATION_FREE = /^(data|adapter|versions|seconds)(\.|$)/;

const CALIBRATION_CHANGES: readonly [string, (calibration: Calibration, random: Random) => Calibration][] = [
  ['E five times smaller', (calibration) => scaled(calibration, 0.2)],
  ['a smaller E', (calibration, random) => scaled(calibration, 0.3 + 0.6 * random())],
  [
    'no β exceeds E',
    (calibration) => ({
      ...calibration,
      images: calibration.images.map((image) => ({
        ...image,
        tested: calibration.nBetas,
        exceeded: 0,
        passed: true,
      })),
      ...(calibration.choice ? scaled(calibration, 0.5) : {}),
    }),
  ],
  ['another seed', (calibration, random) => ({ ...calibration, seed: Math.floor(1e9 * random()) + 1 })],
  [
    'another image',
    (calibration) => ({
      ...calibration,
      images: calibration.images.map((image) => ({
        ...image,
        sha256: `${'0'.repeat(60)}${image.sha256.slice(60)}`,
      })),
    }),
  ],
];

/** The errors by which E was chosen, and E with them; nothing exceeds it that did not before. */
function scaled(calibration: Calibration, by: number): Calibration {
  const { choice, images, nBetas } = calibration;
  const tested = images.map((image) => ({ ...image, tested: nBetas, exceeded: 0, passed: true }));
  if (choice === null) return { ...calibration, images: tested, E: calibration.E * by };
  const chosen = choice.images.map((image) => ({ ...image, error: image.error * by }));
  const largest = Math.max(...chosen.map(({ error }) => error));
  return {
    ...calibration,
    E: choice.margin * largest,
    choice: { ...choice, largest, images: chosen },
    images: tested,
  };
}

/** All that follows from a calibration's images and E. */
export function remadeCalibration(forged: Calibration): Calibration {
  const { images, alpha, alphaInner } = forged;
  const passed = images.filter((image) => image.passed).length;
  const whole = {
    ...forged,
    nImages: images.length,
    passed,
    mostExceeding: mostExceeding(forged),
    qE: qLower(passed, images.length, alpha, alphaInner),
  };
  return calibrationSchema.parse({ ...whole, guarantee: calibrationWords(whole) });
}

/** The calibration, the lines that rest on it and the plan that names it. */
function withCalibration(run: Run, calibration: Calibration): Run {
  const text = `${JSON.stringify(calibration, null, 1)}\n`;
  const sha256 = createHash('sha256').update(text).digest('hex');
  const { errors, nGammas, E, rhoE, qE, alpha, alphaInner, nBetas } = calibration;
  const { mostExceeding: most, nImages, passed } = calibration;
  const figures = { errors, nGammas, E, rhoE, qE, alpha, alphaInner, nBetas };
  const summary = { sha256, ...figures, mostExceeding: most, nImages, passed };
  const lines = run.lines.map((line) => {
    const certificate = certificateSchema.parse(JSON.parse(line));
    if (certificate.method !== 'dist-d') return line;
    const bound = { ...certificate.bound, calibration: summary };
    return JSON.stringify(consistent({ ...certificate, bound }));
  });
  return { config: planned(run.config, 'calibration', summary), lines, calibration: text };
}

function planned(config: Run['config'], name: string, value: Json): Run['config'] {
  return { ...config, plan: { ...(config.plan as Record<string, Json>), [name]: value } };
}

function calibration(random: Random, run: Run): Omit<Forgery, 'kind'> {
  const honest = calibrationSchema.parse(JSON.parse(run.calibration ?? ''));
  if (random() < 0.5) {
    const [words, forged] = changedPlace(
      random,
      JSON.parse(run.calibration ?? ''),
      (place) => !CALIBRATION_FREE.test(place),
    );
    return { words: `calibration: ${words}`, run: { ...run, calibration: JSON.stringify(forged) } };
  }
  const [words, change] = pick(random, CALIBRATION_CHANGES);
  return {
    words: `calibration, and what rests on it: ${words}`,
    run: withCalibration(run, remadeCalibration(change(honest, random))),
  };
}

/** Of config.json, what its certificates repeat. */
function statedInConfig(run: Run): (place: string) => boolean {
  const { plan, ...rest } = certificateIn(run, 0);
  const named = new Set([...Object.keys(plan), ...Object.keys(rest)]);
  return (place) => {
    const [top = '', name = ''] = place.split('.');
    if (top === 'plan') return named.has(name) && name !== 'calibration';
    if (top === 'data') return name === 'indices' || name === 'sha256';
    if (top === 'model') return name === 'sha256';
    return top === 'pipeline' || top === 'shaders' || top === 'version';
  };
}

function config(random: Random, run: Run): Omit<Forgery, 'kind'> {
  const i = Math.floor(random() * run.lines.length);
  const line = run.lines[i] ?? '';
  const certificate = certificateIn(run, i);
  const all: (() => Omit<Forgery, 'kind'>)[] = [
    () => {
      const [words, forged] = changedPlace(random, { ...run.config }, statedInConfig(run));
      return { words: `config.json: ${words}`, run: { ...run, config: forged as Run['config'] } };
    },
    () => {
      const [words, forged] = changedPlace(random, { ...run.config }, statedInConfig(run));
      return { words: `config.json: ${words}`, run: { ...run, config: forged as Run['config'] } };
    },
    () => ({ words: `line ${i + 1} left out`, run: { ...run, lines: run.lines.filter((_, k) => k !== i) } }),
    () => ({ words: `line ${i + 1} twice`, run: { ...run, lines: [...run.lines, line] } }),
    () => ({
      words: `line ${i + 1} with a field twice`,
      run: withLine(run, i, line.replace('{', '{"radius":999,')),
    }),
    () => ({
      words: `line ${i + 1} and config.json left out`,
      run: {
        ...run,
        lines: run.lines.filter((_, k) => k !== i),
        config: withoutImage(run.config, certificate.index),
      },
    }),
    () => inBoth(random, run),
  ];
  return pick(random, all)();
}

function withoutImage(config: Run['config'], index: number): Run['config'] {
  const data = config.data as Record<string, Json>;
  const indices = (data.indices as number[]).filter((one) => one !== index);
  return { ...config, data: { ...data, indices } };
}

/** A number of the plan or the pipeline, in config.json and in all lines, and what follows from it. */
function inBoth(random: Random, run: Run): Omit<Forgery, 'kind'> {
  const first = certificateIn(run, 0);
  const changes: [string, (certificate: Certificate) => Certificate, Run['config']][] = [];
  const { pipeline, confidence } = first;
  const range = pipeline.range * (1.2 + random());
  changes.push([
    `range ${range}`,
    (c) => ({ ...c, pipeline: { ...c.pipeline, range } }) as Certificate,
    { ...run.config, pipeline: { ...(run.config.pipeline as Record<string, Json>), range } },
  ]);
  const surer = 1 - (1 - confidence) / 2;
  changes.push([
    `confidence ${surer}`,
    (c) => ({ ...c, confidence: surer }) as Certificate,
    planned(run.config, 'confidence', surer),
  ]);
  if ('sigmaGamma' in first) {
    const sigmaGamma = first.sigmaGamma * (1.1 + random());
    changes.push([
      `sigmaGamma ${sigmaGamma}`,
      (c) => ({ ...c, sigmaGamma }) as Certificate,
      planned(run.config, 'sigmaGamma', sigmaGamma),
    ]);
  }
  const [words, change, forged] = pick(random, changes);
  const lines = run.lines.map((_, i) => JSON.stringify(consistent(change(certificateIn(run, i)))));
  return { words: `config.json and lines: ${words}`, run: { ...run, lines, config: forged } };
}

const KINDS = { single, consistent: multiple, calibration, config } as const;

/** Forgeries of a kind that are none of the honest run's lines. */
export function forge(kind: Forgery['kind'], random: Random, run: Run): Forgery {
  for (;;) {
    const forgery = { kind, ...KINDS[kind](random, run) };
    if (JSON.stringify(forgery.run) !== JSON.stringify(run)) return forgery;
  }
}
