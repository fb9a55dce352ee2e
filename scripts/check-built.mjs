/**
 * Checks what would be published: every entry of every package's `exports` loads from `dist` and exports something,
 * every type file named there exists, and the command line answers `--help`. The tests read the sources; this does not.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
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

for (const { folder, json } of packages()) {
  for (const [path, target] of Object.entries(json.exports ?? {})) {
    await checkEntry(folder, json.name, path, target);
  }
  for (const name of Object.keys(json.bin ?? {})) checkBin(name);
}

for (const fault of faults) console.error(fault);
// Loaded modules may hold the process open; nothing is pending.
process.exit(faults.length === 0 ? 0 : 1);
