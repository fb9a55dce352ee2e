import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TemporaryFolder, temporaryFolder } from '../data/testing/files.ts';
import { currentHolder, LOCK, RunLock } from './run-lock.ts';

let folder: TemporaryFolder;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => folder.remove());

let count = 0;
function emptyRun(): string {
  const path = join(folder.path, String(count++));
  mkdirSync(path);
  return path;
}
/** The lock of a process that lives, changed. */
async function lockOf(path: string, change: Record<string, unknown>): Promise<void> {
  const lock = await RunLock.take(path);
  const own = JSON.parse(readFileSync(join(path, LOCK), 'utf8'));
  lock.release();
  writeFileSync(join(path, LOCK), `${JSON.stringify({ ...own, token: 'another', ...change })}\n`);
}
const elsewhere = { place: 'another machine', host: 'node17', pid: 12 };

describe('the lock of a run folder', () => {
  it('is held by one process at a time, which it names', async () => {
    const path = emptyRun();
    const lock = await RunLock.take(path);
    await expect(RunLock.take(path)).rejects.toMatchObject({
      code: 'busy',
      message: expect.stringContaining(`process ${process.pid} on ${hostname()}`),
    });
    expect(currentHolder(path)).toMatchObject({ pid: process.pid, host: hostname() });
    lock.release();
    expect(readdirSync(path)).toEqual([]);
    expect(currentHolder(path)).toBeNull();
    (await RunLock.take(path)).release();
  });

  it('goes to one of many that ask at once', async () => {
    const path = emptyRun();
    // Left by a process that is no more: all of them want to take it over.
    await lockOf(path, { birth: '1' });
    const results = await Promise.allSettled(Array.from({ length: 20 }, () => RunLock.take(path)));
    const taken = results.filter(({ status }) => status === 'fulfilled');
    expect(taken.length).toBe(1);
    for (const result of results) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'busy' });
      else result.value.release();
    }
    expect(readdirSync(path)).toEqual([]);
  });

  it('is taken over at once from a process of this machine that was killed', async () => {
    const path = emptyRun();
    const child = spawn(process.execPath, ['-e', '']);
    const pid = child.pid ?? 0;
    await new Promise((resolve) => child.on('close', resolve));
    await lockOf(path, { pid });
    expect(currentHolder(path)).toBeNull();
    const waited: string[] = [];
    (await RunLock.take(path, { onWait: ({ host }) => waited.push(host) })).release();
    expect(waited).toEqual([]);
  });

  it.runIf(process.platform === 'linux')(
    'is not mistaken for that of another process with the same number',
    async () => {
      const path = emptyRun();
      // As a container's first process that is started again: its number is 1 each time.
      await lockOf(path, { birth: '1' });
      (await RunLock.take(path)).release();
    },
  );

  it('is taken over from another machine only when nothing is heard from it', async () => {
    const path = emptyRun();
    await lockOf(path, elsewhere);
    const told: string[] = [];
    const lock = await RunLock.take(path, { silenceMs: 200, onWait: ({ host }) => told.push(host) });
    expect(told).toEqual(['node17']);
    lock.release();
  });

  it('stays with another machine that gives a sign of life', async () => {
    const path = emptyRun();
    await lockOf(path, elsewhere);
    const heart = setInterval(() => utimesSync(join(path, LOCK), new Date(), new Date()), 20);
    try {
      await expect(RunLock.take(path, { silenceMs: 1000 })).rejects.toMatchObject({
        code: 'busy',
        message: expect.stringContaining('process 12 on node17'),
      });
    } finally {
      clearInterval(heart);
    }
    expect(currentHolder(path)).toMatchObject({ host: 'node17' });
  });

  it('tells its holder when another one has taken it over, and does not take that one’s away', async () => {
    const path = emptyRun();
    const lock = await RunLock.take(path);
    lock.check();
    const stolen = `${JSON.stringify({ ...JSON.parse(readFileSync(join(path, LOCK), 'utf8')), token: 'other' })}\n`;
    writeFileSync(join(path, LOCK), stolen);
    expect(() => lock.check()).toThrow(expect.objectContaining({ code: 'busy' }));
    lock.release();
    expect(readFileSync(join(path, LOCK), 'utf8')).toBe(stolen);
  });

  it('that was cut while it was written is taken over after a while', async () => {
    const path = emptyRun();
    writeFileSync(join(path, LOCK), '{"token":"x"');
    (await RunLock.take(path, { silenceMs: 200 })).release();
  });
});
