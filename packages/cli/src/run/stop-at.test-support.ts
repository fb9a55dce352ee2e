/**
 * Stops a run at a place, not at a time: the same place however slow the machine is. Loaded before the program it sends
 * it a signal when it is about to change files for the n-th time. Test support only.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { isMainThread } from 'node:worker_threads';

export interface Place {
  readonly signal: 'SIGINT' | 'SIGTERM' | 'SIGKILL';
  /** What is counted: lines of certificates, or changes to any file (writes, renames, flushes ...). */
  readonly before: 'line' | 'change';
  /** From 1. */
  readonly nth: number;
  /** Is half of that change made first? */
  readonly torn?: boolean;
  /** Instead of the process itself: the one that started it. */
  readonly to?: 'parent';
  /** Sent once more as soon as the program says this on stderr. */
  readonly againAt?: string;
}

/** For the environment of a program started with Node. */
export function stopAt(place: Place): Record<string, string> {
  return {
    NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} --import ${import.meta.url}`,
    TURNPROOF_TEST_STOP: JSON.stringify(place),
  };
}

const WRITES = ['appendFileSync', 'writeFileSync', 'writeSync'];
const CHANGES = [
  ...WRITES,
  ...[
    'fsyncSync',
    'ftruncateSync',
    'linkSync',
    'mkdirSync',
    'renameSync',
    'rmSync',
    'truncateSync',
    'unlinkSync',
  ],
];
const PROMISED_CHANGES = ['mkdir', 'rename', 'rm', 'writeFile'];

/** The state is written by the clock: counted, it would move all places. */
const isTimed = ([path]: unknown[]): boolean => typeof path === 'string' && path.includes('state.json');
const isLine = (name: string, [, text]: unknown[]): boolean =>
  name === 'appendFileSync' && typeof text === 'string' && text.startsWith('{');

/** Calls `before` with name and arguments each time that one of these is about to be called, but for calls within one. */
function intercept(
  module: object,
  names: readonly string[],
  before: (name: string, args: unknown[]) => void,
) {
  const methods = module as Record<string, (...args: unknown[]) => unknown>;
  let within = false;
  for (const name of names) {
    const real = methods[name];
    if (!real) throw new Error(`there is no ${name}`);
    methods[name] = function (...args) {
      if (within) return real.apply(this, args);
      before(name, args);
      within = true;
      try {
        return real.apply(this, args);
      } finally {
        within = false;
      }
    };
  }
}

function arm({ signal, before, nth, torn = false, to, againAt }: Place): void {
  const send = () => process.kill(to === 'parent' ? process.ppid : process.pid, signal);
  const append = fs.appendFileSync;
  let seen = 0;
  const look = (name: string, args: unknown[]) => {
    if (before === 'line' ? !isLine(name, args) : isTimed(args)) return;
    seen += 1;
    if (seen !== nth) return;
    const [where, what] = args;
    if (torn && WRITES.includes(name) && (typeof where === 'string' || typeof where === 'number'))
      append(where, String(what).slice(0, String(what).length / 2));
    send();
  };
  intercept(fs, CHANGES, look);
  intercept(fs.promises, PROMISED_CHANGES, look);
  syncBuiltinESMExports();
  let said = '';
  if (againAt === undefined) return;
  intercept(process.stderr, ['write'], (_, [text]) => {
    const had = said.includes(againAt);
    said += String(text);
    if (!had && said.includes(againAt)) send();
  });
}

const place = process.env.TURNPROOF_TEST_STOP;
if (place !== undefined && isMainThread) arm(JSON.parse(place));
