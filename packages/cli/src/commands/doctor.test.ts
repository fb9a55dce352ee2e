import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { runCli } from '../run-cli.test-support.ts';

describe('doctor', () => {
  it('finds a software adapter here, tests it, and says that certifying is safe', async () => {
    const { stdout, stderr, code } = await runCli(['doctor', '--adapter', 'software', '--json'], {
      cwd: tmpdir(),
    });
    expect(code, stderr).toBe(0);
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({ safe: true, provider: 'wasm', adapter: { kind: 'software' } });
    expect(report.adapters.map(({ choice }: { choice: string }) => choice)).toEqual([
      'hardware',
      'lavapipe',
      'swiftshader',
    ]);
    expect(report.kernels).toHaveLength(12);
    expect(
      report.providers.map(({ provider, passed }: { provider: string; passed: boolean }) => [
        provider,
        passed,
      ]),
    ).toEqual([
      ['wasm', true],
      ['webgpu', true],
    ]);
  });
  it('says what was tried where no adapter of that name is, with status 42', async () => {
    const { stderr, code } = await runCli(['doctor', '--adapter', 'voodoo', '--json'], { cwd: tmpdir() });
    expect(stderr).toMatch(/no WebGPU adapter for --adapter voodoo/);
    expect(code).toBe(42);
  });
});
