/**
 * Checks what would be published: every entry of every package's `exports` loads from `dist` and exports something,
 * every type file named there exists, and the command line answers `--help`, under an older Node too where PATH has one.
 * The tests read the sources; this does not.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { ensureNode } from './node-version.mjs';

ensureNode();

const faults = [];

/** Package folders of the workspaces that are built. */
function packages() {
  return ['packages', 'apps', 'examples'].flatMap((parent) =>
    readdirSync(parent)
      .map((name) => join(parent, name))
      .filter((folder) => existsSync(join(folder, 'package.json')))
      .map((folder) => ({ folder, json: JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) })),
  );
}

async function checkEntry(folder, name, path, target) {
  const id = path === '.' ? name : `${name}/${path.slice(2)}`;
  if (typeof target === 'string' || path.includes('*')) return;
  if (target.types && !existsSync(join(folder, target.types)))
    faults.push(`${id}: ${target.types} is missing`);
  try {
    const found = import.meta.resolve(id);
    if (!found.includes('/dist/')) throw new Error(`resolves to ${found}, not to dist`);
    if (Object.keys(await import(found)).length === 0) throw new Error('exports nothing');
    console.log(`loads: ${id}`);
  } catch (error) {
    faults.push(`${id}: ${error instanceof Error ? error.message : error}`);
  }
}

/** Through PATH, as a user calls it: the link and the file's mode must be right too. */
function checkBin(name) {
  const { status, stdout, stderr, error } = spawnSync(name, ['--help'], { encoding: 'utf8' });
  if (status === 0 && stdout.includes(name)) console.log(`answers: ${name} --help`);
  else if (error) faults.push(`${name} --help: ${error.message}`);
  else faults.push(`${name} --help: exit code ${status}, stdout «${stdout}», stderr «${stderr}»`);
}

/** A Node before 22.12 on PATH; null where there is none. */
function olderNode() {
  const nodes = (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, 'node'));
  return nodes.find((node) => {
    const { stdout } = spawnSync(node, ['--version'], { encoding: 'utf8' });
    const [, major, minor] = /^v(\d+)\.(\d+)/.exec(stdout ?? '') ?? [];
    return Number(major) < 22 || (Number(major) === 22 && Number(minor) < 12);
  });
}

/** Started by its own path: runs under the Node that the lock file brings; without that it says so in a line. */
function checkOlderNode() {
  const node = olderNode();
  if (node === undefined) {
    console.log('skipped: no Node before 22.12 is on PATH to start the program with');
    return;
  }
  const cli = join('packages', 'cli');
  const start = (bin) => spawnSync(node, [bin, '--version'], { encoding: 'utf8', timeout: 1_200_000 });
  const { version } = JSON.parse(readFileSync(join(cli, 'package.json'), 'utf8'));
  const own = start(join(cli, 'dist', 'bin.js'));
  if (own.status === 0 && own.stdout === `${version}\n` && own.stderr === '')
    console.log(`runs under its own Node: ${node} ${join(cli, 'dist', 'bin.js')}`);
  else faults.push(`${node}: exit code ${own.status}, stdout «${own.stdout}», stderr «${own.stderr}»`);
  const alone = mkdtempSync(join(tmpdir(), 'turnproof-alone-'));
  try {
    cpSync(join(cli, 'dist'), join(alone, 'dist'), { recursive: true });
    cpSync(join(cli, 'package.json'), join(alone, 'package.json'));
    const { status, stderr } = start(join(alone, 'dist', 'bin.js'));
    if (status === 2 && /^turnproof: needs Node .*\n$/.test(stderr))
      console.log(`says what it needs: ${stderr.trim()}`);
    else faults.push(`${node}, no other Node: exit code ${status}, stderr «${stderr}»`);
  } finally {
    rmSync(alone, { recursive: true });
  }
}

for (const { folder, json } of packages()) {
  for (const [path, target] of Object.entries(json.exports ?? {})) {
    await checkEntry(folder, json.name, path, target);
  }
  for (const name of Object.keys(json.bin ?? {})) checkBin(name);
}

checkOlderNode();
for (const fault of faults) console.error(fault);
// Loaded modules may hold the process open; nothing is pending.
process.exit(faults.length === 0 ? 0 : 1);
