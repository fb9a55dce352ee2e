import { cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cases } from '@turnproof/core/testing';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { refusalOf, type TemporaryFolder, temporaryFolder } from '../data/testing/files.ts';
import { mergeRuns } from '../run/merge-runs.ts';
import { RunLock } from '../run/run-lock.ts';
import { lastingRun } from '../run/same-run.test-support.ts';
import { withShards } from '../run/shard-folders.ts';
import { type Place, stopAt } from '../run/stop-at.test-support.ts';
import { runCli } from '../run-cli.test-support.ts';

const IMAGES = 24;
const ARGS = [
  ...['--data', 'signs', '--model', 'signs', '--limit', String(IMAGES), '--method', 'base'],
  ...['--transform', 'rotation', '--range', '10', '--vignette', 'circle:2', '--blur', '5:1'],
  ...['--n-gamma', '30', '--n0', '5', '--adapter', 'software', '--threads', '1', '--seed', '0'],
];

let folder: TemporaryFolder;
const at = (...names: string[]) => join(folder.path, ...names);
const cli = (args: readonly string[], place?: Place) =>
  runCli(args, { cwd: folder.path, ...(place ? { env: stopAt(place) } : {}) });
const certify = (out: string, ...more: string[]) => cli(['certify', ...ARGS, '--out', out, ...more]);
const textIn = (...names: string[]) => readFileSync(at(...names), 'utf8');
const linesIn = (run: string) =>
  existsSync(at(run, 'certificates.jsonl')) ? textIn(run, 'certificates.jsonl').split('\n').length - 1 : 0;
/** Bytes of all files: a refused command must not have touched one. */
const bytesOf = (run: string) =>
  readdirSync(at(run))
    .filter((name) => statSync(at(run, name)).isFile())
    .map((name) => `${name}\n${textIn(run, name)}`);

/** The first `lines` certificates of the undisturbed run, as an interruption leaves them. */
function beginning(run: string, lines: number): void {
  cpSync(at('calm'), at(run), { recursive: true });
  for (const name of ['report', 'report.html', 'state.json']) rmSync(at(run, name), { recursive: true });
  for (const [name, header] of [
    ['certificates.jsonl', 0],
    ['log.tsv', 1],
    ['classifier.tsv', 1],
  ] as const) {
    writeFileSync(
      at(run, name),
      textIn('calm', name)
        .split('\n')
        .slice(0, lines + header)
        .concat('')
        .join('\n'),
    );
  }
}

let calm: ReturnType<typeof lastingRun>;
beforeAll(async () => {
  folder = await temporaryFolder();
  const { code, stderr } = await certify('calm');
  expect(code, stderr).toBe(0);
  expect(linesIn('calm')).toBe(IMAGES);
  calm = lastingRun(at('calm'));
});
afterAll(() => folder.remove());

