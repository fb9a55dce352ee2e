/**
 * state.json: how far a run is and how it ended, for `turnproof status`. A convenience: nothing else reads it, and what
 * is certified stands in certificates.jsonl alone.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

export const STATE = 'state.json';

const WRITE_MS = 2000;

const runState = z.object({
  schema: z.literal('turnproof/state/1'),
  state: z.enum(['running', 'complete', 'interrupted', 'failed']),
  phase: z.string(),
  done: z.int().min(0),
  total: z.int().min(0),
  /** Images with an answer; the others abstained. */
  certified: z.int().min(0),
  /** Of this process since it began, without those that were there before. */
  perSecond: z.number().nullable(),
  secondsLeft: z.number().nullable(),
  error: z.string().nullable(),
  updated: z.string(),
});

export type RunState = z.infer<typeof runState>;

/** How many images are done, and how fast. */
export class Pace {
  readonly total: number;
  readonly #before: number;
  readonly #begun = performance.now();
  #done: number;
  #certified: number;

  /** @param done images that were there before, `certified` of them with an answer */
  constructor(total: number, done: number, certified: number) {
    this.total = total;
    this.#before = done;
    this.#done = done;
    this.#certified = certified;
  }

  add(answered: boolean): void {
    this.#done += 1;
    if (answered) this.#certified += 1;
  }

  get done(): number {
    return this.#done;
  }

  get certified(): number {
    return this.#certified;
  }

  /** Images a second; null before the first one. */
  get perSecond(): number | null {
    const here = this.#done - this.#before;
    return here === 0 ? null : (1000 * here) / (performance.now() - this.#begun);
  }

  get secondsLeft(): number | null {
    return this.perSecond === null ? null : (this.total - this.#done) / this.perSecond;
  }

  /** «12/60 images, 11 certified, 3.2 a second, 15 s left» without the first two numbers. */
  words(): string {
    return paceWords(this);
  }
}

export function paceWords({
  certified,
  perSecond,
  secondsLeft,
}: Pick<RunState, 'certified' | 'perSecond' | 'secondsLeft'>): string {
  const parts = [`${certified} certified`];
  if (perSecond !== null) {
    parts.push(perSecond >= 1 ? `${perSecond.toFixed(1)} a second` : `${(1 / perSecond).toFixed(1)} s each`);
  }
  if (secondsLeft !== null) parts.push(`${formatLeft(secondsLeft)} left`);
  return parts.join(', ');
}

/** 42 s, 7 min, 3 h 20 min, 2 d 4 h */
export function formatLeft(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 100) return `${whole} s`;
  const minutes = Math.ceil(whole / 60);
  if (minutes < 100) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** Writes the state every few seconds, and at the end whatever ends the process, but for a kill. */
export class StateFile {
  readonly #path: string;
  readonly #pace: Pace;
  #phase = 'starting';
  #written = Number.NEGATIVE_INFINITY;
  #ended = false;
  readonly #atExit = () => this.end('interrupted');

  constructor(folder: string, pace: Pace) {
    this.#path = join(folder, STATE);
    this.#pace = pace;
    process.on('exit', this.#atExit);
    this.#write('running', null);
  }

  update(phase: string): void {
    this.#phase = phase;
    if (!this.#ended && performance.now() - this.#written >= WRITE_MS) this.#write('running', null);
  }

  /** The first end counts. */
  end(state: RunState['state'], error: string | null = null): void {
    if (this.#ended) return;
    this.#ended = true;
    process.removeListener('exit', this.#atExit);
    this.#phase = state;
    this.#write(state, error);
  }

  #write(state: RunState['state'], error: string | null): void {
    this.#written = performance.now();
    const { done, total, certified, perSecond, secondsLeft } = this.#pace;
    const content: RunState = {
      schema: 'turnproof/state/1',
      state,
      phase: this.#phase,
      ...{ done, total, certified, perSecond, secondsLeft },
      error,
      updated: new Date().toISOString(),
    };
    try {
      writeFileSync(`${this.#path}.new`, `${JSON.stringify(content)}\n`);
      renameSync(`${this.#path}.new`, this.#path);
    } catch {
      // A full disk ends the run at its next line; a state that is not written must not.
    }
  }
}

/** Null where there is none that can be read. */
export function readRunState(folder: string): RunState | null {
  try {
    return runState.parse(JSON.parse(readFileSync(join(folder, STATE), 'utf8')));
  } catch {
    return null;
  }
}
