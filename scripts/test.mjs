/**
 * `npm test`: everything that has to hold before a change is taken, in one run. Prints the steps as they go and, as
 * its last line, how many tests passed and failed; the steps before vitest count as one test each. No step has a limit:
 * a slow machine takes its time, and what hangs is ended by whoever started this.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureNode } from './node-version.mjs';
import { runStep } from './step.mjs';

ensureNode();

const counts = { passed: 0, failed: 0, skipped: 0 };
const failures = [];

async function step(title, command) {
  const { ok, why } = await runStep(title, command);
  if (ok) counts.passed += 1;
  else fail(`${title}: ${why}`);
  return ok;
}

function fail(what) {
  counts.failed += 1;
  failures.push(what);
}

/** Adds vitest's own counts from the report it left. Says what a crash or a file that does not load would hide. */
function addVitest(reportFile, { ok, why }) {
  let report;
  try {
    report = JSON.parse(readFileSync(reportFile, 'utf8'));
  } catch {
    fail(`vitest left no report: ${why || 'it ended as if all were well'}`);
    return;
  }
  counts.passed += report.numPassedTests;
  counts.skipped += report.numPendingTests + report.numTodoTests;
  const before = counts.failed;
  for (const file of report.testResults) {
    const failed = file.assertionResults.filter((test) => test.status === 'failed');
    for (const test of failed) fail(`${file.name}: ${test.fullName}`);
    if (file.status === 'failed' && failed.length === 0) fail(`${file.name}: ${firstLine(file.message)}`);
  }
  if (report.testResults.length === 0) fail('vitest found no tests');
  if (!ok && counts.failed === before) fail(`vitest: ${why}, though no test failed (see its output)`);
}

const firstLine = (text) => (text ?? '').split('\n')[0] || 'the file did not run';

/** Biome colours its output for machines too unless told otherwise. */
const plain = process.stdout.isTTY ? [] : ['--colors=off'];
const folder = mkdtempSync(join(tmpdir(), 'turnproof-test-'));
try {
  // --force: a result remembered from other sources would prove nothing.
  await step('generate sources', ['turbo', 'run', 'generate', '--force']);
  await step('lint and format', ['biome', 'ci', ...plain, '.']);
  await step('limits of tests', ['node', 'scripts/check-limits.mjs']);
  await step('types', ['turbo', 'run', 'typecheck', '--force']);
  if (await step('build', ['npm', 'run', 'build', '--', '--force'])) {
    await step('built packages', ['node', 'scripts/check-built.mjs']);
  }
  const report = join(folder, 'vitest.json');
  const reporters = ['default', 'json', './scripts/slowest.mjs'].map((name) => `--reporter=${name}`);
  const vitest = ['vitest', 'run', ...reporters, `--outputFile.json=${report}`];
  addVitest(report, await runStep('tests', vitest));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

if (failures.length > 0) process.stdout.write(`\nFailed:\n${failures.map((f) => `  ${f}\n`).join('')}`);
const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : '';
process.stdout.write(`\n${counts.passed} passed, ${counts.failed} failed${skipped}\n`);
process.exitCode = counts.failed === 0 ? 0 : 1;
