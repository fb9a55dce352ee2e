import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Certificate,
  certificateSchema,
  type DistXCertificate,
  verifyCertificate,
} from '@turnproof/certify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TemporaryFolder, temporaryFolder } from '../data/testing/files.ts';
import { chooseLines } from '../run/replay.ts';
import { runCli } from '../run-cli.test-support.ts';

let folder: TemporaryFolder;
let certificates: DistXCertificate[];

const cli = (...args: string[]) => runCli(args, { cwd: folder.path });

beforeAll(async () => {
  folder = await temporaryFolder();
  const args = [
    ...[
      'certify',
      '--method',
      'dist-x',
      '--data',
      'signs',
      '--model',
      'signs',
      '--transform',
      'rotation',
      '--range',
      '6',
    ],
    ...['--vignette', 'circle:2', '--blur', '5:1', '--adapter', 'software', '--sigma-gamma', '8'],
    ...['--confidence', '0.9', '--n0', '5', '--n-gamma', '10', '--n-eps', '600', '--n-choose-e', '15'],
    ...['--n-test-e', '40', '--index', '0,11,30', '--seed', '18446744073709551615', '--out', 'run'],
  ];
  const { code, stderr } = await cli(...args);
  expect(code, stderr).toBe(0);
  const text = await readFile(join(folder.path, 'run', 'certificates.jsonl'), 'utf8');
  certificates = text
    .trimEnd()
    .split('\n')
    .map((line) => distXOf(JSON.parse(line)));
});
afterAll(() => folder.remove());

function distXOf(content: unknown): DistXCertificate {
  const certificate = certificateSchema.parse(content);
  if (certificate.method !== 'dist-x') throw new Error('another method');
  return certificate;
}

/** The run with its certificates changed. */
async function forgedRun(
  name: string,
  change: (certificate: Certificate, at: number) => object,
): Promise<string> {
  await cp(join(folder.path, 'run'), join(folder.path, name), { recursive: true });
  const lines = certificates.map((certificate, at) =>
    JSON.stringify({ ...certificate, ...change(certificate, at) }),
  );
  await writeFile(join(folder.path, name, 'certificates.jsonl'), `${lines.join('\n')}\n`);
  return name;
}

/** A count changed so that `verify` alone has nothing to say: which certificate, which field. */
function unseenForgery(): [number, string, Certificate] {
  for (const [at, { counts, ...rest }] of certificates.entries()) {
    for (const [i, { k }] of counts.inner.entries()) {
      for (const by of [1, -1]) {
        const inner = counts.inner.map((test, j) => (i === j ? { ...test, k: k + by } : test));
        const forged = { ...rest, counts: { ...counts, inner } };
        if (verifyCertificate(forged).ok)
          return [at, `counts.inner[${i}].k`, certificateSchema.parse(forged)];
      }
    }
  }
  throw new Error('verify sees every changed count');
}

