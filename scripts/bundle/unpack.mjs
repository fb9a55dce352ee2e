/**
 * Runs once in an unpacked bundle, at its first command: unpacks app.tar.zst beside itself. Zstandard, because gzip
 * leaves the archive too large; Node brings it, and tar is what the bundle itself was unpacked with.
 */
import { spawn } from 'node:child_process';
import { createReadStream, existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createZstdDecompress } from 'node:zlib';

const here = import.meta.dirname;
process.stderr.write('unpacking, once ...\n');
let draft;
try {
  draft = mkdtempSync(join(here, 'unpacking-'));
  const tar = spawn('tar', ['-xf', '-', '-C', draft], {
    stdio: ['pipe', 'inherit', 'inherit'],
    env: { PATH: process.env.PATH ?? '/usr/bin:/bin' },
  });
  const ended = new Promise((resolve, reject) => {
    tar.on('error', reject);
    tar.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`tar ended with ${code}`))));
  });
  await Promise.all([
    pipeline(createReadStream(join(here, 'app.tar.zst')), createZstdDecompress(), tar.stdin),
    ended,
  ]);
  // Two first commands at once: one of them wins, both find the same.
  if (!existsSync(join(here, 'app'))) renameSync(join(draft, 'app'), join(here, 'app'));
} catch (error) {
  process.stderr.write(
    `the bundle cannot be unpacked: ${error.message}\nput it where files can be written, with 400 MB free\n`,
  );
  process.exitCode = 42;
} finally {
  if (draft) rmSync(draft, { recursive: true, force: true });
}
