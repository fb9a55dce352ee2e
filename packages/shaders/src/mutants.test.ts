/**
 * Keeps MUTANTS.md, the list of the kernels' deliberate faults and of what rejects each, equal to what the kernels' tests
 * do. After a change: `npx vitest run packages/shaders/src/mutants -u`.
 */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const here = import.meta.dirname;

/** A string literal of TypeScript, as the formatter leaves it. */
const LITERAL = String.raw`'((?:[^'\\]|\\.)*)'`;
const unescaped = (literal: string) => literal.replaceAll(/\\(.)/g, '$1');

/** One `describeKernel` of a test file: its kernel, its proposition and the faults that its check must reject. */
function sectionOf(path: string): { section: string; faults: number } {
  const text = readFileSync(join(here, path), 'utf8');
  const suite = text.slice(text.indexOf('describeKernel({'));
  const proposition = suite.match(new RegExp(String.raw`proposition:\s*${LITERAL}`))?.[1];
  const name = path.split('/').at(-2)?.replaceAll('-', '_');
  const list = suite.slice(suite.indexOf('\n  mutants: ['));
  const faults = [...list.matchAll(new RegExp(String.raw`\bfault:\s*${LITERAL}`, 'g'))].map(
    ([, fault]) => `- ${unescaped(fault ?? '')}`,
  );
  if (!name || !proposition || faults.length !== list.split('fault:').length - 1) {
    throw new Error(`${path}: its mutants cannot be read`);
  }
  const head = `## ${name}\n\nTest «${unescaped(proposition)}» (\`src/${path}\`) rejects:\n`;
  return { section: [head, ...faults, ''].join('\n'), faults: faults.length };
}

it('MUTANTS.md lists every mutant of every kernel', async () => {
  const files = globSync('kernels/*/*.test.ts', { cwd: here }).sort();
  expect(files.length).toBeGreaterThan(0);
  const sections = files.map(sectionOf);
  const count = sections.reduce((sum, { faults }) => sum + faults, 0);
  const head = `# The kernels' mutants

Written by \`src/mutants.test.ts\`, do not edit. ${count} kernels with one deliberate fault each; \`npm run mutants\` runs every one on
every adapter: the check that the kernel passes must fail on each (how: CONTRIBUTING.md).
`;
  const text = [head, ...sections.map(({ section }) => section)].join('\n');
  await expect(text).toMatchFileSnapshot('../MUTANTS.md');
});
