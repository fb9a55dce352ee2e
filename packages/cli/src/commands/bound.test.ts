import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { runCli } from '../run-cli.test-support.ts';

const run = async (...args: string[]) => {
  const common = ['--data', 'signs', '--limit', '1', '--adapter', 'software', '--json', '--quiet'];
  const { stdout, stderr, code } = await runCli(['bound', ...common, ...args], { cwd: tmpdir() });
  expect(code, stderr).toBe(0);
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
};

const ROTATION = ['--transform', 'rotation', '--range', '10', '--vignette', 'circle:2', '--blur', '5:1'];
const TRANSLATION = ['--transform', 'translation', '--range', '2', '--vignette', 'rect:4', '--blur', '5:1'];

describe('bound', () => {
  it('has a line for each β with the fields of the contract, the bound above the witness by at most 2 %', async () => {
    const lines = await run(...ROTATION, '--beta', '12,29.36');
    expect(lines.map(({ beta }) => beta)).toEqual([[12], [29.36]]);
    for (const line of lines) {
      expect(Object.keys(line)).toEqual(['index', 'beta', 'bound', 'witness', 'boxes', 'method', 'ms']);
      expect(line.index).toBe(0);
      expect(line.method).toBe('chord');
      expect(line.witness.gamma).toHaveLength(1);
      expect(line.witness.error).toBeGreaterThan(0);
      expect(line.bound).toBeGreaterThanOrEqual(line.witness.error);
      expect(line.bound).toBeLessThanOrEqual(1.02 * line.witness.error + 1e-9);
    }
  });
  it('decides a target either way', async () => {
    const [low] = await run(...ROTATION, '--beta', '12', '--target', '0.01');
    expect(low).toMatchObject({ exceeds: true });
    expect(low.witness.error).toBeGreaterThan(0.01);
    const [high] = await run(...ROTATION, '--beta', '12', '--target', '2');
    expect(high).toMatchObject({ exceeds: false });
    expect(high.bound).toBeLessThanOrEqual(2);
  });
  it('gives a larger bound that says so when the time is up, still above the error', async () => {
    const [full] = await run(...ROTATION, '--beta', '12', '--tolerance', '0.01');
    expect(full).not.toHaveProperty('complete');
    const [cut] = await run(...ROTATION, '--beta', '12', '--tolerance', '0.01', '--time-limit', '0');
    expect(cut.complete).toBe(false);
    expect(cut.boxes).toBeLessThan(full.boxes);
    expect(cut.bound).toBeGreaterThan(full.bound);
    expect(cut.bound).toBeGreaterThan(full.witness.error);
  });
  it('is exact for translation, and larger for an attacker who hands over 8-bit images', async () => {
    const [exact] = await run(...TRANSLATION, '--beta', '0.7:-1.2');
    expect(exact.method).toBe('exact');
    expect(exact.beta).toEqual([0.7, -1.2]);
    expect(exact.bound - exact.witness.error).toBeLessThan(1e-9);
    const [rounded] = await run(...TRANSLATION, '--beta', '0.7:-1.2', '--attack-quantization', 'u8');
    expect(rounded.witness).toEqual(exact.witness);
    // (0.5 / 255) || blur(rect:4 of ones) ||: 3 x 24 x 24 kept pixels; blurring can only shorten it.
    const most = (0.5 / 255) * Math.sqrt(3 * 24 * 24);
    expect(rounded.bound - exact.bound).toBeLessThanOrEqual(most);
    expect(rounded.bound - exact.bound).toBeGreaterThan(0.9 * most);
  });
  it('draws the same β for the same seed, of the deviation asked for', async () => {
    const draw = async (seed: string) =>
      (await run(...ROTATION, '--betas', '3', '--sigma-gamma', '0.5', '--seed', seed, '--target', '9')).map(
        ({ beta }) => beta[0],
      );
    const first = await draw('1');
    expect(first).toHaveLength(3);
    expect(new Set(first).size).toBe(3);
    expect(await draw('1')).toEqual(first);
    expect(await draw('2')).not.toEqual(first);
    for (const beta of first) expect(Math.abs(beta)).toBeLessThan(0.5 * 6);
  });
});