describe('verify --replay', () => {
  it('draws certificates again, with nothing but the run to go by, and finds them equal', async () => {
    const { stdout, stderr, code } = await cli('verify', 'run', '--replay', '3');
    expect(code, `${stdout}${stderr}`).toBe(0);
    expect(stdout.match(/drawn again: 0 fields differ/g)?.length).toBe(3);
    expect(stdout).toContain('3 of 3 certificates are what drawing them again gives');
  });

  it('draws the lines by a seed that nobody knows, and says it so that they can be drawn again', async () => {
    const drawn = async (...more: string[]) => {
      const { stdout, code } = await cli('verify', 'run', '--replay', '1', ...more);
      expect(code, stdout).toBe(0);
      const [, seed = ''] = /1 of 3 certificates, drawn by --seed (\d+)/.exec(stdout) ?? [];
      return { seed, line: /^line \d+/m.exec(stdout)?.[0] };
    };
    const first = await drawn();
    expect(first.seed.length).toBeGreaterThan(10);
    expect(await drawn('--seed', first.seed)).toEqual(first);
  });

  it('finds a count that verify alone believes', async () => {
    const [at, field, forged] = unseenForgery();
    const run = await forgedRun('forged-count', (_, i) => (i === at ? forged : {}));
    expect((await cli('verify', run)).code).toBe(0);
    const { stdout, code } = await cli('verify', run, '--replay', '3');
    expect(code).toBe(42);
    expect(stdout).toContain(`line ${at + 1} (image ${forged.index}): NOT what`);
    expect(stdout).toContain(`
  ${field}: says`);
    expect(stdout).toContain('2 of 3 certificates are what drawing them again gives');
  });

  it('finds an image, a seed and a model that were others, where no config.json shows it', async () => {
    const other = 'ab'.repeat(32);
    const run = await forgedRun('forged-origin', (certificate, at) => {
      if (at === 0) return { image: { ...certificate.image, sha256: other } };
      return at === 1 ? { seed: 5 } : { model: { ...certificate.model, sha256: other } };
    });
    const shown = await cli('verify', run);
    expect(shown.code).toBe(42);
    expect(shown.stdout).toContain('line 2 (image 11): seed: says "5", but the run was asked for');
    expect(shown.stdout).toContain('line 3 (image 30): model.sha256: says');
    await rm(join(folder.path, run, 'config.json'));
    const { stdout, code } = await cli(
      ...['verify', run, '--replay', '3', '--json', '--data', 'signs', '--model', 'signs'],
    );
    expect(code).toBe(42);
    const said = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const replayed = said.filter((line) => line.replayed);
    const trusted = said.flatMap(({ takenOnTrust = [] }) => takenOnTrust);
    expect(trusted).toContainEqual({
      what: 'what the run was asked for: there is no config.json beside the certificates',
      shownByReplay: false,
    });
    const words = replayed.map(({ problems }) => problems.join(' '));
    expect(words[0]).toContain('image.sha256');
    expect(words[1]).toContain('bound.E');
    expect(words[2]).toContain('model.sha256');
  });

  it('allows a stated distance with another provider, and says how far apart they are', async () => {
    const args = ['--replay', '1', '--provider', 'webgpu', '--adapter', 'software'];
    const { stdout, stderr, code } = await cli('verify', 'run', ...args);
    expect(code, `${stdout}${stderr}`).toBe(0);
    expect(stdout).toMatch(
      /drawn again: \d+ fields differ.*made elsewhere, provider wasm there, webgpu here, so that exactness cannot/,
    );
    expect(stdout).toContain('0 of 1 certificates are what drawing them again gives; 1 more is so within');
  });

  it('refuses another model by its hash, and options that do nothing', async () => {
    const model = await cli('verify', 'run', '--replay', '1', '--model', 'signs:clean');
    expect([model.code, model.stdout]).toEqual([42, expect.stringContaining('model.sha256: says')]);
    const idle = await cli('verify', 'run', '--model', 'signs:clean');
    expect([idle.code, idle.stderr]).toEqual([
      2,
      expect.stringContaining('--model does nothing without --replay'),
    ]);
  });

  it('draws sweep again as well', async () => {
    const args = ['--transform', 'rotation', '--range', '6', '--vignette', 'circle:2', '--blur', '5:1'];
    const made = await cli(
      ...['certify', '--method', 'sweep', '--data', 'signs', '--model', 'signs', ...args],
      ...['--adapter', 'software', '--index', '0', '--seed', '0', '--out', 'sweep'],
    );
    expect(made.code, made.stderr).toBe(0);
    const { stdout, stderr, code } = await cli('verify', 'sweep', '--replay', '1');
    expect(code, `${stdout}${stderr}`).toBe(0);
    expect(stdout).toContain('drawn again: 0 fields differ');
  });

  it('needs no config.json where data and model are given', async () => {
    const file = join('run', 'certificates.jsonl');
    await cp(join(folder.path, file), join(folder.path, 'alone.jsonl'));
    const missing = await cli('verify', 'alone.jsonl', '--replay', '1');
    expect([missing.code, missing.stderr]).toEqual([2, expect.stringContaining('Give --data')]);
    const there = await cli('verify', 'alone.jsonl', '--replay', '1', '--data', 'signs', '--model', 'signs');
    expect(there.code, there.stdout).toBe(0);
  });

  it('refuses certificates that the run itself found suspect', async () => {
    const run = await forgedRun('suspect', () => ({}));
    const content = { schema: 'turnproof/suspect/1', images: [11], reason: 'logits differ' };
    await writeFile(join(folder.path, run, 'suspect.json'), JSON.stringify(content));
    const { stdout, code } = await cli('verify', run);
    expect(code).toBe(42);
    expect(stdout).toContain('line 2 (image 11): suspect, says suspect.json: logits differ');
    expect(stdout).toContain('2 of 3 certificates follow');
  });
});

describe('the lines that are drawn again', () => {
  it('are drawn by a seed, each once', () => {
    expect(chooseLines(5, 9, 3n)).toEqual([0, 1, 2, 3, 4]);
    expect(chooseLines(1000, 8, 3n)).toEqual(chooseLines(1000, 8, 3n));
    expect(chooseLines(1000, 8, 3n)).not.toEqual(chooseLines(1000, 8, 4n));
    expect(new Set(chooseLines(1000, 50, 7n)).size).toBe(50);
  });
});
