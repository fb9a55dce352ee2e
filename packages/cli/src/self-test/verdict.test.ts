import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Gpu, openDevice, TurnproofError } from '@turnproof/core';
import { closeChecked, testAdapters } from '@turnproof/core/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Console } from '../console.ts';
import { runCli } from '../run-cli.test-support.ts';
import { requireKernels, verdictFile } from './verdict.ts';

const adapter = (await testAdapters()).at(-1) ?? 'auto';
const ONCE = /checking the kernels on this adapter, once/;
const FAULTY = new URL('faulty-driver.test-support.ts', import.meta.url).href;

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'turnproof-verdict-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const cached = () => (existsSync(join(home, 'turnproof')) ? readdirSync(join(home, 'turnproof')) : []);

/** Three images into `out`, with this kernel miscompiled. */
function certify(out: string, fault?: string) {
  const words =
    'certify --data signs --limit 3 --model signs --transform rotation --range 1 --vignette circle:2 --blur 5:1';
  return runCli([...words.split(' '), '--adapter', adapter, '--out', out], {
    cwd: home,
    env: {
      TURNPROOF_CACHE: home,
      ...(fault ? { NODE_OPTIONS: `--import ${FAULTY}`, TURNPROOF_TEST_FAULT: fault } : {}),
    },
  });
}

describe('the first certificate on an adapter', () => {
  it('waits for the self-test, the second one does not', async () => {
    const first = await certify('first');
    expect(first.code, first.stderr).toBe(0);
    expect(first.stderr.match(new RegExp(ONCE, 'g'))).toHaveLength(1);
    expect(cached().filter((name) => /^kernels-[0-9a-f]{16}\.json$/.test(name))).toHaveLength(1);
    const second = await certify('second');
    expect(second.code, second.stderr).toBe(0);
    expect(second.stderr).not.toMatch(ONCE);
  });

  it('is refused where a kernel computes wrongly: named, before anything is written, and every time', async () => {
    for (const out of ['once', 'again']) {
      const { code, stderr } = await certify(out, 'slice_distance');
      expect(code, stderr).toBe(42);
      expect(stderr).toMatch(/self-test on .*: wrong results from «slice_distance»/);
      expect(stderr).toMatch(/fix: take another adapter/);
      expect(existsSync(join(home, out))).toBe(false);
      expect(cached().filter((name) => name.startsWith('kernels'))).toEqual([]);
    }
  });

  it('is stopped by its spot check where the driver went bad after the test, and not written', async () => {
    expect((await certify('good')).code).toBe(0);
    const { code, stderr } = await certify('bad', 'slice_distance');
    expect(code, stderr).toBe(42);
    expect(stderr).not.toMatch(ONCE);
    expect(stderr).toMatch(
      /spot check: the distance of γ = .* is .* in float64, but at most .* by the adapter/,
    );
    expect(readFileSync(join(home, 'bad', 'certificates.jsonl'), 'utf8')).toBe('');
  });
});

describe('a verdict in the cache', () => {
  let gpu: Gpu;
  beforeAll(async () => {
    gpu = await openDevice({ adapter });
  });
  afterAll(() => closeChecked(gpu));
  const before = process.env.TURNPROOF_CACHE;
  afterEach(() => {
    if (before === undefined) delete process.env.TURNPROOF_CACHE;
    else process.env.TURNPROOF_CACHE = before;
  });

  const console = new Console({ json: false, quiet: true, verbose: false });
  /** Is the verdict taken for one? Otherwise kernels are to be compiled, and here none is. */
  async function isTaken(text: string): Promise<boolean> {
    process.env.TURNPROOF_CACHE = home;
    const folder = join(home, 'turnproof');
    if (!existsSync(folder)) {
      // Made by the program itself: a first file of its own.
      const { writeCached } = await import('@turnproof/core/cache');
      writeCached('some-file', '');
    }
    writeFileSync(join(folder, verdictFile(gpu)), text);
    const compile = gpu.compile;
    gpu.compile = () => Promise.reject(new TurnproofError('gpu', 'nothing is compiled here'));
    try {
      await requireKernels(gpu, console);
      return true;
    } catch (error) {
      if (error instanceof TurnproofError && error.code === 'parity') return false;
      throw error;
    } finally {
      gpu.compile = compile;
    }
  }

  it('counts only whole, and only for what it was made for', async () => {
    process.env.TURNPROOF_CACHE = home;
    await requireKernels(gpu, console);
    const text = readFileSync(join(home, 'turnproof', verdictFile(gpu)), 'utf8');
    expect(await isTaken(text)).toBe(true);
    const verdict = JSON.parse(text);
    const { tested } = verdict;
    const foreign = [
      { ...verdict, passed: false },
      { ...verdict, passed: 'true' },
      { ...verdict, tested: { ...tested, shaders: `0${tested.shaders.slice(1)}` } },
      { ...verdict, tested: { ...tested, adapter: { ...tested.adapter, description: 'driver 0.9' } } },
      { ...verdict, tested: { ...tested, versions: { ...tested.versions, turnproof: '0.0.1' } } },
      { ...verdict, tested: { ...tested, processor: 'another' } },
      { passed: true },
      [],
      null,
    ].map((one) => JSON.stringify(one));
    for (const damaged of ['', text.slice(0, -3), text.slice(5), 'true', ...foreign]) {
      expect(await isTaken(damaged), damaged).toBe(false);
    }
  });
});
