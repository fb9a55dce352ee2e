/** Runs the real program as a process of its own, from its sources. Test support only. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const NODE = ['--conditions=turnproof-source', '--no-warnings'];
const pathOf = (name: string) => fileURLToPath(new URL(name, import.meta.url));

export interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
}

export interface RunOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

const start = (script: string, args: readonly string[], { cwd, env = {} }: RunOptions) =>
  spawn(process.execPath, [...NODE, pathOf(script), ...args], {
    cwd,
    env: { ...process.env, TURNPROOF_DEBUG: '', ...env },
  });

/** Whether there are lines of progress hangs on the speed of the machine: they are left out. */
const withoutProgress = (text: string) => text.replace(/^\d+\/\d+ (images|certificates)\b.*\n/gm, '');

/** What comes to the stream, as text, so far. */
function textOf(stream: NodeJS.ReadableStream): () => string {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks).toString();
}

const ended = (child: ChildProcessWithoutNullStreams): Promise<number | null> =>
  new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });

export async function runCli(args: readonly string[], options: RunOptions): Promise<Ended> {
  const child = start('bin.ts', args, options);
  const [stdout, stderr] = [textOf(child.stdout), textOf(child.stderr)];
  const code = await ended(child);
  return { stdout: stdout(), stderr: withoutProgress(stderr()), code };
}

/**
 * One process for many command lines that are refused, one after the other: to start one takes far longer than a
 * refusal.
 */
export class ManyCommands {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #answers: AsyncIterator<string>;
  readonly #native: () => string;
  readonly #ended: Promise<number | null>;

  constructor(options: RunOptions) {
    this.#child = start('many-commands.test-support.ts', [], options);
    this.#answers = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
    this.#native = textOf(this.#child.stderr);
    this.#ended = ended(this.#child);
  }

  async run(args: readonly string[]): Promise<Ended> {
    this.#child.stdin.write(`${JSON.stringify(args)}\n`);
    const { value, done } = await this.#answers.next();
    if (done) throw new Error(`it ended at ${args.join(' ')} with ${await this.#ended}: ${this.#native()}`);
    const { stdout, stderr, code }: Ended = JSON.parse(value);
    return { stdout, stderr: withoutProgress(stderr), code };
  }

  /** Resolves with what native code said on stderr. */
  async end(): Promise<string> {
    this.#child.stdin.end();
    await this.#ended;
    return this.#native();
  }
}
