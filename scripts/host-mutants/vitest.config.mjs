/** Vitest as Stryker runs it: the tests that main.mjs names, the quickest files first, in one process. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BaseSequencer } from 'vitest/node';
import base from '../../vitest.config.ts';

/** Longest time that each file took. */
const took = new Map();

class QuickestFirst extends BaseSequencer {
  async sort(files) {
    const time = ({ moduleId }) => took.get(moduleId) ?? 0;
    return [...files].sort((a, b) => time(a) - time(b));
  }
}

/** Written beside this file, in the copy. */
const include = JSON.parse(readFileSync(join(import.meta.dirname, 'tests.json'), 'utf8'));

export default {
  ...base,
  test: {
    ...base.test,
    include,
    isolate: false,
    maxWorkers: 1,
    sequence: { sequencer: QuickestFirst },
    reporters: [
      {
        onTestModuleEnd(module) {
          const { duration } = module.diagnostic();
          took.set(module.moduleId, Math.max(duration, took.get(module.moduleId) ?? 0));
        },
      },
    ],
  },
};
