/**
 * Tests must pass on a machine of any speed: no test waits for a time, compares times, or is cut off before vitest's own
 * limit, which is long. Finds what would; `// any speed: why` on the line lets it stand.
 */
// Older Nodes, which ensureNode replaces, know no globSync.
import * as fs from 'node:fs';
import { ensureNode } from './node-version.mjs';

ensureNode();

/** A shorter one ends the tests of a slow machine, not those that hang. */
const SHORTEST_MS = 20 * 60_000;

/** Numbers and products of numbers. */
const LIMITS = [
  // Options of vitest, of child processes, of a browser.
  /[tT]imeout: (\d[\d_ *]*)/,
  // The last argument of a test or a hook.
  /^\s*\}, (\d[\d_ *]*)\);$/,
  // vitest's config.
  /LIMIT_MS = (\d[\d_ *]*)/,
];
const CLOCKS =
  /\b(setTimeout|performance\.now|Date\.now|AbortSignal\.timeout|vi\.waitFor|vi\.waitUntil|expect\.poll|timers\/promises)\b/;

const product = (words) =>
  words.split('*').reduce((value, word) => value * Number(word.replaceAll('_', '')), 1);

function faultIn(line) {
  if (/\/\/ any speed: \S/.test(line)) return null;
  const limits = LIMITS.flatMap((limit) => limit.exec(line)?.slice(1).map(product) ?? []);
  // 0 is no limit.
  if (limits.some((ms) => ms > 0 && ms < SHORTEST_MS))
    return `a limit of less than ${SHORTEST_MS / 60_000} minutes`;
  const [clock] = CLOCKS.exec(line) ?? [];
  return clock === undefined ? null : `«${clock}»: wait for an event, and compare no times`;
}

const files = [
  'vitest.config.ts',
  ...fs.globSync('{packages,apps,examples}/*/{src,test}/**/*.{test,test-support}.ts'),
  ...fs.globSync('packages/*/src/**/testing/*.ts'),
];
const faults = files.flatMap((file) =>
  fs
    .readFileSync(file, 'utf8')
    .split('\n')
    .map((line, i) => ({ line, at: `${file}:${i + 1}`, fault: faultIn(line) }))
    .filter(({ fault }) => fault !== null),
);
for (const { at, fault, line } of faults) console.error(`${at}: ${fault}\n    ${line.trim()}`);
console.log(`${files.length} test files, ${faults.length} that mind the time`);
process.exit(faults.length === 0 ? 0 : 1);
