/**
 * lock.json: which process writes to a run folder, so that two that were given one folder do not double its lines.
 *
 * A file of our own and not one of the lock packages: those judge a lock by its age alone, so that a killed run could
 * not be gone on with at once, and they do not say who holds it.
 *
 * A holder on this machine (same boot, same process namespace) is dead when no process has its number and start
 * time. Of a holder elsewhere only its heartbeat is seen: the file changes every few seconds while it lives.
 */
import { randomUUID } from 'node:crypto';
import {
  linkSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { TurnproofError } from '@turnproof/core';
import { codeOf } from '@turnproof/core/folders';
import { z } from 'zod';

export const LOCK = 'lock.json';

const holder = z.object({
  token: z.string(),
  pid: z.int().min(1),
  host: z.string(),
  /** Machine, boot and process namespace: where process numbers mean the same. */
  place: z.string(),
  /** Of the process, in the system's own ticks: its number may be given to another one later. */
  birth: z.string().nullable(),
  since: z.string(),
});

export type Holder = z.infer<typeof holder>;

export const HEARTBEAT_MS = 5000;
/** Without a heartbeat for so long a holder elsewhere is dead. Long: its event loop may be held up by one long call. */
export const SILENCE_MS = 45_000;

export interface LockOptions {
  /** Told before it waits for a sign of life from another machine. */
  readonly onWait?: (holder: Holder) => void;
  readonly silenceMs?: number;
}

export class RunLock {
  readonly #path: string;
  readonly #token: string;
  readonly #heart: NodeJS.Timeout;
  readonly #atExit = () => this.release();

  private constructor(path: string, token: string) {
    this.#path = path;
    this.#token = token;
    this.#heart = setInterval(() => this.#beat(), HEARTBEAT_MS).unref();
    process.on('exit', this.#atExit);
  }

  /**
   * Takes the lock of a folder that is there; takes it over where its holder is dead.
   *
   * @throws TurnproofError `busy` naming the holder that lives
   */
  static async take(folder: string, { onWait, silenceMs = SILENCE_MS }: LockOptions = {}): Promise<RunLock> {
    const path = join(folder, LOCK);
    for (;;) {
      const lock = RunLock.#create(path);
      if (lock) return lock;
      const found = readLock(path);
      if (found === null) continue;
      if (await lives(path, found, silenceMs, onWait)) throw busy(folder, path, found.holder);
      bury(path, found.text);
    }
  }

  static #create(path: string): RunLock | null {
    const own: Holder = {
      token: randomUUID(),
      pid: process.pid,
      host: hostname(),
      place: PLACE,
      birth: birthOf(process.pid),
      since: new Date().toISOString(),
    };
    try {
      writeFileSync(path, `${JSON.stringify(own)}\n`, { flag: 'wx' });
    } catch (error) {
      if (codeOf(error) === 'EEXIST') return null;
      throw error;
    }
    return new RunLock(path, own.token);
  }

  /** @throws TurnproofError `busy` where somebody else has taken it over: nothing may be written any more */
  check(): void {
    const found = readLock(this.#path);
    if (found?.holder?.token !== this.#token) {
      throw new TurnproofError('busy', `${this.#path}: the run was taken over by another process`, {
        fix: 'let that one end, then go on with --resume',
      });
    }
  }

  /** Once; also done when the process ends by itself. */
  release(): void {
    clearInterval(this.#heart);
    process.removeListener('exit', this.#atExit);
    try {
      if (readLock(this.#path)?.holder?.token === this.#token) rmSync(this.#path, { force: true });
    } catch {
      // Whoever wants it next sees that this process is no more.
    }
  }

  #beat(): void {
    try {
      if (readLock(this.#path)?.holder?.token !== this.#token) return;
      const now = new Date();
      utimesSync(this.#path, now, now);
    } catch {
      // A file system that is away for a moment must not end the run; the next line shows whether it is back.
    }
  }
}

/** Who writes to the folder now, as far as can be seen at once; null where nobody does. */
export function currentHolder(folder: string): Holder | null {
  const path = join(folder, LOCK);
  const found = readLock(path);
  if (!found?.holder) return null;
  const alive = livesHere(found.holder) ?? Date.now() - found.mtimeMs < SILENCE_MS;
  return alive ? found.holder : null;
}

interface FoundLock {
  readonly text: string;
  readonly mtimeMs: number;
  /** Null for a file that was cut while it was written. */
  readonly holder: Holder | null;
}

function readLock(path: string): FoundLock | null {
  try {
    const { mtimeMs } = statSync(path);
    const text = readFileSync(path, 'utf8');
    return { text, mtimeMs, holder: parsed(text) };
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}

function parsed(text: string): Holder | null {
  try {
    return holder.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

async function lives(
  path: string,
  found: FoundLock,
  silenceMs: number,
  onWait: LockOptions['onWait'],
): Promise<boolean> {
  const here = found.holder && livesHere(found.holder);
  if (here !== null) return here;
  if (found.holder) onWait?.(found.holder);
  const end = performance.now() + silenceMs;
  while (performance.now() < end) {
    await sleep(Math.min(HEARTBEAT_MS / 2, silenceMs / 4));
    const again = readLock(path);
    if (again === null || again.text !== found.text) return false;
    if (again.mtimeMs !== found.mtimeMs) return true;
  }
  return false;
}

/** Null: it is not here, or nobody knows. */
function livesHere({ place, pid, birth }: Holder): boolean | null {
  if (place !== PLACE) return null;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (codeOf(error) === 'ESRCH') return false;
  }
  const now = birthOf(pid);
  if (now === 'dead') return false;
  return birth === null || now === null ? pid !== process.pid : now === birth;
}

/** Takes a dead holder's file away, and nobody else's. */
function bury(path: string, text: string): void {
  const aside = `${path}.${randomUUID()}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  // Somebody was quicker, and this is theirs: it goes back.
  if (readFileSync(aside, 'utf8') !== text) {
    try {
      linkSync(aside, path);
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
    }
  }
  unlinkSync(aside);
}

function busy(folder: string, path: string, holder: Holder | null): TurnproofError {
  const who = holder ? `process ${holder.pid} on ${holder.host}, since ${holder.since}` : 'another process';
  return new TurnproofError('busy', `${folder}: is written to by ${who}`, {
    fix: `let it end; if there is no such process any more, remove ${path}`,
  });
}

const PLACE = placeOf();

function placeOf(): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${hostname()} ${boot} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return hostname();
  }
}

/** Linux: fields 3 and 22 of its stat, counted behind the name, which may hold anything. Null elsewhere. */
function birthOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // Ended, and its parent has not asked yet how.
    return fields[0] === 'Z' || fields[0] === 'X' ? 'dead' : (fields[19] ?? null);
  } catch {
    return null;
  }
}
