/**
 * Unpacks a bundle into an empty folder and uses it there as on a strange machine: no environment, no Node on the path,
 * no network (where the system lets us take it away).
 *
 * node scripts/bundle/check.mjs turnproof-VERSION-PLATFORM.tgz
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const [archive] = process.argv.slice(2);
if (!archive) {
  process.stderr.write('usage: node scripts/bundle/check.mjs BUNDLE.tgz\n');
  process.exit(2);
}
const folder = mkdtempSync(join(tmpdir(), 'turnproof-elsewhere-'));
/** No network: a namespace of its own. Not every system lets a user make one. */
const apart = spawnSync('unshare', ['-rn', 'true']).status === 0 ? ['unshare', '-rn'] : [];
process.stdout.write(
  apart.length > 0 ? 'without a network\n' : 'with the network: unshare -rn is not allowed here\n',
);
const home = join(folder, 'home');
const command = (program, args) => [
  ...apart,
  'env',
  '-i',
  'PATH=/usr/bin:/bin',
  `HOME=${home}`,
  `TURNPROOF_CACHE=${home}`,
  program,
  ...args,
];

function use(program, ...args) {
  const started = Date.now();
  const [first, ...rest] = command(program, args);
  const { status, stdout, stderr } = spawnSync(first, rest, {
    cwd: home,
    encoding: 'utf8',
  });
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  process.stdout.write(`\n$ ${[program, ...args].join(' ').replaceAll(folder, '')}  (${seconds} s)\n`);
  process.stdout.write(stdout.split('\n').slice(-14).join('\n'));
  if (status !== 0) throw new Error(`${program} ended with ${status}: ${stderr}`);
  return stdout;
}

/** The page's server answers on this machine's own address. */
async function usePage(program) {
  const child = spawn('env', ['-i', 'PATH=/usr/bin:/bin', program, '--port', '0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const url = await new Promise((resolve, reject) => {
      child.stdout.on('data', (data) => resolve(String(data).split('\n')[0]));
      child.on('exit', () => reject(new Error('bench-web ended')));
    });
    for (const path of ['', 'sources.json', 'models/signs_rot.onnx', 'ort/ort-wasm-simd-threaded.wasm']) {
      const response = await fetch(`${url}${path}`);
      const { byteLength } = await response.arrayBuffer();
      if (!response.ok || byteLength === 0) throw new Error(`bench-web: ${path} gave ${response.status}`);
    }
    process.stdout.write(`\nbench-web hands out page, model and wasm\n`);
  } finally {
    child.kill();
  }
}

try {
  mkdirSync(home);
  execFileSync('tar', ['-xzf', archive, '-C', folder]);
  const [name] = readdirSync(folder).filter((entry) => entry !== 'home');
  const at = (file) => join(folder, name, file);
  if (existsSync('/usr/bin/node'))
    process.stdout.write('note: /usr/bin/node is there, but no launcher asks for it\n');
  use(at('turnproof'), 'doctor');
  use(at('demo'));
  use(
    at('bench'),
    '--adapter',
    'swiftshader',
    '--only',
    'noise',
    '--budget',
    '50',
    '--out',
    join(home, 'results'),
  );
  const [result] = readdirSync(join(home, 'results')).filter((file) => file.endsWith('swiftshader.json'));
  const { commit } = JSON.parse(readFileSync(join(home, 'results', result), 'utf8')).circumstances;
  process.stdout.write(`its result names commit ${commit}\n`);
  await usePage(at('bench-web'));
  process.stdout.write('\nthe bundle works elsewhere\n');
} catch (error) {
  process.stderr.write(`\nthe bundle does not work elsewhere: ${error.message}\n`);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
