/**
 * Writes src/generated/wgsl.ts: every kernel's WGSL with its `#import` lines resolved, and one SHA-256 over all of
 * them. Node, browsers and tests thereby load the same bytes, and a certificate can name them.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', 'src');
const IMPORT = /^\/\/ #import (\S+)$/gm;

function resolve(path: string, seen: Set<string>): string {
  if (seen.has(path)) return '';
  seen.add(path);
  const text = readFileSync(path, 'utf8');
  const imported = [...text.matchAll(IMPORT)].map((m) => resolve(join(root, 'shared', `${m[1]}.wgsl`), seen));
  return [...imported, text.replaceAll(IMPORT, '').trim()].filter((part) => part !== '').join('\n\n');
}

const kernels = readdirSync(join(root, 'kernels')).sort();
const sources: [string, string][] = [];
for (const folder of kernels) {
  const path = join(root, 'kernels', folder, `${folder}.wgsl`);
  if (existsSync(path)) sources.push([folder.replaceAll('-', '_'), resolve(path, new Set())]);
}
const hash = createHash('sha256');
for (const [name, source] of sources) hash.update(`${name}\0${source}\0`);
const body = sources.map(([name, source]) => `  ${name}: ${JSON.stringify(source)},`).join('\n');
mkdirSync(join(root, 'generated'), { recursive: true });
writeFileSync(
  join(root, 'generated', 'wgsl.ts'),
  `// Made by scripts/embed-wgsl.ts from the .wgsl files; do not edit.
export const wgsl = {
${body}
} as const;
/** SHA-256 over all kernels' WGSL. */
export const wgslSha256 = '${hash.digest('hex')}';
`,
);
