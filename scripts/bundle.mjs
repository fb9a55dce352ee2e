/**
 * `npm run bundle`: one archive for machines without a network: Node, Dawn, SwiftShader, onnxruntime, the built
 * packages, the bench and its page, the demo's data and models. Then unpacks it elsewhere and uses it there.
 *
 * Options: --no-check (skip the use), --out FOLDER (default: the repository's root), --level N (Zstandard's, default 19:
 * small and slow; 3 for a quick try).
 */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { constants, createGzip, createZstdCompress } from 'node:zlib';
import { ensureNode, root } from './node-version.mjs';
import { runStep } from './step.mjs';

const MAX_BYTES = 64 * 2 ** 20;
const PLATFORM = `${process.platform}-${process.arch}`;

/** Of the workspaces: what is published, and what the demo needs. */
const WORKSPACES = [
  'packages/core',
  'packages/shaders',
  'packages/certify',
  'packages/cli',
  'apps/bench',
  'examples/signs',
];
const PARTS = ['package.json', 'dist', 'schema', 'data', 'models'];

/** Of onnxruntime-web: Node's two entries, and what they and the page load. */
const ORT =
  /\/dist\/(ort\.node\.min\.mjs|ort\.webgpu\.bundle\.min\.mjs|ort-wasm-simd-threaded(\.asyncify)?\.(mjs|wasm))$/;

/** Sources, other runtimes' binaries, other platforms', schemas for editors. */
const NOT_LOADED =
  /^node_modules\/(koffi\/(vendor|doc)\/|@koromix\/[^/]+\/musl|bare-[^/]+\/prebuilds\/|zod\/src\/|onnxruntime-web\/lib\/|vega-lite\/build\/vega-lite-schema\.json|@types\/|@webgpu\/types\/)/;

/** What a program does not load: declarations, maps, prose, other platforms' binaries, browsers. */
function isNeeded(path) {
  const inside = relative(root, path);
  if (/\.(map|d\.[cm]?ts|tsbuildinfo)$/.test(inside)) return false;
  if (/\.md$/i.test(inside) && !/licen[cs]e|notice/i.test(basename(inside))) return false;
  if (inside.startsWith('node_modules/onnxruntime-web/dist/')) return ORT.test(inside);
  if (inside.startsWith('node_modules/webgpu/dist/')) return inside.split('/')[3] === PLATFORM;
  if (inside.startsWith('node_modules/@sparticuz/chromium/bin/'))
    return inside.endsWith('swiftshader.tar.br');
  return !NOT_LOADED.test(inside);
}

function copy(from, to) {
  const filter = (path) => statSync(path).isDirectory() || isNeeded(path);
  cpSync(join(root, from), to, { recursive: true, filter, dereference: false });
}

/** Folders of the packages that the programs need at run time, workspaces left out. */
function runtimePackages() {
  const listed = execFileSync(
    'npm',
    ['ls', '--omit=dev', '--all', '--parseable', '-w', 'turnproof', '-w', '@turnproof/bench'],
    { encoding: 'utf8' },
  );
  const inModules = listed
    .split('\n')
    .map((path) => relative(root, path))
    .filter((path) => path.startsWith('node_modules/'));
  return inModules.filter((path) => !/^node_modules\/(turnproof$|@turnproof\/)/.test(path));
}

const launcher = (script) => `#!/bin/sh
here=$(cd "\${0%/*}" && pwd)
[ -e "$here/app/commit.json" ] || "$here/node" "$here/unpack.mjs" || exit 42
exec "$here/node" "$here/app/${script}" "$@"
`;

const LAUNCHERS = {
  turnproof: launcher('packages/cli/dist/bin.js'),
  bench: launcher('apps/bench/dist/main.js'),
  'bench-web': launcher('apps/bench/dist/serve.js'),
  demo: launcher('scripts/demo.mjs'),
};

