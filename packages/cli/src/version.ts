/** This package's version, from its package.json, which lies beside both src and dist. */
import { readFileSync } from 'node:fs';

export function version(): string {
  const content: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  const found =
    typeof content === 'object' && content !== null && 'version' in content ? content.version : null;
  return typeof found === 'string' ? found : 'unknown';
}
