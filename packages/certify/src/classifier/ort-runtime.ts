/**
 * The one place that knows how onnxruntime-web is loaded, which of its builds serves which provider, and how a GPU
 * device is handed to it. Everything here was tried with exactly 1.30.0.
 *
 * - wasm provider: in Node the package's main entry, whose build starts threads by itself. The `/wasm` and
 *   `/webgpu` entries are made for browsers: with more than one thread they `fetch` a file: URL, which Node refuses.
 * - webgpu provider: the `/webgpu` entry with one thread (its CPU side does next to nothing). It is asyncify code,
 *   so two overlapping calls into it corrupt each other.
 * - Both live in one process: each entry carries its own copy of the runtime.
 * - The device travels in the session's options. `env.webgpu.device` is not enough: the runtime then opens a device
 *   of its own and cannot bind our buffers.
 */
import { TurnproofError } from '@turnproof/core';
import type { InferenceSession } from 'onnxruntime-web';

export type Provider = 'webgpu' | 'wasm';
export type Ort = typeof import('onnxruntime-web');

/** Fatal only: every error is thrown to us as well, and stdout and stderr belong to the program. */
const LOG_LEVEL = 4;

/** For every `session.run`: a run does not take the session's level over. */
export const RUN_OPTIONS = { logSeverityLevel: LOG_LEVEL } as const;

const MAX_THREADS = 8;

const inNode = typeof process !== 'undefined' && process.versions?.node !== undefined;

/** One thread a core, at most 8: the layers of small classifiers do not feed more. */
export function defaultThreads(): number {
  return Math.max(1, Math.min(MAX_THREADS, globalThis.navigator?.hardwareConcurrency ?? 1));
}

const loaded = new Map<Provider, Promise<Ort>>();

/** The wasm runtime's thread pool is made once in a process, so the first caller decides how large it is. */
export function loadOrt(provider: Provider, threads = defaultThreads()): Promise<Ort> {
  let runtime = loaded.get(provider);
  if (!runtime) {
    runtime = importOrt(provider, threads);
    loaded.set(provider, runtime);
  }
  return runtime;
}

async function importOrt(provider: Provider, threads: number): Promise<Ort> {
  let ort: Ort;
  if (provider === 'webgpu') ort = await import('onnxruntime-web/webgpu');
  else ort = inNode ? await import('onnxruntime-web') : await import('onnxruntime-web/wasm');
  ort.env.logLevel = 'fatal';
  ort.env.wasm.numThreads = provider === 'webgpu' ? 1 : threads;
  return ort;
}

/** Has a webgpu session ever been made? The runtime looks at `navigator.gpu` before the first one only. */
let webgpuStarted = false;

/** The runtime remembers a failed start for the rest of the process, so this is asked first. */
function requireWebgpu(): void {
  if (webgpuStarted || (globalThis.navigator?.gpu && typeof globalThis.GPUDevice !== 'undefined')) return;
  throw new TurnproofError(
    'internal',
    'the webgpu provider was asked for before WebGPU was there: navigator.gpu and GPUDevice must be defined',
    { fix: 'open the device with openDevice() of @turnproof/core first' },
  );
}

/**
 * A session of the model on the provider. Call it inside {@link exclusive}.
 *
 * @param device needed for webgpu: the device that the session's buffers live on
 */
export async function createSession(
  ort: Ort,
  bytes: Uint8Array,
  device?: GPUDevice,
): Promise<InferenceSession> {
  if (!device) {
    return ort.InferenceSession.create(bytes, {
      executionProviders: ['wasm'],
      logSeverityLevel: LOG_LEVEL,
    });
  }
  requireWebgpu();
  const session = await ort.InferenceSession.create(bytes, {
    executionProviders: [{ name: 'webgpu', device }],
    preferredOutputLocation: 'gpu-buffer',
    logSeverityLevel: LOG_LEVEL,
  });
  webgpuStarted = true;
  return session;
}

/** Enough for the lines about kernels that are missing. */
const LOG_INFO = 1;
const OWN_LINE = /\[[VIWEF]:onnxruntime:/;

/**
 * What the runtime logs while it opens a webgpu session, which is closed again. Call it inside {@link exclusive}. Where
 * no session can be opened the lines up to there are given.
 *
 * In Node the runtime writes its log straight to descriptor 2, with no setting to divert it; so for that time, and for
 * its own lines alone, writes to it are caught. A browser's console is left alone, and no lines are seen there.
 */
export async function sessionLog(ort: Ort, bytes: Uint8Array, device: GPUDevice): Promise<string[]> {
  const lines: string[] = [];
  if (!inNode) return lines;
  requireWebgpu();
  // The object that the runtime itself has; an import may be a copy.
  const fs = process.getBuiltinModule('node:fs');
  const write = fs.writeSync;
  const caught = (...args: Parameters<typeof write>): number => {
    const [descriptor, text] = args;
    if (descriptor !== 2 || typeof text !== 'string' || !OWN_LINE.test(text)) return write(...args);
    lines.push(...text.split('\n'));
    return text.length;
  };
  fs.writeSync = Object.assign(caught, write);
  try {
    const session = await ort.InferenceSession.create(bytes, {
      executionProviders: [{ name: 'webgpu', device }],
      preferredOutputLocation: 'gpu-buffer',
      logSeverityLevel: LOG_INFO,
    });
    webgpuStarted = true;
    await session.release();
  } catch {
    // The caller opens a session of its own and hears the same.
  } finally {
    fs.writeSync = write;
  }
  return lines;
}

let turn: Promise<unknown> = Promise.resolve();

/**
 * Runs `work` when all earlier work is done: concurrent calls on a session, or into the asyncify build, crash or
 * interleave. Not re-entrant: `work` must not call it again.
 */
export function exclusive<T>(work: () => Promise<T>): Promise<T> {
  const result = turn.then(work);
  turn = result.catch(() => undefined);
  return result;
}

/** Where in its own source the runtime says something: file and line, function, and the condition that did not hold. */
const OWN_SOURCE =
  /(^|\s)\S+\.(?:h|hpp|cc|cpp):\d+ (?:.* was false\. (?=\S)|[^()]*(?:\((?:[^()]|\([^()]*\))*\))+(?: const)?\s*)/;

/** It may repeat names of an untrusted file. */
const MAX_WORDS = 2000;

/** The runtime's own words, on one line, without its prefix of codes and without the place in its source. */
export function ortMessage(error: unknown): string {
  const words = error instanceof Error ? error.message : String(error);
  return words
    .replace(/^.*?ERROR_MESSAGE:\s*/s, '')
    .slice(0, MAX_WORDS)
    .replace(/\s+/g, ' ')
    .trim()
    .replace(OWN_SOURCE, '$1');
}
