/**
 * Mutants of the host code that a certificate rests on: each changed in one place (a comparison, a sign, a rounding,
 * a number, a statement left out), and the tests that cover it must fail. Those that live are listed; why they may is
 * written in packages/certify/MUTANTS.md. The kernels' mutants are not made here (`npm run mutants`).
 *
 *     npm run mutants:host -- [FILE or FOLDER ...] [--share 0.1] [--seed 7] [--out FOLDER] [--again]
 *     [--scope own|folder|package] [--tests GLOB ...]
 *
 * Without a file: everything listed in `scopes.mjs`, which takes many hours on two cores; `--share` takes a part that
 * the seed decides. Results lie in `--out`, a file each: what is there with the same text is not done again,
 * and a larger share does what is missing. The tests asked are those named after the file; `--again --scope folder`
 * (or `package`) asks more of them about what lived, and `--again` alone the same once more, after a change.
 *
 * Works on a copy of the checkout; Stryker makes the mutants, Vitest runs the tests.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Stryker } from '@stryker-mutator/core';
import { asked } from './mutators.mjs';
import { keyOf, summary } from './results.mjs';
import { filesOf, testsOf } from './scopes.mjs';

const root = resolve(import.meta.dirname, '../..');
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    share: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    out: { type: 'string', default: join(tmpdir(), 'turnproof-host-mutants') },
    tests: { type: 'string', multiple: true },
    again: { type: 'boolean', default: false },
    scope: { type: 'string', default: 'own' },
  },
});
const [share, seed] = [Number(values.share), Number(values.seed)];
if (!(share > 0 && share <= 1))
  throw new Error(`--share is ${values.share}: give a number above 0, at most 1`);

const files = filesOf(
  root,
  positionals.map((path) => relative(root, resolve(path))),
);
if (files.length === 0) throw new Error('no file of host code there: see scripts/host-mutants/scopes.mjs');
mkdirSync(values.out, { recursive: true });
const resultOf = (file) => join(values.out, `${file.replaceAll('/', '+')}.json`);

/** A copy of the checkout whose own packages are its own: links in node_modules would lead back otherwise. */
function copyOf(folder) {
  const copy = mkdtempSync(join(tmpdir(), 'turnproof-mutated-'));
  const listed = execFileSync('git', ['ls-files', '-coz', '--exclude-standard'], {
    cwd: folder,
    encoding: 'utf8',
  });
  const generated = 'packages/shaders/src/generated';
  const made = readdirSync(join(folder, generated)).map((name) => join(generated, name));
  for (const file of new Set([...listed.split('\0'), ...made])) {
    if (file === '' || !existsSync(join(folder, file))) continue;
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    cpSync(join(folder, file), join(copy, file));
  }
  const modules = join(folder, 'node_modules');
  mkdirSync(join(copy, 'node_modules/@turnproof'), { recursive: true });
  for (const name of readdirSync(modules)) {
    if (name !== 'turnproof' && name !== '@turnproof')
      symlinkSync(join(modules, name), join(copy, 'node_modules', name));
  }
  symlinkSync('../packages/cli', join(copy, 'node_modules/turnproof'));
  for (const name of readdirSync(join(modules, '@turnproof'))) {
    const place = ['packages', 'apps', 'examples'].find((part) => existsSync(join(folder, part, name)));
    symlinkSync(`../../${place}/${name}`, join(copy, 'node_modules/@turnproof', name));
  }
  return copy;
}

const copy = copyOf(root);
process.on('exit', () => rmSync(copy, { recursive: true, force: true }));
process.chdir(copy);

for (const file of files) {
  const text = createHash('sha256')
    .update(readFileSync(join(copy, file)))
    .digest('hex');
  const before = existsSync(resultOf(file)) ? JSON.parse(readFileSync(resultOf(file), 'utf8')) : undefined;
  const kept = before?.text === text && before.seed === seed ? before : { text, seed, share: 0, mutants: [] };
  const lived = new Set(kept.mutants.filter(({ status }) => status !== 'Killed').map(keyOf));
  const old = new Set(kept.mutants.map(keyOf));
  const wanted = (key) => (values.again ? lived.has(key) : !old.has(key));
  if (values.again ? lived.size === 0 : kept.share >= share) continue;
  const mutants = values.again ? kept.mutants.filter(({ status }) => status === 'Killed') : [...kept.mutants];
  const save = (done) =>
    writeFileSync(
      resultOf(file),
      JSON.stringify(
        { file, text, seed, share: done && !values.again ? share : kept.share, mutants },
        null,
        1,
      ),
    );
  Object.assign(asked, {
    share: values.again ? 1 : share,
    seed,
    file,
    wanted,
    tell: ({ mutatorName, replacement, location, status, killedBy, statusReason }) => {
      // Those of a kind that is left out.
      if (status === 'Ignored') return;
      mutants.push({ mutatorName, replacement, location, status, killedBy: killedBy?.[0], statusReason });
      if (!values.again) save(false);
    },
  });
  const include = values.tests ?? testsOf(copy, file, values.scope);
  writeFileSync(join(copy, 'scripts/host-mutants/tests.json'), JSON.stringify(include));
  console.log(`== ${file}`);
  await new Stryker({
    mutate: [file],
    plugins: ['@stryker-mutator/vitest-runner', join(import.meta.dirname, 'mutators.mjs')],
    testRunner: 'vitest',
    vitest: {
      configFile: join(copy, 'scripts/host-mutants/vitest.config.mjs'),
      related: true,
      pool: 'forks',
    },
    coverageAnalysis: 'perTest',
    concurrency: 1,
    inPlace: true,
    tempDirName: join(copy, '.stryker-tmp'),
    mutator: { excludedMutations: ['StringLiteral', 'ObjectLiteral', 'Regex', 'OptionalChaining'] },
    reporters: ['tell'],
    dryRunTimeoutMinutes: 60,
    timeoutMS: 60_000,
    timeoutFactor: 4,
    allowEmpty: true,
    allowConsoleColors: false,
    logLevel: 'warn',
    fileLogLevel: 'off',
  }).runMutationTest();
  save(true);
  console.log(summary([{ file, mutants }]));
}