describe('certify --resume', () => {
  it('comes to the run that nobody disturbed, wherever it was killed before', async () => {
    const place = fc.record({
      ...{ signal: fc.constant('SIGKILL' as const), before: fc.constant('change' as const) },
      // An image makes six changes: the first kill comes before the last image.
      ...{ nth: fc.integer({ min: 1, max: 5 * IMAGES }), torn: fc.boolean() },
    });
    await fc.assert(
      fc.asyncProperty(fc.array(place, { minLength: 1, maxLength: 3 }), async (places) => {
        rmSync(at('killed'), { recursive: true, force: true });
        const args = ['certify', ...ARGS, '--out', 'killed', '--resume'];
        for (const [i, one] of places.entries()) {
          const { code, stderr } = await cli(args, one);
          // A later one may be over by then.
          expect(i > 0 && code === 0 ? null : code, stderr).toBeNull();
        }
        const { code, stderr } = await cli(args);
        expect(code, stderr).toBe(0);
        expect(lastingRun(at('killed'))).toEqual(calm);
        expect(readdirSync(at('killed')).sort()).toEqual(readdirSync(at('calm')).sort());
      }),
      { numRuns: cases(2) },
    );
  });

  it('ends cleanly at SIGTERM, says how to go on, and goes on from the folder alone', async () => {
    const args = ['certify', ...ARGS, '--out', 'stopped'];
    const { code, stderr } = await cli(args, { signal: 'SIGTERM', before: 'line', nth: 3 });
    expect(code, stderr).toBe(130);
    expect(stderr).toContain('go on with: turnproof certify --out stopped --resume');
    expect(existsSync(at('stopped', 'lock.json'))).toBe(false);
    const done = linesIn('stopped');
    const status = await cli(['status', 'stopped', '--json']);
    expect(JSON.parse(status.stdout)).toMatchObject({
      state: 'interrupted',
      done,
      total: IMAGES,
      holder: null,
    });

    const resumed = await cli(['certify', '--out', 'stopped', '--resume']);
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(resumed.stderr).toContain(`${done} images are certified already, ${IMAGES - done} to go`);
    expect(resumed.stdout).toContain(`over ${IMAGES} images`);
    expect(lastingRun(at('stopped'))).toEqual(calm);
  });

  it('ends at once at a second Ctrl-C, and goes on as after any other end', async () => {
    const interrupted = async (out: string, more: Partial<Place>) => {
      const args = ['certify', ...ARGS, '--out', out, '--verbose'];
      const ended = await cli(args, { signal: 'SIGINT', before: 'line', nth: 3, ...more });
      expect(ended.code, ended.stderr).toBe(130);
      expect(ended.stderr).toContain(`go on with: turnproof certify --out ${out} --resume`);
      return ended.stderr;
    };
    const woundUp = 'what is written was checked once more';
    expect(await interrupted('once', {})).toContain(woundUp);
    expect(await interrupted('twice', { againAt: 'once more to stop at once' })).not.toContain(woundUp);

    expect(existsSync(at('twice', 'lock.json'))).toBe(false);
    const done = linesIn('twice');
    expect(done).toBeLessThan(IMAGES);
    const resumed = await cli(['certify', '--out', 'twice', '--resume']);
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(resumed.stderr).toContain(`${done} images are certified already, ${IMAGES - done} to go`);
    expect((await cli(['verify', 'twice'])).stdout).toContain(`${IMAGES} of ${IMAGES} certificates follow`);
    expect(lastingRun(at('twice')).certificates).toEqual(calm.certificates);
  });

  it('has nothing to do where all is done, and writes the report that is missing', async () => {
    rmSync(at('calm', 'report.html'));
    const { code, stdout, stderr } = await cli(['certify', '--out', 'calm', '--resume']);
    expect([code, stdout]).toEqual([0, '']);
    expect(stderr).toContain(`calm is complete: ${IMAGES} images`);
    expect(existsSync(at('calm', 'report.html'))).toBe(true);
  });

  it('refuses another configuration, naming each difference, and touches nothing', async () => {
    beginning('other', 3);
    const before = bytesOf('other');
    const change = ['--range', '12', '--n-gamma', '40', '--limit', '30', '--model', 'signs:clean'];
    const { code, stderr } = await cli(['certify', '--out', 'other', '--resume', ...change]);
    expect(code).toBe(2);
    for (const words of [
      'pipeline.range: 10 there, 12 here',
      'plan.nGamma: 30 there, 40 here',
      'data.indices: 0,1,2,...,23 (24) there, 0,1,2,...,29 (30) here',
      'model.sha256: ',
    ])
      expect(stderr).toContain(words);
    expect(bytesOf('other')).toEqual(before);
  });

  it('takes other words that mean the same, and what no certificate depends on', async () => {
    beginning('words', IMAGES - 1);
    const same = [
      '--range',
      '10.0',
      '--index',
      `0-${IMAGES - 1}`,
      '--batch',
      '7',
      '--threads',
      '2',
      '--json',
    ];
    const { code, stderr } = await cli(['certify', '--out', 'words', '--resume', ...same]);
    expect(code, stderr).toBe(0);
    expect(lastingRun(at('words')).certificates).toEqual(calm.certificates);
  });

  it('leaves a folder alone that another process writes to: status 75', async () => {
    beginning('busy', 3);
    const lock = await RunLock.take(at('busy'));
    const before = bytesOf('busy');
    const { code, stderr } = await cli(['certify', '--out', 'busy', '--resume']);
    expect(code).toBe(75);
    expect(stderr).toContain(`is written to by process ${process.pid} on`);
    expect(bytesOf('busy')).toEqual(before);
    const { stdout } = await cli(['status', 'busy']);
    expect(stdout).toContain(`busy: running, 3/${IMAGES} images`);
    lock.release();
  });

  it('refuses a line that is damaged in the middle, by its number', async () => {
    beginning('damaged', 5);
    const lines = textIn('damaged', 'certificates.jsonl').split('\n');
    writeFileSync(at('damaged', 'certificates.jsonl'), lines.with(1, '{"index":1').join('\n'));
    const { code, stderr } = await cli(['certify', '--out', 'damaged', '--resume']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/certificates\.jsonl: line 2 is no JSON/);
    expect(existsSync(at('damaged', 'lock.json'))).toBe(false);
  });

  it('does suspect images again, in their places, and then they are suspect no more', async () => {
    beginning('suspect', IMAGES);
    const reason = 'batch 1 against batch 7 differ';
    const suspects = { schema: 'turnproof/suspect/1', reason, images: [3, 17, 23] };
    writeFileSync(at('suspect', 'suspect.json'), JSON.stringify(suspects));
    // What a wrong classifier might have left.
    const wrong = textIn('suspect', 'certificates.jsonl').replace(
      '"index":3,"label":3',
      '"index":3,"label":4',
    );
    writeFileSync(at('suspect', 'certificates.jsonl'), wrong);
    const { code, stderr } = await cli(['certify', '--out', 'suspect', '--resume']);
    expect(code, stderr).toBe(0);
    expect(stderr).toContain('21 images are certified already, 3 to go, 3 of them again: they are suspect');
    expect(existsSync(at('suspect', 'suspect.json'))).toBe(false);
    expect(lastingRun(at('suspect'))).toEqual(calm);
  });

  it('tells of images that were done again: in summary, status and report', async () => {
    const words = /recovered|done again/;
    const calmWords = [textIn('calm', 'report.html'), (await cli(['status', 'calm'])).stdout];
    for (const text of calmWords) expect(text).not.toMatch(words);

    beginning('recovered', IMAGES - 1);
    const befell: Record<number, unknown> = {
      2: [{ what: 'device-lost', batch: null }],
      5: [
        { what: 'out-of-memory', batch: 64 },
        { what: 'out-of-memory', batch: 32 },
      ],
    };
    const lines = textIn('recovered', 'certificates.jsonl')
      .trimEnd()
      .split('\n')
      .map((line, i) => (befell[i] ? JSON.stringify({ ...JSON.parse(line), recovered: befell[i] }) : line));
    writeFileSync(at('recovered', 'certificates.jsonl'), `${lines.join('\n')}\n`);
    const { code, stdout, stderr } = await cli(['certify', '--out', 'recovered', '--resume']);
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/images done again \(recovered\) +2\n/);
    expect((await cli(['status', 'recovered'])).stdout).toContain(', 2 done again (recovered)');
    expect(JSON.parse((await cli(['status', 'recovered', '--json'])).stdout).recovered).toBe(2);
    expect(textIn('recovered', 'report.html')).toContain(
      'image 2: the GPU device was lost; image 5: memory did not suffice (on with batches of 64), then memory did not ' +
        'suffice (on with batches of 32)',
    );
  });

  it('names no run where there is none', async () => {
    const { code, stderr } = await cli(['certify', '--out', 'nowhere', '--resume']);
    expect(code).toBe(2);
    expect(stderr).toContain('nowhere holds no run to go on with');
    expect(existsSync(at('nowhere'))).toBe(false);
  });
});

