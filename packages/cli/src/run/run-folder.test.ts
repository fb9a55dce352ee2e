import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { refusalOf, type TemporaryFolder, temporaryFolder } from '../data/testing/files.ts';
import { formatDuration, formatLogRow, LOG_HEADER } from './log-tsv.ts';
import { checkRunFolder, defaultRunFolder, RunFolder } from './run-folder.ts';
import { RunLock } from './run-lock.ts';

let folder: TemporaryFolder;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => folder.remove());

const row = {
  index: 3,
  label: 1,
  predicted: null,
  radius: null,
  correct: false,
  seconds: 2.5,
  baseCorrect: true,
};

describe('a run folder', () => {
  it('holds each line as soon as it is added', async () => {
    const path = join(folder.path, 'deep', 'run');
    const run = await RunFolder.begin(path, { command: 'certify' }, (at) => RunLock.take(at));
    run.add('{"index":3}', row);
    const read = (name: string) => readFile(join(path, name), 'utf8');
    // Before it is closed: a killed process would leave the same.
    expect(await read('certificates.jsonl')).toBe('{"index":3}\n');
    expect(await read('log.tsv')).toBe(`${LOG_HEADER}\n3\t1\t-1\t0\t0\t0:00:02.500000\n`);
    expect(await read('classifier.tsv')).toBe('idx\tlabel\tcorrect\n3\t1\t1\n');
    expect(JSON.parse(await read('config.json'))).toEqual({ command: 'certify' });
    expect(run.lines).toBe(1);
    run.close();
  });
  it('is not made where another run is', async () => {
    const path = join(folder.path, 'twice');
    const begin = () => RunFolder.begin(path, {}, (at) => RunLock.take(at));
    (await begin()).close();
    expect(await refusalOf(begin)).toContain('holds another run');
  });
  it('may be an empty folder that is there already', async () => {
    const path = join(folder.path, 'empty');
    await mkdir(path);
    expect(() => checkRunFolder(path)).not.toThrow();
  });
  it('is refused inside a file', async () => {
    const file = await folder.write('file', '');
    expect(await refusalOf(() => checkRunFolder(join(file, 'run')))).toContain('is not a folder');
  });
  it('is named by time and method unless told otherwise', () => {
    const name = defaultRunFolder('base', new Date('2025-01-31T12:00:05.678Z'));
    expect(name).toBe(join('runs', '2025-01-31T12-00-05-base'));
  });
});

describe('log.tsv', () => {
  it('has a row as Cohen’s scripts write it', () => {
    const certified = {
      index: 7,
      label: 2,
      predicted: 2,
      radius: 12.25,
      correct: true,
      seconds: 3725.000001,
    };
    expect(formatLogRow(certified)).toBe('7\t2\t2\t12.25\t1\t1:02:05.000001');
    expect(LOG_HEADER).toBe('idx\tlabel\tpredict\tradius\tcorrect\ttime');
  });
  it.each([
    // str(datetime.timedelta(seconds=...)) in Python 3
    [0, '0:00:00'],
    [59.999999, '0:00:59.999999'],
    [60, '0:01:00'],
    [0.5, '0:00:00.500000'],
  ])('writes %d seconds as %s', (seconds, text) => {
    expect(formatDuration(seconds)).toBe(text);
  });
});
