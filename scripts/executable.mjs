/**
 * Marks the files named as programs, as part of a build: npm does it only when it makes a link, and a build that turbo
 * takes from its cache brings the mode back that the file had when it was built.
 */
import { chmodSync } from 'node:fs';

for (const file of process.argv.slice(2)) chmodSync(file, 0o755);
