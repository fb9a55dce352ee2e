/**
 * `npm run demo`: builds the packages, certifies a few of the built-in traffic signs against rotation on whatever
 * adapter this machine has, and checks the certificates. Sixteen images, so that the packaged software adapter on two
 * cores ends within a minute; everything else is as in a real run.
 */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ensureNode } from './node-version.mjs';
import { runStep } from './step.mjs';

ensureNode();

const PLAN = {
  method: 'sweep',
  model: 'signs',
  data: 'signs',
  limit: 16,
  transform: 'rotation',
  range: 30,
  vignette: 'circle:2',
  blur: '5:1.0',
  'sigma-eps': 0.3,
  // The figures in README are those of this seed.
  seed: 0,
};

const CLI = join('packages', 'cli', 'dist', 'bin.js');
const stamp = new Date().toISOString().slice(0, 19).replaceAll(':', '-');
const run = join('runs', `demo-${stamp}`);
const options = Object.entries(PLAN).flatMap(([name, value]) => [`--${name}`, String(value)]);

/** A bundle is built already. */
const isBundle = !existsSync('turbo.json');
const build = ['build', ['npm', 'run', 'build', '--silent']];
const steps = [
  ...(isBundle ? [] : [build]),
  [`certify ${PLAN.limit} traffic signs`, [process.execPath, CLI, 'certify', ...options, '--out', run]],
  ['verify the certificates', [process.execPath, CLI, 'verify', run]],
];

for (const [title, command] of steps) {
  const { ok, why } = await runStep(title, command);
  if (ok) continue;
  process.stderr.write(`\nThe demo stopped at «${title}»: ${why}.\n`);
  process.exit(1);
}

process.stdout.write(`
Open ${resolve(run)}/report.html in a browser. The certificates are in the same folder: certificates.jsonl (a line an image).
A radius of r degrees says: turned by any angle up to r, either way, the smoothed classifier gives the same answer,
with the confidence that the certificate states (0.99).
Go on with: ${isBundle ? './turnproof' : 'npx turnproof'} certify --help
`);
