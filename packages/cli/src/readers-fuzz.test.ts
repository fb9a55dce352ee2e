/**
 * Readers of text that somebody else may have written: configurations, plans of experiments, notes of a run. Whatever is
 * in it, they read it or refuse it as bad input. Other readers: data/fuzz.test.ts, data/fit-and-labels.test.ts, and in
 * certify onnx-mutants.test.ts and certificate/fuzz.test.ts.
 */
import { truncate } from 'node:fs/promises';
import { TurnproofError } from '@turnproof/core';
import { cases } from '@turnproof/core/testing';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { certify } from './commands/certify.ts';
import { refusalOf, type TemporaryFolder, temporaryFolder } from './data/testing/files.ts';
import { parseExperiment } from './experiment/plan-file.ts';
import { parseConfig } from './options/config-file.ts';
import { readRun } from './report/read-run.ts';
import { readOrigin, readSuspects } from './run/run-notes.ts';
import { MAX_YAML, readText } from './text-file.ts';

let root: TemporaryFolder;
beforeAll(async () => {
  root = await temporaryFolder();
});
afterAll(() => root.remove());

const known = certify.groups.flatMap(({ options }) => options);
const wishes = {
  overrides: {},
  definitions: {},
  full: true,
  folderOf: (name: string) => `runs/${name}`,
  only: [],
};

const part = fc.constantFrom(
  ...[
    'range: 3\n',
    'data: signs\n',
    '? ',
    '- ',
    ': ',
    '[',
    ']',
    '{',
    '}',
    '&a ',
    '*a',
    '"',
    "'",
    '|\n',
    '#',
    '%',
    '---\n',
  ],
  ...[
    'runs:\n',
    '  - name: a\n',
    '    options: { range: 10 }\n',
    'options: {}\n',
    'full: ',
    'title: x\n',
    '<<: ',
    '!!js ',
  ],
  ...['__proto__: 1\n', 'constructor: 1\n', '\t', '\n', '\0', '\u2028', 'paper: { x: 1 }\n', '$', '{a}'],
);
const text = fc.oneof(
  fc.array(part, { maxLength: 20 }).map((parts) => parts.join('')),
  fc.string({ unit: 'binary', maxLength: 60 }),
);

/** True when read, false when refused; any other end fails. */
async function isRead(work: () => unknown): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (error instanceof TurnproofError && error.code === 'bad-input') {
      expect(error.message).not.toContain('\n');
      return false;
    }
    throw error;
  }
}

async function fuzz(arbitrary: fc.Arbitrary<string>, numRuns: number, work: (text: string) => unknown) {
  const seen = { true: 0, false: 0 };
  await fc.assert(
    fc.asyncProperty(arbitrary, async (one) => {
      seen[`${await isRead(() => work(one))}`] += 1;
    }),
    { numRuns: cases(numRuns) },
  );
  return seen;
}

describe('any text ends in values or in bad input', () => {
  it('as a configuration', async () => {
    const seen = await fuzz(text, 1500, (one) => parseConfig('c.yaml', one, known));
    expect(Math.min(seen.true, seen.false)).toBeGreaterThan(0);
  });

  it('as a plan of an experiment', async () => {
    const whole = fc
      .array(part, { maxLength: 6 })
      .map((p) => `runs:\n  - name: a\n    options: {}\n${p.join('')}`);
    const seen = await fuzz(fc.oneof(text, whole), 1500, (one) =>
      parseExperiment('e.yaml', one, { certify: known }, wishes),
    );
    expect(Math.min(seen.true, seen.false)).toBeGreaterThan(0);
  });

  it('as the notes of a run, and as its certificates', async () => {
    const json = fc.oneof(
      fc.json(),
      fc.constantFrom('{"options":{"data":"signs"}}', '{"images":[1],"reason":"x"}', '{}', '', '{', '\0'),
    );
    const seen = await fuzz(json, 300, async (one) => {
      await root.write('run/config.json', one);
      await readOrigin(`${root.path}/run`);
      await root.write('run/suspect.json', one);
      await readSuspects(`${root.path}/run`);
    });
    expect(Math.min(seen.true, seen.false)).toBeGreaterThan(0);
    const lines = fc.array(fc.oneof(json, fc.string({ unit: 'binary' })), { maxLength: 3 });
    const read = await fuzz(
      lines.map((all) => all.map((line) => `${line}\n`).join('')),
      200,
      async (one) => {
        await root.write('report/certificates.jsonl', one);
        await readRun(`${root.path}/report`);
      },
    );
    expect(read.true).toBe(0);
  });
});

describe('a text file', () => {
  it('is refused before it is read where it is no file, too long or endless', async () => {
    const long = await root.write('long.yaml', '');
    await truncate(long, MAX_YAML + 1);
    expect(await refusalOf(() => readText(long, MAX_YAML))).toContain('more than the 1048576 that are read');
    expect(await refusalOf(() => readText('/dev/zero', MAX_YAML))).toContain('not a regular file');
    expect(await refusalOf(() => readText(root.path, MAX_YAML))).toContain('is a folder');
    expect(await readText(`${root.path}/none`, MAX_YAML)).toBeNull();
    expect(await readText(`${long}/none`, MAX_YAML)).toBeNull();
  });

  it('of YAML that repeats itself billions of times, or is nested thousands deep, is refused', async () => {
    const names = 'abcdefghi';
    const laughs = [...names].map((name, i) =>
      i === 0
        ? 'a: &a [x, x, x, x, x, x, x, x, x]'
        : `${name}: &${name} [${Array(9).fill(`*${names[i - 1]}`)}]`,
    );
    expect(await refusalOf(() => parseConfig('c.yaml', laughs.join('\n'), known))).toMatch(
      /no YAML: .*alias/,
    );
    expect(await refusalOf(() => parseConfig('c.yaml', '['.repeat(20_000), known))).toContain('no YAML');
  });
});
