/** The folder of a command that is no certifying run: config.json, lines as they come, summary.json when it is through. */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import type { OptionSpec, Values } from '../options/values.ts';
import { version } from '../version.ts';
import { makeFolders } from './place-to-write.ts';
import { CONFIG } from './run-config.ts';
import { checkRunFolder } from './run-folder.ts';
import { type Summary, writeSummary } from './summary-file.ts';
import { writeWhole } from './write-whole.ts';

export const outOption = (what: string): OptionSpec => ({
  name: 'out',
  value: 'DIR',
  help: `folder, not there yet, for ${what}`,
});

export class OutputFolder {
  readonly path: string;

  /** @param more what config.json says beside the options */
  constructor(path: string, command: string, values: Values, more: Readonly<Record<string, unknown>> = {}) {
    checkRunFolder(path);
    makeFolders(path, `--out ${path}`);
    this.path = path;
    const config = {
      schema: 'turnproof/run/1',
      command,
      version: version(),
      started: new Date().toISOString(),
      options: { ...values.toJSON(), out: path },
      ...more,
    };
    writeWhole(join(path, CONFIG), `${JSON.stringify(config, null, 2)}\n`);
  }

  append(name: string, line: string): void {
    appendFileSync(join(this.path, name), `${line}\n`, { flush: true });
  }

  finish(summary: Summary): void {
    writeSummary(this.path, summary);
  }
}