describe('shards', () => {
  const shard = (word: string) => certify('parts', '--shard', word);

  it('come to the undivided run when they are merged, one of them killed on the way', async () => {
    expect((await shard('1/3')).code).toBe(0);
    const path = join('parts', 'shard-2-of-3');
    const args = ['certify', ...ARGS, '--out', 'parts', '--shard', '2/3', '--resume'];
    await cli(args, { signal: 'SIGKILL', before: 'line', nth: 2 });
    expect(linesIn(path)).toBe(1);

    const incomplete = await cli(['merge', 'parts', '--out', 'merged']);
    expect(incomplete.code).toBe(2);
    expect(incomplete.stderr).toMatch(/shards are missing: shard-3-of-3/);
    expect((await shard('3/3')).code).toBe(0);
    const unfinished = await cli(['merge', 'parts', '--out', 'merged']);
    expect(unfinished.code).toBe(2);
    expect(unfinished.stderr).toMatch(/shard-2-of-3: .* (missing|cut)/);
    expect(existsSync(at('merged'))).toBe(false);
    expect((await cli(args)).code).toBe(0);

    const { code, stdout, stderr } = await cli(['merge', 'parts', '--out', 'merged']);
    expect(code, stderr).toBe(0);
    expect(stdout).toContain(`${IMAGES} images of 3 shards in merged`);
    expect(lastingRun(at('merged'))).toEqual(calm);
    const verified = await cli(['verify', 'merged']);
    expect(verified.stdout).toContain(`${IMAGES} of ${IMAGES} certificates follow`);
    const status = await cli(['status', 'parts', 'merged', '--json']);
    const found = status.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(found.map(({ state, done }) => [state, done])).toEqual([
      ...[8, 8, 8].map((done) => ['complete', done]),
      ['complete', IMAGES],
    ]);
  });

  const fromShard = (run: string, shard: string, change: (config: string) => string = (text) => text) => {
    cpSync(at('parts', shard), at(run), { recursive: true });
    writeFileSync(at(run, 'config.json'), change(textIn(run, 'config.json')));
  };
  it.each<[string, () => string[], RegExp]>([
    [
      'a shard given twice',
      () => {
        fromShard('copy', 'shard-1-of-3');
        return [at('parts'), at('copy')];
      },
      /shard 1 of 3 is given twice: .*shard-1-of-3 and .*copy/,
    ],
    [
      'another configuration',
      () => {
        fromShard('hot', 'shard-3-of-3', (text) => text.replace('"sigmaEps": 0.3', '"sigmaEps": 0.5'));
        return [at('parts', 'shard-1-of-3'), at('parts', 'shard-2-of-3'), at('hot')];
      },
      /plan\.sigmaEps: 0\.3 in .*shard-1-of-3, 0\.5 in .*hot/,
    ],
    ['a whole run', () => [at('calm')], /calm: is a whole run and no shard/],
    ['a folder that is no run', () => [at('nowhere')], /nowhere: holds no run/],
  ])('are not merged with %s', async (_, runs, words) => {
    const paths = runs();
    expect(await refusalOf(() => mergeRuns(withShards(paths), at('wrong')))).toMatch(words);
    expect(readdirSync(folder.path).filter((name) => name.startsWith('wrong'))).toEqual([]);
  });

  it('carry what is suspect into the merged run, where verify refuses it', async () => {
    cpSync(at('parts'), at('doubtful'), { recursive: true });
    const suspects = { schema: 'turnproof/suspect/1', reason: 'a NaN', images: [4] };
    writeFileSync(at('doubtful', 'shard-2-of-3', 'suspect.json'), JSON.stringify(suspects));
    const { code, stderr } = await cli(['merge', 'doubtful', '--out', 'carried']);
    expect(code, stderr).toBe(0);
    expect(stderr).toContain('images 4');
    const verified = await cli(['verify', 'carried']);
    expect(verified.code).toBe(42);
    expect(verified.stdout).toMatch(/line 5 \(image 4\): suspect, says suspect.json: a NaN/);
  });
});
