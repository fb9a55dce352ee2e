/** A reporter of vitest's: after everything else, the ten test files that took longest, hooks and imports included. */
import { relative } from 'node:path';

const SHOWN = 10;

export default class Slowest {
  onTestRunEnd(modules) {
    const times = modules.map((module) => {
      const { collectDuration, duration } = module.diagnostic();
      return { file: relative(process.cwd(), module.moduleId), seconds: (collectDuration + duration) / 1000 };
    });
    const slowest = times.sort((a, b) => b.seconds - a.seconds).slice(0, SHOWN);
    const lines = slowest.map(({ file, seconds }) => `${seconds.toFixed(1).padStart(8)} s  ${file}\n`);
    process.stdout.write(`\nThe slowest of ${times.length} test files:\n${lines.join('')}`);
  }
}
