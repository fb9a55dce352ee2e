/** Are two run folders the same but for times? Test support only. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const linesOf = (folder: string, name: string): string[] =>
  readFileSync(join(folder, name), 'utf8').split('\n');

/** A line of certificates.jsonl without its times and what befell the machine; all other bytes as they are. */
export function lastingPart(line: string): string {
  return line.replace(/,"ms":\{[^{}]*\}/, '').replace(/,"recovered":\[[^[\]]*\]/, '');
}

/** What a run comes to, as text: equal for equal runs. */
export function lastingRun(folder: string): Record<'certificates' | 'log' | 'classifier' | 'config', string> {
  const { started: _, options, ...config } = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'));
  const { out: __, ...words } = options;
  return {
    certificates: linesOf(folder, 'certificates.jsonl').map(lastingPart).join('\n'),
    log: linesOf(folder, 'log.tsv')
      .map((line) => line.split('\t').slice(0, 5).join('\t'))
      .join('\n'),
    classifier: linesOf(folder, 'classifier.tsv').join('\n'),
    config: JSON.stringify({ ...config, options: words }),
  };
}
