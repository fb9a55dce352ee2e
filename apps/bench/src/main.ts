/**
 * `npm run bench`: the suite on the adapters that are here, as a table and as files. Or two results compared.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { badInput, EXIT_CODES, openDevice, TurnproofError } from '@turnproof/core';
import { codeOf, makeFolder } from '@turnproof/core/folders';
import { testAdapters } from '@turnproof/core/testing';
import { nodeAssets } from './assets.ts';
import { circumstances } from './circumstances.ts';
import { toChromeTrace, toCsv } from './suite/exports.ts';
import { DEFAULT_KNOBS, scaled } from './suite/knobs.ts';
import { PATIENCE } from './suite/measure.ts';
import { PLANTED_ROUNDS, planted } from './suite/planted.ts';
import { parseOutside, parseResult } from './suite/result.ts';
import { runSuite } from './suite/suite.ts';
import { comparison, HEAD, heading, line } from './table.ts';

const HELP = `Usage: npm run bench -- [options]

  --adapter NAME[,NAME]  adapters (default: all that open here)
  --scale N              times the work of a dispatch (default 1; a real GPU wants 16 or more)
  --budget MS            time for the repeats of a case (default ${PATIENCE.budgetMs})
  --only TEXT            only cases whose name contains it
  --ort wasm,webgpu      where the classifier runs (default wasm; hardware adapters: both)
  --slow KERNEL          let a kernel fill its tiles again and again, to see that the bench notices
  --outside FILE         JSON list of {"name", "command", "figure"}: measurements made elsewhere, kept in the result
  --out FOLDER           write ADAPTER.json, ADAPTER.csv and ADAPTER.perfetto.json
  --compare BEFORE AFTER compare two JSON files instead of measuring; exit code 1 when something became slower
`;

async function main(): Promise<number> {
  const { values, positionals } = options();
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  if (values.compare) return compareFiles(positionals);
  if (positionals.length > 0)
    throw badInput(`«${positionals[0]}» is no option`, 'see npm run bench -- --help');
  const number = (name: 'scale' | 'budget') => {
    const value = Number(values[name]);
    if (!(value > 0 && Number.isFinite(value)))
      throw badInput(`--${name} ${values[name]}: a number above 0 is needed`);
    return value;
  };
  const [scale, budgetMs] = [number('scale'), number('budget')];
  if (values.out) makeOut(values.out);
  const outside = values.outside ? parseOutside(values.outside, readText(values.outside)) : [];
  for (const adapter of values.adapter?.split(',') ?? (await testAdapters())) {
    const gpu = await openDevice({ adapter });
    const where = circumstances(gpu);
    process.stdout.write(`\n${heading({ circumstances: where })}\n${HEAD}\n`);
    const providers = providersOf(values.ort ?? (gpu.adapter.kind === 'hardware' ? 'wasm,webgpu' : 'wasm'));
    const result = await runSuite(gpu, {
      knobs: scaled(DEFAULT_KNOBS, scale),
      assets: nodeAssets(providers),
      patience: { ...PATIENCE, budgetMs },
      circumstances: where,
      outside,
      ...(values.only === undefined ? {} : { only: values.only }),
      ...(values.slow === undefined ? {} : { patch: planted(values.slow, PLANTED_ROUNDS) }),
      onMeasured: (measurement) => process.stdout.write(`${line(measurement)}\n`),
    });
    gpu.close();
    if (!values.out) continue;
    const name = join(values.out, gpu.adapter.adapterClass.replaceAll(/[^\w-]+/g, '-'));
    writeFileSync(`${name}.json`, `${JSON.stringify(result, null, 1)}\n`);
    writeFileSync(`${name}.csv`, toCsv(result));
    writeFileSync(`${name}.perfetto.json`, toChromeTrace(result));
    process.stdout.write(`written: ${name}.json, .csv, .perfetto.json\n`);
  }
  return 0;
}

function options() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        adapter: { type: 'string' },
        scale: { type: 'string', default: '1' },
        budget: { type: 'string', default: String(PATIENCE.budgetMs) },
        only: { type: 'string' },
        ort: { type: 'string' },
        slow: { type: 'string' },
        outside: { type: 'string' },
        out: { type: 'string' },
        compare: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw badInput(error instanceof Error ? error.message : String(error), 'see npm run bench -- --help');
  }
}

/** Before anything is measured. */
function makeOut(path: string): void {
  try {
    makeFolder(path);
  } catch (error) {
    throw badInput(`--out ${path}: cannot be made (${codeOf(error)})`, 'give another folder');
  }
}

function providersOf(words: string): ('wasm' | 'webgpu')[] {
  return words.split(',').map((word) => {
    if (word === 'wasm' || word === 'webgpu') return word;
    throw badInput(`--ort ${words}: «${word}» is no provider`, 'take wasm, webgpu or both');
  });
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw badInput(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function compareFiles(files: readonly string[]): number {
  const [before, after, ...more] = files;
  if (before === undefined || after === undefined || more.length > 0)
    throw badInput('--compare needs two files', 'npm run bench -- --compare BEFORE.json AFTER.json');
  const text = comparison(parseResult(before, readText(before)), parseResult(after, readText(after)));
  process.stdout.write(`${text}\n`);
  return text.includes('SLOWER') ? 1 : 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof TurnproofError)) throw error;
  process.stderr.write(`${error.message}\n${error.fix ? `${error.fix}\n` : ''}`);
  process.exitCode = EXIT_CODES[error.code];
}