function fill(app) {
  for (const folder of WORKSPACES) {
    for (const part of PARTS) {
      if (existsSync(join(root, folder, part))) copy(join(folder, part), join(app, folder, part));
    }
    const { name } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
    const link = join(app, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(relative(dirname(link), join(app, folder)), link);
  }
  for (const path of runtimePackages()) copy(path, join(app, path));
  for (const name of ['demo.mjs', 'node-version.mjs', 'step.mjs'])
    copy(join('scripts', name), join(app, 'scripts', name));
  mkdirSync(join(app, 'node_modules', '.bin'), { recursive: true });
  symlinkSync('../../../node', join(app, 'node_modules', '.bin', 'node'));
  const git = (...args) => execFileSync('git', ['-C', root, ...args], { encoding: 'utf8' }).trim();
  const sources = { commit: git('rev-parse', 'HEAD'), modified: git('status', '--porcelain') !== '' };
  writeFileSync(join(app, 'commit.json'), `${JSON.stringify(sources)}\n`);
}

/** Takes the table of symbols out of a program, which nobody needs to run it: 4 MB less for Node. */
function strip(file) {
  chmodSync(file, 0o755);
  try {
    execFileSync('strip', [file], { stdio: 'pipe' });
  } catch (error) {
    throw new Error(`strip is needed to make the bundle small enough (package binutils): ${error.message}`);
  }
}

async function compressTar(folder, name, to, compressor) {
  const tar = join(folder, `${name}.tar`);
  const owner = ['--owner=0', '--group=0', '--numeric-owner', '--sort=name'];
  execFileSync('tar', ['-C', folder, ...owner, '-cf', tar, name]);
  await pipeline(createReadStream(tar), compressor, createWriteStream(to));
  rmSync(tar);
}

async function pack(out) {
  const { version } = JSON.parse(readFileSync(join(root, 'packages/cli/package.json'), 'utf8'));
  const name = `turnproof-${version}-${PLATFORM}`;
  const draft = mkdtempSync(join(tmpdir(), 'turnproof-bundle-'));
  try {
    const folder = join(draft, name);
    mkdirSync(folder);
    fill(join(draft, 'app'));
    strip(join(draft, 'app/node_modules/webgpu/dist', PLATFORM, 'dawn.node'));
    const zstd = createZstdCompress({
      params: { [constants.ZSTD_c_compressionLevel]: Number(values.level) },
    });
    await compressTar(draft, 'app', join(folder, 'app.tar.zst'), zstd);
    cpSync(process.execPath, join(folder, 'node'), { dereference: true });
    strip(join(folder, 'node'));
    for (const file of ['unpack.mjs', 'README.md'])
      cpSync(join(root, 'scripts/bundle', file), join(folder, file));
    cpSync(join(root, 'LICENSE'), join(folder, 'LICENSE'));
    for (const [file, text] of Object.entries(LAUNCHERS))
      writeFileSync(join(folder, file), text, { mode: 0o755 });
    mkdirSync(out, { recursive: true });
    const archive = join(out, `${name}.tgz`);
    await compressTar(draft, name, archive, createGzip({ level: 9 }));
    return archive;
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

ensureNode();
const { values } = parseArgs({
  options: {
    'no-check': { type: 'boolean' },
    level: { type: 'string', default: '19' },
    out: { type: 'string', default: root },
  },
});
if (process.platform !== 'linux') {
  process.stderr.write('bundles are made for Linux only, on Linux\n');
  process.exit(2);
}
const built = await runStep('build', ['npm', 'run', 'build', '--silent']);
if (!built.ok) process.exit(1);
process.stdout.write('\n== pack (some minutes)\n');
const archive = await pack(resolve(values.out));
const { size } = statSync(archive);
process.stdout.write(`${archive}: ${(size / 2 ** 20).toFixed(1)} MiB\n`);
if (size > MAX_BYTES) {
  process.stderr.write(`that is more than ${MAX_BYTES / 2 ** 20} MiB\n`);
  process.exitCode = 1;
}
if (!values['no-check']) {
  const { ok } = await runStep('use it elsewhere', [process.execPath, 'scripts/bundle/check.mjs', archive]);
  if (!ok) process.exitCode = 1;
}
