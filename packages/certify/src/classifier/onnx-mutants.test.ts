/** Damaged and hostile models end in a refusal or run; none ends the process, and none takes for ever (vitest's limit). */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { cases } from '@turnproof/core/testing';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { inspectModelBytes } from './model.ts';
import { linearModel } from './onnx-writer.test-support.ts';

const CHILD = fileURLToPath(new URL('onnx-mutants.test-support.ts', import.meta.url));
const COUNT = cases(600);

interface Line {
  readonly i: number;
  readonly kinds: string;
  readonly outcome: string;
}

function runMutants(seed: number): Promise<{ lines: Line[]; code: number | null; stderr: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [
      ...['--conditions=turnproof-source', '--no-warnings'],
      ...[CHILD, String(seed), String(COUNT)],
    ]);
    onTestFinished(() => {
      child.kill('SIGKILL');
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    child.on('error', reject);
    child.on('close', (code) => {
      const lines = stdout.split('\n').filter((line) => line.endsWith('}'));
      resolve({ lines: lines.map((line): Line => JSON.parse(line)), code, stderr });
    });
  });
}

describe('mutants of a model', () => {
  it('are refused in one line, or run', async () => {
    const { seed = 0 } = fc.readConfigureGlobal();
    const { lines, code, stderr } = await runMutants(seed);
    // Where the process ended early, the mutant after the last line did it.
    expect({ code, done: lines.length, stderr }).toEqual({ code: 0, done: COUNT, stderr: '' });
    expect(lines.filter(({ outcome }) => outcome !== 'refused' && outcome !== 'runs')).toEqual([]);
    const kinds = (wanted: string) => lines.filter(({ outcome }) => outcome === wanted).length;
    expect(kinds('refused')).toBeGreaterThan(COUNT / 4);
    expect(kinds('runs')).toBeGreaterThan(COUNT / 40);
  });
});

describe('a declared batch', () => {
  it('that no buffer could hold is refused before one is made', async () => {
    const { bytes } = linearModel({ image: [1, 2, 2], classes: 3, batch: 2 ** 30 });
    await expect(inspectModelBytes('m.onnx', bytes)).rejects.toThrow(
      expect.objectContaining({
        code: 'bad-input',
        message: expect.stringContaining('1073741824 images at once, more than 65536'),
      }),
    );
  });
});
