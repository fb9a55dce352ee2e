/**
 * At run time nothing reaches for a network: every way out of Node is closed by a hook that writes down who tried, and
 * where the system allows it the same commands run without any network at all.
 */
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { testAdapters } from '@turnproof/core/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TemporaryFolder, temporaryFolder } from './data/testing/files.ts';
import { runCli } from './run-cli.test-support.ts';

/** Loaded before the program, in its threads too. */
const HOOK = `
const { appendFileSync } = require('node:fs');
const closed = (what) => function () {
  appendFileSync(process.env.TURNPROOF_TEST_CALLS, what + '\\n' + new Error().stack + '\\n');
  throw new Error('no network: ' + what);
};
const close = (name, methods) => {
  const module = require(name);
  for (const method of methods) if (method in module) module[method] = closed(name + '.' + method);
};
require('node:net').Socket.prototype.connect = closed('net.Socket.connect');
require('node:dgram').Socket.prototype.send = closed('dgram.Socket.send');
close('node:net', ['connect', 'createConnection']);
close('node:tls', ['connect']);
close('node:http', ['request', 'get']);
close('node:https', ['request', 'get']);
close('node:http2', ['connect']);
close('node:dns', ['lookup', 'resolve', 'resolve4', 'resolve6']);
close('node:dns/promises', ['lookup', 'resolve', 'resolve4', 'resolve6']);
for (const name of ['fetch', 'WebSocket', 'EventSource']) if (globalThis[name]) globalThis[name] = closed(name);
require('node:module').syncBuiltinESMExports();
`;

const adapters = await testAdapters();
const adapter = adapters.find((name) => name !== 'swiftshader') ?? 'swiftshader';
const CERTIFY = [
  ...['certify', '--data', 'signs', '--limit', '1', '--model', 'signs', '--transform', 'rotation'],
  ...['--range', '4', '--vignette', 'circle:2', '--blur', '5:1', '--adapter', adapter],
];
const COMMANDS: readonly (readonly string[])[] = [
  [...CERTIFY, '--provider', 'webgpu', '--out', 'gpu'],
  [...CERTIFY, '--provider', 'wasm', '--out', 'run'],
  ['verify', 'run', '--replay', '1'],
  ['report', 'run'],
  ['model', 'inspect', 'signs', '--data', 'signs'],
  ['doctor', '--adapter', adapter],
];

let folder: TemporaryFolder;
let hook: string;
beforeAll(async () => {
  folder = await temporaryFolder();
  hook = await folder.write('hook.cjs', HOOK);
});
afterAll(() => folder.remove());

const callsOf = async (name: string) => readFile(join(folder.path, name), 'utf8').catch(() => '');
const hooked = (name: string) => ({
  NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} --require ${hook}`,
  TURNPROOF_TEST_CALLS: join(folder.path, name),
});

describe('the program', () => {
  it.each([
    ['fetch', "fetch('http://127.0.0.1:9')"],
    ['net.Socket.connect', "import('node:net').then((net) => new net.Socket().connect(9, '127.0.0.1'))"],
    ['http.request', "import('node:http').then(({ request }) => request('http://127.0.0.1:9'))"],
    ['dns.lookup', "import('node:dns').then(({ lookup }) => lookup('localhost', () => {}))"],
    [
      'fetch',
      "import('node:worker_threads').then(({ Worker }) => new Worker('fetch(\"http://127.0.0.1:9\")', { eval: true }))",
    ],
  ])('would be caught at %s', async (what, code) => {
    const name = `calls-${code.length}`;
    await new Promise((resolve) => {
      const env = { ...process.env, ...hooked(name) };
      spawn(process.execPath, ['-e', code], { env }).on('close', resolve);
    });
    expect(await callsOf(name)).toContain(what);
  });

  it('reaches for no network', async () => {
    for (const args of COMMANDS) {
      const { code, stderr } = await runCli(args, { cwd: folder.path, env: hooked('calls') });
      expect(await callsOf('calls'), args.join(' ')).toBe('');
      expect(code, `${args.join(' ')}: ${stderr}`).toBe(0);
    }
  });

  it('needs none', async ({ skip }) => {
    const run = (args: readonly string[]) =>
      new Promise<number | null>((resolve) => {
        spawn('unshare', ['-rn', ...args], { cwd: folder.path, stdio: 'ignore' })
          .on('error', () => resolve(null))
          .on('close', resolve);
      });
    if ((await run(['true'])) !== 0) skip('unshare -rn is not allowed here');
    const bin = fileURLToPath(new URL('bin.ts', import.meta.url));
    const node = [process.execPath, '--conditions=turnproof-source', '--no-warnings', bin];
    expect(await run([...node, ...CERTIFY, '--out', 'alone'])).toBe(0);
  });
});
